"""Scoring a file of predictions by its task."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from neurodecode.errors import DataError
from neurodecode.evaluation.classification import accuracy_scores, confusion_table
from neurodecode.evaluation.identification import (
    ReadTargets,
    candidate_table,
    identification_scores,
    score_matrix,
)
from neurodecode.evaluation.items import Scores
from neurodecode.evaluation.reconstruction import Features, reconstruction_scores
from neurodecode.store import EmbeddingStore, read_stimuli

if TYPE_CHECKING:
    import pandas as pd

    from neurodecode.store.predictions import PredictionFile

__all__ = ["Evaluated", "Evaluator"]


@dataclass
class Evaluated:
    """What came out of one file.

    Parameters
    ----------
    scores : list of Scores
        Scores of test items.
    candidates, confusion : list of DataFrame
        Tables for the report, see `candidate_table` and `confusion_table`.
    """

    scores: list[Scores] = field(default_factory=list)
    candidates: list[pd.DataFrame] = field(default_factory=list)
    confusion: list[pd.DataFrame] = field(default_factory=list)


@dataclass(frozen=True)
class Evaluator:
    """Scores predictions on one data set.

    Parameters
    ----------
    dataset : str
        Registry name.
    stores : Path
        Folder of the data set's stores.
    embeddings : Path
        Folder of the data set's embeddings.
    clip : str
        Embedder whose pooled embedding ``two_way_clip`` compares.
    """

    dataset: str
    stores: Path
    embeddings: Path
    clip: str = "mini-clip"

    def __call__(self, content: PredictionFile) -> Evaluated:
        """Score all subjects and folds of a file.

        Parameters
        ----------
        content : PredictionFile
            Predictions of one method; its attribute ``task`` says what to do with them.

        Returns
        -------
        Evaluated
            Scores and tables.

        Raises
        ------
        DataError
            If the predictions lack what the task needs, or nobody knows the task.
        """
        score = {
            "identification": self._identify,
            "classification": self._classification,
            "reconstruction": self._reconstruction,
        }
        task = content.attrs.get("task", "identification")
        if task not in score or not content.predictions:
            problem = "no predictions in it" if task in score else f"unknown task {task!r}"
            raise DataError(
                problem, field="task", fix="run the stage that writes the predictions again"
            )
        return score[task](content)

    def _classification(self, content: PredictionFile) -> Evaluated:
        scores = [accuracy_scores(each, content.method) for each in content.predictions]
        table = confusion_table(content.predictions, content.method, self.dataset)
        return Evaluated(scores, confusion=[table])

    def _identify(self, content: PredictionFile) -> Evaluated:
        done = Evaluated()
        array, targets = content.attrs.get("target", "tokens"), self._targets(content)
        for each in content.predictions:
            matrix, names = score_matrix(each, array, targets)
            # likelihoods of different responses have no common scale: one way only
            both_ways = "scores" not in each.arrays
            done.scores += identification_scores(
                each, content.method, matrix, names, both_ways=both_ways
            )
            tags = {"dataset": self.dataset, "method": content.method}
            done.candidates.append(candidate_table(each, matrix, names, tags))
        return done

    def _targets(self, content: PredictionFile) -> ReadTargets | None:
        if "embedding" not in content.attrs:
            return None
        store = EmbeddingStore(self.embeddings / f"{content.attrs['embedding']}.h5")
        name = content.attrs.get("target", "tokens")
        return lambda ids: store.read(name, ids)

    def _reconstruction(self, content: PredictionFile) -> Evaluated:
        stimuli = read_stimuli(self.stores / "stimuli.h5")
        features = {"clip": self._features()}
        done = Evaluated()
        for each in content.predictions:
            truth = stimuli.images[stimuli.rows(each.stimulus_id)]
            pictures = {content.method: each.array("images")}
            if "low_level" in each.arrays and not content.attrs.get("shuffled"):
                pictures["low_level"] = each.arrays["low_level"]
            for method, images in pictures.items():
                done.scores += reconstruction_scores(each, images, truth, method, features)
        return done

    def _features(self) -> Features:
        from neurodecode.embed import make_embedder

        embedder = make_embedder(self.clip)
        return lambda images: embedder.encode_images(images)["pooled"]
