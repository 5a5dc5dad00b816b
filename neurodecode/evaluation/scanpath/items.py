"""Scores of each method for each stimulus."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from neurodecode.datasets.gaze.base import GazeData
from neurodecode.errors import DataError
from neurodecode.evaluation.scanpath.questions import question_keys, questions
from neurodecode.metrics.functional import scanpath as fn
from neurodecode.scanpaths import Scanpaths
from neurodecode.store.gaze_predictions import GazePrediction

__all__ = ["COLUMNS", "PairOptions", "density_items", "pair_items"]

#: What a table of items has; a score over several items is their mean with these weights.
COLUMNS = ("method", "task", "metric", "reference", "stimulus", "value", "weight")


@dataclass(frozen=True)
class PairOptions:
    """How scanpaths are compared.

    Parameters
    ----------
    bandwidth : float
        Of the clusters of the sequence score, as a share of the longer side (.06 is 48 of 800
        pixels).
    radius : float
        Within which two fixations recur, as a share of the longer side.
    """

    bandwidth: float = 0.06
    radius: float = 0.06
    names: tuple[str, ...] = field(
        default=(
            "sequence_score", "semantic_sequence_score", "scanmatch", "multimatch",
            "string_similarity", "stde", "sbtde", "cross_recurrence",
        )
    )  # fmt: skip


def density_items(
    prediction: GazePrediction, data: GazeData, reference: GazePrediction | None
) -> pd.DataFrame:
    """Scores of densities.

    Parameters
    ----------
    prediction : GazePrediction
        Of one method; without a density there are no rows.
    data : GazeData
        Viewers.
    reference : GazePrediction, optional
        Of the method over which information is gained, besides the uniform density.

    Returns
    -------
    DataFrame
        See `COLUMNS`; the weight of a stimulus is its number of fixations (of scanpaths, for
        scores of maps), so that the mean is one over all fixations, as in the literature.

    Raises
    ------
    DataError
        If the reference was asked about other fixations.
    """
    if not prediction.human.size:
        return pd.DataFrame(columns=list(COLUMNS))
    nats = prediction.fixations["log_density"]
    lengths = data.scanpaths.n_fixations
    known = prediction.human.max() < len(lengths)
    if not known or lengths[prediction.human].sum() != len(nats):
        raise DataError(
            "densities and scanpaths do not belong together", field=prediction.method,
            fix="run `neurodecode scanpath predict` again with this data set",
        )  # fmt: skip
    s = data.scanpaths.select(prediction.human)
    sizes = np.array([s.size[name] for name in s.stimulus], np.float64)
    uniform = -np.log(sizes.prod(axis=1))[s.owner]
    values = {
        ("information_gain_bits", "uniform"): fn.information_gain(nats, uniform),
        ("nss", ""): prediction.fixations["nss"],
        ("auc_conditional", ""): prediction.fixations["auc"],
    }
    if reference is not None and reference.method != prediction.method:
        values["information_gain_bits", reference.method] = fn.information_gain(
            nats, _matched(reference, prediction, data)
        )
    tables = [_grouped(s, s.owner, v, prediction.method, *name) for name, v in values.items()]
    rows = np.arange(len(s))
    for name, v in prediction.of_maps.items():
        known = np.isfinite(v)
        if known.any():
            tables.append(_grouped(s, rows[known], v[known], prediction.method, name, ""))
    return pd.concat(tables, ignore_index=True)


def _matched(reference: GazePrediction, prediction: GazePrediction, data: GazeData) -> np.ndarray:
    """Log densities of the reference for the same fixations in the same order."""
    lengths = data.scanpaths.n_fixations
    ends = np.cumsum(lengths[reference.human])
    parts = dict(
        zip(
            reference.human.tolist(),
            np.split(reference.fixations["log_density"], ends[:-1]),
            strict=True,
        )
    )
    missing = [row for row in prediction.human.tolist() if row not in parts]
    if missing:
        raise DataError(
            f"{reference.method} was not asked about {data.scanpaths.stimulus[missing[0]]}",
            field="reference",
            fix="predict with the same splits and tasks",
        )
    return np.concatenate([parts[row] for row in prediction.human.tolist()])


def _grouped(
    s: Scanpaths, owner: np.ndarray, values: np.ndarray, method: str, metric: str, reference: str
) -> pd.DataFrame:
    table = pd.DataFrame({"stimulus": s.stimulus[owner], "task": s.task[owner], "value": values})
    means = table.groupby(["task", "stimulus"], sort=True)["value"].agg(["mean", "size"])
    means = means.reset_index().rename(columns={"mean": "value", "size": "weight"})
    return means.assign(method=method, metric=metric, reference=reference)[list(COLUMNS)]


def pair_items(
    prediction: GazePrediction,
    data: GazeData,
    options: PairOptions,
    on_step: Callable[[], None] = lambda: None,
) -> pd.DataFrame:
    """Compare each drawn scanpath with each viewer's on the same question.

    A viewer is never compared with himself, and the clusters of the sequence score know the
    fixations of the viewers that are compared with, not those of the scanpath that is scored.

    Parameters
    ----------
    prediction : GazePrediction
        Of one method; for ``other_viewers`` the scanpaths of the viewers.
    data : GazeData
        Viewers.
    options : PairOptions
        How.
    on_step : callable
        Called after each question.

    Returns
    -------
    DataFrame
        See `COLUMNS`; every stimulus has weight 1.
    """
    human = data.scanpaths
    keys = question_keys(human)
    rows = []
    for question, drawn in questions(prediction.scanpaths):
        stimulus, task = question[:2]
        own = human.select(keys == "|".join(question))
        size = human.size[stimulus]
        model = prediction.scanpaths.select(drawn)
        scores = _question_scores(model, own, size, data, stimulus, options)
        for metric, values in scores.items():
            values = values[np.isfinite(values)]
            if values.size:
                rows.append(
                    (prediction.method, task, metric, "", stimulus, float(values.mean()), 1)
                )
        on_step()
    table = pd.DataFrame(rows, columns=list(COLUMNS))
    # a stimulus may have been asked about with several targets
    by = [name for name in COLUMNS if name not in ("value", "weight")]
    return table.groupby(by, sort=True, as_index=False)[["value", "weight"]].mean()


def _question_scores(
    model: Scanpaths,
    human: Scanpaths,
    size: tuple[int, int],
    data: GazeData,
    stimulus: str,
    options: PairOptions,
) -> dict[str, np.ndarray]:
    ours, theirs = [each.xyt for each in model], [each.xyt for each in human]
    pairs = [
        (i, j)
        for i in range(len(ours))
        for j in range(len(theirs))
        if model.viewer[i] != human.viewer[j]
    ]
    if not pairs:
        return {}
    left, right = [ours[i] for i, _ in pairs], [theirs[j] for _, j in pairs]
    longest, scores = max(size), {}
    wanted = set(options.names)
    if "sequence_score" in wanted:
        scores["sequence_score"] = _sequence_scores(model, human, options.bandwidth * longest)
    if "semantic_sequence_score" in wanted and stimulus in data.objects:
        # beside the objects lies the ground, with a label of its own
        objects = data.objects[stimulus]
        labels = [objects.at(*path[:, :2].T) + 1 for path in (*left, *right)]
        scores["semantic_sequence_score"] = fn.sequence_score(
            labels[: len(left)], labels[len(left) :]
        )
    if "scanmatch" in wanted:
        scores["scanmatch"] = fn.scanmatch(left, right, size)
    if "multimatch" in wanted:
        columns = fn.multimatch(left, right, size).T
        scores |= {f"multimatch_{n}": v for n, v in zip(fn.MULTIMATCH, columns)}
    for name, compare in (
        ("string_similarity", fn.string_similarity), ("stde", fn.stde), ("sbtde", fn.sbtde)
    ):  # fmt: skip
        if name in wanted:
            # human first: these are not symmetric
            scores[name] = compare(right, left, size)
    if "cross_recurrence" in wanted:
        scores["cross_recurrence"] = fn.cross_recurrence(left, right, options.radius * longest)[
            :, 0
        ]
    return scores


def _sequence_scores(model: Scanpaths, human: Scanpaths, bandwidth: float) -> np.ndarray:
    """Mean over the viewers a scanpath is compared with, for each scanpath."""
    centres_without: dict[str, np.ndarray] = {}
    result = []
    for path in model:
        others = human.select(human.viewer != path.viewer)
        known = path.viewer if path.viewer in human.viewer else ""
        if known not in centres_without:
            xy = np.stack([others.x, others.y], axis=1)
            centres_without[known] = fn.fixation_clusters(xy, bandwidth)
        centres = centres_without[known]
        labels: Sequence[np.ndarray] = [fn.cluster_labels(each.xy, centres) for each in others]
        own = fn.cluster_labels(path.xy, centres)
        result.append(fn.sequence_score([own] * len(labels), labels).mean())
    return np.array(result)
