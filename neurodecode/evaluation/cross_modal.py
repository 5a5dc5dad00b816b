"""Retrieval across modalities: the EEG of a picture looks for the fMRI of the same picture."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import permutations
from pathlib import Path
from typing import Any

import numpy as np

from neurodecode import __version__
from neurodecode.errors import DataError
from neurodecode.evaluation.identification import mean_by_stimulus, read_targets, unit_rows
from neurodecode.metrics.functional.retrieval import top_k_credit
from neurodecode.metrics.functional.two_way import two_way_from_scores
from neurodecode.metrics.records import MetricRecord, summarise
from neurodecode.splits import read_split
from neurodecode.store import Prediction, ResponseStore
from neurodecode.store.predictions import PredictionFile

__all__ = ["Decoded", "cross_modal_records", "open_decoded"]


@dataclass(frozen=True)
class Decoded:
    """What one method decoded from the recordings of one data set.

    Parameters
    ----------
    dataset, modality, method : str
        Whose.
    target : tuple of str
        Digest and name of the embedding: only the same can be compared.
    rows : mapping of str to (list of str, array of shape (n, n_values))
        Stimuli and unit rows of every subject.
    n_averaged : mapping of str to float
        Repeats averaged into each response, by subject.
    attrs : mapping
        How they were made.
    """

    dataset: str
    modality: str
    method: str
    target: tuple[str, str]
    rows: Mapping[str, tuple[list[str], np.ndarray]]
    n_averaged: Mapping[str, float]
    attrs: Mapping[str, Any]


def open_decoded(
    content: PredictionFile, dataset: str, stores: Path, embeddings: Path
) -> Decoded | None:
    """Take decoded embeddings out of a file of predictions.

    Parameters
    ----------
    content : PredictionFile
        Predictions of one method.
    dataset : str
        Registry name of its data set.
    stores, embeddings : Path
        Folders of the data set.

    Returns
    -------
    Decoded or None
        Compared as the method compares with pictures: of one that ranks by ``scores`` of its own
        (ridge regression, which shrinks towards it), the mean embedding of the training pictures
        is taken from each row; of a decoder trained by contrast nothing is. None for a file
        without decoded embeddings, or of several folds, whose decoders are not the same.
    """
    name = str(content.attrs.get("target", "tokens"))
    folds = {each.fold for each in content.predictions}
    decodes = all(name in _known(each, name) for each in content.predictions)
    # what was decoded from windows may be an embedding that this data set has not
    if "windows" in content.attrs or len(folds) != 1 or not decodes:
        return None
    targets = read_targets(content, embeddings)
    if targets is None:
        return None
    split = read_split(stores / "splits.json")
    if split.unit != "stimulus":
        return None
    recorded = [ResponseStore(path) for path in sorted(stores.glob("sub-*.h5"))]
    if not recorded:
        raise DataError("no sub-*.h5 in this folder", file=stores, fix="run `neurodecode prepare`")
    centre = np.zeros(1)
    if all("scores" in each.arrays for each in content.predictions):
        # a division that was taken over from another data set names pictures nobody saw here
        shown = {name for store in recorded for name in store.stimulus_id}
        train = [name for name in split.folds[folds.pop()].train if name in shown]
        centre = targets(train).mean(axis=0).ravel()
    rows = {
        each.subject: (
            list(each.stimulus_id),
            unit_rows(_known(each, name)[name].reshape(len(each.stimulus_id), -1) - centre),
        )
        for each in content.predictions
    }
    return Decoded(
        dataset, recorded[0].modality, content.method,
        (str(content.attrs.get("embedding_fingerprint")), name), rows,
        {each.subject: each.n_averaged for each in content.predictions}, content.attrs,
    )  # fmt: skip


def cross_modal_records(parts: Sequence[Decoded], profile: str) -> list[MetricRecord]:
    """Look for what was decoded from one data set among what was decoded from each other.

    Parameters
    ----------
    parts : sequence of Decoded
        Of several data sets; compared are those of one method and embedding.
    profile : str
        Profile of the run.

    Returns
    -------
    list of MetricRecord
        Task ``cross_modal``: ``retrieval_top1``, ``retrieval_top5`` and ``two_way`` of each subject
        and of their mean, as method ``<method>><modality>``; a score is the mean over the subjects
        of the other data set, and several responses to a stimulus count as one item. Extra keys:
        ``candidates`` (modality), ``candidates_dataset``, ``candidates_n_averaged``.

    Raises
    ------
    DataError
        If two data sets have fewer than two test stimuli in common.
    """
    records = []
    for ours, theirs in permutations(_merged(parts), 2):
        same = (ours.method, ours.target) == (theirs.method, theirs.target)
        if same and ours.dataset != theirs.dataset:
            records += _pair(ours, theirs, profile)
    return records


def _merged(parts: Sequence[Decoded]) -> list[Decoded]:
    """Join files of one method on one data set: each may hold other subjects."""
    found: dict[tuple[str, str, tuple[str, str]], Decoded] = {}
    for each in parts:
        key = (each.dataset, each.method, each.target)
        if key in found:
            rows = {**found[key].rows, **each.rows}
            each = replace(each, rows=rows, n_averaged={**found[key].n_averaged, **each.n_averaged})
        found[key] = each
    return list(found.values())


def _pair(ours: Decoded, theirs: Decoded, profile: str) -> list[MetricRecord]:
    common = {name for names, _ in theirs.rows.values() for name in names}
    for names, _ in [*ours.rows.values(), *theirs.rows.values()]:
        common &= set(names)
    if len(common) < 2:
        raise DataError(
            f"{ours.dataset} and {theirs.dataset} have {len(common)} test stimuli in common",
            field="stimulus_id",
            fix="divide both alike: `neurodecode prepare --splits`",
        )
    order = sorted(common)
    candidates = [_mean_rows(*each, order) for each in theirs.rows.values()]
    found: dict[str, dict[str, np.ndarray]] = {}
    for subject, (names, rows) in ours.rows.items():
        kept = [row for row, name in enumerate(names) if name in common]
        for metric, values in _scores([names[k] for k in kept], rows[kept], candidates, order):
            found.setdefault(metric, {})[subject] = values
    chances = {"retrieval_top1": 1 / len(order), "retrieval_top5": min(5 / len(order), 1.0)}
    about = {
        "profile": profile, "dataset": ours.dataset, "task": "cross_modal",
        "method": f"{ours.method}>{theirs.modality}", "n_candidates": len(order),
        "selection_split": ours.attrs.get("selection_split", "none"), "transductive": False,
        "seed": int(ours.attrs.get("seed", 0)), "version": __version__,
        "extra": {
            "candidates": theirs.modality, "candidates_dataset": theirs.dataset,
            "candidates_n_averaged": float(np.mean(list(theirs.n_averaged.values()))),
        },
    }  # fmt: skip
    records = []
    for metric, values in found.items():
        groups = {name: ([name], each) for name, each in values.items()}
        if len(values) > 1:
            groups["mean"] = (list(values), np.stack(list(values.values())))
        for subject, (members, each) in groups.items():
            n_averaged = float(np.mean([ours.n_averaged[name] for name in members]))
            fields = {"metric": metric, "chance": chances.get(metric, 0.5), "subject": subject}
            records.append(summarise(each, **about, **fields, n_averaged=n_averaged))
    return records


def _scores(
    names: Sequence[str], rows: np.ndarray, candidates: Sequence[np.ndarray], order: Sequence[str]
) -> list[tuple[str, np.ndarray]]:
    """Scores (n_stimuli,) of one subject in the order of the stimuli, over their subjects."""
    truth = np.searchsorted(order, names)
    parts: dict[str, list[np.ndarray]] = {}
    for each in candidates:
        similar = rows @ each.T
        parts.setdefault("retrieval_top1", []).append(top_k_credit(similar, 1, truth))
        parts.setdefault("retrieval_top5", []).append(top_k_credit(similar, 5, truth))
        parts.setdefault("two_way", []).append(two_way_from_scores(similar, truth))
    found = []
    for metric, values in parts.items():
        mean = np.mean([np.asarray(each, dtype=float) for each in values], axis=0)
        stimuli, by_stimulus = mean_by_stimulus(names, mean)
        found.append((metric, by_stimulus[np.argsort(stimuli)]))
    return found


def _mean_rows(names: Sequence[str], rows: np.ndarray, order: Sequence[str]) -> np.ndarray:
    """Unit rows (n_stimuli, n_values), one a stimulus: what was not averaged before is here."""
    means = np.zeros((len(order), rows.shape[1]))
    known = np.isin(names, order)
    np.add.at(means, np.searchsorted(order, np.asarray(names)[known]), rows[known])
    return unit_rows(means)


def _known(each: Prediction, name: str) -> dict[str, np.ndarray]:
    """Decoded embeddings under the name of the target; a decoder calls them ``tokens``."""
    arrays = dict(each.arrays)
    if name not in arrays and "tokens" in arrays:
        arrays[name] = arrays["tokens"]
    return arrays
