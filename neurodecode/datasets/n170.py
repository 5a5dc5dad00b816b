"""Faces and houses with a consumer EEG (eeg-notebooks' N170 recordings)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from neurodecode.datasets.base import DATASETS
from neurodecode.datasets.meeg import ContinuousReader, Run
from neurodecode.datasets.tables import read_table
from neurodecode.errors import DataError
from neurodecode.preprocess.channels import set_montage
from neurodecode.preprocess.recipe import Recipe

if TYPE_CHECKING:
    import mne

__all__ = ["N170"]

_CHANNELS = ("TP9", "AF7", "AF8", "TP10")
_MARKER = re.compile(r"Marker\s*\d*")
_STIMULI = {1: "house", 2: "face"}
_SFREQ = 256.0
_MICROVOLT = 1e-6


@DATASETS.register("n170")
class N170(ContinuousReader):
    """Four dry electrodes, faces and houses; the category is the stimulus.

    Parameters
    ----------
    root : path-like
        Folder with ``subject<n>/session<n>/*.csv``: columns ``timestamps``, the four electrodes
        in microvolts, and a marker that is 1 at the onset of a house, 2 at that of a face.
    recipe : Recipe or path-like, optional
        Preprocessing; by default 1 to 30 Hz, -.1 to .8 s, epochs above 150 uV dropped.

    References
    ----------
    NeuroTechX, eeg-notebooks (visual-N170, Muse 2016), github.com/NeuroTechX/EEG-ExPy.
    """

    name = "n170"
    summary = "EEG, 4 dry electrodes, faces and houses, runs of 2 minutes"
    licence = "BSD-3-Clause (eeg-notebooks)"
    how_to_get = (
        "eegnb.datasets.fetch_dataset(experiment='visual-N170') of eeg-notebooks (no registration)"
        " gives folders subject*/session*/*.csv: give the folder that holds the subjects"
    )
    split_scheme = "leave-one-run-out"
    layouts = (
        ("subject*/session*/data_*.csv",),
        ("subject*/session*/recording_*.csv",),
    )
    default_recipe = Recipe(
        low_hz=1.0,
        high_hz=30.0,
        tmin_s=-0.1,
        tmax_s=0.8,
        baseline_s=(-0.1, 0.0),
        reject={"eeg": 150e-6},
        scale=None,
        clamp=None,
        source="eeg-notebooks, example 01r__n170_viz",
    )

    @cached_property
    def subjects(self) -> Sequence[str]:
        """Subject numbers as in the folders, sorted."""
        folders = {file.parents[1].name for file in self._files("subject*")}
        return sorted(folder.removeprefix("subject") for folder in folders)

    def _files(self, subject: str) -> list[Path]:
        return sorted(self.root.glob(f"{subject}/session*/*.csv"))

    def _runs(self, subject: str) -> Sequence[Run]:
        runs: list[Run] = []
        sessions: dict[str, int] = {}
        counts: dict[str, int] = {}
        for file in self._files(f"subject{subject}"):
            folder = file.parent.name
            session = sessions.setdefault(folder, len(sessions) + 1)
            counts[folder] = counts.get(folder, 0) + 1
            opener = lambda file=file: self._open(file)  # noqa: E731
            runs.append(Run(file, session, counts[folder], opener))
        return runs

    def _open(self, file: Path) -> tuple[mne.io.BaseRaw, np.ndarray, Sequence[str]]:
        import mne

        marker = _marker_column(file)
        table = read_table(file, ["timestamps", *_CHANNELS, marker])
        try:
            columns = {name: np.array(values, dtype=float) for name, values in table.items()}
        except ValueError as error:
            raise DataError(f"a value is not a number ({error})", file=file) from error
        samples = np.array([columns[name] for name in _CHANNELS]) * _MICROVOLT
        if not np.isfinite(samples).all():
            raise DataError("samples are missing", file=file, fix="record or download it again")
        _check_clock(columns["timestamps"], file)
        info = mne.create_info(list(_CHANNELS), _SFREQ, "eeg")
        raw = mne.io.RawArray(samples, info, verbose="ERROR")
        set_montage(raw, "colin27_1005")
        value = columns[marker].astype(np.int64)
        onset = np.flatnonzero(value)
        if not len(onset):
            raise DataError(
                f"recording has no triggers: column {marker} is zero throughout",
                file=file,
                field=marker,
            )
        unknown = sorted(set(value[onset].tolist()) - set(_STIMULI))
        if unknown:
            raise DataError(f"marker {unknown[0]} is neither 1 nor 2", file=file, field=marker)
        return raw, onset, [_STIMULI[each] for each in value[onset].tolist()]

    def stimuli(self, subjects: Iterable[str] | None = None) -> None:
        """Return None: the recordings do not say which picture was shown."""
        for subject in subjects or ():
            self.check_subject(subject)


def _marker_column(file: Path) -> str:
    """Name of the first marker column; it differs between versions of the recorder."""
    header = read_header(file)
    found = [name for name in header if _MARKER.fullmatch(name)]
    if not found:
        raise DataError("column is missing", file=file, field="Marker0", fix="download it again")
    return found[0]


def read_header(file: Path) -> list[str]:
    """Column names of a CSV file.

    Parameters
    ----------
    file : Path
        The file.

    Returns
    -------
    list of str
        Empty for an empty or unreadable file; reading the table then says what is wrong.
    """
    try:
        with open(file, encoding="utf-8-sig") as stream:
            return stream.readline().strip().split(",")
    except (OSError, UnicodeDecodeError):
        return []


def _check_clock(seconds: np.ndarray, file: Path) -> None:
    """Refuse recordings that were not sampled at 256 Hz throughout."""
    rate = (len(seconds) - 1) / max(seconds[-1] - seconds[0], 1e-9)
    if abs(rate / _SFREQ - 1) > 0.01:
        raise DataError(
            f"{rate:.1f} samples a second by its timestamps, expected {_SFREQ:g}",
            file=file,
            field="timestamps",
            fix="samples were lost; leave the run out",
        )
