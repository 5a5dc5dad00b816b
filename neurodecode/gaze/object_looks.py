"""What objects look like: of what kind they are, how large, and how much they stand out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import numpy as np

from neurodecode.errors import DataError
from neurodecode.gaze.object_sequences import crop_objects
from neurodecode.gaze.saliency import centre_surround
from neurodecode.scanpaths import Objects

if TYPE_CHECKING:
    from sklearn.base import BaseEstimator

    from neurodecode.embed import Embedder
    from neurodecode.gaze.model import Pictures

__all__ = ["Looks", "ObjectLooks", "prominence"]

#: Side of crops that are embedded, in pixels; the tower scales them to its own.
_EMBEDDED = 64


@dataclass(frozen=True)
class Looks:
    """The objects of one picture.

    Parameters
    ----------
    crops : array of uint8 of shape (n_objects, side, side, 3), or float32 (n_objects, features)
        Cut out, or described.
    places : array of float32 of shape (n_objects, 2)
        Centres, as shares of the longer side.
    prominence : array of float32 of shape (n_objects, 2)
        Size and salience, standardised over training objects.
    """

    crops: np.ndarray
    places: np.ndarray
    prominence: np.ndarray


class ObjectLooks:
    """Describes objects by what tells kinds of objects apart.

    A tower's embedding of a crop says colour, place and style as loudly as kind: of mini-CLIP's
    pooled embeddings, two of one category are the closer pair in .67 of the cases. Which
    directions tell categories apart is learned from the named objects of training pictures, by a
    shrunk linear discriminant analysis of the tower's patch tokens; objects then are unit vectors
    there.

    Parameters
    ----------
    tower : Embedder or None
        Embeds crops; None keeps the crops themselves.
    components : int
        Principal components of the tokens that are kept.
    per_category : int
        Objects of each category to learn from, the first ones.

    References
    ----------
    Ledoit and Wolf 2004 (shrinkage); Fukunaga 1990, chapter 10 (discriminant analysis).
    """

    def __init__(
        self, tower: Embedder | None, components: int = 128, per_category: int = 100
    ) -> None:
        self.tower, self.components, self.per_category = tower, components, per_category
        self._kinds: BaseEstimator | None = None

    def fit(self, pictures: Pictures, objects: Mapping[str, Objects], names: Sequence[str]) -> Self:
        """Learn from training pictures.

        Parameters
        ----------
        pictures : mapping of str to array of shape (height, width, 3), uint8
            Stimuli.
        objects : mapping of str to Objects
            What lies where.
        names : sequence of str
            Stimuli to learn from.

        Returns
        -------
        ObjectLooks
            Itself.
        """
        raw = np.concatenate([prominence(pictures[name], objects[name]) for name in names])
        self._usual = raw.mean(0), np.maximum(raw.std(0), 1e-3)
        if self.tower is not None:
            self._fit_kinds(pictures, objects, names)
        return self

    def _fit_kinds(
        self, pictures: Pictures, objects: Mapping[str, Objects], names: Sequence[str]
    ) -> None:
        seen: dict[str, int] = {}
        tokens, kinds = [], []
        for name in names:
            for category, row in zip(objects[name].category.tolist(),
                                     self._tokens(pictures[name], objects[name])):  # fmt: skip
                seen[category] = seen.get(category, 0) + 1
                if seen[category] <= self.per_category:
                    tokens.append(row)
                    kinds.append(category)
        self._kinds = _discriminants(np.stack(tokens), np.array(kinds), self.components)

    def _tokens(self, image: np.ndarray, objects: Objects) -> np.ndarray:
        assert self.tower is not None
        found = self.tower.encode_images(crop_objects(image, objects, side=_EMBEDDED)[0])
        return found.get("tokens", found.get("pooled")).reshape(len(objects), -1)

    def __call__(self, image: np.ndarray, objects: Objects) -> Looks:
        """Describe the objects of a picture.

        Parameters
        ----------
        image : array of uint8 of shape (height, width, 3)
            RGB.
        objects : Objects
            At least one.

        Returns
        -------
        Looks
            Its objects.

        Raises
        ------
        DataError
            If a box is not inside the picture.
        """
        crops, places = crop_objects(image, objects)
        mean, spread = self._usual
        stands_out = ((prominence(image, objects) - mean) / spread).astype(np.float32)
        if self._kinds is not None:
            found = self._kinds.transform(self._tokens(image, objects))
            norm = np.linalg.norm(found, axis=1, keepdims=True)
            crops = (found / np.maximum(norm, 1e-9)).astype(np.float32)
        return Looks(crops, places, stands_out)


def _discriminants(tokens: np.ndarray, kinds: np.ndarray, components: int) -> BaseEstimator:
    from sklearn.decomposition import PCA
    from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
    from sklearn.pipeline import make_pipeline

    principal = PCA(min(components, *tokens.shape), random_state=0)
    names, counts = np.unique(kinds, return_counts=True)
    # a single object says nothing of how its kind varies
    known = np.isin(kinds, names[counts > 1])
    if (counts > 1).sum() < 2:
        return principal.fit(tokens)
    tokens, kinds = tokens[known], kinds[known]
    principal.set_params(n_components=min(components, *tokens.shape))
    kind = LinearDiscriminantAnalysis(solver="eigen", shrinkage="auto")
    try:
        return make_pipeline(principal, kind).fit(tokens, kinds)
    except np.linalg.LinAlgError as error:
        raise DataError(
            f"{len(tokens)} training objects of {len(set(kinds.tolist()))} kinds are too few to"
            " tell kinds apart",
            field="objects",
            fix="give more training pictures, or the option appearance=cnn",
        ) from error


def prominence(image: np.ndarray, objects: Objects) -> np.ndarray:
    """How large objects are, and how much they stand out.

    Parameters
    ----------
    image : array of uint8 of shape (height, width, 3)
        RGB.
    objects : Objects
        At least one.

    Returns
    -------
    array of shape (n_objects, 2)
        Logarithm of the box's side (root of its area) as a share of the longer side; mean of
        `centre_surround` in the box over that of the picture.
    """
    longer, salience = max(image.shape[:2]), centre_surround(image)
    scale = max(salience.shape) / longer
    sides = np.sqrt(objects.boxes[:, 2:].prod(1)) / longer
    inside = []
    for left, top, wide, high in objects.boxes * scale:
        rows = slice(int(top), max(int(np.ceil(top + high)), int(top) + 1))
        columns = slice(int(left), max(int(np.ceil(left + wide)), int(left) + 1))
        inside.append(salience[rows, columns].mean())
    return np.stack([np.log(sides), np.array(inside) / max(salience.mean(), 1e-9)], axis=1)
