"""States from windows by an encoder of region series: probed as it is, or trained on."""

from __future__ import annotations

import copy
from collections.abc import Callable
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
        Leave the encoder as it is; otherwise it is trained too, once the read-out has been
        (Kumar et al. 2022, "Fine-tuning can distort pretrained features": a random read-out would
        spoil it first).
    n_steps, n_tuning_steps : int
        Steps of the read-out over all training windows, and of everything after that.
    lr, tuning_lr : float
        Peak learning rates of both.
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
    n_tuning_steps: int = 15
    lr: float = 1e-3
    tuning_lr: float = 1e-4
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
    # the encoder runs once; only what is behind it learns
    with torch.no_grad():
        tokens = model.encoder.eval().tokens(windows)
    behind = nn.ModuleList(each for each in (model.probe, model.read_out) if each is not None)
    _descend(
        behind, lambda: model.from_tokens(tokens), target, options, options.n_steps, options.lr
    )
    given, forward = tokens, model.from_tokens
    if not options.frozen:
        given, forward = windows, model.forward
        _descend(model, lambda: model(windows), target, options,
                 options.n_tuning_steps, options.tuning_lr)  # fmt: skip
    # what the read-out is standardised by: tokens as they are now, not as they were on the way
    model.read_out[0].reset_running_stats()
    with torch.no_grad():
        forward(given)
    return model


def _descend(
    trained: nn.Module,
    logits: Callable[[], Tensor],
    target: Tensor,
    options: ProbeOptions,
    n_steps: int,
    lr: float,
) -> None:
    setup = adamw_one_cycle(
        trained.train(), n_steps, lr=lr, weight_decay=options.weight_decay, warmup=0.2
    )
    optimizer, schedule = setup["optimizer"], setup["lr_scheduler"]["scheduler"]
    for _ in range(n_steps):
        loss = nn.functional.cross_entropy(logits(), target)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()


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
