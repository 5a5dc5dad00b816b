"""Windows of region time series as a LightningDataModule, for pretraining."""

from __future__ import annotations

from pathlib import Path

import lightning.pytorch as pl
import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from neurodecode.context import BuildContext
from neurodecode.errors import ConfigError, DataError
from neurodecode.regions.windows import check_unit, read_runs
from neurodecode.splits import read_split
from neurodecode.store import ResponseStore

__all__ = ["RegionWindows", "open_series"]


class RegionWindows(pl.LightningDataModule):
    """Windows of the training runs, wherever they begin; of validation runs one after the other.

    Test runs are not read.

    Parameters
    ----------
    stores : path
        Folder of ``neurodecode prepare`` of a data set of region series, with ``splits.json``.
    n_volumes : int
        Length of a window.
    fold : int
        Which fold of the split.
    batch_size : int
        Windows of a training step.
    subjects : list of str, optional
        Which subjects; all by default. Regions must be the same.

    Raises
    ------
    ConfigError
        If the split is not one of runs, or has no such fold.
    DataError
        If runs are too short, or subjects have other regions.
    """

    def __init__(
        self,
        stores: Path,
        n_volumes: int,
        fold: int = 0,
        batch_size: int = 16,
        subjects: list[str] | None = None,
    ) -> None:
        super().__init__()
        self.n_volumes, self.batch_size = n_volumes, batch_size
        self.series = open_series(stores, subjects)
        split = read_split(Path(stores) / "splits.json")
        check_unit(split)
        if not 0 <= fold < len(split.folds):
            raise ConfigError(f"fold {fold}: {stores} has {len(split.folds)}, numbered from 0")
        #: Which division the model knows, noted in its checkpoint.
        self.digest = split.folds[fold].digest
        sides = split.folds[fold].sides()
        self.runs = {side: self._runs(sides[side]) for side in ("train", "validation")}

    def _runs(self, keys: tuple[str, ...]) -> list[Tensor]:
        found = []
        for store in self.series:
            for name, run in read_runs(store, keys).items():
                if run.shape[1] < self.n_volumes:
                    raise DataError(
                        f"run {name} has {run.shape[1]} volumes, a window {self.n_volumes}",
                        file=store.path, subject=store.subject,
                        fix="give shorter windows: --data.n_volumes",
                    )  # fmt: skip
                found.append(torch.from_numpy(np.ascontiguousarray(run)))
        return found

    @property
    def context(self) -> BuildContext:
        """Sizes of the data: regions of each subject, volumes of a window."""
        return BuildContext(
            n_features={store.subject: store.n_features for store in self.series},
            n_times={store.subject: self.n_volumes for store in self.series},
            modality={store.subject: store.modality for store in self.series},
        )

    def train_dataloader(self) -> DataLoader[Tensor]:
        """Windows at every volume, shuffled: an epoch sees each once."""
        windows = _Windows(self.runs["train"], self.n_volumes, step=1)
        return DataLoader(windows, batch_size=self.batch_size, shuffle=True, drop_last=True)

    def val_dataloader(self) -> DataLoader[Tensor]:
        """Windows that follow each other."""
        windows = _Windows(self.runs["validation"], self.n_volumes, step=self.n_volumes)
        return DataLoader(windows, batch_size=self.batch_size)


class _Windows(Dataset[Tensor]):
    """Windows of runs.

    Parameters
    ----------
    runs : list of Tensor of shape (n_regions, n_volumes)
        Runs.
    n_volumes : int
        Length of a window.
    step : int
        Volumes between beginnings.
    """

    def __init__(self, runs: list[Tensor], n_volumes: int, step: int) -> None:
        self.runs, self.n_volumes = runs, n_volumes
        self.starts = [
            (number, start)
            for number, run in enumerate(runs)
            for start in range(0, run.shape[1] - n_volumes + 1, step)
        ]

    def __len__(self) -> int:
        return len(self.starts)

    def __getitem__(self, index: int) -> Tensor:
        number, start = self.starts[index]
        return self.runs[number][:, start : start + self.n_volumes]


def open_series(stores: str | Path, subjects: list[str] | None = None) -> list[ResponseStore]:
    """Open stores of region series.

    Parameters
    ----------
    stores : path-like
        Folder with ``sub-*.h5``.
    subjects : list of str, optional
        Which; all by default.

    Returns
    -------
    list of ResponseStore
        By subject, all with the same regions.

    Raises
    ------
    DataError
        If there is none, one is missing, has no repetition time, or has other regions.
    """
    found = [ResponseStore(path) for path in sorted(Path(stores).glob("sub-*.h5"))]
    known = [store.subject for store in found]
    missing = [subject for subject in subjects or () if subject not in known]
    if missing or not found:
        raise DataError(f"no store of {missing[0]}" if missing else "no stores", file=stores,
                        fix="run `neurodecode prepare`")  # fmt: skip
    found = [store for store in found if not subjects or store.subject in subjects]
    for store in found:
        if "tr_s" not in store.info:
            raise DataError(
                "no time series of regions", file=store.path, subject=store.subject, field="tr_s",
                fix="prepare a data set whose name ends in -series (docs/regions.md)",
            )  # fmt: skip
        if store.feature("name").tolist() != found[0].feature("name").tolist():
            raise DataError(
                f"other regions than subject {found[0].subject}", file=store.path,
                subject=store.subject, field="name", fix="prepare all subjects with one atlas",
            )  # fmt: skip
    return found
