r"""Attention as a state that drifts: probability and bounds from correlations as they come.

The log-odds :math:`z_t = z_{t-1} + w_t`, :math:`w_t \sim N(0, \eta_t)`, that the first talker is
attended is a random walk. Magnitudes of the correlations of attended and ignored talker are
log-normal, each with mean and precision of its own; which is whose depends on the state. The last
windows are fitted anew whenever one comes, by expectation maximisation with a Kalman filter whose
update is Newton's and a smoother.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from neurodecode.errors import ConfigError

__all__ = ["StateEstimate", "StateSpace", "StateSpaceMemory", "state_step", "tune_state_space"]

#: Gamma priors of the precisions, and inverse gamma prior of the drift, as published.
_SHAPE, _RATE = np.array([641.13, 4043.4]), np.array([375.81, 6279.1])
_DRIFT_MEAN, _DRIFT_VARIANCE = 0.2, 5.0
_BOUND = 1.96


@dataclass(frozen=True)
class StateSpace:
    """What was tuned, and how long is looked back.

    Parameters
    ----------
    mu, rho : tuple of float of length 2
        Mean and precision of the logarithm of the magnitude of correlations with the attended and
        with the ignored talker; from `tune_state_space`.
    n_windows : int
        Windows that are fitted together.
    rounds, newton : int
        Of expectation maximisation, and of each update of the filter.
    forwards : bool
        Smooth from the first window to the last, as the published code does, on what the round
        before left of the later windows; otherwise from the last to the first, as a smoother has
        to.
    """

    mu: tuple[float, float]
    rho: tuple[float, float]
    n_windows: int = 14
    rounds: int = 20
    newton: int = 10
    forwards: bool = False


@dataclass(frozen=True)
class StateEstimate:
    """What is known after a window.

    Parameters
    ----------
    mean, lower, upper : float
        Probability that the first talker is attended, and bounds of 1.96 standard deviations of
        the drift; all .5 until there are windows enough.
    """

    mean: float
    lower: float
    upper: float


@dataclass(frozen=True)
class StateSpaceMemory:
    """What is remembered between windows.

    Parameters
    ----------
    magnitudes : array of shape (n, 2)
        Of the last correlations.
    odds, drift : array of shape (n_windows,)
        Smoothed log-odds and variances of the drift of the last fit; empty before the first.
    path, spread, smooth, width : array of shape (n_windows + 1,)
        Filtered and smoothed log-odds and variances, from which the next fit begins.
    mu, rho : array of shape (2,)
        Distributions as they were last fitted; empty before the first.
    """

    magnitudes: np.ndarray = field(default_factory=lambda: np.empty((0, 2)))
    odds: np.ndarray = field(default_factory=lambda: np.empty(0))
    drift: np.ndarray = field(default_factory=lambda: np.empty(0))
    path: np.ndarray = field(default_factory=lambda: np.empty(0))
    spread: np.ndarray = field(default_factory=lambda: np.empty(0))
    smooth: np.ndarray = field(default_factory=lambda: np.empty(0))
    width: np.ndarray = field(default_factory=lambda: np.empty(0))
    mu: np.ndarray = field(default_factory=lambda: np.empty(0))
    rho: np.ndarray = field(default_factory=lambda: np.empty(0))


def tune_state_space(
    attended: Sequence[float] | np.ndarray, ignored: Sequence[float] | np.ndarray, **settings: int
) -> StateSpace:
    """Fit both log-normal distributions to windows of which the attended talker is known.

    Parameters
    ----------
    attended, ignored : sequence of float
        Correlations of training windows.
    **settings
        Other fields of `StateSpace`.

    Returns
    -------
    StateSpace
        By moments of the magnitudes.

    Raises
    ------
    ConfigError
        If there is nothing that varies.
    """
    mu, rho = [], []
    for values in (attended, ignored):
        size = np.abs(np.asarray(values, dtype=np.float64))
        if len(size) < 2 or not size.std() > 0:
            raise ConfigError("the state-space filter needs correlations that vary to be tuned")
        precision = 1 / np.log(size.var() / size.mean() ** 2 + 1)
        rho.append(float(precision))
        mu.append(float(np.log(size.mean()) - 0.5 / precision))
    return StateSpace((mu[0], mu[1]), (rho[0], rho[1]), **settings)


def state_step(
    first: float, second: float, memory: StateSpaceMemory, model: StateSpace
) -> tuple[StateEstimate, StateSpaceMemory]:
    """Take the correlations of one window: a pure function of window and memory.

    Parameters
    ----------
    first, second : float
        Correlation with either talker.
    memory : StateSpaceMemory
        After the window before; ``StateSpaceMemory()`` at the beginning.
    model : StateSpace
        Tuned.

    Returns
    -------
    estimate : StateEstimate
        After this window.
    memory : StateSpaceMemory
        For the next one.

    Notes
    -----
    Signs are lost: a large negative correlation counts as a large one.

    References
    ----------
    Akram et al. (2014), NIPS; Miran et al. (2018), Frontiers in Neuroscience 12.
    """
    n = model.n_windows
    size = np.maximum(np.abs([[first, second]]), 1e-12)
    magnitudes = np.concatenate([memory.magnitudes, size])[-n:]
    memory = replace(memory, magnitudes=magnitudes)
    if len(magnitudes) < n:
        return StateEstimate(0.5, 0.5, 0.5), memory
    memory = _fit(_begun(memory, model), model)
    odds, width = memory.odds[-1], _BOUND * np.sqrt(memory.drift[-1])
    return StateEstimate(*map(_sigmoid, (odds, odds - width, odds + width))), memory


def _sigmoid(value: float) -> float:
    return float(1 / (1 + np.exp(-value)))


def _begun(memory: StateSpaceMemory, model: StateSpace) -> StateSpaceMemory:
    if len(memory.odds):
        return memory
    n = model.n_windows
    return replace(
        memory, odds=np.zeros(n), drift=np.full(n, 0.3), path=np.zeros(n + 1),
        spread=np.zeros(n + 1), smooth=np.zeros(n + 1), width=np.zeros(n + 1),
        mu=np.array(model.mu), rho=np.array(model.rho),
    )  # fmt: skip


def _fit(memory: StateSpaceMemory, model: StateSpace) -> StateSpaceMemory:
    logs = np.log(memory.magnitudes)
    odds, drift, mu, rho = memory.odds, memory.drift, memory.mu, memory.rho
    path, spread = memory.path.copy(), memory.spread.copy()
    smooth, width = memory.smooth, memory.width
    for _ in range(model.rounds):
        share = _responsibility(logs, odds, mu, rho)
        mu, rho = _distributions(logs, share, np.array(model.mu))
        path, spread, ahead = _filter(share, path, spread, drift, model.newton)
        gain = spread[:-1] / ahead[1][1:]
        smooth, width = _smooth(path, spread, ahead, gain, (smooth, width), model.forwards)
        drift = _drift(smooth, width, gain)
        path[0], spread[0], odds = smooth[0], width[0], smooth[1:]
    path[0] = smooth[1]
    return replace(
        memory, odds=odds, drift=drift, path=path, spread=spread, smooth=smooth, width=width,
        mu=mu, rho=rho,
    )  # fmt: skip


def _responsibility(
    logs: np.ndarray, odds: np.ndarray, mu: np.ndarray, rho: np.ndarray
) -> np.ndarray:
    """Probability that the first talker is attended, window by window: (n,)."""
    # of each talker (axis 1) as the attended and as the ignored one (axis 2)
    density = 0.5 * np.log(rho) - 0.5 * rho * (logs[:, :, None] - mu) ** 2
    straight = density[:, 0, 0] + density[:, 1, 1]
    crossed = density[:, 0, 1] + density[:, 1, 0]
    return 1 / (1 + np.exp(crossed - straight - odds))


def _distributions(
    logs: np.ndarray, share: np.ndarray, prior: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Means and precisions given who is attended: (2,) each."""
    n = len(share)
    weight = np.stack([share, 1 - share])  # of the first and of the second talker as attended
    parts = np.stack([weight, weight[::-1]])  # as attended, as ignored
    mu = ((parts * logs.T).sum(axis=(1, 2)) + n * prior) / (2 * n)
    apart = (parts * (logs.T[None] - mu[:, None, None]) ** 2).sum(axis=(1, 2))
    return mu, 2 * n * _SHAPE / (apart + n * (2 * _RATE + (mu - prior) ** 2))


