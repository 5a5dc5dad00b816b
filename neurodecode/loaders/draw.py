"""Fewer training trials than there are: what a subject with little data would have."""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np

from neurodecode.errors import ConfigError

__all__ = ["TrialDraw"]

#: With fewer, neither moments of a response nor inner folds mean anything.
_FEWEST = 10


@dataclass(frozen=True)
class TrialDraw:
    """Random training trials of every subject.

    Draws with the same seed are nested: those of 50 trials are among those of 100, so that a
    learning curve adds trials and does not change them.

    Parameters
    ----------
    n_trials : int or None
        How many; None takes all.
    seed : int
        Of the draw.
    percent : float or None
        How many of a hundred, in place of `n_trials`.

    Raises
    ------
    ConfigError
        If fewer than ten are asked for, or not a share.
    """

    n_trials: int | None = None
    seed: int = 0
    percent: float | None = None

    def __post_init__(self) -> None:
        if self.n_trials is not None and self.n_trials < _FEWEST:
            raise ConfigError(f"trials is {self.n_trials}; give {_FEWEST} or more")
        if self.percent is not None and not 0 < self.percent <= 100:
            raise ConfigError(f"trials is {self.percent:g}%; give more than 0% and at most 100%")

    @classmethod
    def of(cls, trials: int | str | None, seed: int = 0) -> TrialDraw:
        """Understand how many trials are asked for.

        Parameters
        ----------
        trials : int, str or None
            A number, a share as ``10%``, or ``all``, which None stands for too.
        seed : int
            Of the draw.

        Returns
        -------
        TrialDraw
            What it stands for.

        Raises
        ------
        ConfigError
            If it is none of them, or too small.
        """
        text = "all" if trials is None else str(trials)
        if text == "all":
            return cls(None, seed)
        if text.isdecimal():
            return cls(int(text), seed)
        if re.fullmatch(r"\d+(\.\d+)?%", text):
            return cls(None, seed, float(text[:-1]))
        raise ConfigError(f"trials is {text!r}; give a number, a share like 10%, or `all`")

    @property
    def label(self) -> str:
        """As `of` understands it: ``50``, ``10%`` or ``all``."""
        if self.percent is not None:
            return f"{self.percent:g}%"
        return "all" if self.n_trials is None else str(self.n_trials)

    def _count(self, n_there: int) -> int | None:
        if self.percent is None:
            return self.n_trials
        return max(round(n_there * self.percent / 100), _FEWEST)

    def __call__(self, trials: np.ndarray, subject: str) -> np.ndarray:
        """Draw trials.

        Parameters
        ----------
        trials : array of int of shape (n_training_trials,)
            Training trials of the fold.
        subject : str
            Whose they are, for the error.

        Returns
        -------
        array of int of shape (n_trials,)
            Increasing trial numbers.

        Raises
        ------
        ConfigError
            If there are fewer than asked for.
        """
        count = self._count(len(trials))
        if count is None:
            return trials
        if count > len(trials):
            raise ConfigError(
                f"subject {subject} has {len(trials)} training trials, {count} are asked"
                " for; give a smaller number, or `all`"
            )
        order = np.random.default_rng(self.seed).permutation(trials)
        return np.sort(order[:count])

    def digest(self, fold: str) -> str:
        """Name what was drawn from a fold.

        Parameters
        ----------
        fold : str
            `Fold.digest`.

        Returns
        -------
        str
            The digest of the fold itself if all trials are taken. What was fitted to one draw
            may know trials that another must not.
        """
        if self.label == "all":
            return fold
        return f"{fold}, {self.label} trials, seed {self.seed}"
