"""Raw MEG and EEG in BIDS, through mne-bids."""

from __future__ import annotations

import contextlib
import io
import warnings
from collections.abc import Iterable, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from neurodecode.datasets.base import DATASETS
from neurodecode.datasets.images import image_side
from neurodecode.datasets.meeg import ContinuousReader, Run, opened
from neurodecode.datasets.names import entity, natural, natural_text, number_in
from neurodecode.datasets.pictures import PictureFolder
from neurodecode.datasets.tables import read_table
from neurodecode.datasets.things_meg import ThingsMeg
from neurodecode.datasets.triggers import check_triggers, find_triggers
from neurodecode.errors import DataError
from neurodecode.preprocess.recipe import Recipe
from neurodecode.recording import StimulusSet

if TYPE_CHECKING:
    import mne

__all__ = ["BidsMeeg"]

_NO_STIMULUS = ("", "n/a")
_SUFFIXES = {".fif", ".ds", ".vhdr", ".edf", ".bdf", ".set", ".con", ".sqd", ""}


@DATASETS.register("bids-meeg")
class BidsMeeg(ContinuousReader):
    """Any MEG or EEG study in BIDS with pictures, or categories, in its tables of events.

    Parameters
    ----------
    root : path-like
        Folder of the study.
    stimulus : str
        Column of ``events.tsv`` with the picture (a path in ``stimuli/``) or, if that folder is
        absent, with the category; rows with ``n/a`` are no trials.
    task : str
        Only runs of this task.
    stim_channel : str
        If given, the onsets are those of this channel, whose values must be those of the column
        ``value``; otherwise the column ``onset``.
    recipe : Recipe or path-like, optional
        Preprocessing.
    image_size : int, optional
        Crop and resize the pictures to this many pixels.
    """

    name = "bids-meeg"
    summary = "any raw MEG or EEG study in BIDS, with pictures or categories in its events"
    licence = "that of the study"
    how_to_get = (
        "place a BIDS data set with sub-*/[ses-*/](meg|eeg)/*_events.tsv that has a column"
        " stim_file, and the pictures in stimuli/"
    )
    split_scheme = "kfold"
    layouts = (
        ("dataset_description.json", "sub-*/**/meg/*_events.tsv"),
        ("dataset_description.json", "sub-*/**/eeg/*_events.tsv"),
    )
    default_recipe = Recipe(scale=None, clamp=None, source="plain: .1 to 40 Hz, -.2 to .8 s")

    def __init__(
        self,
        root: str | Path,
        stimulus: str = "stim_file",
        task: str = "",
        stim_channel: str = "",
        recipe: Recipe | str | Path | None = None,
        image_size: int | str | None = None,
    ) -> None:
        super().__init__(root, recipe)
        self._stimulus, self._task, self._stim_channel = stimulus, task, stim_channel
        folder = self.root / "stimuli"
        self._pictures = PictureFolder(folder, image_side(image_size)) if folder.is_dir() else None

    @classmethod
    def find(cls, folder: str | Path) -> Path | None:
        """Look for BIDS; THINGS-MEG has a reader of its own."""
        found = super().find(folder)
        return None if found is not None and ThingsMeg.find(found) == found else found

    def _files(self, subject: str) -> list[Path]:
        """Recordings that have a table of events."""
        tables = self.root.glob(f"sub-{subject}/**/*_events.tsv")
        found = []
        for table in tables:
            kind = table.parent.name
            if kind not in ("meg", "eeg") or entity(table.name, "task", "") != (
                self._task or entity(table.name, "task", "")
            ):
                continue
            stem = table.name.removesuffix("_events.tsv")
            # the first part of a split recording stands for all
            names = (f"{stem}_{kind}", f"{stem}_split-01_{kind}", f"{stem}_split-1_{kind}")
            files = [f for name in names for f in table.parent.glob(f"{name}*")]
            found += sorted(f for f in files if f.suffix in _SUFFIXES)[:1]
        return sorted(found, key=natural)

    @cached_property
    def subjects(self) -> Sequence[str]:
        """Labels of the subjects with recordings, sorted."""
        return sorted({entity(file.name, "sub", "") for file in self._files("*")})

    def _check_listed(self, subject: str) -> None:
        file = self.root / "participants.tsv"
        if not file.is_file():
            return
        listed = read_table(file, ["participant_id"], sep="\t")["participant_id"]
        if f"sub-{subject}" not in listed:
            raise DataError(
                f"subject is missing from the metadata (listed: {', '.join(listed[:8])})",
                file=file,
                subject=subject,
                field="participant_id",
                fix="add its line, or leave the subject out with --subjects",
            )

    def _runs(self, subject: str) -> Sequence[Run]:
        self._check_listed(subject)
        files = self._files(subject)
        labels = sorted({entity(f.name, "ses", "1") for f in files}, key=natural_text)
        runs = []
        for number, file in enumerate(files, start=1):
            session = labels.index(entity(file.name, "ses", "1")) + 1
            run = number_in(entity(file.name, "run", str(number)))
            opener = lambda file=file: self._open(file)  # noqa: E731
            runs.append(Run(file, session, run, opener, [_table_of(file)]))
        return runs

    def _open(self, file: Path) -> tuple[mne.io.BaseRaw, np.ndarray, Sequence[str]]:
        raw = opened(_read_bids, file)
        table = _table_of(file)
        columns = ["onset", self._stimulus, *(["value"] if self._stim_channel else [])]
        rows = read_table(table, columns, sep="\t")
        names = rows[self._stimulus]
        if self._stim_channel:
            onset, value = find_triggers(raw, self._stim_channel, file)
            check_triggers(value, _integers(rows["value"], table), file, table)
        else:
            seconds = np.array([float(each) for each in rows["onset"]])
            onset = np.rint(seconds * raw.info["sfreq"]).astype(np.int64)
        shown = np.array([name not in _NO_STIMULUS for name in names], dtype=bool)
        if not shown.any():
            raise DataError("no event has a stimulus", file=table, field=self._stimulus)
        kept = [name for name, keep in zip(names, shown, strict=True) if keep]
        if self._pictures is not None:
            kept = self._pictures.of(kept).tolist()
        return raw, onset[shown], kept

    def stimuli(self, subjects: Iterable[str] | None = None) -> StimulusSet | None:
        """Open the pictures; see `DatasetReader.stimuli`."""
        names: set[str] = set()
        for subject in self.subjects if subjects is None else subjects:
            self.check_subject(subject)
            for file in self._files(subject):
                names.update(read_table(_table_of(file), [self._stimulus], "\t")[self._stimulus])
        if self._pictures is None:
            return None
        return self._pictures.stimuli(names.difference(_NO_STIMULUS))


def _table_of(file: Path) -> Path:
    """Table of events of a recording."""
    stem = file.stem.rpartition("_")[0]
    return file.with_name("_".join(p for p in stem.split("_") if p[:6] != "split-") + "_events.tsv")


def _integers(texts: Sequence[str], table: Path) -> list[int]:
    try:
        return [int(float(text)) for text in texts]
    except ValueError as error:
        raise DataError(f"not a number ({error})", file=table, field="value") from error


def _read_bids(file: Path, verbose: str) -> mne.io.BaseRaw:
    """Read with mne-bids: types and bad channels from channels.tsv, places from electrodes.tsv."""
    import mne_bids

    path = mne_bids.get_bids_path_from_fname(file, verbose=verbose)
    with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
        # sidecars are optional; what is needed of them is checked where it is used
        warnings.simplefilter("ignore", RuntimeWarning)
        return mne_bids.read_raw_bids(path, verbose=verbose, on_ch_mismatch="raise")
