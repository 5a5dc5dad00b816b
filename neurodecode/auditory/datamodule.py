"""One division of a listening experiment, for `neurodecode fit`."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Literal

from lightning.pytorch import LightningDataModule
from torch.utils.data import DataLoader, RandomSampler

from neurodecode.auditory.excerpts import Excerpts
from neurodecode.auditory.leaks import check_fold
from neurodecode.auditory.schemes import make_folds
from neurodecode.auditory.stories import choose_scheme
from neurodecode.auditory_trials import one_rate
from neurodecode.context import BuildContext
from neurodecode.errors import ConfigError
from neurodecode.store.auditory import read_folder

__all__ = ["ListeningData"]


class ListeningData(LightningDataModule):
    """Excerpts of the training trials of one fold, and of the part that is left out within it.

    Parameters
    ----------
    stores : Path
        Folder of `attend prepare`.
    training : {"same-subject", "other-subjects"}
        Who is trained on.
    scheme : str, optional
        What is left out; by default what the stimuli ask for (`choose_scheme`).
    fold : int
        Number of the division, from 0; its test trials are not touched.
    validation : int
        Number of the part of the training trials on which training is judged. Trained is on
        those that may train what is tried on it: neither its subject, where subjects are left
        out, nor its stories.
    window_s, hop_s : float
        Length of the excerpts and distance from one to the next, in s.
    reach_s : float
        Seconds of brain behind a window that the network reads.
    batch_size : int
        Excerpts in a batch.
    batches : int
        Batches of an epoch; excerpts are drawn at random.

    Raises
    ------
    ConfigError
        If there is no such fold or part.
    """

    def __init__(
        self,
        stores: Path,
        training: Literal["same-subject", "other-subjects"] = "other-subjects",
        scheme: str | None = None,
        fold: int = 0,
        validation: int = 0,
        window_s: float = 5.0,
        hop_s: float = 1.0,
        reach_s: float = 0.75,
        batch_size: int = 32,
        batches: int = 16,
    ) -> None:
        super().__init__()
        trials = [trial for store in read_folder(stores) for trial in store.trials()]
        folds = list(make_folds(trials, scheme or choose_scheme(trials, training)))
        if not 0 <= fold < len(folds):
            raise ConfigError(f"data.fold is {fold}; there are {len(folds)}, from 0")
        self.fold = folds[fold]
        check_fold(self.fold, reach_s)
        if not 0 <= validation < len(self.fold.train):
            raise ConfigError(f"data.validation is {validation}; there are {len(self.fold.train)}")
        self.sfreq = one_rate(trials)
        own = self.fold.inner[validation]
        after = round(reach_s * self.sfreq)
        parts = {
            "train": [trial for number in own for trial in self.fold.train[number]],
            "validation": list(self.fold.train[validation]),
        }
        # read once: excerpts overlap
        self.excerpts = {
            side: Excerpts(
                [replace(each, eeg=each.eeg[:], candidates=each.candidates[:]) for each in some],
                window_s, after, hop_s if side == "train" else window_s,
            )
            for side, some in parts.items()
        }  # fmt: skip
        first = parts["train"][0]
        self._sizes = (first.eeg.shape[1], first.candidates.shape[2])
        self.batch_size, self.batches = batch_size, batches

    @property
    def context(self) -> BuildContext:
        """Channels of the subjects, and features of a sound under ``targets["sound"]``."""
        n_channels, n_features = self._sizes
        names = self.excerpts["train"].subjects
        return BuildContext(dict.fromkeys(names, n_channels), {"sound": (n_features,)})

    def train_dataloader(self) -> DataLoader:
        """Excerpts drawn at random."""
        data = self.excerpts["train"]
        draws = RandomSampler(data, num_samples=self.batch_size * self.batches, replacement=True)
        return DataLoader(data, self.batch_size, sampler=draws)

    def val_dataloader(self) -> DataLoader:
        """Excerpts end to end."""
        return DataLoader(self.excerpts["validation"], self.batch_size)
