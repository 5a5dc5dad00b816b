"""Your own recordings: any file that MNE reads (FIF, EDF, BDF, BrainVision, ...) and a table."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from neurodecode.auditory_trials import AuditoryTrial
from neurodecode.datasets.auditory.assemble import assemble
from neurodecode.datasets.auditory.base import AUDITORY, AuditoryReader
from neurodecode.datasets.names import natural_text
from neurodecode.errors import DataError, about
from neurodecode.preprocess.audio.features import SoundRecipe

if TYPE_CHECKING:
    import mne
    import pandas as pd

__all__ = ["RawTrials"]

_BRAIN = ("eeg", "meg", "seeg", "ecog", "dbs")
_NEEDED = ("subject", "file", "onset_s", "duration_s", "attended", "sound_1")


@AUDITORY.register("raw-trials")
class RawTrials(AuditoryReader):
    """EEG, MEG or iEEG of two or more talkers, described by ``trials.tsv``.

    Columns: ``subject``, ``file`` (recording), ``onset_s``, ``duration_s``, ``attended`` (1 for
    ``sound_1``), ``sound_1``, ``sound_2``, ... (WAV files), and, if known, ``story_1``,
    ``talker_1``, ``direction_1``, ..., ``session``, ``condition``. Paths are relative to the
    table. Eye channels are those of type EOG or eye gaze in the recording.
    """

    name = "raw-trials"
    summary = "your own recordings: MNE files and a table of trials"
    licence = "-"
    how_to_get = "write trials.tsv with the columns of docs/auditory.md beside the recordings"

    @cached_property
    def _table(self) -> pd.DataFrame | None:
        import pandas as pd

        path = self.root / "trials.tsv"
        if not path.is_file():
            return None
        try:
            table = pd.read_csv(path, sep="\t", dtype={"subject": str, "file": str})
        except (ValueError, UnicodeDecodeError) as error:
            raise DataError(f"not a readable table ({error})", file=path) from error
        missing = [name for name in _NEEDED if name not in table]
        if missing:
            raise DataError(f"there is no column {missing[0]}", file=path, field=missing[0])
        return table

    @property
    def subjects(self) -> Sequence[str]:
        """First column of the table."""
        table = self._table
        return [] if table is None else sorted(set(table["subject"]), key=natural_text)

    def _trials(self, subject: str, recipe: SoundRecipe) -> Iterator[AuditoryTrial]:
        table = self._table
        assert table is not None  # there would be no subjects
        opened: dict[str, mne.io.BaseRaw] = {}
        for number, row in table[table["subject"] == subject].iterrows():
            path = self.root / row["file"]
            if row["file"] not in opened:
                opened[row["file"]] = _open(path)
            with about(file=path):
                yield self._trial(subject, f"{number}", opened[row["file"]], row, recipe)

    def _trial(
        self, subject: str, name: str, raw: mne.io.BaseRaw, row: Any, recipe: SoundRecipe
    ) -> AuditoryTrial:
        columns = [f"sound_{k}" for k in range(1, 10) if f"sound_{k}" in row.index]
        sounds = [str(row[column]) for column in columns if isinstance(row[column], str)]
        if not _is_number(row["attended"]) or not 1 <= int(row["attended"]) <= len(sounds):
            raise DataError(
                f"no attention label ({row['attended']})",
                field=f"attended of row {name}",
                fix=f"give 1 to {len(sounds)}",
            )
        sfreq = float(raw.info["sfreq"])
        start = round(float(row["onset_s"]) * sfreq)
        stop = start + round(float(row["duration_s"]) * sfreq)
        if start < 0 or stop > raw.n_times:
            raise DataError(
                f"the trial ends at {stop / sfreq:.2f} s, the recording at"
                f" {raw.n_times / sfreq:.2f} s",
                field=f"row {name}",
            )
        brain, eyes = _picks(raw)
        data, _ = raw[:, start:stop]

        def told(what: str) -> tuple[str, ...]:
            """What the table tells of each sound."""
            names = [f"{what}_{k + 1}" for k in range(len(sounds))]
            return tuple(str(row[each]) if each in row.index else "" for each in names)

        return assemble(
            subject=subject,
            trial=name,
            eeg=data[brain].T,
            sfreq=sfreq,
            channels=[raw.ch_names[k] for k in brain],
            features=[self._features(self.root / sound, recipe) for sound in sounds],
            attended=int(row["attended"]) - 1,
            recipe=recipe,
            story=told("story"),
            talker=told("talker"),
            direction=told("direction") if "direction_1" in row.index else (),
            session=str(row.get("session", "")),
            condition=str(row.get("condition", "")),
            gaze=data[eyes].T if eyes else None,
        )


def _is_number(value: Any) -> bool:
    try:
        return bool(np.isfinite(float(value)))
    except (TypeError, ValueError):
        return False


def _open(path: Path) -> mne.io.BaseRaw:
    import mne

    if not path.exists():
        raise DataError("the recording is missing", file=path, fix="check the table of trials")
    if path.suffix == ".nwb":
        raise DataError(
            "MNE does not read NWB", file=path, fix="export it as FIF, EDF or BrainVision"
        )
    try:
        return mne.io.read_raw(path, preload=False, verbose="ERROR")
    except Exception as error:  # whatever MNE's readers raise over a broken file
        raise DataError(f"not a readable recording ({error})", file=path) from error


def _picks(raw: mne.io.BaseRaw) -> tuple[list[int], list[int]]:
    types = raw.get_channel_types()
    brain = [
        k
        for k, (kind, name) in enumerate(zip(types, raw.ch_names, strict=True))
        if (kind in _BRAIN or kind in ("mag", "grad")) and name not in raw.info["bads"]
    ]
    if not brain:
        raise DataError("no channel of EEG, MEG or iEEG", field="channel types")
    return brain, [k for k, kind in enumerate(types) if kind in ("eog", "eyegaze")]
