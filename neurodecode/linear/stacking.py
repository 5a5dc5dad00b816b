"""Combine the predictions of several encoders, voxel by voxel."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.optimize import nnls
from sklearn.model_selection import KFold

__all__ = ["EncoderStack", "stack_encoders"]

#: Stimuli for which the data of one voxel count as much as the weights shared by all voxels.
PRIOR_STIMULI = 100.0


@dataclass(frozen=True)
class EncoderStack:
    """Weights of several encoders.

    Parameters
    ----------
    weights : array of shape (n_encoders, n_voxels)
        Not negative.
    held_out : array of shape (n_stimuli, n_voxels)
        Combined prediction of the stimuli the weights were fitted to, each with weights
        fitted without it.
    """

    weights: np.ndarray
    held_out: np.ndarray

    def combine(self, predictions: Sequence[np.ndarray]) -> np.ndarray:
        """Weigh predictions for other stimuli.

        Parameters
        ----------
        predictions : sequence of array of shape (n_stimuli, n_voxels)
            One for each encoder.

        Returns
        -------
        array of shape (n_stimuli, n_voxels)
            Their weighted sum.
        """
        return np.einsum("esv,ev->sv", np.stack(predictions), self.weights)


def stack_encoders(
    predictions: Sequence[np.ndarray], measured: np.ndarray, *, n_folds: int = 5, seed: int = 0
) -> EncoderStack:
    """Find weights on stimuli that no encoder was fitted to.

    Parameters
    ----------
    predictions : sequence of array of shape (n_stimuli, n_voxels)
        One for each encoder. A single one keeps weight 1.
    measured : array of shape (n_stimuli, n_voxels)
        Measured responses.
    n_folds : int
        Folds for the held-out combination.
    seed : int
        Of the folds.

    Returns
    -------
    EncoderStack
        The weights.

    Notes
    -----
    Stacked regression (Breiman 1996) with weights >= 0, shrunk for each voxel towards the
    weights that serve all voxels together.
    """
    stacked = np.stack(predictions).astype(np.float64)
    if len(stacked) == 1:
        return EncoderStack(np.ones((1, measured.shape[1])), stacked[0])
    held_out = np.empty_like(stacked[0])
    for fit, rest in KFold(n_folds, shuffle=True, random_state=seed).split(measured):
        weights = _weights(stacked[:, fit], measured[fit])
        held_out[rest] = np.einsum("esv,ev->sv", stacked[:, rest], weights)
    return EncoderStack(_weights(stacked, measured), held_out)


def _weights(stacked: np.ndarray, measured: np.ndarray) -> np.ndarray:
    n_encoders, _, n_voxels = stacked.shape
    shared, _ = nnls(stacked.reshape(n_encoders, -1).T, measured.ravel().astype(np.float64))
    weights = np.empty((n_encoders, n_voxels))
    for voxel in range(n_voxels):
        inputs = stacked[:, :, voxel].T
        # ridge around the shared weights, in units of the mean squared prediction
        root = np.sqrt(PRIOR_STIMULI * np.mean(inputs**2))
        rows = np.vstack([inputs, root * np.eye(n_encoders)])
        weights[:, voxel], _ = nnls(rows, np.concatenate([measured[:, voxel], root * shared]))
    return weights
