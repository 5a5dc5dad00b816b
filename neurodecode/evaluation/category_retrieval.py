"""Category-level retrieval: which kind of picture was seen, among the centres of all kinds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from neurodecode.evaluation.identification import ReadTargets, mean_by_stimulus, unit_rows
from neurodecode.evaluation.items import Scores
from neurodecode.metrics.functional.retrieval import top_k_credit
from neurodecode.splits import Split, read_split
from neurodecode.store import EmbeddingStore, Prediction

if TYPE_CHECKING:
    from neurodecode.recording import StimulusSet

__all__ = ["CategoryCentres", "open_centres"]

_BLOCK = 512


@dataclass
class CategoryCentres:
    """Mean embedding of each category, over pictures that training may use.

    No test picture is in a centre, so that finding it is no image-level retrieval.

    Parameters
    ----------
    categories : mapping of str to str
        Category of each stimulus that has one.
    split : Split
        By stimulus.
    known : EmbeddingStore
        Says which stimuli have an embedding.
    targets : callable
        Reads the embedding that is decoded.
    """

    categories: Mapping[str, str]
    split: Split
    known: EmbeddingStore
    targets: ReadTargets
    _made: dict[int, tuple[list[str], np.ndarray]] = field(default_factory=dict, repr=False)

    def scores(self, each: Prediction, method: str, decoded: np.ndarray) -> list[Scores]:
        """Look for the category of each test stimulus.

        Parameters
        ----------
        each : Prediction
            The test items.
        method : str
            Name of the method.
        decoded : array of shape (n, ...)
            Decoded embeddings.

        Returns
        -------
        list of Scores
            ``retrieval_category_top1`` and ``retrieval_category_top5``; nothing if a test
            stimulus has no category, or one that no picture of the pool has, or there are fewer
            than two.
        """
        if any(stimulus not in self.categories for stimulus in each.stimulus_id):
            return []
        names, centres = self._centres(each.fold)
        truth = [self.categories[stimulus] for stimulus in each.stimulus_id]
        if len(names) < 2 or not set(truth) <= set(names):
            return []
        similar = unit_rows(decoded) @ centres.T
        index = np.array([names.index(name) for name in truth])
        found = []
        for k in (1, 5):
            credit = np.asarray(top_k_credit(similar, k, index), dtype=float)
            stimuli, values = mean_by_stimulus(each.stimulus_id, credit)
            found.append(
                Scores(
                    subject=each.subject, task="identification", method=method,
                    metric=f"retrieval_category_top{k}", fold=each.fold, stimulus_id=stimuli,
                    values=values, chance=min(k / len(names), 1.0), n_candidates=len(names),
                    n_averaged=each.n_averaged,
                )
            )  # fmt: skip
        return found

    def _centres(self, fold: int) -> tuple[list[str], np.ndarray]:
        if fold not in self._made:
            ids = [name for name in self.split.pool(fold, self.categories) if name in self.known]
            names = sorted({self.categories[name] for name in ids})
            self._made[fold] = names, self._means(ids, names)
        return self._made[fold]

    def _means(self, ids: Sequence[str], names: Sequence[str]) -> np.ndarray:
        """Unit vectors of shape (n_categories, n_values), of means of unit vectors."""
        sums: np.ndarray | None = None
        for start in range(0, len(ids), _BLOCK):
            block = ids[start : start + _BLOCK]
            rows = unit_rows(self.targets(block))
            sums = np.zeros((len(names), rows.shape[1])) if sums is None else sums
            np.add.at(sums, [names.index(self.categories[each]) for each in block], rows)
        return np.empty((0, 0)) if sums is None else unit_rows(sums)


def open_centres(
    stores: Path, stimuli: StimulusSet, embeddings: Path, targets: ReadTargets
) -> CategoryCentres | None:
    """Prepare category-level retrieval.

    Parameters
    ----------
    stores : Path
        Folder of the data set's stores, with ``splits.json``.
    stimuli : StimulusSet
        Its stimuli.
    embeddings : Path
        File of the embedding that is decoded.
    targets : callable
        Reads it.

    Returns
    -------
    CategoryCentres or None
        None if the stimuli have no categories or the split is not one of stimuli.
    """
    splits = stores / "splits.json"
    if stimuli.categories is None or not splits.is_file():
        return None
    split = read_split(splits)
    if split.unit != "stimulus":
        return None
    named = zip(stimuli.ids, stimuli.categories, strict=True)
    labels = {name: label for name, label in named if label}
    return CategoryCentres(labels, split, EmbeddingStore(embeddings), targets)
