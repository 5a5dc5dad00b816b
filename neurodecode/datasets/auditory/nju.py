"""Nanjing University's two-talker set in many directions (Zhang et al. 2023)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any

import h5py
import numpy as np

from neurodecode.auditory_trials import AuditoryTrial
from neurodecode.datasets.auditory.assemble import assemble
from neurodecode.datasets.auditory.base import AUDITORY, AuditoryReader
from neurodecode.datasets.auditory.matlab import get, load_mat, rows
from neurodecode.datasets.names import natural_text
from neurodecode.errors import DataError, about
from neurodecode.preprocess.audio.features import SoundRecipe
from neurodecode.preprocess.audio.rates import band_limit, resample

__all__ = ["Nju"]

_LIST, _SIDES = "expinfomat_python_readable.mat", ("left", "right")


@AUDITORY.register("nju")
class Nju(AuditoryReader):
    """Twenty-one people, two Mandarin talkers in one of several pairs of directions.

    ``S02.mat``, ... (version 7.3) hold EEG, artefacts removed, and the envelopes of the left and
    of the right talker; ``expinfomat_python_readable.mat`` holds the list of trials of every
    subject by number. Names of the electrodes are not in the files.
    """

    name = "nju"
    summary = "21 people, two Mandarin talkers in many directions, 32-channel EEG (Zhang et al.)"
    licence = "see Zenodo 7253438"
    how_to_get = "download NJUNCA_preprocessed_arte_removed from doi.org/10.5281/zenodo.7253438"

    @property
    def subjects(self) -> Sequence[str]:
        """Names of the files."""
        found = (path.stem for path in self.root.glob("S*.mat"))
        return sorted((each for each in found if re.fullmatch(r"S\d+", each)), key=natural_text)

    def _trials(self, subject: str, recipe: SoundRecipe) -> Iterator[AuditoryTrial]:
        if recipe.features != ("gammatone",):
            raise DataError(
                f"feature {recipe.features[0]} is not published for {self.name}", file=self.root,
                fix="leave --features out: envelopes are in the files",
            )  # fmt: skip
        listed = self._listed(subject)
        path = self.root / f"{subject}.mat"
        try:
            file = h5py.File(path, "r")
        except OSError as error:
            raise DataError(
                f"not a MATLAB file of version 7.3 ({error})", file=path, fix="download it again"
            ) from error
        with file, about(file=path):
            for number in range(len(_dataset(file, "data/eeg"))):
                if number >= len(listed):
                    raise DataError(f"trial {number + 1} is not in {_LIST}", field="expinfo")
                yield self._trial(subject, number, file, listed[number], recipe)

    def _listed(self, subject: str) -> list[Any]:
        path = self.root / _LIST
        everyone = rows(load_mat(path, "expinfomat_struct"))
        number = int(subject[1:]) - 1
        if number >= len(everyone) or not np.size(everyone[number]):
            raise DataError("the list has no trials of this subject", file=path)
        return rows(everyone[number])

    def _trial(
        self, subject: str, number: int, file: h5py.File, row: Any, recipe: SoundRecipe
    ) -> AuditoryTrial:
        name = str(number + 1)
        label = str(get(row, "attended_lr", self.root / _LIST)).strip().lower()
        if label not in _SIDES:
            raise DataError(f"trial {name}: no attention label ({label})", field="attended_lr")
        # MATLAB writes transposed
        eeg = _cell(file, "data/eeg", number).T
        sounds = [_cell(file, f"data/{side}Env", number).reshape(-1, 1) for side in _SIDES]
        rates = [_rate(file, f"data/fsample/{side}Env") for side in _SIDES]
        stories = [str(get(row, f"{side[0]}_audio", self.root / _LIST)) for side in _SIDES]
        return assemble(
            subject=subject,
            trial=name,
            eeg=eeg,
            sfreq=_rate(file, "data/fsample/eeg"),
            channels=[f"EEG {each + 1}" for each in range(eeg.shape[1])],
            features=[
                band_limit(
                    resample(sound, rate, recipe.sfreq), recipe.sfreq, recipe.low_hz,
                    recipe.high_hz, causal=recipe.causal,
                )
                for sound, rate in zip(sounds, rates, strict=True)
            ],
            attended=_SIDES.index(label),
            recipe=recipe,
            story=tuple(stories),
            talker=("", ""),
            direction=_SIDES,
        )  # fmt: skip


def _dataset(file: h5py.File, key: str) -> h5py.Dataset:
    if key not in file:
        raise DataError(f"there is no {key.replace('/', '.')}", field=key,
                        fix="use the files as published")  # fmt: skip
    return file[key]


def _cell(file: h5py.File, key: str, number: int) -> np.ndarray:
    """Content of a cell of a cell array."""
    cell = _dataset(file, key)[number, 0]
    return np.asarray(file[cell], dtype=np.float64)


def _rate(file: h5py.File, key: str) -> float:
    return float(np.ravel(_dataset(file, key)[()])[0])
