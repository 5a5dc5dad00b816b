"""THINGS-MEG (Hebart et al. 2023): raw CTF recordings, or the published epochs."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from neurodecode.datasets.base import DATASETS
from neurodecode.datasets.images import image_side
from neurodecode.datasets.lazy_epochs import epochs_part, epochs_recording, open_epochs
from neurodecode.datasets.meeg import ContinuousReader, Run, opened
from neurodecode.datasets.names import entity, natural, number_in
from neurodecode.datasets.pictures import PictureFolder
from neurodecode.datasets.tables import read_table
from neurodecode.datasets.triggers import find_triggers
from neurodecode.errors import ConfigError, DataError
from neurodecode.preprocess.recipe import Recipe
from neurodecode.recording import Recording, StimulusSet

if TYPE_CHECKING:
    import mne

__all__ = ["ThingsMeg"]

_TRIGGER_CHANNEL, _TRIGGER = "UPPT001", 64
_COLUMNS = (
    "trial_type", "things_category_nr", "session_nr", "run_nr", "image_path",
)  # fmt: skip
_VERSIONS = ("raw", "preprocessed")


@dataclass(frozen=True)
class _Trials:
    """The table of a subject's trials, in the order of presentation."""

    kind: np.ndarray  # exp, test or catch
    concept: np.ndarray
    session: np.ndarray
    run: np.ndarray
    picture: np.ndarray
    file: Path

    def used(self, zero_shot: bool) -> np.ndarray:
        """Trials with a picture, without other pictures of test concepts if that is wanted."""
        shown = np.isin(self.kind, ("exp", "test"))
        if zero_shot:
            held_out = np.unique(self.concept[self.kind == "test"])
            shown &= (self.kind == "test") | ~np.isin(self.concept, held_out)
        return shown


