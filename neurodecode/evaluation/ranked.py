"""Scoring a file of predictions that rank candidates."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from neurodecode.errors import DataError, about
from neurodecode.evaluation.candidates import candidate_table
from neurodecode.evaluation.category_retrieval import CategoryCentres
from neurodecode.evaluation.collapse import rank_score
from neurodecode.evaluation.evaluated import Evaluated
from neurodecode.evaluation.identification import (
    DRAWN,
    ReadTargets,
    identification_scores,
    score_matrix,
    unit_rows,
)
from neurodecode.evaluation.matching import WHITENING, match, obstacle
from neurodecode.metrics.functional.whitening import whiten_rows
from neurodecode.store import Prediction

if TYPE_CHECKING:
    from neurodecode.store.predictions import PredictionFile

__all__ = ["RankedFile"]

log = logging.getLogger(__name__)

#: An assignment names one candidate and ranks none.
_ASSIGNED = ("retrieval_top1", "retrieval_brain_top1")

#: The test items of one subject and fold, their scores, and the stimulus of each column.
Ranked = tuple[Prediction, np.ndarray, list[str]]


@dataclass
class RankedFile:
    """Predictions of one method, and what they are compared with.

    Parameters
    ----------
    content : PredictionFile
        The predictions.
    dataset : str
        Registry name of the data set.
    targets : callable or None
        From `neurodecode.evaluation.identification.read_targets`.
    drawn : int
        Candidates of ``retrieval_draws_top1``.
    centres : CategoryCentres or None
        For category-level retrieval of decoded embeddings.
    """

    content: PredictionFile
    dataset: str
    targets: ReadTargets | None
    drawn: int = DRAWN
    centres: CategoryCentres | None = None
    _ranked: list[Ranked] = field(default_factory=list)

    def score(self, matching: Sequence[str]) -> Evaluated:
        """Score all subjects and folds.

        Parameters
        ----------
        matching : sequence of str
            Matchings to score with besides.

        Returns
        -------
        Evaluated
            Scores, tables, and the effective rank of decoded embeddings.
        """
        done = Evaluated()
        method, array = self.content.method, self._array
        for each in self.content.predictions:
            matrix, names = score_matrix(each, array, self.targets)
            done.scores += self._scores(each, method, matrix, names)
            tags = {"dataset": self.dataset, "method": method}
            done.candidates.append(candidate_table(each, matrix, names, tags))
            if self._decodes(each):
                decoded, true = each.arrays[array], self.targets(each.stimulus_id)
                if self.centres is not None:
                    done.scores += self.centres.scores(each, method, decoded)
                rank = rank_score(each, method, "embedding", decoded, true)
                done.wholes += [] if rank is None else [rank]
            self._ranked.append((each, matrix, names))
        for name in matching:
            self._match(name, done)
        return done

    @property
    def _array(self) -> str:
        return str(self.content.attrs.get("target", "tokens"))

    def _decodes(self, each: Prediction) -> bool:
        return self.targets is not None and self._array in each.arrays

    def _scores(self, each: Prediction, method: str, matrix: np.ndarray, names: list[str]) -> list:
        # likelihoods of different responses have no common scale: one way only
        both_ways = "scores" not in each.arrays
        return identification_scores(
            each, method, matrix, names, both_ways=both_ways, drawn=self.drawn
        )

    def _match(self, name: str, done: Evaluated) -> None:
        """Add the scores after one matching, for all subjects and folds or for none."""
        method = f"{self.content.method}+{name}"
        for each, _, names in self._ranked:
            if problem := self._obstacle(each, len(names), name):
                log.warning("%s left out: subject %s: %s", method, each.subject, problem)
                return
        settings: dict[str, Any] = {}
        for each, matrix, names in self._ranked:
            with about(subject=each.subject):
                if name == WHITENING:
                    scores, used = self._whiten(each, names)
                else:
                    own = "scores" in each.arrays
                    scores, used = match(matrix, name, _scale(self.content) if own else "cosine")
            found = self._scores(each, method, scores, names)
            done.scores += [s for s in found if name != "hungarian" or s.metric in _ASSIGNED]
            settings |= {key: max(value, settings.get(key, value)) for key, value in used.items()}
        done.matched[method] = settings

    def _obstacle(self, each: Prediction, n_candidates: int, name: str) -> str | None:
        if name != WHITENING:
            return obstacle(each, n_candidates, name)
        if not self._decodes(each):
            return "no decoded embedding to whiten"
        return None if len(set(each.stimulus_id)) > 1 else "one stimulus cannot be whitened"

    def _whiten(self, each: Prediction, names: list[str]) -> tuple[np.ndarray, dict[str, float]]:
        """Cosines after each side is whitened by its own test items."""
        pair = each.arrays[self._array], self.targets(names)
        try:
            (decoded, a), (true, b) = (whiten_rows(values) for values in pair)
        except ValueError as error:
            raise DataError(str(error), field=self._array, fix="leave whitening out") from error
        scores = unit_rows(decoded.numpy()) @ unit_rows(true.numpy()).T
        return scores, {"whitening_shrinkage": a, "whitening_shrinkage_candidates": b}


def _scale(content: PredictionFile) -> str:
    if "scale" not in content.attrs:
        raise DataError(
            "does not say on which scale its scores are",
            field="scale",
            fix="run the stage that writes the predictions again",
        )
    return str(content.attrs["scale"])
