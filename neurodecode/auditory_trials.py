"""The container of attention decoding: what was heard, and what the sensors showed meanwhile."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from neurodecode.errors import DataError
from neurodecode.recording import LazyArray

__all__ = ["AuditoryTrial", "blocks_of", "one_rate", "sound_id"]


def sound_id(features: np.ndarray) -> str:
    """Name a sound by what is in it, so that one recording under two names is one stimulus.

    Parameters
    ----------
    features : array of shape (n_times, n_features)
        Envelope or other features, as they are compared with the brain.

    Returns
    -------
    str
        16 hexadecimal digits of a digest of the values, in units of their spread and rounded, so
        that neither level nor round-off matters.
    """
    values = np.asarray(features, dtype=np.float64)
    spread = values.std() or 1.0
    rounded = np.round((values - values.mean()) / spread, 3).astype(np.float32) + 0.0
    return hashlib.blake2b(np.ascontiguousarray(rounded).tobytes(), digest_size=8).hexdigest()


@dataclass(frozen=True)
class AuditoryTrial:
    """One stretch of listening, at one sampling rate.

    Parameters
    ----------
    subject, trial : str
        Who, and the name of the trial inside the subject.
    eeg : LazyArray of shape (n_times, n_channels)
        EEG, MEG or iEEG; read in slices.
    candidates : LazyArray of shape (n_candidates, n_times, n_features)
        Features of every sound that may be the attended one.
    attended : array of int of shape (n_times,)
        Index of the attended candidate at every sample.
    sfreq : float
        Sampling rate of both in Hz.
    channels : tuple of str
        Names of the channels.
    sound : tuple of str of length n_candidates
        Identity of each candidate by content (`sound_id`).
    story : tuple of str of length n_candidates
        What is told by each: parts of one story train models of each other.
    talker : tuple of str of length n_candidates
        Who tells it.
    direction : tuple of str of length n_candidates
        Where from (``left``, ``right``, degrees); empty where it is not known.
    gaze : array of shape (n_times, n_gaze), optional
        Eye channels (EOG or eye tracker), for the confound probe.
    session : str
        Session or part of the experiment.
    condition : str
        Acoustics or design (``dry``, ``gaze-follows``), to be scored apart.
    source : str
        Trial that this is a block of; itself if it is whole.
    start_s : float
        Where in it the block begins.
    info : mapping
        Plain values worth keeping.

    Raises
    ------
    DataError
        If lengths do not fit, there is no attention label, or a label names no candidate.
    """

    subject: str
    trial: str
    eeg: LazyArray
    candidates: LazyArray
    attended: np.ndarray
    sfreq: float
    channels: tuple[str, ...]
    sound: tuple[str, ...]
    story: tuple[str, ...]
    talker: tuple[str, ...]
    direction: tuple[str, ...] = ()
    gaze: np.ndarray | None = None
    session: str = ""
    condition: str = ""
    source: str = ""
    start_s: float = 0.0
    info: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        n_candidates, n_times = self.candidates.shape[:2]
        if not self.source:
            object.__setattr__(self, "source", self.trial)
        if self.eeg.shape[0] != n_times:
            raise self._error(
                "eeg", f"{self.eeg.shape[0]} samples of brain and {n_times} of sound",
                "align them and cut both to the same length",
            )  # fmt: skip
        if len(self.channels) != self.eeg.shape[1]:
            raise self._error(
                "channels", f"{len(self.channels)} names for {self.eeg.shape[1]} channels"
            )
        attended = np.asarray(self.attended)
        if attended.shape != (n_times,):
            raise self._error(
                "attended", f"{attended.shape} labels for {n_times} samples",
                "say for every sample which talker is attended",
            )  # fmt: skip
        if n_times and not (attended.min() >= 0 and attended.max() < n_candidates):
            raise self._error(
                "attended",
                f"label {attended.min()} to {attended.max()} for {n_candidates} candidates",
            )
        for name in ("sound", "story", "talker", "direction"):
            count = len(getattr(self, name))
            if count != n_candidates and not (name == "direction" and count == 0):
                raise self._error(name, f"{count} entries for {n_candidates} candidates")
        if self.gaze is not None and len(self.gaze) != n_times:
            raise self._error("gaze", f"{len(self.gaze)} samples, the brain has {n_times}")

    def _error(self, name: str, problem: str, fix: str | None = None) -> DataError:
        return DataError(
            problem, subject=self.subject, field=f"{name} of trial {self.trial}", fix=fix
        )

    @property
    def n_times(self) -> int:
        """Samples."""
        return int(self.candidates.shape[1])

    @property
    def n_candidates(self) -> int:
        """Sounds."""
        return int(self.candidates.shape[0])

    @property
    def seconds(self) -> float:
        """Length in s."""
        return self.n_times / self.sfreq

    @property
    def key(self) -> tuple[str, str]:
        """Subject and trial."""
        return self.subject, self.trial

    @property
    def groups(self) -> frozenset[str]:
        """Whatever must not be on both sides of a split by story: sounds and stories."""
        return frozenset(self.sound) | frozenset(story for story in self.story if story)

    def heard(self) -> np.ndarray:
        """Features of what was attended, sample by sample.

        Returns
        -------
        array of shape (n_times, n_features)
            Of one candidate, or of several where attention switched.
        """
        return np.asarray(self.candidates[:])[np.asarray(self.attended), np.arange(self.n_times)]

    def ignored(self) -> np.ndarray:
        """Features of what was not attended, sample by sample; of several talkers their mean.

        Returns
        -------
        array of shape (n_times, n_features)
            Mean of all candidates but the attended one.

        Raises
        ------
        DataError
            If there is one talker only.
        """
        if self.n_candidates < 2:
            raise self._error("candidates", "one talker, so that nobody is ignored")
        everything = np.asarray(self.candidates[:]).sum(axis=0)
        return (everything - self.heard()) / (self.n_candidates - 1)

    def cut(self, start: int, stop: int, name: str) -> AuditoryTrial:
        """Take a block of the trial.

        Parameters
        ----------
        start, stop : int
            Samples.
        name : str
            Name of the block.

        Returns
        -------
        AuditoryTrial
            With the identity of what is heard in the block.
        """
        candidates = np.asarray(self.candidates[:, start:stop])
        return replace(
            self,
            trial=name,
            eeg=np.asarray(self.eeg[start:stop]),
            candidates=candidates,
            attended=np.asarray(self.attended)[start:stop],
            sound=tuple(sound_id(each) for each in candidates),
            # a block of a story is told apart by time, not by story: see the split schemes
            gaze=None if self.gaze is None else np.asarray(self.gaze[start:stop]),
            source=self.source,
            start_s=self.start_s + start / self.sfreq,
        )


def blocks_of(
    trials: Iterable[AuditoryTrial], n_blocks: int, gap_s: float
) -> list[list[AuditoryTrial]]:
    """Cut every trial into equal blocks of time, with gaps between them.

    Parameters
    ----------
    trials : iterable of AuditoryTrial
        Whole trials.
    n_blocks : int
        Blocks in each.
    gap_s : float
        Seconds that belong to neither of two neighbours: lags and filters reach across an edge.

    Returns
    -------
    list of length n_blocks of list of AuditoryTrial
        By number of the block.

    Raises
    ------
    DataError
        If a trial is too short for that.
    """
    parts: list[list[AuditoryTrial]] = [[] for _ in range(n_blocks)]
    for trial in trials:
        edges = np.linspace(0, trial.n_times, n_blocks + 1).round().astype(int)
        half = round(gap_s * trial.sfreq / 2)
        for number in range(n_blocks):
            start = edges[number] + (half if number else 0)
            stop = edges[number + 1] - (half if number + 1 < n_blocks else 0)
            if stop - start < trial.sfreq:
                raise DataError(
                    f"{trial.seconds:g} s are too short for {n_blocks} blocks with gaps of"
                    f" {gap_s:g} s",
                    subject=trial.subject,
                    field=f"trial {trial.trial}",
                    fix="use fewer blocks",
                )
            parts[number].append(trial.cut(int(start), int(stop), f"{trial.trial}/{number}"))
    return parts


def one_rate(trials: Sequence[AuditoryTrial]) -> float:
    """Sampling rate that all trials share.

    Parameters
    ----------
    trials : sequence of AuditoryTrial
        At least one.

    Returns
    -------
    float
        In Hz.

    Raises
    ------
    DataError
        If there is none, or several.
    """
    rates = sorted({trial.sfreq for trial in trials})
    if len(rates) != 1:
        raise DataError(
            f"{len(rates)} sampling rates: {', '.join(f'{rate:g} Hz' for rate in rates)}",
            field="sfreq",
            fix="prepare all subjects at one rate",
        )
    return rates[0]
