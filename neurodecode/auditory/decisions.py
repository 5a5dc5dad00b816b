"""Decisions window by window: a pure step with its state in its hands.

A stream and a file give the same numbers, and nothing remembers anything by itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

__all__ = ["AttentionState", "Decision", "start_state", "step", "switches"]


@dataclass(frozen=True)
class AttentionState:
    """What a stream remembers between windows.

    Parameters
    ----------
    posterior : tuple of float
        Probability of each talker after the last window; before the first, the prior.
    talker : int or None
        Who was last decided for.
    n_windows : int
        Windows taken so far.
    """

    posterior: tuple[float, ...]
    talker: int | None = None
    n_windows: int = 0


@dataclass(frozen=True)
class Decision:
    """What a window tells.

    Parameters
    ----------
    posterior : array of shape (n_talkers,)
        Probability of each talker; the soft weight for whatever is steered.
    talker : int
        The decision, which changes only when another talker's probability passes a threshold.
    confidence : float
        Probability of the talker decided for.
    switched : bool
        Whether the decision has just changed.
    """

    posterior: np.ndarray
    talker: int
    confidence: float
    switched: bool


def start_state(initial: Sequence[float]) -> AttentionState:
    """State before the first window.

    Parameters
    ----------
    initial : sequence of float of length n_talkers
        Probabilities.

    Returns
    -------
    AttentionState
        To be given to `step`.
    """
    return AttentionState(tuple(float(each) for each in initial))


def step(
    log_likelihood: np.ndarray,
    state: AttentionState,
    transition: np.ndarray,
    *,
    threshold: float = 0.5,
) -> tuple[Decision, AttentionState]:
    """Take one window: a pure function of window and state.

    Parameters
    ----------
    log_likelihood : array of shape (n_talkers,)
        Of this window.
    state : AttentionState
        Of the last one.
    transition : array of shape (n_talkers, n_talkers)
        From `stay_matrix`.
    threshold : float
        Probability that another talker needs for the decision to move to it.

    Returns
    -------
    decision : Decision
        Whose posterior is that of `filtered`.
    state : AttentionState
        For the next window.
    """
    before = np.array(state.posterior)
    if state.n_windows:
        before = before @ transition
    with np.errstate(divide="ignore"):
        log = np.log(before) + np.asarray(log_likelihood, dtype=np.float64)
    posterior = np.exp(log - log.max())
    posterior /= posterior.sum()
    best = int(posterior.argmax())
    talker = state.talker
    if talker is None or (best != talker and posterior[best] > threshold):
        talker = best
    switched = state.talker is not None and talker != state.talker
    decision = Decision(posterior, talker, float(posterior[talker]), switched)
    return decision, AttentionState(tuple(posterior.tolist()), talker, state.n_windows + 1)


def switches(posterior: np.ndarray, threshold: float = 0.5) -> np.ndarray:
    """Windows at which the decision moves to another talker.

    Parameters
    ----------
    posterior : array of shape (n_windows, n_talkers)
        Filtered or smoothed.
    threshold : float
        As for `step`.

    Returns
    -------
    array of int of shape (n_switches,)
        Indices of windows.
    """
    found, talker = [], int(posterior[0].argmax())
    for t, row in enumerate(posterior[1:], start=1):
        best = int(row.argmax())
        if best != talker and row[best] > threshold:
            found.append(t)
            talker = best
    return np.array(found, dtype=int)
