"""Fewer training trials than there are: what a subject with little data would have."""

from __future__ import annotations

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

    Raises
    ------
    ConfigError
        If fewer than ten are asked for.
    """

    n_trials: int | None = None
    seed: int = 0

    def __post_init__(self) -> None:
        if self.n_trials is not None and self.n_trials < _FEWEST:
            raise ConfigError(f"trials is {self.n_trials}; give {_FEWEST} or more")

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
        if self.n_trials is None:
            return trials
        if self.n_trials > len(trials):
            raise ConfigError(
                f"subject {subject} has {len(trials)} training trials, {self.n_trials} are asked"
                " for; give a smaller number, or `all`"
            )
        order = np.random.default_rng(self.seed).permutation(trials)
        return np.sort(order[: self.n_trials])

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
        if self.n_trials is None:
            return fold
        return f"{fold}, {self.n_trials} trials, seed {self.seed}"
