"""States from windows by an encoder of region series: probed as it is, or trained on."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from torch import Tensor, nn

from neurodecode.nn.regions import MaskedRegions, StateClassifier
from neurodecode.tasks.optim import adamw_one_cycle

__all__ = ["ProbeOptions", "fit_states", "log_probabilities"]


@dataclass(frozen=True)
class ProbeOptions:
    """How a classifier is trained on an encoder.

    Parameters
    ----------
    frozen : bool
        Leave the encoder as it is (attentive probing); otherwise it is trained too.
    n_steps : int
        Steps over all training windows.
    lr : float
        Peak learning rate.
    weight_decay : float
        Of matrices.
    head : {"attentive", "by_region"}
        What reads the tokens, see `StateClassifier`.
    n_queries : int
        Queries of the attentive probe.
    dropout : float
        Before the linear read-out.
    n_models : int
        Classifiers from different random beginnings, whose probabilities are averaged: a few
        dozen windows leave much to chance.
    """

    frozen: bool = True
    n_steps: int = 60
    lr: float = 1e-3
    weight_decay: float = 0.1
    head: Literal["attentive", "by_region"] = "by_region"
    n_queries: int = 8
    dropout: float = 0.5
    n_models: int = 3


def fit_states(
    encoder: MaskedRegions,
    series: np.ndarray,
    label: np.ndarray,
    options: ProbeOptions,
    seed: int = 0,
) -> list[StateClassifier]:
    """Train classifiers of windows.

    Parameters
    ----------
    encoder : MaskedRegions
        Pretrained or not; it stays as it is, a copy is trained where it is not frozen.
    series : array of shape (n, n_regions, n_volumes)
        Training windows.
    label : array of int of shape (n,)
        State of each, from 0.
    options : ProbeOptions
        How.
    seed : int
        Of beginnings and dropout.

    Returns
    -------
    list of StateClassifier
        Trained, in evaluation mode.
    """
    windows, target = torch.from_numpy(series), torch.from_numpy(label).long()
    n_states = int(target.max()) + 1
    found = []
    for number in range(options.n_models):
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed + number)
            own = encoder if options.frozen else copy.deepcopy(encoder)
            model = StateClassifier(own, n_states, options.head, options.n_queries,
                                    options.dropout)  # fmt: skip
            found.append(_train(model, windows, target, options).eval())
    return found


def _train(
    model: StateClassifier, windows: Tensor, target: Tensor, options: ProbeOptions
) -> StateClassifier:
    trained: nn.Module = model
    given, forward = windows, model.forward
    model.train()
    if options.frozen:
        # the encoder runs once; only what is behind it learns
        trained = nn.ModuleList(each for each in (model.probe, model.read_out) if each is not None)
        with torch.no_grad():
            given, forward = model.encoder.eval().tokens(windows), model.from_tokens
    setup = adamw_one_cycle(
        trained, options.n_steps, lr=options.lr, weight_decay=options.weight_decay, warmup=0.2
    )
    optimizer, schedule = setup["optimizer"], setup["lr_scheduler"]["scheduler"]
    for _ in range(options.n_steps):
        loss = nn.functional.cross_entropy(forward(given), target)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
    return model


@torch.no_grad()
def log_probabilities(models: list[StateClassifier], series: np.ndarray) -> np.ndarray:
    """Classify windows.

    Parameters
    ----------
    models : list of StateClassifier
        From `fit_states`.
    series : array of shape (n, n_regions, n_volumes)
        Windows.

    Returns
    -------
    array of shape (n, n_states)
        Log of the mean of their probabilities.
    """
    windows = torch.from_numpy(series)
    each = torch.stack([model(windows).log_softmax(dim=-1) for model in models])
    return (each.logsumexp(dim=0) - np.log(len(models))).numpy()
