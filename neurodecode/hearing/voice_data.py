"""Clips of the talkers' voices, to train the speaker encoder on."""

from __future__ import annotations

from pathlib import Path

import lightning.pytorch as pl
import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from neurodecode.context import BuildContext
from neurodecode.hearing.corpus import Recorded, Side, read_corpus
from neurodecode.hearing.talkers import RATE

__all__ = ["VoiceClips", "VoiceData"]

#: Level of another voice below a clip, in dB: voices are also learned from what was extracted.
_OTHER_DB = (5.0, 30.0)
_VALIDATION_CLIPS = 8


class VoiceClips(Dataset[tuple[Tensor, int]]):
    """Clips, each with the number of its talker.

    Parameters
    ----------
    talkers : list of Recorded
        Whose.
    seconds : float
        Length.
    n : int
        How many.
    seed : int
        Of all clips; with `fresh`, they are other ones at every look.
    fresh : bool
        Whether to draw anew each time.
    """

    def __init__(
        self, talkers: list[Recorded], seconds: float, n: int, seed: int, fresh: bool
    ) -> None:
        self.talkers, self.samples, self.n, self.seed = talkers, round(seconds * RATE), n, seed
        self.fresh = fresh

    def __len__(self) -> int:
        return self.n

    def __getitem__(self, index: int) -> tuple[Tensor, int]:
        """One clip, with a little of another voice below it."""
        seeds = (self.seed, index, int(torch.randint(2**31, ()))) if self.fresh else (
            self.seed, index)  # fmt: skip
        rng = np.random.default_rng(seeds)
        talker = index % len(self.talkers)
        other = (talker + int(rng.integers(1, len(self.talkers)))) % len(self.talkers)
        level = 10 ** (-rng.uniform(*_OTHER_DB) / 20)
        clip = self._cut(talker, rng) + level * self._cut(other, rng)
        return torch.from_numpy(clip), talker

    def _cut(self, talker: int, rng: np.random.Generator) -> np.ndarray:
        speech = self.talkers[talker].speech
        start = int(rng.integers(max(len(speech) - self.samples, 0) + 1))
        return speech[start : start + self.samples]


class VoiceData(pl.LightningDataModule):
    """Training talkers to be told apart, and validation talkers nobody has heard.

    Parameters
    ----------
    root : path
        Folder of talkers.
    seconds : float
        Length of a clip.
    batch_size : int
        Clips in a step.
    steps : int
        Steps in an epoch.
    seed : int
        Of validation clips.
    """

    def __init__(
        self, root: Path, seconds: float = 1.5, batch_size: int = 32, steps: int = 50,
        seed: int = 0,
    ) -> None:  # fmt: skip
        super().__init__()
        self.seconds, self.batch_size, self.steps, self.seed = seconds, batch_size, steps, seed
        sides: tuple[Side, Side] = ("train", "validation")
        self.train, self.validation = (read_corpus(root, side) for side in sides)

    @property
    def context(self) -> BuildContext:
        """Number of training talkers under ``targets["talkers"]``."""
        return BuildContext({}, {"talkers": (len(self.train),)})

    def train_dataloader(self) -> DataLoader[tuple[Tensor, Tensor]]:
        """Random clips."""
        n = self.batch_size * self.steps
        clips = VoiceClips(self.train, self.seconds, n, self.seed, True)
        return DataLoader(clips, batch_size=self.batch_size, shuffle=True)

    def val_dataloader(self) -> DataLoader[tuple[Tensor, Tensor]]:
        """The same clips every time, all in one batch: each is compared with all others."""
        n = _VALIDATION_CLIPS * len(self.validation)
        clips = VoiceClips(self.validation, self.seconds, n, self.seed, False)
        return DataLoader(clips, batch_size=n)
