"""Responses of several subjects and the embeddings of what they saw, for training decoders."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from lightning.pytorch import LightningDataModule
from torch import Tensor
from torch.utils.data import DataLoader

from neurodecode.errors import ConfigError, LeakError
from neurodecode.loaders.dataset import Batch, ResponseDataset, ScaledTrials
from neurodecode.loaders.draw import TrialDraw
from neurodecode.loaders.noise import Whitening
from neurodecode.loaders.ranks import BlockSampler
from neurodecode.loaders.recordings import open_recordings
from neurodecode.loaders.rows import Row, SubjectRows, group_by_stimulus, repeat_groups
from neurodecode.loaders.sampler import BalancedSampler, Extras, ResumableLoader
from neurodecode.loaders.scaler import TrialScaler
from neurodecode.loaders.sizes import context_of
from neurodecode.loaders.synthetic import SyntheticTrials, open_synthetic
from neurodecode.loaders.targets import TargetBank
from neurodecode.splits import Split
from neurodecode.store import EmbeddingStore

__all__ = ["ResponseDataModule"]

#: Below this, responses and targets are kept in memory unless told otherwise.
_MEMORY_BYTES = 1 << 30

Side = Literal["train", "validation", "test"]


class ResponseDataModule(LightningDataModule):
    """Batches of responses with the embeddings of their stimuli, leak-free.

    Training draws single trials, or averages of a few random repeats; validation, test and
    prediction average all repeats of a stimulus. Responses are standardised per subject,
    session and feature with statistics of training trials, which travel in the checkpoint.
    Recordings with and without a time axis may be in one batch, from one data set or several.

    Parameters
    ----------
    stores : path or list of path
        Folder with ``sub-<subject>.h5``. With several folders a subject is called
        ``<folder>:<subject>``, and a picture that one of them holds out is trained on in none.
    embeddings : dict of str to path
        Name of each target (``tokens``, ``latent``, ...) and the embedding store with it.
    splits : path, optional
        ``splits.json`` of all folders; by default the one in each of `stores`.
    fold : int
        Which fold of the split.
    subjects : list of str, optional
        Subjects to use; all by default.
    leave_out : list of str, optional
        Those of the subjects whom nothing is trained on or chosen by, and who alone are tested.
        Only the mean and deviation of each channel over their training trials are used, and with
        `whiten` the covariance of their noise.
    batch_size : int
        Rows of a training batch over all subjects, and of a batch when predicting.
    repeats : int
        Random trials of a stimulus that are averaged to one training row; 1 trains on single
        trials.
    seed : int
        Seed of the order of training rows.
    synthetic : path, optional
        Folder of ``neurodecode augment``: training also sees what an encoder predicts for
        pictures that a subject was not shown, with noise as of an average of `repeats`.
    synthetic_share : float
        Share of every training batch that is synthetic.
    negatives : int
        How many pictures that training may use (`Split.pool`) are drawn for each training batch,
        which holds the targets of those that are not its own as negatives for a contrastive loss.
    predict_on : {"test", "validation", "train"}
        Stimuli that ``predict`` runs on.
    predict_repeats : int, optional
        How many repeats of a stimulus ``predict`` averages; what there are besides makes further
        rows of the same stimulus, so that 1 predicts every single trial. All by default.
    clamp : float, optional
        Standardised values of time series are cut off at this many deviations.
    whiten : {"space", "both"}, optional
        Then whiten their noise over channels, or over channels and time (`NoiseNormaliser`).
    in_memory : bool, optional
        Keep standardised responses and targets in memory; by default if both together take
        less than 1 GiB.
    num_workers : int
        Worker processes.
    trials : int or str, optional
        Train on this many random training trials of each subject, or on a share of them like
        ``10%`` (`TrialDraw`); by default on all. Validation and test stay as they are.
    trials_seed : int
        Seed of that draw.

    Raises
    ------
    DataError
        If a store is missing or broken, or a stimulus has no embedding.
    ConfigError
        If a subject or fold does not exist, there are too few trials, or negatives are asked of
        a split of runs.
    LeakError
        If the synthetic responses were made for another split or fold.
    """

    def __init__(
        self,
        stores: str | Path | list[str],
        embeddings: dict[str, Path],
        splits: Path | None = None,
        fold: int = 0,
        subjects: list[str] | None = None,
        leave_out: list[str] | None = None,
        batch_size: int = 128,
        repeats: int = 1,
        seed: int = 0,
        synthetic: Path | None = None,
        synthetic_share: float = 0.5,
        negatives: int = 0,
        predict_on: Side = "test",
        predict_repeats: int | None = None,
        clamp: float | None = None,
        whiten: Whitening | None = None,
        in_memory: bool | None = None,
        num_workers: int = 0,
        trials: int | str | None = None,
        trials_seed: int = 0,
    ) -> None:
        super().__init__()
        self.batch_size, self.repeats, self.seed = batch_size, repeats, seed
        self.fold, self.predict_on, self.num_workers = fold, predict_on, num_workers
        self.draw = TrialDraw.of(trials, trials_seed)
        self.predict_repeats, self.clamp, self.whiten = predict_repeats, clamp, whiten
        folders = stores if isinstance(stores, list) else [stores]
        self.recordings = open_recordings([Path(each) for each in folders], splits, fold, subjects)
        self.stores = dict(self.recordings.stores)
        self.left_out = self._check_choices(leave_out, synthetic, len(folders))
        self.embeddings = dict(embeddings)
        shown = {str(s) for store in self.stores.values() for s in store.stimulus_id}
        self._synthetic = (
            {}
            if synthetic is None
            else open_synthetic(synthetic, self.stores, self.split, fold, self.draw)
        )
        more = {name for each in self._synthetic.values() for name in each.stimulus_id}
        self.negatives, self.synthetic_share = negatives, synthetic_share
        self._pool: list[str] = []
        if negatives:
            known = {name for path in self.embeddings.values() for name in EmbeddingStore(path).ids}
            self._pool = self.recordings.pool(known)
        self.stimuli = sorted(shown | more | set(self._pool))
        self._unshown = frozenset(self.stimuli) - shown
        self._row_of = {name: row for row, name in enumerate(self.stimuli)}
        shapes = TargetBank(embeddings, [], in_memory=False).shapes
        self.in_memory = self._small(shapes) if in_memory is None else in_memory
        self.context = context_of(self.stores, shapes)
        self._scalers: dict[str, TrialScaler] = {}
        self._loader: ResumableLoader | None = None
        self._position: dict[str, int] | None = None

    def _check_choices(
        self, leave_out: list[str] | None, synthetic: Path | None, n_folders: int
    ) -> frozenset[str]:
        """Refuse options that do not fit together; return the subjects that are left out."""
        left_out = frozenset(leave_out or ())
        if unknown := sorted(left_out - set(self.stores)):
            raise ConfigError(
                f"data.leave_out names {', '.join(unknown)}; known: {', '.join(self.stores)}"
            )
        if len(left_out) == len(self.stores):
            raise ConfigError("data.leave_out leaves nobody to train on")
        if synthetic is not None and (left_out or n_folders > 1):
            raise ConfigError(
                "data.synthetic goes with one folder of stores and with subjects that are all"
                " trained on; leave it, or data.leave_out, away"
            )
        for name in ("predict_repeats", "clamp"):
            value = getattr(self, name)
            if value is not None and value <= 0:
                raise ConfigError(f"data.{name} is {value}; give a positive number")
        return left_out

    @property
    def split(self) -> Split:
        """The split of the data set; an error if there are several."""
        return self.recordings.split

    def _small(self, shapes: dict[str, tuple[int, ...]]) -> bool:
        values = sum(int(np.prod(store.shape)) for store in self.stores.values())
        values += len(self.stimuli) * sum(int(np.prod(shape)) for shape in shapes.values())
        return 4 * values < _MEMORY_BYTES

    @cached_property
    def bank(self) -> TargetBank:
        """Embeddings; their rows are numbered as `stimuli`."""
        return TargetBank(
            self.embeddings, self.stimuli, in_memory=self.in_memory, optional=self._unshown
        )

    @cached_property
    def _trials(self) -> dict[str, dict[str, SubjectRows]]:
        grouped = {}
        for name, store in self.stores.items():
            sides = self.recordings.sides(name)
            sides["train"] = self.draw(sides["train"], name)
            grouped[name] = {
                side: group_by_stimulus(trials, store.stimulus_id) for side, trials in sides.items()
            }
        return grouped

    def rows(self, side: Side) -> dict[str, SubjectRows]:
        """Stimuli and trials of every subject on one side of the fold.

        Parameters
        ----------
        side : {"train", "validation", "test"}
            Side of the fold.

        Returns
        -------
        dict of str to SubjectRows
            By subject.
        """
        nothing, wanted = SubjectRows((), ()), set(self.stores) - self.left_out
        if self.left_out and side == "test":
            wanted = set(self.left_out)
        return {
            name: sides[side] if name in wanted else nothing for name, sides in self._trials.items()
        }

    def target_moments(self, name: str) -> tuple[Tensor, Tensor]:
        """Mean and deviation of a target over the training stimuli.

        Parameters
        ----------
        name : str
            Name of the target.

        Returns
        -------
        mean, deviation : Tensor of the shape of one target
            Statistics of each element.
        """
        seen = {stimulus for rows in self.rows("train").values() for stimulus in rows.stimulus}
        return self.bank.moments(name, np.array(sorted(self._row_of[s] for s in seen)))

    @cached_property
    def _subjects(self) -> dict[str, ScaledTrials]:
        for name, store in self.stores.items():
            if name not in self._scalers:
                trials = [t for group in self._trials[name]["train"].trials for t in group]
                series = len(store.shape) == 3
                self._scalers[name] = TrialScaler.fit(
                    store, trials, self.clamp if series else None, self.whiten if series else None
                )
                # an HDF5 file that is open here must not be inherited by workers
                store.close()
        return {
            name: ScaledTrials(store, self._scalers[name], self._row_of, in_memory=self.in_memory)
            for name, store in self.stores.items()
        }

    def train_dataloader(self) -> DataLoader[Batch]:
        """Batches with equal shares of the subjects, in a new order every epoch."""
        synthetic = {
            name: SyntheticTrials(each, self.repeats, self._row_of)
            for name, each in self._synthetic.items()
        }
        extras = Extras(
            n_pictures=[len(trials) for trials in synthetic.values()],
            share=self.synthetic_share,
            bank=[self._row_of[name] for name in self._pool],
            n_negatives=self.negatives,
        )
        sampler = BalancedSampler(
            list(self.rows("train").values()), self.batch_size, self.repeats, self.seed, extras
        )
        self._loader = ResumableLoader(
            ResponseDataset(self._subjects, self.bank, synthetic=synthetic),
            sampler=sampler,
            batch_size=None,
            num_workers=self.num_workers,
            persistent_workers=self.num_workers > 0,
            generator=_own_generator(),
        )
        # Lightning restores a loader only if nobody has asked for it before, and the learning
        # rate schedule asks for its length
        if self._position is not None:
            self._loader.load_state_dict(self._position)
            self._position = None
        return self._loader

    def _averaged(self, side: Side, repeats: int | None = None) -> DataLoader[Batch]:
        rows = [
            Row(number, group)
            for number, subject in enumerate(self.rows(side).values())
            for trials in subject.trials
            for group in repeat_groups(trials, repeats)
        ]
        return self._in_order(rows)

    def _in_order(self, rows: Sequence[Row]) -> DataLoader[Batch]:
        """Batches of the given rows; several processes divide them."""
        dataset = ResponseDataset(self._subjects, self.bank, rows)
        return DataLoader(
            dataset,
            batch_size=self.batch_size,
            sampler=BlockSampler(dataset, self.batch_size),
            collate_fn=_as_is,
            num_workers=self.num_workers,
            generator=_own_generator(),
        )

    def val_dataloader(self) -> DataLoader[Batch]:
        """Repeat averages of the validation stimuli."""
        return self._averaged("validation")

    def test_dataloader(self) -> DataLoader[Batch]:
        """Repeat averages of the test stimuli."""
        return self._averaged("test")

    def predict_dataloader(self) -> DataLoader[Batch]:
        """Repeat averages of the stimuli to predict, of `predict_repeats` repeats each."""
        return self._averaged(self.predict_on, self.predict_repeats)

    @cached_property
    def fingerprint(self) -> str:
        """Digest of what is held out; a checkpoint of another division is refused."""
        return self.recordings.digest

    def state_dict(self) -> dict[str, Any]:
        """Return statistics of the training trials, digest of the split, and where training is."""
        return {
            "position": None if self._loader is None else self._loader.state_dict(),
            "fingerprint": self.fingerprint,
            "left_out": sorted(self.left_out),
            "scalers": {name: each.state_dict() for name, each in self._scalers.items()},
        }

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take the statistics from a checkpoint.

        Parameters
        ----------
        state_dict : dict
            From `state_dict`.

        Raises
        ------
        LeakError
            If the checkpoint was trained on another division of the stimuli, or on a subject who
            is left out here.
        """
        if state_dict["fingerprint"] != self.fingerprint:
            raise LeakError(
                f"the checkpoint was trained on another split or fold than fold {self.fold} here,"
                " and may have seen its test stimuli; use the fold of the checkpoint or train again"
            )
        if known := sorted(self.left_out - set(state_dict.get("left_out", ()))):
            raise LeakError(
                f"data.leave_out names {known[0]}, whom the checkpoint was trained on; leave out"
                " who was left out in `fit`"
            )
        self._scalers = {
            name: TrialScaler.from_state_dict(each)
            for name, each in state_dict["scalers"].items()
            if name in self.stores
        }
        self.__dict__.pop("_subjects", None)
        self._position = state_dict["position"]


def _own_generator() -> torch.Generator:
    # a loader draws a seed for its workers; torch's global generator is for the model alone
    return torch.Generator().manual_seed(0)


def _as_is(batch: Batch) -> Batch:
    return batch
