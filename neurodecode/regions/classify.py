"""One fold of state classification: training blocks in, predictions of held-out blocks out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Literal

import numpy as np

from neurodecode.errors import DataError
from neurodecode.nn.regions import MaskedRegions
from neurodecode.regions.connectivity import BASELINES
from neurodecode.regions.probe import ProbeOptions, fit_states, log_probabilities
from neurodecode.regions.windows import Blocks, label_share
from neurodecode.splits import Fold
from neurodecode.store import Prediction

__all__ = ["Fitter", "baseline_fitter", "classify_fold", "encoder_fitter"]

#: From windows and their states (numbers from 0) to a function that gives log-probabilities.
Fitter = Callable[[np.ndarray, np.ndarray], Callable[[np.ndarray], np.ndarray]]


def baseline_fitter(name: str) -> Fitter:
    """How a baseline is fitted.

    Parameters
    ----------
    name : str
        A name in `BASELINES`.

    Returns
    -------
    Fitter
        Training windows and states to a function of windows.
    """
    return lambda series, label: BASELINES[name]().fit(series, label).predict_log_proba


def encoder_fitter(encoder: MaskedRegions, options: ProbeOptions, seed: int) -> Fitter:
    """How an encoder is probed or trained on.

    Parameters
    ----------
    encoder : MaskedRegions
        Pretrained or not.
    options : ProbeOptions
        How.
    seed : int
        Of beginnings and dropout.

    Returns
    -------
    Fitter
        Training windows and states to a function of windows.
    """

    def fit(series: np.ndarray, label: np.ndarray) -> Callable[[np.ndarray], np.ndarray]:
        """Train on windows."""
        models = fit_states(encoder, series, label, options, seed)
        return lambda windows: log_probabilities(models, windows)

    return fit


def classify_fold(
    blocks: Mapping[str, Blocks],
    fold: Fold,
    number: int,
    fit: Fitter,
    share: float = 1.0,
    side: Literal["test", "validation"] = "test",
    seed: int = 0,
) -> list[Prediction]:
    """Train on the training runs of all subjects, classify the held-out ones.

    For the validation side as for the test side training runs alone are used: an encoder's
    checkpoint was chosen by the validation runs.

    Parameters
    ----------
    blocks : mapping of str to Blocks
        By subject.
    fold : Fold
        The division.
    number : int
        Its number.
    fit : Fitter
        The method.
    share : float
        Share of the training labels that is used.
    side : {"test", "validation"}
        What is classified.
    seed : int
        Chooses the labels, of each fold and subject anew.

    Returns
    -------
    list of Prediction
        One a subject; ``scores`` are log-probabilities of the states.

    Raises
    ------
    DataError
        If a held-out state is absent from training.
    """
    training = {
        name: label_share(each.of(fold.train), share, np.random.default_rng([seed, number, order]))
        for order, (name, each) in enumerate(sorted(blocks.items()))
    }
    names = np.unique(np.concatenate([each.label for each in training.values()]))
    predict = fit(
        np.concatenate([each.series for each in training.values()]),
        np.concatenate([np.searchsorted(names, each.label) for each in training.values()]),
    )
    found = []
    for subject, each in blocks.items():
        held_out = each.of(getattr(fold, side))
        if unseen := sorted(set(held_out.label) - set(names)):
            raise DataError(
                f"fold {number} tests {unseen[0]!r}, which is not in training", subject=subject,
                field="stimulus_id", fix="every state is needed on both sides",
            )  # fmt: skip
        found.append(
            Prediction(
                subject,
                held_out.label.tolist(),
                {"scores": np.asarray(predict(held_out.series), dtype=np.float32)},
                names.tolist(),
                fold=number,
                n_trials=len(training[subject].label),
            )
        )
    return found
