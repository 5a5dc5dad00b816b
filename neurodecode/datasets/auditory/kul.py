"""KU Leuven's two-talker set (Das et al. 2016, 2019), and the miniature world in its layout."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from neurodecode.auditory_trials import AuditoryTrial
from neurodecode.datasets.auditory.assemble import assemble
from neurodecode.datasets.auditory.base import AUDITORY, BIOSEMI64, AuditoryReader
from neurodecode.datasets.auditory.matlab import get, load_mat, rows
from neurodecode.datasets.names import natural_text
from neurodecode.errors import DataError, about
from neurodecode.preprocess.audio.features import SoundRecipe

__all__ = ["Kul"]

_STORY = re.compile(r"(?:rep_)?part(\d+)_track(\d+)")
_EARS = ("L", "R")


@AUDITORY.register("kul")
class Kul(AuditoryReader):
    """Sixteen people, two stories at once, 64-channel EEG at 128 Hz.

    Features are those of the dry recordings, as the authors do it. ``stimuli{1}`` is what the
    left ear hears most; the repetitions of experiment 3 have the stories of experiment 1, and so
    the same name of story here. The miniature world adds two fields that the published files lack:
    ``RawData.EyeData`` (eye channels) and ``switch_s`` (times at which attention changes ears).
    """

    name = "kul"
    summary = "16 people, two Dutch stories at once, 64-channel EEG (Das et al. 2016, 2019)"
    licence = "see Zenodo 4004271"
    how_to_get = "download S1.mat to S16.mat and stimuli/ from doi.org/10.5281/zenodo.4004271"

    @property
    def subjects(self) -> Sequence[str]:
        """Names of the files."""
        return sorted((path.stem for path in self.root.glob("S*.mat")), key=natural_text)

    def _trials(self, subject: str, recipe: SoundRecipe) -> Iterator[AuditoryTrial]:
        path = self.root / f"{subject}.mat"
        for number, struct in enumerate(rows(load_mat(path, "trials")), start=1):
            with about(file=path):
                yield self._trial(subject, number, struct, path, recipe)

    def _trial(
        self, subject: str, number: int, struct: Any, path: Path, recipe: SoundRecipe
    ) -> AuditoryTrial:
        name = str(get(struct, "TrialID", path, default=number))
        where = f"trial {name}"
        eeg = np.asarray(get(struct, "RawData.EegData", path, where=where))
        sfreq = float(get(struct, "FileHeader.SampleRate", path, where=where))
        files = [str(each) for each in rows(get(struct, "stimuli", path, where=where))]
        eye = get(struct, "RawData.EyeData", path, default=())
        experiment = str(get(struct, "experiment", path, default=""))
        return assemble(
            subject=subject,
            trial=name,
            eeg=eeg,
            sfreq=sfreq,
            channels=_channels(struct, path, eeg.shape[1], where),
            features=[self._features(self._dry(file), recipe) for file in files],
            attended=_attended(struct, path, len(eeg), sfreq, where),
            recipe=recipe,
            story=tuple(_story(file, path) for file in files),
            talker=tuple(_talker(file) for file in files),
            direction=("left", "right"),
            session=experiment,
            condition=str(get(struct, "condition", path, default="")),
            gaze=np.asarray(eye) if len(eye) else None,
        )

    def _dry(self, name: str) -> Path:
        """The dry recording of a stimulus that may be spatialised."""
        stem = re.sub(r"_(dry|hrtf)\.wav$", "", name)
        return self.root / "stimuli" / f"{stem}_dry.wav"


def _story(name: str, path: Path) -> str:
    found = _STORY.match(name)
    if not found:
        raise DataError(f"{name!r} names no part and track", file=path, field="stimuli")
    return f"part{found[1]}_track{found[2]}"


def _talker(name: str) -> str:
    found = _STORY.match(name)
    return f"track{found[2]}" if found else ""


def _channels(struct: Any, path: Path, n_channels: int, where: str) -> tuple[str, ...]:
    """Numbers are places on a BioSemi cap; names stay names."""
    listed = rows(get(struct, "RawData.Channels", path, where=where))
    if len(listed) != n_channels:
        raise DataError(
            f"{where}: {len(listed)} channel names for {n_channels} channels",
            file=path,
            field="RawData.Channels",
        )
    if all(isinstance(each, str) for each in listed):
        return tuple(listed)
    numbers = np.asarray(listed).astype(int)
    if numbers.min() < 1 or numbers.max() > len(BIOSEMI64):
        raise DataError(f"{where}: channel {numbers.max()} is not on a 64-channel cap", file=path)
    return tuple(BIOSEMI64[number - 1] for number in numbers)


def _attended(struct: Any, path: Path, n: int, sfreq: float, where: str) -> np.ndarray:
    ear = get(struct, "attended_ear", path, where=where)
    if not isinstance(ear, str) or ear not in _EARS:
        raise DataError(
            f"{where}: no attention label ({ear!r})", file=path, field="attended_ear",
            fix="say L or R, or leave the trial out",
        )  # fmt: skip
    labels = np.full(n, _EARS.index(ear))
    for seconds in np.atleast_1d(get(struct, "switch_s", path, default=())):
        labels[round(float(seconds) * sfreq) :] ^= 1
    return labels
