"""Brain correlation: would the brain have answered a reconstruction as it answered the picture?

The encoder that judges must not be the one that guided: a sampler that climbed its likelihood
explains the response through it by construction. And a guide follows the noise of the very
response that is correlated here, which no other encoder of the same response can undo; therefore
the correlation is measured in other subjects as well, whose noise is their own.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from neurodecode.errors import DataError, about
from neurodecode.evaluation.items import Scores
from neurodecode.loaders.counts import open_responses
from neurodecode.metrics.functional import row_correlation
from neurodecode.splits import Split
from neurodecode.store import Prediction
from neurodecode.store.encoders import LinearEncoder, encoder_path, read_encoder
from neurodecode.tasks.measured import held_out_responses, rows_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from neurodecode.embed import Embedder
    from neurodecode.loaders.table import RepeatAverages

__all__ = ["BrainJudge"]


@dataclass(frozen=True)
class BrainJudge:
    """Correlates what encoders predict for pictures with what was measured.

    Parameters
    ----------
    encoders : Path
        Folder of linear encoders, one a subject, fitted to training trials.
    stores : Path
        Folder with the responses of the subjects.
    split : Split
        How the data are divided.
    """

    encoders: Path
    stores: Path
    split: Split
    _known: dict[tuple[str, int], tuple[LinearEncoder, RepeatAverages]] = field(
        default_factory=dict, repr=False, compare=False
    )

    @cached_property
    def subjects(self) -> list[str]:
        """Subjects that have an encoder."""
        found = [path.stem.removeprefix("sub-") for path in sorted(self.encoders.glob("sub-*.h5"))]
        if not found:
            raise DataError(
                "no sub-*.h5 found", file=self.encoders, fix="run `neurodecode encoder`"
            )
        return found

    @cached_property
    def name(self) -> str:
        """Embedder whose features the encoders take."""
        return self._first.embedder

    @cached_property
    def _first(self) -> LinearEncoder:
        return read_encoder(encoder_path(self.encoders, self.subjects[0]))

    @cached_property
    def _embedder(self) -> Embedder:
        from neurodecode.embed import make_embedder

        embedder = make_embedder(self.name)
        wanted = self._first.features
        if any(wanted.get(key) != value for key, value in embedder.provenance.items()):
            raise DataError(
                f"not fitted to what {self.name} gives now",
                file=self.encoders,
                field="features",
                fix="embed the stimuli again and run `neurodecode encoder`",
            )
        return embedder

    def check(self, attrs: Mapping[str, Any]) -> None:
        """Refuse to judge pictures that were guided by the same features.

        Parameters
        ----------
        attrs : mapping
            How the pictures were made.

        Raises
        ------
        DataError
            If the guide's encoder takes the features that the judge's takes.
        """
        if (guide := attrs.get("guide")) and guide["embedder"] == self.name:
            raise DataError(
                f"guided by an encoder on {self.name}, which cannot judge its own pictures",
                field="guide",
                fix="give --brain-encoders on other features",
            )

    def scores(self, prediction: Prediction, images: np.ndarray, method: str) -> list[Scores]:
        """Score pictures.

        Parameters
        ----------
        prediction : Prediction
            The test items.
        images : array of uint8 of shape (n, height, width, 3)
            Reconstructions, or the true pictures.
        method : str
            Name of the method.

        Returns
        -------
        list of Scores
            ``brain_correlation`` with the subject's own response, over voxels; and
            ``brain_correlation_others``, the mean over the other subjects who saw the
            stimulus, each by its own encoder and response; left out where nobody else saw any.
            A predicted response that is the same in all voxels correlates with nothing: 0.

        Raises
        ------
        DataError
            If files are missing or do not belong together.
        LeakError
            If an encoder was fitted to another division of the data.
        """
        features = self._embedder.encode_images(images)[self._first.target]
        own = self._correlate(prediction.subject, prediction, features)
        others = [
            self._correlate(subject, prediction, features)
            for subject in self.subjects
            if subject != prediction.subject
        ]
        found = [self._scores(prediction, "brain_correlation", own, method)]
        if others and (seen := np.isfinite(others)).any():
            total = np.where(seen, others, 0).sum(axis=0)
            mean = np.where(seen.any(axis=0), total / np.maximum(seen.sum(axis=0), 1), np.nan)
            found.append(self._scores(prediction, "brain_correlation_others", mean, method))
        return found

    def _correlate(
        self, subject: str, prediction: Prediction, features: np.ndarray
    ) -> np.ndarray:  # fmt: skip
        """Correlation over a subject's voxels; NaN for stimuli it was not shown."""
        encoder, known = self._subject(subject, prediction.fold)
        ids = np.asarray(prediction.stimulus_id).astype(str)
        seen = np.isin(ids, known.stimulus_id)
        if subject == prediction.subject:
            seen[:] = True  # its own stimuli must be there
        found = np.full(len(ids), np.nan)
        if seen.any():
            measured = rows_of(known, list(ids[seen]), subject).responses
            predicted = encoder.predict(features[seen])
            found[seen] = np.nan_to_num(np.asarray(row_correlation(predicted, measured)))
        return found

    def _subject(self, subject: str, fold: int) -> tuple[LinearEncoder, RepeatAverages]:
        if (subject, fold) not in self._known:
            path = encoder_path(self.encoders, subject)
            with about(file=path):
                encoder = read_encoder(path)
                store = open_responses(encoder_path(self.stores, subject))
                known = held_out_responses(store, self.split, fold, encoder)
            self._known[subject, fold] = encoder, known
        return self._known[subject, fold]

    def _scores(
        self, prediction: Prediction, metric: str, values: np.ndarray, method: str
    ) -> Scores:
        kept = np.flatnonzero(np.isfinite(values))
        ids: Sequence[str] = [prediction.stimulus_id[row] for row in kept]
        return Scores(
            subject=prediction.subject,
            task="reconstruction",
            method=method,
            metric=metric,
            fold=prediction.fold,
            stimulus_id=ids,
            values=values[kept],
            chance=0.0,
            n_candidates=None,
            n_averaged=prediction.n_averaged,
        )
