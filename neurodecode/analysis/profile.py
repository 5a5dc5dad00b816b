"""All results of one profile, behind one object."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import pandas as pd

from neurodecode.analysis.sources import PredictionSource, find_predictions
from neurodecode.analysis.stores import StoreFolder
from neurodecode.analysis.tables import (
    CANDIDATES,
    CONFUSION,
    DIFFERENCES,
    ENCODING_DIFFERENCES,
    GENERALISATION,
    ITEMS,
    UNITS,
    read_records_table,
    read_table,
)
from neurodecode.errors import DataError

__all__ = ["Profile", "find_root", "load_profile", "open_stores"]


@dataclass(frozen=True)
class Profile:
    """Results of one profile; every file is read when it is first asked for.

    Parameters
    ----------
    name : str
        ``mini``, ``real``, ...
    metrics : Path
        ``metrics.json``.
    tables : Path
        Folder with ``items.csv``, ``candidates.csv``, ``confusion.csv`` and
        ``differences.csv``.
    stores : mapping of str to StoreFolder
        Data set -> its stores.
    predictions : sequence of PredictionSource
        Files of predictions, with and without reconstructions.
    runs : Path or None
        Folder under which trainings left ``metrics.csv`` and ``config.yaml``.
    params : Path or None
        ``params.yaml`` of the pipeline.
    leave_out : frozenset of str
        Tasks whose records, items and differences are passed over.
    routes : tuple of Path
        Folders of `neurodecode routes`.
    mechanisms : Path or None
        File of `neurodecode bench attention --brains`.
    """

    name: str
    metrics: Path
    tables: Path
    stores: dict[str, StoreFolder] = field(default_factory=dict)
    predictions: tuple[PredictionSource, ...] = ()
    runs: Path | None = None
    params: Path | None = None
    leave_out: frozenset[str] = frozenset()
    routes: tuple[Path, ...] = ()
    mechanisms: Path | None = None

    def _kept(self, table: pd.DataFrame) -> pd.DataFrame:
        return table[~table["task"].isin(list(self.leave_out))].reset_index(drop=True)

    @cached_property
    def records(self) -> pd.DataFrame:
        """One row for each MetricRecord that has a value, but for windows of time and regions."""
        table = self._all_records
        whole = ~_resolved_in_time(table) & ~_of_regions(table)
        return table[table["value"].notna() & whole].reset_index(drop=True)

    @cached_property
    def regions(self) -> pd.DataFrame:
        """One row for each MetricRecord of the units of one region."""
        table = self._all_records
        return table[table["value"].notna() & _of_regions(table)].reset_index(drop=True)

    @cached_property
    def region_differences(self) -> pd.DataFrame:
        """One row for each two encoders, region ("" for all units) and subject."""
        return self._kept(
            read_table(self.tables / "encoding_differences.csv", ENCODING_DIFFERENCES)
        )

    @cached_property
    def units(self) -> pd.DataFrame:
        """One row for each voxel or neuron, method and fold."""
        return read_table(self.tables / "units.csv", UNITS)

    @cached_property
    def courses(self) -> pd.DataFrame:
        """One row for each MetricRecord of a window of time, or of a curve of such windows."""
        table = self._all_records
        return table[table["value"].notna() & _resolved_in_time(table)].reset_index(drop=True)

    @cached_property
    def generalisation(self) -> pd.DataFrame:
        """One row for each time of training and of testing."""
        return read_table(self.tables / "generalisation.csv", GENERALISATION)

    @cached_property
    def unmeasured(self) -> pd.DataFrame:
        """One row for each MetricRecord that says why there is no value."""
        table = self._all_records
        return table[table["value"].isna()].reset_index(drop=True)

    @cached_property
    def _all_records(self) -> pd.DataFrame:
        return self._kept(read_records_table(self.metrics))

    @cached_property
    def items(self) -> pd.DataFrame:
        """One row for each test stimulus and metric."""
        return self._kept(read_table(self.tables / "items.csv", ITEMS))

    @cached_property
    def candidates(self) -> pd.DataFrame:
        """One row for each test stimulus: its rank and the five best candidates."""
        return read_table(self.tables / "candidates.csv", CANDIDATES)

    @cached_property
    def confusion(self) -> pd.DataFrame:
        """One row for each pair of true and predicted class."""
        return read_table(self.tables / "confusion.csv", CONFUSION)

    @cached_property
    def differences(self) -> pd.DataFrame:
        """One row for each two methods, metric and subject."""
        return self._kept(read_table(self.tables / "differences.csv", DIFFERENCES))

    @cached_property
    def reconstructions(self) -> tuple[PredictionSource, ...]:
        """The prediction files that hold pictures, but for those of windows of time."""
        return tuple(source for source in self._pictures if "windows" not in source.attrs)

    @cached_property
    def movies(self) -> tuple[PredictionSource, ...]:
        """The prediction files that hold a picture of each window of time."""
        return tuple(source for source in self._pictures if "windows" in source.attrs)

    @property
    def _pictures(self) -> tuple[PredictionSource, ...]:
        return tuple(source for source in self.predictions if "images" in source.array_names)

    def dataset_of(self, source: PredictionSource) -> str:
        """Which data set a prediction file belongs to.

        Parameters
        ----------
        source : PredictionSource
            The file.

        Returns
        -------
        str
            The one its attributes name; otherwise the one in whose stimuli (or subjects, for a
            data set without pictures) those of the file are found.

        Raises
        ------
        DataError
            If it belongs to none of the data sets.
        """
        named = source.attrs.get("dataset")
        if named in self.stores:
            return str(named)
        ids = set(source.stimulus_ids)
        for name, folder in self.stores.items():
            known = folder.stimuli.ids if folder.stimuli is not None else ()
            if ids <= set(known) or ids <= {
                str(stimulus)
                for store in folder.responses.values()
                for stimulus in store.stimulus_id
            }:
                return name
        raise DataError(
            f"its stimuli are in none of the data sets {', '.join(self.stores) or '(none given)'}",
            file=source.path,
            fix="give the stores these predictions were made from",
        )


def _resolved_in_time(table: pd.DataFrame) -> pd.Series:
    if "windows" not in table:
        return pd.Series(False, index=table.index)
    return table["windows"].notna()


def _of_regions(table: pd.DataFrame) -> pd.Series:
    if "region" not in table:
        return pd.Series(False, index=table.index)
    return table["region"].notna()


def open_stores(folders: Iterable[str | Path]) -> dict[str, StoreFolder]:
    """Open the stores of several data sets.

    Parameters
    ----------
    folders : iterable of path-like
        Folders written by `neurodecode prepare`.

    Returns
    -------
    dict of str to StoreFolder
        By registry name of the data set, in the order given.

    Raises
    ------
    DataError
        If two folders hold the same data set.
    """
    stores: dict[str, StoreFolder] = {}
    for path in folders:
        folder = StoreFolder(Path(path))
        if folder.dataset in stores:
            raise DataError(
                f"data set {folder.dataset} was given twice", file=path, fix="name each folder once"
            )
        stores[folder.dataset] = folder
    return stores


def find_root(start: str | Path, profile: str) -> Path:
    """Look for the results of a profile in a folder and in those above it.

    Parameters
    ----------
    start : path-like
        Where to begin, e.g. the folder of a notebook.
    profile : str
        Name of the profile.

    Returns
    -------
    Path
        The first folder that holds ``reports/<profile>/metrics.json``.

    Raises
    ------
    DataError
        If there is none.
    """
    start = Path(start).resolve()
    for folder in (start, *start.parents):
        if (folder / "reports" / profile / "metrics.json").is_file():
            return folder
    raise DataError(
        f"no reports/{profile}/metrics.json here or above",
        file=start,
        fix="run `make repro` (mini) or `make real` first",
    )


def load_profile(root: str | Path, profile: str, params: str | Path | None = None) -> Profile:
    """Find the results of a profile in the places where the pipeline puts them.

    Parameters
    ----------
    root : path-like
        Folder that holds ``data/stores``, ``runs/<profile>`` and ``reports/<profile>``.
    profile : str
        Name of the profile (``mini``, ``real``).
    params : path-like, optional
        Parameter file of the pipeline; by default that of ``pipelines/<profile>``, or else
        ``<root>/params.yaml``.

    Returns
    -------
    Profile
        With the stores of the data sets that occur in the records.

    Raises
    ------
    DataError
        If the profile has no ``metrics.json``.
    """
    root = Path(root)
    report, runs = root / "reports" / profile, root / "runs" / profile
    own = root / "pipelines" / profile / "params.yaml"
    params = Path(params or (own if own.is_file() else root / "params.yaml"))
    records = read_records_table(report / "metrics.json")
    folders = [root / "data" / "stores" / name for name in sorted(set(records["dataset"]))]
    return Profile(
        name=profile,
        metrics=report / "metrics.json",
        tables=report / "tables",
        stores=open_stores(folder for folder in folders if folder.is_dir()),
        predictions=find_predictions(runs),
        runs=runs if runs.is_dir() else None,
        params=params if params.is_file() else None,
    )
