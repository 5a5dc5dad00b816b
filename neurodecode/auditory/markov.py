"""Attention as a hidden Markov chain: who is listened to, given everything heard so far.

Windows give a log-likelihood for each talker; attention stays where it is with high probability.
Filtering looks back only, smoothing also ahead. `neurodecode.auditory.decisions` filters one
window at a time.
"""

from __future__ import annotations

import numpy as np

from neurodecode.errors import ConfigError

__all__ = [
    "filtered",
    "fixed_lag",
    "likeliest_path",
    "log_evidence",
    "smoothed",
    "stay_matrix",
]


def stay_matrix(n_talkers: int, stay: float) -> np.ndarray:
    """Transitions of attention that stays with a talker, or goes to any other.

    Parameters
    ----------
    n_talkers : int
        States.
    stay : float
        Probability to stay from one window to the next.

    Returns
    -------
    array of shape (n_talkers, n_talkers)
        Row: from, column: to.

    Raises
    ------
    ConfigError
        If `stay` is no probability or there are fewer than two talkers.
    """
    if not 0 < stay < 1 or n_talkers < 2:
        raise ConfigError(f"stay is {stay:g} with {n_talkers} talkers; give 0 < stay < 1 and two")
    away = (1 - stay) / (n_talkers - 1)
    return np.full((n_talkers, n_talkers), away) + (stay - away) * np.eye(n_talkers)


def _logsumexp(values: np.ndarray, axis: int) -> np.ndarray:
    top = values.max(axis=axis, keepdims=True)
    return (np.log(np.exp(values - top).sum(axis=axis, keepdims=True)) + top).squeeze(axis)


def _forward(log_like: np.ndarray, log_move: np.ndarray, log_start: np.ndarray) -> np.ndarray:
    """Log joint of the windows so far and the state: (n_windows, n_talkers)."""
    out = np.empty_like(log_like)
    out[0] = log_start + log_like[0]
    for t in range(1, len(log_like)):
        out[t] = _logsumexp(out[t - 1][:, None] + log_move, 0) + log_like[t]
    return out


def _backward(log_like: np.ndarray, log_move: np.ndarray) -> np.ndarray:
    """Log probability of the windows to come given the state: (n_windows, n_talkers)."""
    out = np.zeros_like(log_like)
    for t in range(len(log_like) - 2, -1, -1):
        out[t] = _logsumexp(log_move + log_like[t + 1] + out[t + 1], 1)
    return out


def _logs(
    log_likelihood: np.ndarray, transition: np.ndarray, initial: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    with np.errstate(divide="ignore"):
        return (
            np.asarray(log_likelihood, dtype=np.float64),
            np.log(np.asarray(transition, dtype=np.float64)),
            np.log(np.asarray(initial, dtype=np.float64)),
        )


def _normalised(log_values: np.ndarray) -> np.ndarray:
    return np.exp(log_values - _logsumexp(log_values, 1)[:, None])


def filtered(log_likelihood: np.ndarray, transition: np.ndarray, initial: np.ndarray) -> np.ndarray:
    """Posterior of each window given all windows up to it.

    Parameters
    ----------
    log_likelihood : array of shape (n_windows, n_talkers)
        Of each window's scores, if the talker is attended.
    transition : array of shape (n_talkers, n_talkers)
        From `stay_matrix`.
    initial : array of shape (n_talkers,)
        Before the first window.

    Returns
    -------
    array of shape (n_windows, n_talkers)
        Rows sum to 1.
    """
    return _normalised(_forward(*_logs(log_likelihood, transition, initial)))


def smoothed(log_likelihood: np.ndarray, transition: np.ndarray, initial: np.ndarray) -> np.ndarray:
    """Posterior of each window given all windows, earlier and later.

    Parameters
    ----------
    log_likelihood, transition, initial
        As for `filtered`.

    Returns
    -------
    array of shape (n_windows, n_talkers)
        Rows sum to 1.
    """
    like, move, start = _logs(log_likelihood, transition, initial)
    return _normalised(_forward(like, move, start) + _backward(like, move))


def fixed_lag(
    log_likelihood: np.ndarray, transition: np.ndarray, initial: np.ndarray, lag: int
) -> np.ndarray:
    """Posterior of each window given all windows up to `lag` later ones.

    Parameters
    ----------
    log_likelihood, transition, initial
        As for `filtered`.
    lag : int
        Windows to wait for; 0 is filtering.

    Returns
    -------
    array of shape (n_windows, n_talkers)
        Rows sum to 1.
    """
    like, move, start = _logs(log_likelihood, transition, initial)
    ahead = _forward(like, move, start)
    for t in range(len(like)):
        ahead[t] += _backward(like[t : t + lag + 1], move)[0]
    return _normalised(ahead)


def log_evidence(log_likelihood: np.ndarray, transition: np.ndarray, initial: np.ndarray) -> float:
    """Log-likelihood of all windows under the chain; compares settings on training data.

    Parameters
    ----------
    log_likelihood, transition, initial
        As for `filtered`.

    Returns
    -------
    float
        In nats.
    """
    return float(_logsumexp(_forward(*_logs(log_likelihood, transition, initial))[-1], 0))


def likeliest_path(
    log_likelihood: np.ndarray, transition: np.ndarray, initial: np.ndarray
) -> tuple[np.ndarray, float]:
    """Sequence of talkers that is likeliest as a whole (Viterbi).

    Parameters
    ----------
    log_likelihood, transition, initial
        As for `filtered`.

    Returns
    -------
    path : array of int of shape (n_windows,)
        Talkers.
    log_joint : float
        Log probability of path and windows.
    """
    like, move, start = _logs(log_likelihood, transition, initial)
    best, origin = start + like[0], np.zeros(like.shape, dtype=int)
    for t in range(1, len(like)):
        reach = best[:, None] + move
        origin[t] = reach.argmax(0)
        best = reach.max(0) + like[t]
    path = [int(best.argmax())]
    for t in range(len(like) - 1, 0, -1):
        path.append(int(origin[t, path[-1]]))
    return np.array(path[::-1]), float(best.max())
