"""Pictures without a generator: the mean of natural scenes that would have been answered alike."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import torch
from scipy.special import softmax
from torch import Tensor

from neurodecode.linear import StackedLikelihood
from neurodecode.loaders.table import RepeatAverages, TrialTable
from neurodecode.store import Prediction
from neurodecode.tasks.baselines import predicted_rows
from neurodecode.tasks.encode import EncodeTask, shift_images, standardise_images

__all__ = ["BankPosterior", "predict_pictures", "stack_networks"]

_AT_ONCE = 256


class BankPosterior:
    r"""Bayesian reconstruction with a bank of pictures for the prior.

    Every picture x of the bank is as likely as any other before the response y is seen, and

    .. math:: \hat{x} = \sum_b p(x_b|y) \, x_b, \qquad p(x_b|y) \propto p(y|x_b)

    after it, with the likelihood of an encoder whose noise is calibrated. Nothing is tuned. The
    mean is the estimate of smallest squared error under this prior (Naselaris et al. 2009 show
    the likeliest picture of a bank instead).

    Parameters
    ----------
    images : array of uint8 of shape (n_bank, height, width, 3)
        The bank: none of the pictures that are to be reconstructed.
    log_likelihood : callable
        (responses, n_averaged) -> log-likelihood in nats of shape (n, n_bank).
    """

    def __init__(
        self,
        images: np.ndarray,
        log_likelihood: Callable[[np.ndarray, np.ndarray], np.ndarray],
    ) -> None:
        self.images, self.log_likelihood = images, log_likelihood

    def weights(self, measured: RepeatAverages) -> np.ndarray:
        """Compute the posterior of the bank's pictures.

        Parameters
        ----------
        measured : RepeatAverages
            Responses to n stimuli.

        Returns
        -------
        array of float64 of shape (n, n_bank)
            Each row sums to 1.
        """
        return softmax(self.log_likelihood(measured.responses, measured.n_averaged), axis=1)

    def mean(self, weights: np.ndarray) -> np.ndarray:
        """Average the bank's pictures.

        Parameters
        ----------
        weights : array of shape (n, n_bank)
            Rows sum to 1.

        Returns
        -------
        array of uint8 of shape (n, height, width, 3)
            Pictures.
        """
        flat = self.images.reshape(len(self.images), -1).astype(np.float32)
        mean = weights.astype(np.float32) @ flat
        pixels = np.clip(np.round(mean), 0, 255).astype(np.uint8)
        return pixels.reshape(len(weights), *self.images.shape[1:])


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
    step = task.max_shift
    places = [(0, 0), (0, step), (0, -step), (step, 0), (-step, 0)] if step else [(0, 0)]
    parts = []
    for start in range(0, len(images), _AT_ONCE):
        batch = standardise_images(images[start : start + _AT_ONCE])
        shifted = [
            shift_images(batch, torch.tensor(place).expand(len(batch), 2), step) for place in places
        ]
        found = [task.encoder({subject: each})[subject].float() for each in shifted]
        parts.append(torch.stack(found).mean(dim=0))
    return torch.cat(parts).numpy()


def stack_networks(table: TrialTable, predicted: Sequence[Prediction]) -> StackedLikelihood:
    """Weigh trained networks and calibrate their noise, on validation stimuli.

    Parameters
    ----------
    table : TrialTable
        Standardised by training trials.
    predicted : sequence of Prediction
        What each network predicts for the stimuli of the fold.

    Returns
    -------
    StackedLikelihood
        As for `neurodecode.tasks.baselines.identify_predicted`.
    """
    fit, validation = table.average("train"), table.average("validation")
    return StackedLikelihood().fit(
        [predicted_rows(each, fit.stimulus_id) for each in predicted],
        fit.responses,
        [predicted_rows(each, validation.stimulus_id) for each in predicted],
        validation.responses,
        validation.n_averaged,
        table.deviations("train", "validation"),
    )
