"""How much of what is attended is understood: whose voice, and which transcript."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from neurodecode.errors import DataError
from neurodecode.hearing.description import describe_voice
from neurodecode.hearing.transcripts import rank_transcripts, rhythm_of

__all__ = ["HeardScene", "understand"]


@dataclass(frozen=True)
class HeardScene:
    """Sounds of a mixture, ears averaged.

    Parameters
    ----------
    extracted, mixture, target, other : array of shape (n_samples,)
        What came out, what went in, and the two talkers alone.
    """

    extracted: np.ndarray
    mixture: np.ndarray
    target: np.ndarray
    other: np.ndarray


def understand(
    scenes: Sequence[HeardScene], rate: float, n_candidates: int
) -> list[dict[str, Any]]:
    """Describe the attended voice, and find its transcript.

    Parameters
    ----------
    scenes : sequence of HeardScene
        Mixtures.
    rate : float
        In Hz.
    n_candidates : int
        Transcripts to choose from: those of both talkers, and of the talkers of the next mixtures.

    Returns
    -------
    list of dict
        Two for each scene, ``source`` output and mixture: ``found`` (1 if the transcript of the
        target scores highest), ``pitch_error_semitones``; NaN where nothing was voiced.
    """
    rhythms = [rhythm_of(f"target-{i}", each.target, rate) for i, each in enumerate(scenes)]
    others = [rhythm_of(f"other-{i}", each.other, rate) for i, each in enumerate(scenes)]
    rows = []
    for number, scene in enumerate(scenes):
        wrong = [rhythms[(number + k) % len(scenes)] for k in range(1, n_candidates - 1)]
        candidates = [rhythms[number], others[number], *wrong]
        true_hz = _pitch_hz(scene.target, rate)
        for source in ("output", "mixture"):
            sound = scene.extracted if source == "output" else scene.mixture
            scores = rank_transcripts(sound, rate, candidates)
            error = 12 * np.abs(np.log2(_pitch_hz(sound, rate) / true_hz))
            rows.append({"scene": number, "source": source, "found": float(scores.argmax() == 0),
                         "pitch_error_semitones": float(error)})  # fmt: skip
    return rows


def _pitch_hz(sound: np.ndarray, rate: float) -> float:
    try:
        return describe_voice(sound, rate).pitch_hz
    except DataError:
        return float("nan")
