"""Scores of attention decoders: rates, what they are worth, and what chance allows.

All on numpy. Accuracies of windows are `top_k_credit` of the scores: ties get half.
"""

from __future__ import annotations

import numpy as np

from neurodecode.errors import DataError

__all__ = [
    "binomial_limit",
    "binomial_p",
    "d_prime",
    "information_transfer_rate",
    "match_mismatch_credit",
]


def d_prime(attended: np.ndarray, ignored: np.ndarray) -> float:
    r"""Distance of two distributions of scores in units of their spread.

    .. math:: d' = (m_1 - m_2) / \sqrt{(v_1 + v_2) / 2}

    Parameters
    ----------
    attended, ignored : array of shape (n_windows,)
        Scores of the attended and of the ignored talker.

    Returns
    -------
    float
        nan if nothing varies.
    """
    spread = (np.var(attended, ddof=1) + np.var(ignored, ddof=1)) / 2
    return float((np.mean(attended) - np.mean(ignored)) / np.sqrt(spread)) if spread > 0 else np.nan


def information_transfer_rate(
    accuracy: float, window_s: float, n_candidates: int = 2
) -> tuple[float, float]:
    """Bits that decisions carry if errors are spread evenly; at and below chance 0.

    Parameters
    ----------
    accuracy : float
        Share of right decisions.
    window_s : float
        Seconds between decisions.
    n_candidates : int
        Talkers.

    Returns
    -------
    per_decision, per_minute : float
        Bits.

    References
    ----------
    Wolpaw et al. (2000), IEEE Trans. Rehabil. Eng. 8.
    """
    if not 0 <= accuracy <= 1 or window_s <= 0 or n_candidates < 2:
        raise DataError(
            f"accuracy {accuracy:g}, window {window_s:g} s, {n_candidates} candidates",
            field="information_transfer_rate",
            fix="give a share, a positive length and at least two candidates",
        )
    if accuracy <= 1 / n_candidates:
        return 0.0, 0.0
    wrong = 1 - accuracy
    bits = np.log2(n_candidates) + accuracy * np.log2(accuracy)
    if wrong > 0:
        bits += wrong * np.log2(wrong / (n_candidates - 1))
    return float(bits), float(bits * 60 / window_s)


def binomial_limit(n: int, chance: float = 0.5, level: float = 0.95) -> float:
    """Rate that independent guesses stay below or at, in 95 of 100 experiments.

    Parameters
    ----------
    n : int
        Decisions, of windows that do not overlap.
    chance : float
        Rate of guesses.
    level : float
        Share of experiments.

    Returns
    -------
    float
        Upper end of the band; a rate has to exceed it.
    """
    from scipy.stats import binom

    return float(binom.ppf(level, n, chance) / n)


def binomial_p(n_right: float, n: int, chance: float = 0.5) -> float:
    """Chance of so many right guesses or more.

    Parameters
    ----------
    n_right : float
        Right decisions; of halves (ties) the whole part counts.
    n : int
        Decisions.
    chance : float
        Rate of guesses.

    Returns
    -------
    float
        One-sided p.
    """
    from scipy.stats import binom

    return float(binom.sf(int(np.floor(n_right + 1e-9)) - 1, n, chance))


def match_mismatch_credit(matched: np.ndarray, mismatched: np.ndarray) -> np.ndarray:
    """Credit of each window for telling its own sound from others.

    Parameters
    ----------
    matched : array of shape (n_windows,)
        Score with the sound that was heard.
    mismatched : array of shape (n_windows, n_others)
        Scores with sounds that were not; nan where there is none.

    Returns
    -------
    array of shape (n_windows,)
        Share of the others that score lower, ties half: the expected two-way accuracy.
    """
    lower = (mismatched < matched[:, None]) + 0.5 * (mismatched == matched[:, None])
    there = np.isfinite(mismatched)
    return np.where(there, lower, 0).sum(axis=1) / there.sum(axis=1)
