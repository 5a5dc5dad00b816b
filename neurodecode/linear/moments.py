"""Lagged second moments of a trial: all that ridge regression over time lags needs to know.

The design matrix of a temporal response function holds the same signal once for each lag. Its
Gram matrix is therefore nearly block Toeplitz: a block one step further down the diagonal differs
by two outer products, of the samples that enter and leave. Only the first row of blocks is
multiplied out; with 17 lags that is a seventeenth of the work, and the design is never made.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from neurodecode.errors import ConfigError, DataError

__all__ = ["Moments", "add_moments", "lag_samples", "lagged_moments", "stack_moments"]

_ROUND_OFF = 1e-9


def lag_samples(tmin: float, tmax: float, sfreq: float) -> tuple[int, ...]:
    """Turn a range of lags in seconds into whole samples, rounded outwards.

    Parameters
    ----------
    tmin, tmax : float
        Earliest and latest lag in s, both included.
    sfreq : float
        Sampling rate in Hz.

    Returns
    -------
    tuple of int
        Ascending, without gaps. A lag that is a whole number of samples but for round-off is
        that number (mTRFpy adds a lag there: ``ceil(.1 * 30)`` is 4).

    Raises
    ------
    ConfigError
        If the range is empty or the rate is not positive.
    """
    if sfreq <= 0:
        raise ConfigError(f"sampling rate {sfreq:g} Hz is not positive")
    if tmin > tmax:
        raise ConfigError(f"lags from {tmin:g} to {tmax:g} s: the first is later than the last")
    low = int(np.floor(tmin * sfreq + _ROUND_OFF))
    high = int(np.ceil(tmax * sfreq - _ROUND_OFF))
    return tuple(range(low, high + 1))


@dataclass(frozen=True)
class Moments:
    """Sums over the samples of one or several trials; moments of disjoint trials add up.

    Parameters
    ----------
    xx : tensor of shape (..., p, p)
        Products of lagged inputs; p = n_lags * n_inputs, lag by lag.
    xy : tensor of shape (..., p, n_outputs)
        Products of lagged inputs with outputs.
    x : tensor of shape (..., p)
        Sums of lagged inputs.
    y, yy : tensor of shape (..., n_outputs)
        Sums of outputs and of their squares.
    n : tensor of shape (...)
        Samples.
    n_trials : tensor of shape (...)
        Trials.
    """

    xx: Tensor
    xy: Tensor
    x: Tensor
    y: Tensor
    yy: Tensor
    n: Tensor
    n_trials: Tensor

    def __getitem__(self, index: object) -> Moments:
        return Moments(**{name: value[index] for name, value in vars(self).items()})

    def __sub__(self, other: Moments) -> Moments:
        return Moments(**{name: value - vars(other)[name] for name, value in vars(self).items()})

    def __add__(self, other: Moments) -> Moments:
        return Moments(**{name: value + vars(other)[name] for name, value in vars(self).items()})

    def centred(self) -> tuple[Tensor, Tensor, Tensor]:
        """Take the means out.

        Returns
        -------
        xx : tensor of shape (..., p, p)
            Scatter of the lagged inputs.
        xy : tensor of shape (..., p, n_outputs)
            Co-scatter of inputs and outputs.
        yy : tensor of shape (..., n_outputs)
            Scatter of each output.
        """
        n = self.n[..., None]
        mean = self.x / n
        xx = self.xx - mean[..., :, None] * self.x[..., None, :]
        xy = self.xy - mean[..., :, None] * self.y[..., None, :]
        return xx, xy, self.yy - self.y**2 / n


def add_moments(parts: Iterable[Moments]) -> Moments:
    """Add moments one after the other.

    Parameters
    ----------
    parts : iterable of Moments
        At least one.

    Returns
    -------
    Moments
        Of all trials together.
    """
    total: Moments | None = None
    for part in parts:
        total = part if total is None else total + part
    if total is None:
        raise DataError("no trial to train on", fix="give at least one trial")
    return total


def stack_moments(parts: Sequence[Moments]) -> Moments:
    """Stack moments along a new first axis.

    Parameters
    ----------
    parts : sequence of Moments
        Of equal shapes.

    Returns
    -------
    Moments
        Indexed by trial.
    """
    return Moments(
        **{name: torch.stack([vars(part)[name] for part in parts]) for name in vars(parts[0])}
    )


def lagged_moments(inputs: Tensor, outputs: Tensor, lags: Sequence[int]) -> Moments:
    """Sum products of lagged inputs and outputs over time; outside the trial inputs are zero.

    Parameters
    ----------
    inputs : tensor of shape (..., n_times, n_inputs)
        What is lagged: column (l, c) of the design is ``inputs[t - lags[l], c]``. Leading axes
        (trials, subjects) are computed together.
    outputs : tensor of shape (..., n_times, n_outputs)
        What is regressed on it.
    lags : sequence of int
        Consecutive lags in samples, from `lag_samples`.

    Returns
    -------
    Moments
        In double precision.

    Raises
    ------
    DataError
        If inputs and outputs differ in length, or a lag is longer than the trial.
    """
    x, y = inputs.double(), outputs.double()
    n = x.shape[-2]
    if y.shape[-2] != n:
        raise DataError(
            f"{n} samples of one signal and {y.shape[-2]} of the other",
            fix="cut both to the same length",
        )
    reach = max(abs(lags[0]), abs(lags[-1]))
    if reach >= n:
        raise DataError(f"a lag of {reach} samples is longer than a trial of {n} samples")
    padded = torch.nn.functional.pad(x, (0, 0, reach + 1, reach + 1))

    def lagged(lag: int) -> Tensor:
        """Inputs at one lag: (..., n_times, n_inputs)."""
        return padded[..., reach + 1 - lag : reach + 1 - lag + n, :]

    def sample(at: list[int]) -> Tensor:
        """Inputs at single times, zero outside the trial: (..., n_lags, n_inputs)."""
        return padded[..., [reach + 1 + t for t in at], :]

    first = lagged(lags[0])
    row = [first.mT @ lagged(lag) for lag in lags]
    # what comes in at the start and goes out at the end when both lags grow by one
    enter = sample([-1 - lag for lag in lags])
    leave = sample([n - 1 - lag for lag in lags])
    sums = (enter - leave).cumsum(-2)
    column = first.sum(-2, keepdim=True)
    return Moments(
        xx=_toeplitz(row, enter, leave),
        xy=torch.cat([lagged(lag).mT @ y for lag in lags], dim=-2),
        x=torch.cat([column, column + sums[..., :-1, :]], dim=-2).flatten(-2),
        y=y.sum(-2),
        yy=(y**2).sum(-2),
        n=torch.full(x.shape[:-2], n, dtype=torch.float64, device=x.device),
        n_trials=torch.ones(x.shape[:-2], dtype=torch.float64, device=x.device),
    )


def _toeplitz(row: list[Tensor], enter: Tensor, leave: Tensor) -> Tensor:
    """All blocks of the Gram matrix from its first row."""
    n_lags, n_inputs = enter.shape[-2:]
    gram = row[0].new_empty(*row[0].shape[:-2], n_lags, n_inputs, n_lags, n_inputs)
    for apart, block in enumerate(row):
        here, there = slice(0, n_lags - apart), slice(apart, n_lags)
        change = enter[..., here, :, None] * enter[..., there, None, :]
        change = change - leave[..., here, :, None] * leave[..., there, None, :]
        blocks = torch.cat([block[..., None, :, :], change[..., :-1, :, :]], dim=-3).cumsum(-3)
        for i in range(n_lags - apart):
            gram[..., i, :, i + apart, :] = blocks[..., i, :, :]
            gram[..., i + apart, :, i, :] = blocks[..., i, :, :].mT
    return gram.flatten(-4, -3).flatten(-2, -1)
