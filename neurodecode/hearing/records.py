"""Records of extraction: means over test scenes, with the right and with the wrong voice."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd

from neurodecode.metrics.records import MetricRecord, summarise

__all__ = [
    "extraction_records",
    "steering_records",
    "timing_records",
    "understanding_records",
]

_METHOD, _DATASET = "extractor", "mini-talkers"
#: A voice is called alike where its embedding is closer than this cosine to the other's.
_ALIKE = 0.5


def _about(profile: str, version: str, seed: int) -> dict[str, Any]:
    return {
        "profile": profile, "dataset": _DATASET, "task": "extraction", "method": _METHOD,
        "n_candidates": 2, "n_averaged": None, "selection_split": "validation",
        "transductive": False, "seed": seed, "version": version,
    }  # fmt: skip


def extraction_records(
    table: pd.DataFrame, profile: str, version: str, seed: int
) -> Iterator[MetricRecord]:
    """Summarise scenes.

    Parameters
    ----------
    table : pandas.DataFrame
        Of `neurodecode.hearing.measure.measure_scenes`, with a column ``room``.
    profile, version : str
        Of the run.
    seed : int
        Of the scenes.

    Yields
    ------
    MetricRecord
        Intervals are over scenes.
    """
    base = _about(profile, version, seed) | {"subject": "scenes"}
    for (room, voice), rows in table.groupby(["room", "voice"]):
        extra = {"room": room, "voice": voice, "level_db": 0.0}
        yield _mean(rows, "si_sdr_improvement_db", 0.0, base, extra)
        if voice == "wrong":
            continue
        alike = rows["voice_cosine"] > _ALIKE
        for name, part in (("alike", rows[alike]), ("different", rows[~alike])):
            if len(part):
                yield _mean(part, "si_sdr_improvement_db", 0.0, base, extra | {"voices": name})
        yield _mean(rows, "speaker_confusion_rate", 0.5, base, extra, column="confused")
        for metric in ("ild_error_db", "itd_error_us"):
            for source, prefix in (("output", ""), ("mixture", "mixture_")):
                yield summarise(
                    rows[prefix + metric].to_numpy(), statistic=np.median, metric=metric,
                    chance=None, extra=extra | {"source": source}, **base,
                )  # fmt: skip


def _mean(
    rows: pd.DataFrame, metric: str, chance: float, base: dict[str, Any], extra: dict[str, Any],
    column: str | None = None,
) -> MetricRecord:  # fmt: skip
    values = rows[column or metric].to_numpy(float)
    return summarise(values, metric=metric, chance=chance, extra=extra, **base)


def timing_records(
    times_s: np.ndarray, chunk_s: float, n_parameters: int, profile: str, version: str
) -> Iterator[MetricRecord]:
    """Summarise the time of chunks.

    Parameters
    ----------
    times_s : array of shape (2, n_chunks)
        On the clock, and of the processor.
    chunk_s : float
        Length of a chunk.
    n_parameters : int
        Of the network.
    profile, version : str
        Of the run.

    Yields
    ------
    MetricRecord
        Mean over chunk length, and 95th percentile in ms, for both times.
    """
    base = _about(profile, version, 0) | {"subject": "scenes", "chance": None}
    for name, times in zip(("clock", "processor"), times_s, strict=True):
        extra = {"time": name, "n_parameters": n_parameters}
        values = {
            "real_time_factor": float(times.mean() / chunk_s),
            "chunk_ms": float(1000 * np.quantile(times, 0.95)),
        }
        for metric, value in values.items():
            yield MetricRecord(
                metric=metric, value=value, ci_low=None, ci_high=None, n=len(times), extra=extra,
                **base,
            )  # fmt: skip


def steering_records(
    table: pd.DataFrame, dataset: str, decoder: str, profile: str, version: str
) -> Iterator[MetricRecord]:
    """Summarise what a decoder's posterior steered.

    Parameters
    ----------
    table : pandas.DataFrame
        A row a window: ``steering``, ``subject``, ``trial``, ``gain_db``, ``probability``.
    dataset, decoder : str
        What was listened to, and who said whom.
    profile, version : str
        Of the run.

    Yields
    ------
    MetricRecord
        Mean improvement of the attended talker over windows; intervals are over trials.
    """
    base = _about(profile, version, 0) | {"dataset": dataset}
    for steering, rows in table.groupby("steering"):
        by_trial = rows.groupby(["subject", "trial"])["gain_db"].mean()
        scores = {name: part.to_numpy() for name, part in by_trial.groupby(level="subject")}
        yield summarise(
            scores, metric="si_sdr_improvement_db", chance=0.0,
            subject="+".join(sorted(scores)),
            extra={"steering": steering, "decoder": decoder, "level_db": 0.0}, **base,
        )  # fmt: skip


def understanding_records(
    table: pd.DataFrame, n_candidates: int, profile: str, version: str, seed: int
) -> Iterator[MetricRecord]:
    """Summarise what was understood of mixtures without reverberation.

    Parameters
    ----------
    table : pandas.DataFrame
        Of `neurodecode.hearing.understanding.understand`.
    n_candidates : int
        Transcripts to choose from.
    profile, version : str
        Of the run.
    seed : int
        Of the scenes.

    Yields
    ------
    MetricRecord
        Share of transcripts found, and median error of pitch; intervals are over scenes.
    """
    base = _about(profile, version, seed) | {"subject": "scenes"}
    for source, rows in table.groupby("source"):
        extra = {"room": "none", "voice": "right", "source": source}
        found = base | {"n_candidates": n_candidates}
        yield summarise(rows["found"].to_numpy(), metric="retrieval_top1",
                        chance=1 / n_candidates, extra=extra, **found)  # fmt: skip
        errors = rows["pitch_error_semitones"].dropna().to_numpy()
        yield summarise(errors, statistic=np.median, metric="pitch_error_semitones",
                        chance=None, extra=extra, **base)  # fmt: skip
