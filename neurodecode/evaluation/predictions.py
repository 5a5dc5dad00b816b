"""Scoring a file of predictions by its task."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from neurodecode.errors import DataError, about
from neurodecode.evaluation.category import category_chance, category_scores, ceiling_scores
from neurodecode.evaluation.classification import accuracy_scores, confusion_table
from neurodecode.evaluation.identification import (
    candidate_table,
    identification_scores,
    read_targets,
    score_matrix,
)
from neurodecode.evaluation.items import Scores
from neurodecode.evaluation.matching import match, obstacle
from neurodecode.evaluation.picture_features import PictureFeatures
from neurodecode.evaluation.readout import CategoryReadout, open_readout
from neurodecode.evaluation.reconstruction import reconstruction_scores
from neurodecode.store import Prediction, read_stimuli

if TYPE_CHECKING:
    import pandas as pd

    from neurodecode.embed import Embedder
    from neurodecode.recording import StimulusSet
    from neurodecode.store.predictions import PredictionFile

__all__ = ["Evaluated", "Evaluator"]

log = logging.getLogger(__name__)

#: An assignment names one candidate and ranks none.
_ASSIGNED = ("retrieval_top1", "retrieval_brain_top1")


@dataclass
class Evaluated:
    """What came out of one file.

    Parameters
    ----------
    scores : list of Scores
        Scores of test items.
    ceiling : list of Scores
        Scores of the true pictures themselves: the same whatever method the file is of.
    candidates, confusion : list of DataFrame
        Tables for the report, see `candidate_table` and `confusion_table`.
    matched : mapping of str to mapping
        Methods whose scores come from a matching (transductive), and its settings.
    """

    scores: list[Scores] = field(default_factory=list)
    ceiling: list[Scores] = field(default_factory=list)
    candidates: list[pd.DataFrame] = field(default_factory=list)
    confusion: list[pd.DataFrame] = field(default_factory=list)
    matched: dict[str, dict[str, float]] = field(default_factory=dict)


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
        Embedder whose pooled embedding ``two_way_clip`` compares, and from whose tokens
        ``category_accuracy`` reads the category.
    matching : sequence of str
        Keys of `neurodecode.evaluation.matching.MATCHINGS`: identification is scored with each
        besides, as method ``<method>+<matching>``.
    readout : bool
        Whether ``category_accuracy`` is measured, where categories and the embedder's tokens of
        the stimuli are at hand.
    """

    dataset: str
    stores: Path
    embeddings: Path
    clip: str = "mini-clip"
    matching: Sequence[str] = ()
    readout: bool = True

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
            If the predictions lack what the task needs, are not of the test set, or nobody
            knows the task.
        """
        score = {
            "identification": self._identify,
            "adaptation": self._adaptation,
            "classification": self._classification,
            "reconstruction": self._reconstruction,
        }
        task = content.attrs.get("task", "identification")
        if task not in score or not content.predictions:
            problem = "no predictions in it" if task in score else f"unknown task {task!r}"
            raise DataError(
                problem, field="task", fix="run the stage that writes the predictions again"
            )
        if (side := content.attrs.get("side", "test")) != "test":
            raise DataError(
                f"predictions of the {side} side; scores are of the test set",
                field="side",
                fix="give the predictions of the test set",
            )
        return score[task](content)

    def _classification(self, content: PredictionFile) -> Evaluated:
        scores = [accuracy_scores(each, content.method) for each in content.predictions]
        table = confusion_table(content.predictions, content.method, self.dataset)
        return Evaluated(scores, confusion=[table])

    def _identify(self, content: PredictionFile) -> Evaluated:
        done = Evaluated()
        array = content.attrs.get("target", "tokens")
        targets = read_targets(content, self.embeddings)
        ranked = []
        for each in content.predictions:
            matrix, names = score_matrix(each, array, targets)
            # likelihoods of different responses have no common scale: one way only
            both_ways = "scores" not in each.arrays
            done.scores += identification_scores(
                each, content.method, matrix, names, both_ways=both_ways
            )
            tags = {"dataset": self.dataset, "method": content.method}
            done.candidates.append(candidate_table(each, matrix, names, tags))
            ranked.append((each, matrix, names))
        for name in self.matching:
            self._match(content, ranked, name, done)
        return done

    def _adaptation(self, content: PredictionFile) -> Evaluated:
        targets = read_targets(content, self.embeddings)
        trials = content.attrs.get("trials")
        if not trials or any(each.n_trials is None for each in content.predictions):
            raise DataError(
                "does not say how many trials the method was given",
                field="trials",
                fix="run the stage that writes the predictions again",
            )
        done = Evaluated()
        for each in content.predictions:
            matrix, names = score_matrix(each, content.attrs.get("target", "tokens"), targets)
            both_ways = "scores" not in each.arrays
            done.scores += identification_scores(
                each, content.method, matrix, names, both_ways=both_ways, trials=str(trials)
            )
        return done

    def _match(
        self,
        content: PredictionFile,
        ranked: Sequence[tuple[Prediction, np.ndarray, list[str]]],
        name: str,
        done: Evaluated,
    ) -> None:
        """Add the scores after one matching, for all subjects and folds or for none."""
        method = f"{content.method}+{name}"
        for each, _, names in ranked:
            if problem := obstacle(each, len(names), name):
                log.warning("%s left out: subject %s: %s", method, each.subject, problem)
                return
        settings: dict[str, Any] = {}
        for each, matrix, names in ranked:
            own = "scores" in each.arrays
            with about(subject=each.subject):
                scores, used = match(matrix, name, _scale(content) if own else "cosine")
            found = identification_scores(each, method, scores, names, both_ways=not own)
            done.scores += [s for s in found if name != "hungarian" or s.metric in _ASSIGNED]
            settings |= {key: max(value, settings.get(key, value)) for key, value in used.items()}
        done.matched[method] = settings

    def _reconstruction(self, content: PredictionFile) -> Evaluated:
        stimuli, pictures, readout = self._stimuli, self._pictures, self._readout
        chance = category_chance(content.predictions, readout.categories) if readout else {}
        done = Evaluated()
        for each in content.predictions:
            truth = stimuli.images[stimuli.rows(each.stimulus_id)]
            for method, images in _drawn(content, each).items():
                done.scores += reconstruction_scores(
                    each, images, truth, method, {"clip": pictures.pooled}
                )
                if readout is not None:
                    features = pictures.tokens(images)
                    done.scores += category_scores(each, features, method, readout, chance)
            if readout is not None:
                done.ceiling += ceiling_scores(each, pictures.tokens(truth), readout, chance)
        return done

    @cached_property
    def _stimuli(self) -> StimulusSet:
        return read_stimuli(self.stores / "stimuli.h5")

    @cached_property
    def _embedder(self) -> Embedder:
        from neurodecode.embed import make_embedder

        return make_embedder(self.clip)

    @cached_property
    def _pictures(self) -> PictureFeatures:
        return PictureFeatures(self._embedder.encode_images)

    @cached_property
    def _readout(self) -> CategoryReadout | None:
        if not self.readout:
            return None
        embeddings = self.embeddings / f"{self.clip}.h5"
        return open_readout(self.stores, self._stimuli, embeddings, self._embedder)


def _drawn(content: PredictionFile, each: Prediction) -> dict[str, np.ndarray]:
    """The pictures of one subject and fold by method."""
    found = {content.method: each.array("images")}
    if "low_level" in each.arrays and not content.attrs.get("shuffled"):
        found["low_level"] = each.arrays["low_level"]
    return found


def _scale(content: PredictionFile) -> str:
    if "scale" not in content.attrs:
        raise DataError(
            "does not say on which scale its scores are",
            field="scale",
            fix="run the stage that writes the predictions again",
        )
    return str(content.attrs["scale"])
