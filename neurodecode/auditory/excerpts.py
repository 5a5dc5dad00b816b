"""Excerpts of trials with who is attended in them, to train networks on."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Dataset

from neurodecode.auditory_trials import AuditoryTrial
from neurodecode.errors import ConfigError

__all__ = ["Excerpts"]

#: Least seconds between a sound and its wrong place: longer than sound remembers itself.
_APART_S = 2.0


class Excerpts(Dataset[dict[str, Tensor]]):
    """Stretches of trials in which one talker is attended throughout.

    Where there is one talker, its sound of another moment of the trial is the other candidate.

    Parameters
    ----------
    trials : sequence of AuditoryTrial
        At one rate.
    window_s : float
        Length of an excerpt, in s.
    after : int
        Samples besides, behind it, whose brain still answers to it.
    hop_s : float
        From excerpt to excerpt, in s.

    Raises
    ------
    ConfigError
        If no trial is that long.
    """

    def __init__(
        self, trials: Sequence[AuditoryTrial], window_s: float, after: int, hop_s: float
    ) -> None:
        self.trials = [
            (torch.as_tensor(np.asarray(trial.eeg[:], dtype=np.float32)),
             torch.as_tensor(np.asarray(trial.candidates[:], dtype=np.float32)))
            for trial in trials
        ]  # fmt: skip
        self.subjects = sorted({trial.subject for trial in trials})
        self._subject = [self.subjects.index(trial.subject) for trial in trials]
        self._apart = round(_APART_S * trials[0].sfreq)
        rate = trials[0].sfreq
        self.length = round(window_s * rate) + after
        hop = max(round(hop_s * rate), 1)
        self.places: list[tuple[int, int, int]] = []
        for number, trial in enumerate(trials):
            attended = np.asarray(trial.attended)
            for start in range(0, trial.n_times - self.length + 1, hop):
                part = attended[start : start + self.length]
                if (part == part[0]).all():
                    self.places.append((number, start, int(part[0])))
        if not self.places:
            raise ConfigError(
                f"no training trial has {self.length / rate:g} s in which one talker is attended;"
                " give shorter windows to train on"
            )

    def __len__(self) -> int:
        """Number of excerpts."""
        return len(self.places)

    def __getitem__(self, index: int) -> dict[str, Tensor]:
        """Cut one excerpt.

        Parameters
        ----------
        index : int
            Number.

        Returns
        -------
        dict of str to Tensor
            ``eeg`` (n_times, n_channels), ``candidates`` (n_candidates, n_times, n_features),
            ``attended`` () and ``subject`` (), its number in `subjects`.
        """
        number, start, attended = self.places[index]
        eeg, sounds = self.trials[number]
        stop = start + self.length
        candidates = sounds[:, start:stop]
        if len(sounds) == 1:
            candidates = torch.cat([candidates, self._elsewhere(sounds, start)])
        return {
            "eeg": eeg[start:stop],
            "candidates": candidates,
            "attended": torch.tensor(attended),
            "subject": torch.tensor(self._subject[number]),
        }

    def _elsewhere(self, sounds: Tensor, start: int) -> Tensor:
        """The same sound from another moment, around the end of the trial if need be."""
        n_times = sounds.shape[1]
        room = n_times - 2 * self._apart
        away = self._apart + int(torch.randint(max(room, 1), ()))
        at = (start + away + torch.arange(self.length)) % n_times
        return sounds[:, at]
