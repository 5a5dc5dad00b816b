"""The one interface of attention decoders, and the registry they are filed in."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np

from neurodecode.auditory.alignment import aligned, check_shrinkage
from neurodecode.auditory_trials import AuditoryTrial
from neurodecode.errors import ConfigError
from neurodecode.registry import Registry

__all__ = ["ATTENTION_DECODERS", "AttentionDecoder", "Inner", "Parts", "samples"]

#: Training trials in parts: what is left out together when something is chosen within training.
Parts = Sequence[Sequence[AuditoryTrial]]
#: For each part, those that may train what is tried on it.
Inner = Sequence[Sequence[int]]

ATTENTION_DECODERS: Registry[type[AttentionDecoder]] = Registry("attention decoder")


class AttentionDecoder(ABC):
    """Scores how likely each candidate is to be the attended one, window by window.

    Parameters
    ----------
    causal : bool
        Whether a window's scores may use nothing that comes after it.
    align : float, optional
        Whiten the channels of each trial by its own covariance, shrunk by so much
        (`neurodecode.auditory.alignment`); the trial is then needed whole.

    Raises
    ------
    ConfigError
        If a causal decoder is to align.
    """

    name: ClassVar[str]
    """Name in the registry and in the records."""
    reads_sound: ClassVar[bool] = True
    """Whether scores compare brain with sound; otherwise labels are read from the brain alone."""

    def __init__(self, *, causal: bool = False, align: float | None = None) -> None:
        if causal and align is not None:
            raise ConfigError("align needs the whole trial, and a causal decoder does not have it")
        self.causal, self.align = causal, check_shrinkage(align)

    def prepared(self, eeg: np.ndarray) -> np.ndarray:
        """Align the channels of a trial, if that was asked for.

        Parameters
        ----------
        eeg : array of shape (n_times, n_channels)
            Brain.

        Returns
        -------
        array of shape (n_times, n_channels)
            Brain.
        """
        return aligned(np.asarray(eeg), self.align)

    @abstractmethod
    def fit(self, parts: Parts, inner: Inner | None = None) -> AttentionDecoder:
        """Learn from training trials.

        Parameters
        ----------
        parts : sequence of sequence of AuditoryTrial
            Parts that are left out in turn when something is chosen.
        inner : sequence of sequence of int, optional
            For each part, those that may train what is tried on it (default: all others).

        Returns
        -------
        AttentionDecoder
            Itself.
        """

    @abstractmethod
    def scores(self, eeg: np.ndarray, candidates: np.ndarray, window_s: float) -> np.ndarray:
        """Score windows that do not overlap.

        Parameters
        ----------
        eeg : array of shape (n_times, n_channels)
            Brain, prepared as in training.
        candidates : array of shape (n_candidates, n_times, n_features)
            Sounds.
        window_s : float
            Length of a window in s.

        Returns
        -------
        array of shape (n_windows, n_candidates)
            Larger is likelier; comparable within a row.
        """

    def score_trial(self, trial: AuditoryTrial, window_s: float) -> np.ndarray:
        """Score a trial; where labels are places or names, its own are used.

        Parameters
        ----------
        trial : AuditoryTrial
            Whose attention labels are not looked at.
        window_s : float
            Length of a window in s.

        Returns
        -------
        array of shape (n_windows, n_candidates)
            As `scores`.
        """
        return self.scores(np.asarray(trial.eeg[:]), np.asarray(trial.candidates[:]), window_s)

    def describe(self) -> dict[str, Any]:
        """Plain values that were chosen in training.

        Returns
        -------
        dict
            For the record.
        """
        return {}


def samples(window_s: float, sfreq: float) -> int:
    """Samples of a window.

    Parameters
    ----------
    window_s : float
        In s.
    sfreq : float
        In Hz.

    Returns
    -------
    int
        Rounded.

    Raises
    ------
    ConfigError
        If it is not positive.
    """
    if window_s <= 0:
        raise ConfigError(f"a window of {window_s:g} s")
    return round(window_s * sfreq)
