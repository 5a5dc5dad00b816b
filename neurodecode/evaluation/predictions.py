"""Scoring a file of predictions by its task."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from neurodecode.errors import DataError
from neurodecode.evaluation.captioning import (
    caption_references,
    caption_scores,
    caption_wholes,
    clip_scores,
)
from neurodecode.evaluation.category import (
    TRUE_PICTURES,
    category_chance,
    category_scores,
    ceiling_scores,
)
from neurodecode.evaluation.category_retrieval import CategoryCentres, open_centres
from neurodecode.evaluation.classification import accuracy_scores, auc_scores, confusion_table
from neurodecode.evaluation.collapse import rank_score
from neurodecode.evaluation.encoding import FEWEST, encoding_scores, unit_scores
from neurodecode.evaluation.evaluated import Evaluated
from neurodecode.evaluation.identification import (
    DRAWN,
    identification_scores,
    read_targets,
    score_matrix,
)
from neurodecode.evaluation.nets import NET_METRICS, CachedNet, embedder_weights, open_nets
from neurodecode.evaluation.picture_features import PictureFeatures
from neurodecode.evaluation.ranked import RankedFile
from neurodecode.evaluation.readout import CategoryReadout, open_readout
from neurodecode.evaluation.reconstruction import net_scores, reconstruction_scores
from neurodecode.evaluation.timecourse import time_course
from neurodecode.evaluation.unit_table import unit_table
from neurodecode.evaluation.units import Units
from neurodecode.loaders.counts import open_responses
from neurodecode.metrics.functional.meteor import find_meteor
from neurodecode.splits import read_split
from neurodecode.store import Prediction, read_stimuli
from neurodecode.store.encoders import encoder_path

if TYPE_CHECKING:
    from neurodecode.embed import Embedder
    from neurodecode.evaluation.brain import BrainJudge
    from neurodecode.recording import StimulusSet
    from neurodecode.store.predictions import PredictionFile

__all__ = ["Evaluated", "Evaluator"]


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
    nets : sequence of str or None
        Published feature networks (keys of `NET_METRICS`) to score reconstructions with; by
        default all but CLIP whose weights are here, and a word in the records on the others.
    untrained_nets : bool
        Give networks without weights random ones, and say so.
    drawn : int
        Candidates of ``retrieval_draws_top1``.
    judge : BrainJudge or None
        Measures the brain correlation of reconstructions.
    """

    dataset: str
    stores: Path
    embeddings: Path
    clip: str = "mini-clip"
    matching: Sequence[str] = ()
    readout: bool = True
    nets: Sequence[str] | None = None
    untrained_nets: bool = False
    drawn: int = DRAWN
    judge: BrainJudge | None = None

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
            "captioning": self._captioning,
            "encoding": self._encoding,
        }
        task = content.attrs.get("task", "identification")
        if task not in score or not content.predictions:
            problem = "no predictions in it" if task in score else f"unknown task {task!r}"
            raise DataError(
                problem, field="task", fix="run the stage that writes the predictions again"
            )
        # encoders predict all stimuli of a fold; what is not of the test side is not looked at
        sides = ("test", "all") if task == "encoding" else ("test",)
        if (side := content.attrs.get("side", "test")) not in sides:
            raise DataError(
                f"predictions of the {side} side; scores are of the test set",
                field="side",
                fix="give the predictions of the test set",
            )
        return score[task](content)

    def _encoding(self, content: PredictionFile) -> Evaluated:
        folds = read_split(self.stores / "splits.json").folds
        done = Evaluated()
        for each in content.predictions:
            if not 0 <= each.fold < len(folds):
                raise DataError(
                    f"fold {each.fold} of {len(folds)}",
                    subject=each.subject,
                    field="fold",
                    fix="predict again with the split that is there now",
                )
            self._score_units(each, content.method, folds[each.fold].test, done)
        return done

    def _score_units(
        self, each: Prediction, method: str, test: Sequence[str], done: Evaluated
    ) -> None:
        scores = unit_scores(each, test)
        units = self._units(each)
        done.wholes += encoding_scores(each, method, scores, units)
        done.units.append(unit_table(each, method, self.dataset, scores, units))

    def _units(self, each: Prediction) -> Units:
        path = encoder_path(self.stores, each.subject)
        if not path.is_file():
            return Units()
        units = Units.of(open_responses(path), each.n_averaged)
        n_units = each.array("responses").shape[1]
        known = [units.label, units.ceiling]
        if any(values is not None and len(values) != n_units for values in known):
            raise DataError(
                f"{n_units} units predicted, the store has another number",
                subject=each.subject,
                field="responses",
                fix="predict again from the store that is there now",
            )
        return units

    def _classification(self, content: PredictionFile) -> Evaluated:
        scores = [accuracy_scores(each, content.method) for each in content.predictions]
        areas = [auc_scores(each, content.method) for each in content.predictions]
        if None not in areas:
            scores += areas
        table = confusion_table(content.predictions, content.method, self.dataset)
        return Evaluated(scores, confusion=[table])

    def _identify(self, content: PredictionFile) -> Evaluated:
        if "windows" in content.attrs:
            return Evaluated(courses=[time_course(content)])
        targets = read_targets(content, self.embeddings)
        ranked = RankedFile(content, self.dataset, targets, self.drawn, self._centres(content))
        done = ranked.score(self.matching)
        # identification by an encoder's likelihood: how well it predicts is told besides
        for each in content.predictions:
            if {"responses", "measured"} <= set(each.arrays) and len(each.stimulus_id) >= FEWEST:
                self._score_units(each, content.method, each.stimulus_id, done)
        return done

    def _centres(self, content: PredictionFile) -> CategoryCentres | None:
        targets = read_targets(content, self.embeddings)
        if targets is None or not (self.stores / "stimuli.h5").is_file():
            return None
        path = self.embeddings / f"{content.attrs['embedding']}.h5"
        return open_centres(self.stores, self._stimuli, path, targets)

    def _captioning(self, content: PredictionFile) -> Evaluated:
        done = Evaluated()
        if find_meteor() is None:
            done.absent["captioning", content.method, "meteor"] = {
                "missing": "nltk and its wordnet"
            }
        for each in content.predictions:
            captions, references = caption_references(each, self._stimuli)
            done.scores += caption_scores(each, content.method, captions, references)
            done.wholes += caption_wholes(each, content.method, captions, references)
            truth = self._truth(each)
            fit = clip_scores(each, content.method, captions, truth, self._embedder, self._pictures)
            done.scores += [] if fit is None else [fit]
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

    def _reconstruction(self, content: PredictionFile) -> Evaluated:
        pictures, readout, (nets, absent) = self._pictures, self._readout, self._nets
        chance = category_chance(content.predictions, readout.categories) if readout else {}
        features = {} if NET_METRICS["clip"] in nets else {"clip": pictures.pooled}
        about = {
            "features": self.clip,
            "weights": embedder_weights(self._embedder.provenance),
        }
        if self.judge is not None:
            self.judge.check(content.attrs)
        done = Evaluated()
        for each in content.predictions:
            truth = self._truth(each)
            for method, images in _drawn(content, each).items():
                done.scores += reconstruction_scores(each, images, truth, method, features, about)
                done.scores += net_scores(each, images, truth, method, nets)
                rank = rank_score(
                    each, method, "reconstruction", pictures.pooled(images), pictures.pooled(truth)
                )
                done.wholes += [] if rank is None else [rank]
                done.absent |= {
                    ("reconstruction", method, metric): reason for metric, reason in absent.items()
                }
                if readout is not None:
                    tokens = pictures.tokens(images)
                    done.scores += category_scores(each, tokens, method, readout, chance)
                if self.judge is not None:
                    done.scores += self.judge.scores(each, images, method)
            if readout is not None:
                done.ceiling += ceiling_scores(each, pictures.tokens(truth), readout, chance)
            if self.judge is not None:
                done.ceiling += self.judge.scores(each, truth, TRUE_PICTURES)
        return done

    def _truth(self, each: Prediction) -> np.ndarray:
        return self._stimuli.images[self._stimuli.rows(each.stimulus_id)]

    @cached_property
    def _nets(self) -> tuple[dict[str, CachedNet], dict[str, dict[str, str]]]:
        # CLIP is that of --clip unless the published one is asked for
        default = [name for name in NET_METRICS if name != "clip"]
        return open_nets(
            default if self.nets is None else self.nets,
            required=self.nets is not None,
            untrained=self.untrained_nets,
        )

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
