"""Where the adapter of a new subject begins: the best linear guess at the known ones' trunk."""

from __future__ import annotations

import logging

import numpy as np
import torch
from torch import nn

from neurodecode.adaptation.known import KnownSubjects
from neurodecode.nn.adapters import LinearAdapter
from neurodecode.nn.decoder import BrainDecoder
from neurodecode.store.synthetic import SyntheticResponses

__all__ = ["linear_estimate", "start_adapter"]

_log = logging.getLogger(__name__)


def linear_estimate(
    responses: np.ndarray, noise: np.ndarray, places: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    r"""Linear map from noisy responses to places with the smallest mean squared error.

    .. math:: W = (R^T R / n + \Sigma)^{-1} R^T H / n

    with both R and H less their means.

    Parameters
    ----------
    responses : array of shape (n, n_features)
        Mean response to each picture.
    noise : array of shape (n_features, n_features)
        Covariance of what comes on top.
    places : array of shape (n, width)
        Where each picture shall be mapped.

    Returns
    -------
    weights : array of float32 of shape (width, n_features)
        Of the map.
    bias : array of float32 of shape (width,)
        Of the map.
    """
    mean, target = responses.mean(axis=0, dtype=np.float64), places.mean(axis=0, dtype=np.float64)
    centred = responses - mean
    covariance = centred.T @ centred / len(centred) + noise
    floor = 1e-6 * np.trace(covariance) / len(covariance)
    cross = centred.T @ (places - target) / len(centred)
    weights = np.linalg.solve(covariance + floor * np.eye(len(covariance)), cross).T
    return weights.astype(np.float32), (target - weights @ mean).astype(np.float32)


def start_adapter(
    decoder: BrainDecoder,
    trained: BrainDecoder,
    known: KnownSubjects,
    synthetic: SyntheticResponses,
    n_averaged: int,
) -> None:
    """Set the adapter of a new subject so that its pictures land where the known ones' do.

    Parameters
    ----------
    decoder : BrainDecoder
        Of the new subject alone; changed in place if its adapter is linear.
    trained : BrainDecoder
        Of the known subjects, in evaluation mode.
    known : KnownSubjects
        What these answer to pictures.
    synthetic : SyntheticResponses
        What the new subject would answer, with its noise.
    n_averaged : int
        Trials averaged into a response.
    """
    adapter = decoder.adapters.adapters[next(iter(decoder.adapters.adapters))]
    if not isinstance(adapter, LinearAdapter):
        _log.info("the adapter is not linear: it begins with random weights")
        return
    adapters: dict[str, nn.Module] = {
        name: trained.adapters.of(name) for name in trained.adapters.n_features
    }
    places = known.shared(synthetic.stimulus_id, adapters)
    noise = synthetic.model_covariance + synthetic.trial_covariance / n_averaged
    weights, bias = linear_estimate(synthetic.responses.astype(np.float64), noise, places)
    with torch.no_grad():
        adapter.linear.weight.copy_(torch.from_numpy(weights))
        adapter.linear.bias.copy_(torch.from_numpy(bias))
