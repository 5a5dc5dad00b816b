"""Which of several transcripts belongs to the attended sound.

Without a recogniser of words there is the rhythm: every transcript says when its words or syllables
begin (a forced alignment), and the loudness of the sound rises where the right one says so.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy import signal

from neurodecode.errors import DataError
from neurodecode.hearing.description import envelope

__all__ = ["Transcript", "rank_transcripts", "read_transcript", "rhythm_of"]

_HZ, _WIDTH_S = 100.0, 0.06
_SLOWEST_S = 0.2


@dataclass(frozen=True)
class Transcript:
    """What was said, and when.

    Parameters
    ----------
    name : str
        Of the transcript.
    onset_s : array of shape (n_words,)
        When words (or syllables) begin, in order.
    words : tuple of str of length n_words
        The words.
    """

    name: str
    onset_s: np.ndarray
    words: tuple[str, ...]

    @property
    def text(self) -> str:
        """All words."""
        return " ".join(self.words)


def read_transcript(path: str | Path) -> Transcript:
    """Read a transcript with times.

    Parameters
    ----------
    path : path-like
        Table separated by tabs: ``onset_s``, ``word``.

    Returns
    -------
    Transcript
        Named after the file.

    Raises
    ------
    DataError
        If the file or a column is missing, or time does not go on.
    """
    import pandas as pd

    path = Path(path)
    if not path.is_file():
        raise DataError("the transcript is missing", file=path, fix="check the name of the file")
    try:
        table = pd.read_csv(path, sep="\t", dtype={"word": str}, keep_default_na=False)
    except (ValueError, UnicodeDecodeError) as error:
        raise DataError(f"not a table separated by tabs ({error})", file=path) from error
    for name in ("onset_s", "word"):
        if name not in table:
            raise DataError(f"no column {name!r}", file=path, fix="columns are onset_s and word")
    onsets = pd.to_numeric(table["onset_s"], errors="coerce").to_numpy(float)
    if not len(onsets) or not np.isfinite(onsets).all() or (np.diff(onsets) < 0).any():
        raise DataError("times are missing or do not go on", file=path, field="onset_s",
                        fix="give the beginning of each word in s, in order")  # fmt: skip
    return Transcript(path.stem, onsets, tuple(table["word"]))


def rank_transcripts(
    sound: np.ndarray, rate: float, transcripts: Sequence[Transcript]
) -> np.ndarray:
    """Compare the rises of loudness with the beginnings of words.

    Parameters
    ----------
    sound : array of shape (n_samples,)
        What was extracted.
    rate : float
        In Hz, a multiple of 100.
    transcripts : sequence of Transcript
        Candidates; their time begins with the sound.

    Returns
    -------
    array of shape (n_transcripts,)
        Largest correlation of rises and beginnings, for delays of up to .2 s of one against the
        other.
    """
    rises = _rises(sound, rate)
    scores = []
    for each in transcripts:
        marks = _marks(each.onset_s, len(rises))
        together = signal.correlate(_standard(rises), _standard(marks)) / len(rises)
        middle, reach = len(rises) - 1, round(_SLOWEST_S * _HZ)
        scores.append(together[max(middle - reach, 0) : middle + reach + 1].max())
    return np.array(scores)


def rhythm_of(name: str, sound: np.ndarray, rate: float) -> Transcript:
    """Stand in for a forced alignment where nobody wrote down what was said.

    Parameters
    ----------
    name : str
        Of the transcript.
    sound : array of shape (n_samples,)
        One talker alone.
    rate : float
        In Hz, a multiple of 100.

    Returns
    -------
    Transcript
        A syllable wherever the loudness of the talker rises most.
    """
    rises = _rises(sound, rate)
    peaks, _ = signal.find_peaks(rises, prominence=0.2 * max(float(rises.max()), 1e-12))
    return Transcript(name, peaks / _HZ, tuple(f"syllable-{i + 1}" for i in range(len(peaks))))


def _rises(sound: np.ndarray, rate: float) -> np.ndarray:
    level = envelope(sound, rate)
    return np.maximum(np.diff(level, prepend=level[:1]), 0)


def _marks(onset_s: np.ndarray, n: int) -> np.ndarray:
    """A bump at every beginning."""
    times = np.arange(n)[:, None] / _HZ
    return np.exp(-0.5 * ((times - onset_s[None]) / (_WIDTH_S / 2)) ** 2).sum(1)


def _standard(values: np.ndarray) -> np.ndarray:
    return (values - values.mean()) / max(float(values.std()), 1e-12)
