"""A folder of synthetic talkers: two recordings of each, and a table of who they are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import pandas as pd

from neurodecode.errors import ConfigError, DataError
from neurodecode.folders import atomic_folder, reserve
from neurodecode.hearing.talkers import RATE, draw_talker, utter
from neurodecode.preprocess.audio.wave import mono, read_wave
from neurodecode.progress import progress_bar

__all__ = ["SIDES", "CorpusOptions", "Recorded", "Side", "read_corpus", "simulate_corpus"]

Side = Literal["train", "validation", "test"]
SIDES: tuple[Side, ...] = ("train", "validation", "test")
_COLUMNS = ("talker", "side", "pitch_hz", "tract", "rate_hz", "breath")


@dataclass(frozen=True)
class CorpusOptions:
    """Size of the corpus.

    Parameters
    ----------
    train, validation, test : int
        Talkers of each side; nobody is on two sides.
    enrolment_s, speech_s : float
        Length of the recording from which a voice is learned, and of the one that is mixed.
    seed : int
        Of everything.
    """

    train: int = 160
    validation: int = 20
    test: int = 40
    enrolment_s: float = 10.0
    speech_s: float = 24.0
    seed: int = 0

    def __post_init__(self) -> None:
        if min(self.train, self.validation, self.test) < 2:
            raise ConfigError("every side needs two talkers at least: they are mixed")
        if min(self.enrolment_s, self.speech_s) < 2:
            raise ConfigError("recordings of at least 2 s are needed")


@dataclass(frozen=True)
class Recorded:
    """One talker of a corpus.

    Parameters
    ----------
    talker : str
        Name.
    pitch_hz : float
        Mean fundamental.
    enrolment, speech : array of float32 of shape (n_samples,)
        Two recordings at `RATE`.
    """

    talker: str
    pitch_hz: float
    enrolment: np.ndarray
    speech: np.ndarray


def simulate_corpus(out: str | Path, options: CorpusOptions, *, quiet: bool = True) -> Path:
    """Write talkers: ``talkers.csv``, ``<talker>/enrolment.wav``, ``<talker>/speech.wav``.

    Parameters
    ----------
    out : path-like
        Folder.
    options : CorpusOptions
        Size.
    quiet : bool
        No progress bar.

    Returns
    -------
    Path
        The folder.

    Raises
    ------
    DataError
        If there is no space.
    """
    from scipy.io import wavfile

    sides = [side for side in SIDES for _ in range(getattr(options, side))]
    rows = []
    with atomic_folder(out, replace=True) as folder:
        seconds = options.enrolment_s + options.speech_s
        reserve(folder, int(2 * RATE * seconds * len(sides)))
        with progress_bar("talkers", len(sides), quiet=quiet) as advance:
            for number, side in enumerate(sides):
                rng = np.random.default_rng((options.seed, 23, number))
                talker = draw_talker(f"t{number:04d}", rng)
                (folder / talker.voice.name).mkdir()
                for name, length in (("enrolment", options.enrolment_s),
                                     ("speech", options.speech_s)):  # fmt: skip
                    samples = np.round(32767 * utter(talker, length, rng)).astype(np.int16)
                    wavfile.write(folder / talker.voice.name / f"{name}.wav", RATE, samples)
                voice = talker.voice
                rows.append((voice.name, side, voice.pitch, voice.tract, voice.rate, voice.breath))
                advance(number + 1)
        pd.DataFrame(rows, columns=_COLUMNS).to_csv(folder / "talkers.csv", index=False)
    return Path(out)


def read_corpus(root: str | Path, side: Side) -> list[Recorded]:
    """Read the talkers of one side.

    Parameters
    ----------
    root : path-like
        Folder of `simulate_corpus`.
    side : {"train", "validation", "test"}
        Which.

    Returns
    -------
    list of Recorded
        In the order of the table.

    Raises
    ------
    DataError
        If the table or a recording is missing, or has another rate.
    """
    path = Path(root) / "talkers.csv"
    if not path.is_file():
        raise DataError(
            "no table of talkers", file=path,
            fix="write them: neurodecode simulate --world talkers --out FOLDER",
        )  # fmt: skip
    table = pd.read_csv(path)
    if missing := [name for name in _COLUMNS if name not in table]:
        raise DataError(f"column {missing[0]} is missing", file=path, fix="simulate them again")
    rows = table[table["side"] == side]
    if len(rows) < 2:
        raise DataError(f"{len(rows)} talkers of side {side}; two are needed", file=path)
    return [_recorded(path.parent, row) for row in rows.to_dict("records")]


def _recorded(root: Path, row: Mapping[str, object]) -> Recorded:
    name, sounds = str(row["talker"]), {}
    for which in ("enrolment", "speech"):
        path = root / name / f"{which}.wav"
        samples, rate = read_wave(path)
        if rate != RATE:
            raise DataError(f"{rate:g} Hz, not {RATE}", file=path, fix="simulate them again")
        sounds[which] = mono(samples).astype(np.float32)
    return Recorded(name, float(str(row["pitch_hz"])), **sounds)