def _filter(
    share: np.ndarray, path: np.ndarray, spread: np.ndarray, drift: np.ndarray, newton: int
) -> tuple[np.ndarray, np.ndarray, tuple[np.ndarray, np.ndarray]]:
    """Forwards: log-odds, variances, and what was expected of both before each window."""
    path, spread = path.copy(), spread.copy()
    expected, variance = np.zeros_like(path), np.zeros_like(spread)
    for k in range(1, len(path)):
        expected[k], variance[k] = path[k - 1], spread[k - 1] + drift[k - 1]
        z = path[k]
        for _ in range(newton):
            p = _sigmoid(z)
            excess = z - expected[k] - variance[k] * (share[k - 1] - p)
            z -= excess / (1 + variance[k] * p * (1 - p))
        p = _sigmoid(z)
        path[k], spread[k] = z, 1 / (1 / variance[k] + p * (1 - p))
    return path, spread, (expected, variance)


def _smooth(
    path: np.ndarray, spread: np.ndarray, ahead: tuple[np.ndarray, np.ndarray], gain: np.ndarray,
    before: tuple[np.ndarray, np.ndarray], forwards: bool,
) -> tuple[np.ndarray, np.ndarray]:  # fmt: skip
    """Log-odds and variances given the windows that followed."""
    expected, variance = ahead
    smooth, width = (each.copy() for each in before)
    smooth[-1], width[-1] = path[-1], spread[-1]
    order = range(len(gain))
    for k in order if forwards else reversed(order):
        smooth[k] = path[k] + gain[k] * (smooth[k + 1] - expected[k + 1])
        width[k] = spread[k] + gain[k] ** 2 * (width[k + 1] - variance[k + 1])
    return smooth, width


def _drift(smooth: np.ndarray, width: np.ndarray, gain: np.ndarray) -> np.ndarray:
    """Variances of the drift, with their prior: (n,)."""
    shape = 2 + _DRIFT_MEAN**2 / _DRIFT_VARIANCE
    rate = _DRIFT_MEAN * (shape - 1)
    moved = np.diff(smooth) ** 2 + width[1:] + width[:-1] - 2 * width[1:] * gain
    return (moved + 2 * rate) / (1 + 2 * (shape + 1))
