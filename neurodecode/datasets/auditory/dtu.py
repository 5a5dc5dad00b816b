"""The Technical University of Denmark's two-talker set (Fuglsang et al. 2017, 2018)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from neurodecode.auditory_trials import AuditoryTrial
from neurodecode.datasets.auditory.assemble import assemble
from neurodecode.datasets.auditory.base import AUDITORY, BIOSEMI64, AuditoryReader
from neurodecode.datasets.auditory.matlab import cells, fields_of, get, load_mat, rows
from neurodecode.datasets.names import natural_text
from neurodecode.errors import DataError, about
from neurodecode.preprocess.audio.features import SoundRecipe
from neurodecode.preprocess.audio.rates import band_limit, resample

__all__ = ["Dtu", "DtuPreprocessed"]

_TALKERS, _SIDES = ("male", "female"), ("left", "right")
_CAP = 64


@AUDITORY.register("dtu-raw")
class Dtu(AuditoryReader):
    """Eighteen people, two Danish talkers, 64 channels at 512 Hz, as recorded.

    ``attend_mf`` says which talker is attended (1 male, 2 female), ``attend_lr`` on which side.
    ``expinfo`` has to be a struct: a MATLAB table cannot be read outside MATLAB.
    """

    name = "dtu-raw"
    summary = "18 people, two Danish talkers in three rooms, 64-channel EEG (Fuglsang et al. 2017)"
    licence = "see Zenodo 1199011"
    how_to_get = (
        "download EEG/ and AUDIO/ from doi.org/10.5281/zenodo.1199011; in MATLAB turn the tables"
        " into structs: expinfo = table2struct(expinfo), and save with '-v7'"
    )

    @property
    def subjects(self) -> Sequence[str]:
        """Names of the files in ``EEG/``."""
        found = (self.root / "EEG").glob("S*.mat")
        return sorted((path.stem for path in found if "preproc" not in path.stem), key=natural_text)

    def _trials(self, subject: str, recipe: SoundRecipe) -> Iterator[AuditoryTrial]:
        path = self.root / "EEG" / f"{subject}.mat"
        table = self._table(path)
        data = load_mat(path, "data")
        eeg = np.asarray(cells(get(data, "eeg", path))[0])
        sfreq = float(get(data, "fsample.eeg", path))
        onsets = np.atleast_1d(get(data, "event.eeg.sample", path)).astype(int)[::2]
        values = [_number(each) for each in rows(get(data, "event.eeg.value", path))][::2]
        if len(onsets) != len(table):
            raise DataError(
                f"{len(onsets)} onsets for {len(table)} trials", file=path, field="event.eeg"
            )
        stops = np.atleast_1d(get(data, "event.eeg.sample", path)).astype(int)[1::2]
        for number, row in enumerate(table):
            if values[number] != _number(get(row, "trigger", path)):
                raise DataError(
                    f"trial {number + 1}: trigger {values[number]} was recorded, the list says"
                    f" {_number(get(row, 'trigger', path))}",
                    file=path,
                    field="expinfo.trigger",
                )
            # MATLAB counts samples from 1
            part = eeg[onsets[number] - 1 : stops[number] - 1, :_CAP]
            with about(file=path):
                yield self._trial(subject, str(number + 1), part, sfreq, row, path, recipe)

    def _table(self, path: Path) -> list[Any]:
        table = load_mat(path, "expinfo")
        listed = rows(table)
        if not listed or not fields_of(listed[0]):
            raise DataError(
                "expinfo is a MATLAB table, which only MATLAB can read", file=path, field="expinfo",
                fix="there: expinfo = table2struct(expinfo), and save again with '-v7'",
            )  # fmt: skip
        return listed

    def _trial(
        self, subject: str, name: str, eeg: np.ndarray, sfreq: float, row: Any, path: Path,
        recipe: SoundRecipe,
    ) -> AuditoryTrial:  # fmt: skip
        files = [str(get(row, f"wavfile_{talker}", path, default="")) for talker in _TALKERS]
        present = [number for number, file in enumerate(files) if file not in ("", "[]")]
        label = _number(get(row, "attend_mf", path)) - 1
        if label not in present:
            raise DataError(f"trial {name}: no attention label", file=path, field="attend_mf")
        side = _number(get(row, "attend_lr", path, default=0)) - 1
        sides = [_SIDES[side if number == label else 1 - side] for number in present]
        room = _number(get(row, "acoustic_condition", path, default=0))
        return assemble(
            subject=subject,
            trial=name,
            eeg=eeg,
            sfreq=sfreq,
            channels=BIOSEMI64[: eeg.shape[1]],
            features=[
                self._features(self.root / "AUDIO" / files[number], recipe) for number in present
            ],
            attended=present.index(label),
            recipe=recipe,
            story=tuple(files[number].split("_trial")[0] for number in present),
            talker=tuple(_TALKERS[number] for number in present),
            direction=tuple(sides) if side >= 0 and len(present) > 1 else (),
            condition=f"room {room}" if room else "",
        )


@AUDITORY.register("dtu-preprocessed")
class DtuPreprocessed(AuditoryReader):
    """The same, as the authors' script leaves it: 60 trials at 64 Hz with their envelopes.

    ``wavA`` is always the attended stream; the event value names the talker, not the stream. So
    that no model can win by the order of the streams, every second trial swaps them here.
    """

    name = "dtu-preprocessed"
    summary = "18 people, two Danish talkers, 64-channel EEG and envelopes at 64 Hz"
    licence = "see Zenodo 1199011"
    how_to_get = "run the authors' preproc_data.m; files are S1_data_preproc.mat, ..."

    @property
    def subjects(self) -> Sequence[str]:
        """Names of the files."""
        found = (path.name.split("_")[0] for path in self.root.glob("S*_data_preproc.mat"))
        return sorted(found, key=natural_text)

    def _trials(self, subject: str, recipe: SoundRecipe) -> Iterator[AuditoryTrial]:
        path = self.root / f"{subject}_data_preproc.mat"
        data = load_mat(path, "data")
        sfreq = float(get(data, "fsample.eeg", path))
        brains = cells(get(data, "eeg", path))
        heard, other = (cells(get(data, name, path)) for name in ("wavA", "wavB"))
        talkers = [_number(each) for each in rows(get(data, "event.eeg.value", path))]
        for number, eeg in enumerate(brains):
            order = (0, 1) if number % 2 == 0 else (1, 0)
            streams = [np.reshape(each[number], (len(each[number]), -1)) for each in (heard, other)]
            voice = talkers[number] - 1
            names = (_TALKERS[voice], _TALKERS[1 - voice])
            with about(file=path):
                yield assemble(
                    subject=subject,
                    trial=str(number + 1),
                    eeg=np.asarray(eeg)[:, :_CAP],
                    sfreq=sfreq,
                    channels=BIOSEMI64[: min(eeg.shape[1], _CAP)],
                    features=[_limited(streams[place], sfreq, recipe) for place in order],
                    attended=order.index(0),
                    recipe=recipe,
                    story=("", ""),
                    talker=tuple(names[place] for place in order),
                )


def _limited(envelope: np.ndarray, sfreq: float, recipe: SoundRecipe) -> np.ndarray:
    values = resample(envelope, sfreq, recipe.sfreq)
    return band_limit(values, recipe.sfreq, recipe.low_hz, recipe.high_hz, causal=recipe.causal)


def _number(value: Any) -> int:
    value = np.asarray(value).ravel()
    if value.size == 0 or not np.issubdtype(value.dtype, np.number) or np.isnan(value[0]):
        return 0
    return int(value[0])
