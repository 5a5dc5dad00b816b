"""Minimal expected switch duration: how long steered hearing takes to follow a change.

Own code from the formulas of Geirnaert, Francart and Bertrand (2020), "An interpretable
performance metric for auditory attention decoding algorithms in a context of neuro-steered gain
control", IEEE Trans. Neural Syst. Rehabil. Eng. 28.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from neurodecode.errors import DataError

__all__ = ["SwitchDuration", "expected_switch_duration", "mesd"]

_MOST_STATES = 20_000


@dataclass(frozen=True)
class SwitchDuration:
    """The best working point of a decoder.

    Parameters
    ----------
    seconds : float
        Minimal expected switch duration.
    window_s, accuracy : float
        Where on the curve it is reached.
    n_states, target : int
        Gain levels, and the one that counts as having switched.
    """

    seconds: float
    window_s: float
    accuracy: float
    n_states: int
    target: int


def expected_switch_duration(
    accuracy: np.ndarray | float,
    window_s: np.ndarray | float,
    *,
    fewest_states: int = 5,
    confidence: float = 0.8,
    comfort: float = 0.65,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Steps of a Markov chain of gain levels until a change of attention is followed.

    Parameters
    ----------
    accuracy : array of shape (n,) or float
        Share of right decisions, above .5.
    window_s : array of shape (n,) or float
        Seconds from decision to decision.
    fewest_states : int
        Least number of gain levels.
    confidence : float
        Share of the time that the gain shall be in the comfortable region.
    comfort : float
        Where that begins, on a scale from 0 to 1.

    Returns
    -------
    seconds : array of shape (n,)
        Expected duration; infinite where more levels than 20000 would be needed.
    n_states, target : array of int of shape (n,)
        Levels of the smallest design that is good enough, and the level to be reached.

    Raises
    ------
    DataError
        If an accuracy is not above chance and at most 1.
    """
    p = np.atleast_1d(np.asarray(accuracy, dtype=np.float64))
    tau = np.broadcast_to(np.asarray(window_s, dtype=np.float64), p.shape)
    if not ((p > 0.5) & (p <= 1)).all():
        raise DataError("an accuracy is not above .5 and at most 1", field="accuracy")
    n_states = np.array([_states(each, fewest_states, confidence, comfort) for each in p])
    target = np.ceil(comfort * (n_states - 1) + 1 - 1e-12).astype(int)
    seconds = [
        t * _steps(each, k) if n <= _MOST_STATES else np.inf
        for each, t, n, k in zip(p, tau, n_states, target, strict=True)
    ]
    return np.array(seconds), n_states, target


def _states(p: float, fewest: int, confidence: float, comfort: float) -> int:
    """Smallest number of levels with which the gain is comfortable often enough."""
    if p == 1:
        return fewest
    log_r = np.log(p / (1 - p))
    # levels as a vector: a block of a few hundred nearly always holds the answer
    for start in range(fewest, _MOST_STATES + 1, 512):
        n = np.arange(start, start + 512)
        reached = np.logaddexp(np.log(confidence), np.log(1 - confidence) + n * log_r) / log_r
        good = np.floor(reached + 1) - 1 >= comfort * (n - 1)
        if good.any():
            return int(n[good.argmax()])
    return _MOST_STATES + 1


def _steps(p: float, target: int) -> float:
    """Expected steps to the target level from where the other direction left the gain."""
    if p == 1:
        return float(target - 1)
    i = np.arange(1, target)
    log_r = np.log(p / (1 - p))
    weight = np.exp(-(i - 1) * log_r)
    drift = (target - i) / (2 * p - 1)
    edge = p * (np.exp(-target * log_r) - np.exp(-i * log_r)) / (2 * p - 1) ** 2
    return float((weight * (drift + edge)).sum() / weight.sum())


def mesd(
    window_s: np.ndarray,
    accuracy: np.ndarray,
    *,
    n_points: int = 1000,
    fewest_states: int = 5,
    confidence: float = 0.8,
    comfort: float = 0.65,
) -> SwitchDuration | None:
    """Find the shortest expected switch duration on an accuracy curve.

    Parameters
    ----------
    window_s : array of shape (n_windows,)
        Lengths of decision windows in s.
    accuracy : array of shape (n_windows,)
        Share of right decisions with each, of one subject; accuracies at or below .5 are left
        out. Average the durations of subjects, not their curves: the two differ.
    n_points : int
        Points at which the curve is read, linearly interpolated.
    fewest_states, confidence, comfort
        As for `expected_switch_duration`.

    Returns
    -------
    SwitchDuration or None
        None if no accuracy is above chance.
    """
    tau, p = np.asarray(window_s, dtype=np.float64), np.asarray(accuracy, dtype=np.float64)
    above = p > 0.5
    if not above.any():
        return None
    order = np.argsort(tau[above])
    tau, p = tau[above][order], p[above][order]
    points = np.linspace(tau[0], tau[-1], n_points if len(tau) > 1 else 1)
    rates = np.interp(points, tau, p)
    seconds, n_states, target = expected_switch_duration(
        rates, points, fewest_states=fewest_states, confidence=confidence, comfort=comfort
    )
    best = int(seconds.argmin())
    return SwitchDuration(
        float(seconds[best]), float(points[best]), float(rates[best]),
        int(n_states[best]), int(target[best]),
    )  # fmt: skip