@DATASETS.register("things-meg")
class ThingsMeg(ContinuousReader):
    """272-channel CTF MEG of four people, 22,248 pictures once and 200 pictures twelve times.

    Onsets of raw recordings are those of the trigger channel UPPT001 (64 at each picture); the
    samples of ``events.tsv`` are 150 ms off. What was shown comes from
    ``sourcedata/sample_attributes_P<n>.csv``.

    Parameters
    ----------
    root : path-like
        Folder of OpenNeuro's ds004212, with the pictures in ``stimuli/`` (paths as in the column
        ``image_path``).
    version : str
        ``raw`` or ``preprocessed``; raw if it is there, by default.
    zero_shot : str
        ``yes``: leave out further pictures of the 200 test concepts; ``no``: keep them.
    recipe : Recipe or path-like, optional
        Preprocessing of the raw recordings.
    image_size : int, optional
        Crop and resize the pictures to this many pixels.

    References
    ----------
    Hebart M. N. et al. (2023), "THINGS-data", eLife 12:e82580.
    """

    name = "things-meg"
    summary = "MEG (272-channel CTF) of 4 people, 22,448 pictures of 1,854 concepts"
    licence = "CC0; cite Hebart et al. (2023); the pictures have their own terms"
    how_to_get = (
        "download ds004212 from OpenNeuro (sub-BIGMEG*, sourcedata, or derivatives/preprocessed)"
        " and place the THINGS pictures in stimuli/ under the names of image_path"
    )
    split_scheme = "shared-test"
    layouts = (
        ("sourcedata/sample_attributes_P*.csv", "sub-BIGMEG*/ses-*/meg/*_meg.*"),
        ("sourcedata/sample_attributes_P*.csv", "derivatives/preprocessed/*-epo.fif"),
    )
    default_recipe = Recipe(
        notch_hz=(60.0,),
        low_hz=0.1,
        high_hz=40.0,
        sfreq_hz=120.0,
        tmin_s=-0.5,
        tmax_s=1.0,
        baseline_s=(-0.5, 0.0),
        scale="robust",
        clamp=20.0,
        source="Benchetrit, Banville and King (2024)",
    )

    def __init__(
        self,
        root: str | Path,
        version: str = "",
        zero_shot: str = "yes",
        recipe: Recipe | str | Path | None = None,
        image_size: int | str | None = None,
    ) -> None:
        super().__init__(root, recipe)
        if version not in ("", *_VERSIONS) or zero_shot not in ("yes", "no"):
            raise ConfigError(
                f"things-meg: version={version} zero_shot={zero_shot}; give raw or preprocessed,"
                " and yes or no"
            )
        there = [name for name in _VERSIONS if any(self._files_of("*", name))]
        self._version = version or (there[0] if there else "raw")
        if self._version == "preprocessed":
            if recipe is not None:
                raise ConfigError("things-meg: the published epochs take no recipe")
            self.recipe = None
        self._zero_shot = zero_shot == "yes"
        folder = self.root / "stimuli"
        self._pictures = PictureFolder(
            folder if folder.is_dir() else self.root, image_side(image_size)
        )
        self._tables: dict[str, _Trials] = {}

    def _files_of(self, subject: str, version: str) -> list[Path]:
        if version == "preprocessed":
            pattern = f"derivatives/preprocessed/preprocessed_P{subject}-epo.fif"
        else:
            pattern = f"sub-BIGMEG{subject}/ses-*/meg/*_meg.*"
        found = self.root.glob(pattern)
        return sorted((file for file in found if file.suffix in (".ds", ".fif")), key=natural)

    @cached_property
    def subjects(self) -> Sequence[str]:
        """Numbers of the subjects (1 to 4) whose recordings are there, sorted."""
        files = self._files_of("*", self._version)
        if self._version == "preprocessed":
            return sorted(str(number_in(file.name.split("-")[0])) for file in files)
        return sorted({entity(file.name, "sub", "").removeprefix("BIGMEG") for file in files})

    def _trials(self, subject: str) -> _Trials:
        if subject not in self._tables:
            file = self.root / "sourcedata" / f"sample_attributes_P{subject}.csv"
            if not file.is_file():
                raise DataError(
                    "subject is missing from the metadata", file=file, subject=subject,
                    fix="download sourcedata/sample_attributes_P*.csv",
                )  # fmt: skip
            table = read_table(file, _COLUMNS)
            numbers = [
                np.array([float(each or "nan") for each in table[name]])
                for name in ("things_category_nr", "session_nr", "run_nr")
            ]
            concept, session, run = (np.nan_to_num(each).astype(np.int64) for each in numbers)
            self._tables[subject] = _Trials(
                np.array(table["trial_type"]), concept, session, run,
                np.array(table["image_path"]), file,
            )  # fmt: skip
        return self._tables[subject]

    def _runs(self, subject: str) -> Sequence[Run]:
        trials = self._trials(subject)
        runs = []
        for file in self._files_of(subject, "raw"):
            session = number_in(entity(file.name, "ses", "1"))
            run = number_in(entity(file.name, "run", "1"))
            opener = lambda file=file, s=session, r=run: self._open(file, trials, s, r)  # noqa: E731
            runs.append(Run(file, session, run, opener, [trials.file]))
        return runs

    def _open(
        self, file: Path, trials: _Trials, session: int, run: int
    ) -> tuple[mne.io.BaseRaw, np.ndarray, Sequence[str]]:
        import mne

        read = mne.io.read_raw_ctf if file.suffix == ".ds" else mne.io.read_raw_fif
        options = {"clean_names": True} if file.suffix == ".ds" else {}
        raw = opened(read, file, **options)
        onset, value = find_triggers(raw, _TRIGGER_CHANNEL, file)
        onset = onset[value == _TRIGGER]
        here = np.flatnonzero((trials.session == session) & (trials.run == run))
        if len(onset) != len(here):
            more = "recording" if len(onset) > len(here) else "table"
            raise DataError(
                f"{len(onset)} triggers for {len(here)} trials of session {session}, run {run} in"
                f" {trials.file.name}; first mismatch: trial {min(len(onset), len(here)) + 1} is"
                f" only in the {more}",
                file=file,
                field="triggers",
                fix="check that table and recording belong to the same subject",
            )
        used = trials.used(self._zero_shot)[here]
        return raw, onset[used], self._pictures.of(trials.picture[here][used].tolist()).tolist()

    def recording(self, subject: str) -> Recording:
        """Open one subject; see `DatasetReader.recording`."""
        if self._version == "raw":
            return super().recording(subject)
        self.check_subject(subject)
        (file,) = self._files_of(subject, "preprocessed")
        epochs, trials = open_epochs(file, subject), self._trials(subject)
        if len(epochs) != len(trials.kind):
            raise DataError(
                f"{len(epochs)} epochs for {len(trials.kind)} trials in {trials.file.name}",
                file=file,
                subject=subject,
                fix="download both again",
            )
        rows = np.flatnonzero(trials.used(self._zero_shot))
        return epochs_recording(
            subject,
            [epochs_part(file, epochs, rows)],
            self._pictures.of(trials.picture[rows].tolist()),
            session=trials.session[rows].astype(np.int32),
            run=trials.run[rows].astype(np.int32),
            units="baseline standard deviations",
            info={"zero_shot": self._zero_shot},
        )

    def _shown(self, subject: str) -> set[str]:
        trials = self._trials(subject)
        used = trials.used(self._zero_shot)
        return set(trials.picture[used].tolist())

    def stimuli(self, subjects: Iterable[str] | None = None) -> StimulusSet:
        """Open the pictures; see `DatasetReader.stimuli`."""
        names: set[str] = set()
        for subject in self.subjects if subjects is None else subjects:
            self.check_subject(subject)
            names |= self._shown(subject)
        # images_meg/aardvark/aardvark_01b.jpg
        return self._pictures.stimuli(names, {name: _concept(name) for name in names})

    def test_stimuli(self) -> Collection[str]:
        """Pictures of the trials called ``test``."""
        names: set[str] = set()
        for subject in self.subjects:
            trials = self._trials(subject)
            names.update(trials.picture[trials.kind == "test"].tolist())
        return frozenset(self._pictures.of(sorted(names)).tolist())


def _concept(name: str) -> str:
    """``aardvark`` of ``aardvark_01b.jpg``: test pictures are not in folders of their concept."""
    return Path(name).stem.rpartition("_")[0] or Path(name).stem
