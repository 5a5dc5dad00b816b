"""Windows of the same trials on both sides: what leaking protocols divide by."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from neurodecode.auditory.schemes import AttentionFold
from neurodecode.auditory_trials import AuditoryTrial

__all__ = ["shuffled_windows"]

Trials = Sequence[AuditoryTrial]


def shuffled_windows(
    trials: Trials, window_s: float, *, overlap: float, n_folds: int, seed: int, leak: str
) -> Iterator[AttentionFold]:
    """Deal windows of the same trials out to both sides, as one must not.

    Parameters
    ----------
    trials : sequence of AuditoryTrial
        Of all subjects.
    window_s : float
        Length of a window in s.
    overlap : float
        Share of a window that the next one has, too.
    n_folds : int
        Folds.
    seed : int
        Of the order.
    leak : str
        Name of the protocol.

    Yields
    ------
    AttentionFold
        By subject.
    """
    for subject in dict.fromkeys(trial.subject for trial in trials):
        windows = []
        for trial in trials:
            if trial.subject != subject:
                continue
            length = round(window_s * trial.sfreq)
            step = max(round(length * (1 - overlap)), 1)
            windows += [
                trial.cut(start, start + length, f"{trial.trial}@{start}")
                for start in range(0, trial.n_times - length + 1, step)
            ]
        order = np.random.default_rng(seed).permutation(len(windows))
        for number in range(n_folds):
            held = order[number::n_folds]
            parts = [
                tuple(windows[k] for k in order[other::n_folds])
                for other in range(n_folds)
                if other != number
            ]
            test = tuple(windows[k] for k in held)
            yield AttentionFold(subject, f"draw {number + 1}", leak, tuple(parts), test, leak=leak)
