"""Temporal response functions: ridge regression between stimulus and response over time lags."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np
import torch
from torch import Tensor

from neurodecode.errors import ConfigError, DataError
from neurodecode.linear.moments import Moments, add_moments, lag_samples, lagged_moments
from neurodecode.linear.trf_solve import leave_one_out, penalty_diagonals, solve_ridge

__all__ = ["TRF", "apply_lagged"]

Penalty = float | Sequence[float]


def apply_lagged(inputs: Tensor, weights: Tensor, lags: Sequence[int]) -> Tensor:
    """Multiply a lagged design with weights, without making the design.

    Parameters
    ----------
    inputs : tensor of shape (n_times, n_inputs)
        Zero outside the trial.
    weights : tensor of shape (n_inputs, n_lags, n_outputs)
        For each lag.
    lags : sequence of int
        Lags in samples.

    Returns
    -------
    tensor of shape (n_times, n_outputs)
        ``sum over c, l of inputs[t - lags[l], c] weights[c, l]``.
    """
    n = len(inputs)
    out = inputs.new_zeros(n, weights.shape[2])
    for number, lag in enumerate(lags):
        if abs(lag) < n:
            to, source = slice(max(lag, 0), n + min(lag, 0)), slice(max(-lag, 0), n - max(lag, 0))
            out[to] += inputs[source] @ weights[:, number]
    return out


class TRF:
    """Forward (stimulus to response) or backward (response to stimulus) model.

    Conventions, units of the penalty and results are those of mTRFpy (Bialas et al. 2023): lags
    of a backward model are negated, a stimulus sample is read from the responses that follow it.

    Parameters
    ----------
    direction : {"forward", "backward"}
        What is predicted from what.
    tmin, tmax : float
        Lags of the response behind the stimulus in s.
    penalties : sequence of float, or of sequence of float
        Tried in turn; with `bands` each has one value a band. With one, nothing is chosen.
    bands : sequence of int, optional
        Number of input features in each band (banded ridge, each with a penalty of its own).
    relative : bool
        Whether penalties are in units of the mean variance of the training inputs, so that one
        grid fits recordings in volts and in standard deviations; otherwise in mTRFpy's.
    device : str
        Where to compute.

    Attributes
    ----------
    weights_ : array of shape (n_inputs, n_lags, n_outputs)
        Per second of lag.
    bias_ : array of shape (n_outputs,)
        Intercept on the same scale.
    penalty_ : float or sequence of float
        The penalty of highest mean correlation.
    lags_ : tuple of int
        In samples, negated for backward models.
    scores_ : array of shape (n_parts, n_penalties, n_outputs) or None
        Correlations of the inner cross-validation.
    """

    def __init__(
        self,
        direction: Literal["forward", "backward"],
        tmin: float,
        tmax: float,
        penalties: Sequence[Penalty],
        *,
        bands: Sequence[int] | None = None,
        relative: bool = False,
        device: str = "cpu",
    ) -> None:
        if direction not in ("forward", "backward"):
            raise ConfigError(f"direction is {direction!r}; choose forward or backward")
        if len(penalties) == 0:
            raise ConfigError("no penalty is given")
        self.direction, self.tmin, self.tmax = direction, tmin, tmax
        self.penalties, self.bands, self.relative = list(penalties), bands, relative
        self.device = device

    def lags(self, sfreq: float) -> tuple[int, ...]:
        """Lags of the inputs in samples.

        Parameters
        ----------
        sfreq : float
            Sampling rate in Hz.

        Returns
        -------
        tuple of int
            Negative where inputs later than the output are read.
        """
        backward = self.direction == "backward"
        low, high = (-self.tmax, -self.tmin) if backward else (self.tmin, self.tmax)
        return lag_samples(low, high, sfreq)

    def moments(self, stimulus: np.ndarray, response: np.ndarray, sfreq: float) -> Moments:
        """Sum what fitting needs to know of one trial.

        Parameters
        ----------
        stimulus : array of shape (n_times, n_features)
            Envelope or other features.
        response : array of shape (n_times, n_channels)
            EEG.
        sfreq : float
            Sampling rate in Hz.

        Returns
        -------
        Moments
            To be added over trials.

        Raises
        ------
        DataError
            If the lengths differ or a value is not finite.
        """
        both = [self._tensor(stimulus, "stimulus"), self._tensor(response, "response")]
        inputs, outputs = both if self.direction == "forward" else both[::-1]
        return lagged_moments(inputs, outputs, self.lags(sfreq))

    def _tensor(self, values: np.ndarray, name: str) -> Tensor:
        values = np.asarray(values, dtype=np.float64)
        values = values[:, None] if values.ndim == 1 else values
        if not np.isfinite(values).all():
            raise DataError(
                f"{int((~np.isfinite(values)).sum())} values are not finite",
                field=name,
                fix="interpolate or leave out these samples",
            )
        return torch.from_numpy(values).to(self.device)

    def fit(
        self, stimuli: Sequence[np.ndarray], responses: Sequence[np.ndarray], sfreq: float
    ) -> TRF:
        """Choose the penalty by leaving one trial out in turn, and fit with all.

        Parameters
        ----------
        stimuli : sequence of array of shape (n_times, n_features)
            One a trial.
        responses : sequence of array of shape (n_times, n_channels)
            One a trial.
        sfreq : float
            Sampling rate in Hz.

        Returns
        -------
        TRF
            Itself.
        """
        parts = [
            self.moments(stimulus, response, sfreq)
            for stimulus, response in zip(stimuli, responses, strict=True)
        ]
        return self.fit_moments(parts, sfreq)

    def fit_moments(
        self,
        parts: Sequence[Moments],
        sfreq: float,
        train: Sequence[Sequence[int]] | None = None,
    ) -> TRF:
        """Fit from moments of the parts that are left out in turn.

        Parameters
        ----------
        parts : sequence of Moments
            One a part: a trial, or all trials of a story or subject.
        sfreq : float
            Sampling rate in Hz.
        train : sequence of sequence of int, optional
            For each part, those to fit on while it is left out (default: all others).

        Returns
        -------
        TRF
            Itself.
        """
        total = add_moments(parts)
        self.lags_, self.sfreq_ = self.lags(sfreq), sfreq
        diagonals = penalty_diagonals(self.penalties, len(self.lags_), self.bands)
        diagonals = diagonals * self._unit(total, sfreq)
        self.scores_, best = None, 0
        if len(diagonals) > 1:
            self.scores_ = leave_one_out(parts, diagonals, sfreq, train)[0].cpu().numpy()
            best = int(self.scores_.mean(axis=(0, 2)).argmax())
        self.penalty_ = self.penalties[best]
        weights, bias = solve_ridge(total, diagonals[best : best + 1], sfreq)
        shape = (len(self.lags_), -1, weights.shape[2])
        self.weights_ = weights[0].reshape(shape).transpose(0, 1).cpu().numpy()
        self.bias_ = bias[0].cpu().numpy()
        return self

    def _unit(self, total: Moments, sfreq: float) -> float:
        """Penalty of mTRFpy that equals the mean scatter of an input in a trial."""
        if not self.relative:
            return 1.0
        scatter = float(total.centred()[0].diagonal().mean())
        return scatter / float(total.n_trials) / sfreq

    def predict(self, inputs: np.ndarray) -> np.ndarray:
        """Predict the response, or reconstruct the stimulus.

        Parameters
        ----------
        inputs : array of shape (n_times, n_inputs)
            Stimulus (forward) or response (backward).

        Returns
        -------
        array of shape (n_times, n_outputs)
            Prediction.
        """
        values = self._tensor(inputs, "inputs")
        weights = torch.as_tensor(self.weights_).to(values)
        out = apply_lagged(values, weights, self.lags_).cpu().numpy()
        return (out + self.bias_) / self.sfreq_
