"""A linear read-out of the category of a picture, fitted on pictures that training may use."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from neurodecode.errors import DataError
from neurodecode.evaluation.picture_features import token_features
from neurodecode.splits import Split, read_split
from neurodecode.store import EmbeddingStore

if TYPE_CHECKING:
    from sklearn.pipeline import Pipeline

    from neurodecode.embed import Embedder
    from neurodecode.recording import StimulusSet

__all__ = ["CategoryReadout", "open_readout"]

#: Tokens are read in blocks: those of all pictures at once would fill the memory.
_BLOCK = 1024


@dataclass(frozen=True)
class CategoryReadout:
    """Names the category of pictures from their embeddings.

    For each fold a multinomial logistic regression on standardised `token_features` of TRUE
    pictures: those of the training side and those nobody was shown (`Split.pool`). It never meets
    a response, a reconstruction, or a picture of the validation or test side, and nothing about
    it is chosen: the penalty is that of `category_classifier`.

    Parameters
    ----------
    categories : mapping of str to str
        Main category of each stimulus that has one.
    split : Split
        By stimulus.
    store : EmbeddingStore
        ``tokens`` of the stimuli, by the embedder that also embeds the reconstructions.
    """

    categories: Mapping[str, str]
    split: Split
    store: EmbeddingStore
    _fitted: dict[int, Pipeline] = field(default_factory=dict, repr=False, compare=False)

    def right(self, fold: int, stimulus_id: Sequence[str], features: np.ndarray) -> np.ndarray:
        """Whether pictures are taken for the category of what was seen.

        Parameters
        ----------
        fold : int
            Which fold.
        stimulus_id : sequence of str of length n
            What was seen; each has a category.
        features : array of shape (n, n_features)
            `token_features` of reconstructions, or of the true pictures.

        Returns
        -------
        array of float of shape (n,)
            1 if right, 0 if wrong.

        Raises
        ------
        DataError
            If a stimulus is not on the test side, or its category is that of no training
            picture.
        """
        self._check_side(fold, stimulus_id)
        model = self._model(fold)
        truth = [self.categories[stimulus] for stimulus in stimulus_id]
        if unseen := sorted(set(truth) - set(model.classes_)):
            raise DataError(
                f"no training picture of fold {fold} is of category {unseen[0]!r}"
                f" ({len(unseen)} such in the test set)",
                field="categories",
                fix="divide the stimuli otherwise, or evaluate with --no-readout",
            )
        return (model.predict(features) == np.array(truth)).astype(float)

    def n_categories(self, fold: int) -> int:
        """Count the categories that the read-out chooses from.

        Parameters
        ----------
        fold : int
            Which fold.

        Returns
        -------
        int
            Categories of its training pictures.
        """
        return len(self._model(fold).classes_)

    def _check_side(self, fold: int, stimulus_id: Sequence[str]) -> None:
        n_folds = len(self.split.folds)
        own = self.split.folds[fold].test if 0 <= fold < n_folds else ()
        if strays := set(stimulus_id) - set(own):
            raise DataError(
                f"{len(strays)} stimuli are not on the test side of fold {fold} of {n_folds},"
                f" first: {min(strays)}",
                field="splits",
                fix="predict again with the split that is there now",
            )

    def _model(self, fold: int) -> Pipeline:
        if fold not in self._fitted:
            self._fitted[fold] = self._fit(fold)
        return self._fitted[fold]

    def _fit(self, fold: int) -> Pipeline:
        from neurodecode.linear.classifier import category_classifier

        ids = self.split.pool(fold, self.categories)
        labels = [self.categories[stimulus] for stimulus in ids]
        if len(set(labels)) < 2:
            raise DataError(
                f"{len(set(labels))} categories among the training pictures of fold {fold}",
                field="categories",
                fix="evaluate with --no-readout",
            )
        blocks = [ids[start : start + _BLOCK] for start in range(0, len(ids), _BLOCK)]
        features = [token_features(self.store.read("tokens", block)) for block in blocks]
        return category_classifier().fit(np.concatenate(features), labels)


def open_readout(
    stores: Path, stimuli: StimulusSet, embeddings: Path, embedder: Embedder
) -> CategoryReadout | None:
    """Prepare the read-out of a data set.

    Parameters
    ----------
    stores : Path
        Folder of the data set's stores, with ``splits.json``.
    stimuli : StimulusSet
        Its stimuli.
    embeddings : Path
        File of their embeddings.
    embedder : Embedder
        What embeds the reconstructions.

    Returns
    -------
    CategoryReadout or None
        None where there is nothing to fit it on: no categories, no such file, no class and patch
        tokens in it, or no split by stimulus.

    Raises
    ------
    DataError
        If the file was made with other weights than the embedder has.
    """
    if stimuli.categories is None or not embeddings.is_file():
        return None
    store, splits = EmbeddingStore(embeddings), stores / "splits.json"
    shape = store.shapes.get("tokens", ())
    if len(shape) != 2 or shape[0] < 2 or not splits.is_file():
        return None
    split = read_split(splits)
    if split.unit != "stimulus":
        return None
    if any(store.attrs.get(key) != value for key, value in embedder.provenance.items()):
        raise DataError(
            f"not made with the weights of {embedder.name}, which embeds the reconstructions",
            file=embeddings,
            fix="delete it and run `neurodecode embed`, or evaluate with --no-readout",
        )
    named = zip(stimuli.ids, stimuli.categories, strict=True)
    return CategoryReadout({name: label for name, label in named if label}, split, store)
