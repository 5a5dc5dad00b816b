"""A searcher who knows the target's colours and nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Self

import numpy as np

from neurodecode.errors import ConfigError, DataError
from neurodecode.gaze.exemplars import Exemplars
from neurodecode.gaze.landing import Landing
from neurodecode.gaze.model import SCANPATH_MODELS, Pictures, ScanpathModel
from neurodecode.gaze.object_sequences import crop_objects, nearest_objects
from neurodecode.scanpaths import Objects, Scanpaths

__all__ = ["TargetSimilarity"]

#: Slopes to choose from, and the number of training searches that choose.
_SLOPES, _TRIED = (0.0, 1.0, 2.0, 4.0, 8.0), 200


@SCANPATH_MODELS.register("target_similarity")
class TargetSimilarity(ScanpathModel):
    """Visit objects by the likeness of their pixels with the target's, all before one again.

    The odds of an object rise exponentially with the correlation of its RGB pixels with those of
    an exemplar of the target, from another picture; the slope is the likeliest of a few under
    training searches.

    Parameters
    ----------
    recognises : bool
        End at the target, by rule: that it is recognised is given, as in the models of Zhang et
        al. 2018 and Gupta et al. 2021. Otherwise scanpaths are as long as those of viewers.
    """

    needs = ("objects", "target")

    def __init__(self, recognises: bool = False) -> None:
        self.stops = recognises  # type: ignore[misc]
        self.exemplars: Exemplars | None = None
        self.slope = 0.0

    def fit(
        self,
        scanpaths: Scanpaths,
        pictures: Pictures,
        objects: Mapping[str, Objects] | None = None,
    ) -> Self:
        """See `ScanpathModel.fit`."""
        objects, bank = objects or {}, Exemplars()
        names = set(scanpaths.stimulus.tolist()) & set(objects) & set(pictures)
        looks = {name: crop_objects(pictures[name], objects[name])[0] for name in sorted(names)}
        for name, crops in looks.items():
            bank.add(name, objects[name].category, crops)
        self.exemplars = bank
        searches = [path for path in scanpaths if path.target and len(path)
                    and path.stimulus in looks]  # fmt: skip
        if not searches:
            raise ConfigError("target_similarity needs searches of training pictures with objects")
        self.landing = Landing().fit(Scanpaths.from_list(searches), objects)
        rng = np.random.default_rng(0)
        tried = [
            (_likeness(looks[path.stimulus], bank.draw(path.target, path.stimulus, rng)),
             nearest_objects(path, objects[path.stimulus]))
            for path in searches[:: max(len(searches) // _TRIED, 1)]
        ]  # fmt: skip
        nats = [sum(_log_likelihood(slope, *each) for each in tried) for slope in _SLOPES]
        self.slope = _SLOPES[int(np.argmax(nats))]
        return self

    def predict(
        self,
        image: np.ndarray,
        *,
        objects: Objects | None = None,
        target: str | None = None,
        caption: str | None = None,
        n_fixations: int,
        n_samples: int = 1,
        seed: int = 0,
    ) -> Scanpaths:
        """See `ScanpathModel.predict`."""
        if self.exemplars is None:
            raise ConfigError("target_similarity was not fitted; call fit on training pictures")
        if objects is None or not len(objects) or not target:
            raise DataError("target_similarity needs objects and a target", field="objects",
                            fix="give both")  # fmt: skip
        size, rng = (image.shape[1], image.shape[0]), np.random.default_rng(seed)
        wanted, (crops, _) = objects.find(target), crop_objects(image, objects)
        start = size[0] / 2, size[1] / 2
        labels = {"target": target, "caption": caption or "", "size": size}
        paths = []
        for number in range(n_samples):
            alike = self.slope * _likeness(crops, self.exemplars.draw(target, "", rng))
            # the order of draws without replacement (Gumbel's trick)
            order = np.argsort(-(alike + rng.gumbel(size=len(alike))))
            # whoever has seen everything begins again
            order = np.resize(order, n_fixations)
            hit = np.flatnonzero(np.isin(order, wanted))
            chosen = order[: hit[0] + 1] if self.stops and hit.size else order
            paths.append(
                self.landing.draw(chosen, objects, start, rng, viewer=f"sample-{number}", **labels)
            )
        return Scanpaths.from_list(paths)


def _likeness(crops: np.ndarray, target: np.ndarray) -> np.ndarray:
    """Correlation of each crop's pixels with the target's, 0 for a crop without contrast."""
    both = np.concatenate([crops, target[None]]).reshape(len(crops) + 1, -1).astype(np.float64)
    both -= both.mean(1, keepdims=True)
    both /= np.maximum(np.linalg.norm(both, axis=1, keepdims=True), 1e-9)
    return both[:-1] @ both[-1]


def _log_likelihood(slope: float, alike: np.ndarray, fixated: np.ndarray) -> float:
    """Of the objects in the order of their first visit, drawn without replacement."""
    _, first = np.unique(fixated, return_index=True)
    odds, left = np.exp(slope * alike), np.ones(len(alike), bool)
    nats = 0.0
    for each in fixated[np.sort(first)]:
        nats += np.log(odds[each] / odds[left].sum())
        left[each] = False
    return float(nats)
