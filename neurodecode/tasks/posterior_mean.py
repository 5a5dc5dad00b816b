"""Pictures without a generator: the mean of natural scenes that would have been answered alike."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Literal

import numpy as np
import torch
from scipy.special import softmax
from torch import Tensor

from neurodecode.loaders.table import TrialTable
from neurodecode.store import Prediction, ResponseStore
from neurodecode.tasks.baselines import predicted_rows, stack_judge, validation_turns
from neurodecode.tasks.encode import (
    EncodeTask,
    shift_images,
    small_shifts,
    standardise_images,
)

__all__ = ["bank_weights", "mean_pictures", "predict_pictures"]

_AT_ONCE = 256


def bank_weights(
    store: ResponseStore,
    table: TrialTable,
    fold: int,
    predicted: Sequence[Prediction],
    answers: Sequence[np.ndarray],
    side: Literal["validation", "test"] = "test",
) -> np.ndarray:
    r"""Posterior of a bank's pictures, given the responses to the stimuli of one side.

    Every picture x of the bank is as likely as any other before the response y is seen, and

    .. math:: \hat{x} = \sum_b p(x_b|y) \, x_b, \qquad p(x_b|y) \propto p(y|x_b)

    after it, with the likelihood of encoders whose weights and noise come from validation
    stimuli; nothing else is tuned. The mean is the estimate of smallest squared error under this
    prior (Naselaris et al. 2009 show the likeliest picture of a bank instead).

    Parameters
    ----------
    store : ResponseStore
        The subject.
    table : TrialTable
        Its trials, standardised by training trials.
    fold : int
        Which fold.
    predicted : sequence of Prediction
        What each encoder predicts for the stimuli of the fold.
    answers : sequence of array of shape (n_bank, n_voxels)
        What each predicts for the pictures of the bank, none of which is of `side`.
    side : {"validation", "test"}
        Whose stimuli. Of validation, a part at a time is judged by what was learned from the
        others.

    Returns
    -------
    array of float64 of shape (n, n_bank)
        Each row sums to 1.

    Raises
    ------
    DataError
        If a stimulus was not predicted, or there are too few validation stimuli to part.
    """
    fit, validation, held_out = (table.average(each) for each in ("train", "validation", side))
    judge = stack_judge(
        table,
        [predicted_rows(each, fit.stimulus_id) for each in predicted],
        [predicted_rows(each, validation.stimulus_id) for each in predicted],
    )
    n = len(validation.stimulus_id)
    turns: Iterable[tuple[np.ndarray, np.ndarray]]
    if side == "validation":
        turns = validation_turns(store, fold, n, seed=0)
    else:
        turns = [(np.arange(n), np.arange(len(held_out.stimulus_id)))]
    weights = np.empty((len(held_out.stimulus_id), len(answers[0])))
    for known, part in turns:
        scores = judge(known).log_likelihood(
            held_out.responses[part], answers, held_out.n_averaged[part]
        )
        weights[part] = softmax(scores, axis=1)
    return weights


def mean_pictures(images: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Average pictures.

    Parameters
    ----------
    images : array of uint8 of shape (n_bank, height, width, 3)
        The bank.
    weights : array of shape (n, n_bank)
        Rows sum to 1.

    Returns
    -------
    array of uint8 of shape (n, height, width, 3)
        Pictures.
    """
    mean = weights.astype(np.float32) @ images.reshape(len(images), -1).astype(np.float32)
    pixels = np.clip(np.round(mean), 0, 255).astype(np.uint8)
    return pixels.reshape(len(weights), *images.shape[1:])


@torch.inference_mode()
def predict_pictures(task: EncodeTask, subject: str, images: Tensor) -> np.ndarray:
    """Predict a subject's responses to any pictures, as ``predict`` does for its stimuli.

    Parameters
    ----------
    task : EncodeTask
        Trained, in evaluation mode.
    subject : str
        One that it was trained on.
    images : Tensor of uint8 of shape (n, 3, height, width)
        Of the size that it was trained on.

    Returns
    -------
    array of float32 of shape (n, n_features)
        Mean over the picture and four small shifts.
    """
    step, places = task.max_shift, small_shifts(task.max_shift)
    parts = []
    for start in range(0, len(images), _AT_ONCE):
        batch = standardise_images(images[start : start + _AT_ONCE])
        shifted = [
            shift_images(batch, torch.tensor(place).expand(len(batch), 2), step) for place in places
        ]
        found = [task.encoder({subject: each})[subject].float() for each in shifted]
        parts.append(torch.stack(found).mean(dim=0))
    return torch.cat(parts).numpy()
