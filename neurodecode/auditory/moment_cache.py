"""Lagged moments of trials, each computed once however many folds it trains in."""

from __future__ import annotations

from collections.abc import Callable

from neurodecode.auditory_trials import AuditoryTrial
from neurodecode.linear.moments import Moments

__all__ = ["MomentCache"]


class MomentCache:
    """Moments by trial.

    Parameters
    ----------
    compute : callable
        Trial -> `Moments`.
    """

    def __init__(self, compute: Callable[[AuditoryTrial], Moments]) -> None:
        self._compute = compute
        self._known: dict[int, tuple[AuditoryTrial, Moments]] = {}

    def __call__(self, trial: AuditoryTrial) -> Moments:
        """Give the moments of a trial.

        Parameters
        ----------
        trial : AuditoryTrial
            Any; told apart by identity, not by name.

        Returns
        -------
        Moments
            Of it.
        """
        known = self._known.get(id(trial))
        if known is None:
            # the trial is kept with its moments, or its id might be given to another one
            known = self._known[id(trial)] = (trial, self._compute(trial))
        return known[1]
