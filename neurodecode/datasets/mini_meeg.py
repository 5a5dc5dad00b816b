"""The bundled miniature world's MEG and EEG viewers."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from neurodecode.datasets.base import DATASETS
from neurodecode.datasets.images import image_side
from neurodecode.datasets.meeg import ContinuousReader, Run, opened
from neurodecode.datasets.pictures import PictureFolder
from neurodecode.datasets.tables import read_table
from neurodecode.datasets.triggers import check_triggers, find_triggers
from neurodecode.errors import DataError
from neurodecode.files import read_json
from neurodecode.preprocess.recipe import Recipe
from neurodecode.recording import StimulusSet

if TYPE_CHECKING:
    import mne

__all__ = ["MiniEeg", "MiniMeg"]

_STIM_CHANNEL = "STI 014"
_PLACES = re.compile(r"_ses-(\d+)_.*_run-(\d+)_")


class _MiniWorld(ContinuousReader):
    """FIF runs with tables of events and pictures, as `neurodecode simulate` writes them.

    Parameters
    ----------
    root : path-like
        Folder of the world.
    recipe : Recipe or path-like, optional
        Preprocessing.
    image_size : int, optional
        Resize the pictures to this many pixels; ids are taken before.
    """

    kind: ClassVar[str]
    licence = "made by this program; no restrictions"
    split_scheme = "shared-test"

    def __init__(
        self,
        root: str | Path,
        recipe: Recipe | str | Path | None = None,
        image_size: int | str | None = None,
    ) -> None:
        super().__init__(root, recipe)
        self._pictures = PictureFolder(self.root / "stimuli", image_side(image_size))

    @cached_property
    def subjects(self) -> Sequence[str]:
        """Viewers with at least one run, sorted."""
        files = self.root.glob(f"sub-*/ses-*/{self.kind}/*_{self.kind}.fif")
        return sorted({file.parents[2].name.removeprefix("sub-") for file in files})

    @cached_property
    def _notes(self) -> dict[str, dict[str, Any]]:
        """What is known about each picture, by file name."""
        file = self.root / "stimuli" / "stimuli.json"
        try:
            return {str(note["file"]): note for note in read_json(file)}
        except (KeyError, TypeError) as error:
            raise DataError("not a list of pictures", file=file, fix=self.how_to_get) from error

    def _tables(self, subject: str) -> list[tuple[Path, Path]]:
        """Recording and table of events of each run."""
        files = sorted((self.root / f"sub-{subject}").glob(f"ses-*/{self.kind}/*_{self.kind}.fif"))
        return [
            (file, file.with_name(file.name.replace(f"_{self.kind}.fif", "_events.tsv")))
            for file in files
        ]

    def _runs(self, subject: str) -> Sequence[Run]:
        runs = []
        for file, table in self._tables(subject):
            place = _PLACES.search(file.name)
            if place is None:
                raise DataError("file name has no session and run", file=file)
            runs.append(
                Run(
                    file=file,
                    session=int(place[1]),
                    run=int(place[2]),
                    open=lambda file=file, table=table: self._open(file, table),
                    tables=[table],
                )
            )
        return runs

    def _open(self, file: Path, table: Path) -> tuple[mne.io.BaseRaw, np.ndarray, Sequence[str]]:
        import mne

        raw = opened(mne.io.read_raw_fif, file)
        rows = read_table(table, ["value", "stim_file"], sep="\t")
        onset, value = find_triggers(raw, _STIM_CHANNEL, file)
        check_triggers(value, [int(each) for each in rows["value"]], file, table)
        self._check_names(rows["stim_file"], table)
        return raw, onset, self._pictures.of(rows["stim_file"]).tolist()

    def _check_names(self, names: Sequence[str], table: Path) -> None:
        unknown = sorted(set(names) - set(self._notes))
        if unknown:
            raise DataError(
                f"picture {unknown[0]} is not in stimuli.json", file=table, field="stim_file"
            )

    def stimuli(self, subjects: Iterable[str] | None = None) -> StimulusSet:
        """Open the pictures; see `DatasetReader.stimuli`."""
        shown: set[str] = set()
        for subject in self.subjects if subjects is None else subjects:
            self.check_subject(subject)
            for _, table in self._tables(subject):
                names = read_table(table, ["stim_file"], sep="\t")["stim_file"]
                self._check_names(names, table)
                shown.update(names)
        found = self._pictures.stimuli(shown)
        notes = [self._notes[str(name)] for name in found.names or ()]
        return replace(
            found,
            captions=[note["captions"] for note in notes],
            categories=[note["category"] for note in notes],
            boxes=[note["boxes"] for note in notes] if self._pictures.size is None else None,
        )

    def test_stimuli(self) -> Collection[str]:
        """Pictures that everybody sees, in the fMRI world too."""
        names = [name for name, note in self._notes.items() if note["test"]]
        return frozenset(self._pictures.of(names).tolist())


@DATASETS.register("mini-meg")
class MiniMeg(_MiniWorld):
    """The bundled miniature world's MEG, written by ``neurodecode simulate --world meg``."""

    name = "mini-meg"
    kind = "meg"
    summary = "simulated MEG of 2 viewers, 60 CTF gradiometers, procedural scenes"
    how_to_get = "run `neurodecode simulate --world meg --out <this folder>`"
    layouts = (("stimuli/stimuli.json", "sub-*/ses-*/meg/*_meg.fif", "truth/sub-*.h5"),)
    default_recipe = Recipe(notch_hz=(50.0,), sfreq_hz=100.0, tmax_s=0.6, source="miniature world")


@DATASETS.register("mini-eeg")
class MiniEeg(_MiniWorld):
    """The bundled miniature world's EEG, written by ``neurodecode simulate --world eeg``."""

    name = "mini-eeg"
    kind = "eeg"
    summary = "simulated EEG of 2 viewers, 32 electrodes, procedural scenes"
    how_to_get = "run `neurodecode simulate --world eeg --out <this folder>`"
    layouts = (("stimuli/stimuli.json", "sub-*/ses-*/eeg/*_eeg.fif", "truth/sub-*.h5"),)
    default_recipe = Recipe(
        notch_hz=(50.0,),
        sfreq_hz=100.0,
        tmax_s=0.6,
        reference="average",
        source="miniature world",
    )
