"""OAT as a scanpath model: which of the objects is looked at next, until the target is found."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, Literal, Self

import numpy as np
import torch

from neurodecode.embed import make_embedder
from neurodecode.errors import ConfigError, DataError
from neurodecode.gaze.exemplars import Exemplars
from neurodecode.gaze.model import SCANPATH_MODELS, Pictures, ScanpathModel
from neurodecode.gaze.oat_training import OatTraining
from neurodecode.gaze.object_sequences import Search, collate, crop_objects, nearest_objects
from neurodecode.nn.scanpath.appearance import EmbeddedAppearance
from neurodecode.nn.scanpath.oat import ObjectAttentionTransformer
from neurodecode.nn.scanpath.object_sequences import draw_sequences
from neurodecode.scanpaths import Objects, Scanpath, Scanpaths

__all__ = ["OatModel", "searched"]

#: Side of crops that are embedded, in pixels; the tower scales them to its own.
_EMBEDDED = 64


@SCANPATH_MODELS.register("oat")
class OatModel(ScanpathModel):
    """Search over objects.

    Fixations are given to objects (the smallest box around them, else the nearest), and the
    network learns their order and when it ends. Within an object, fixations scatter as they did
    in training; durations are drawn from the training viewers'.

    Parameters
    ----------
    exemplars : {"bank", "picture"}
        How the target is shown to the network: by a crop of the same category from a training
        picture, or (as in OAT's shelves, where the very object is shown) by the target itself.
    appearance : str
        Frozen tower (a name of `neurodecode.embed.make_embedder` with ``pooled``) that embeds
        the objects' crops, or ``cnn``: a small network learns what matters, which takes
        thousands of searches.
    held_out : int
        Every so manieth training picture decides which epoch is kept.
    greedy : bool
        Look at the likeliest object instead of drawing.
    network : mapping, optional
        Arguments of `ObjectAttentionTransformer`.
    training : mapping, optional
        Arguments of `OatTraining`.
    """

    needs = ("objects", "target")
    stops = True

    def __init__(
        self,
        exemplars: Literal["bank", "picture"] = "bank",
        appearance: str = "mini-clip",
        held_out: int = 6,
        greedy: bool = False,
        network: Mapping[str, Any] | None = None,
        training: Mapping[str, Any] | None = None,
    ) -> None:
        self.shown, self.held_out, self.greedy = exemplars, held_out, greedy
        self.network, self.training = dict(network or {}), OatTraining(**dict(training or {}))
        self.tower = None if appearance == "cnn" else make_embedder(appearance)
        self.model: ObjectAttentionTransformer | None = None

    def fit(
        self,
        scanpaths: Scanpaths,
        pictures: Pictures,
        objects: Mapping[str, Objects] | None = None,
    ) -> Self:
        """See `ScanpathModel.fit`; a part of the training pictures chooses the epoch."""
        stimuli = [name for name in searched(scanpaths, objects) if name in pictures]
        order = np.random.default_rng(0).permutation(len(stimuli))
        kept = [stimuli[i] for i in order[:: self.held_out]]
        train = [name for name in stimuli if name not in kept]
        sides = self.prepare(scanpaths, pictures, objects or {}, train, kept)
        with torch.random.fork_rng():
            torch.manual_seed(self.training.seed)
            given = dict(self.network)
            if self.tower is not None:
                given["appearance"] = partial(
                    EmbeddedAppearance, features=sides[0][0].crops.shape[1]
                )
            model = ObjectAttentionTransformer(**given)
            self.history = self.training(model, *sides)
        self.model = model
        return self

    def prepare(
        self,
        scanpaths: Scanpaths,
        pictures: Pictures,
        objects: Mapping[str, Objects],
        train: Sequence[str],
        validation: Sequence[str],
    ) -> tuple[list[Search], list[Search]]:
        """Fit everything but the network to the training pictures.

        Parameters
        ----------
        scanpaths, pictures, objects
            As of `fit`; searches of other pictures than these are left out.
        train, validation : sequence of str
            Pictures to learn from, and those that choose the epoch.

        Returns
        -------
        train, validation : list of Search
            What the network reads.
        """
        rng = np.random.default_rng(self.training.seed)
        looks = {name: self._looks(pictures[name], objects[name]) for name in [*train, *validation]}
        self.exemplars = Exemplars()
        for name in train:
            self.exemplars.add(name, objects[name].category, looks[name][0])
        sides: dict[bool, list[Search]] = {True: [], False: []}
        for path in scanpaths:
            if path.target and len(path) and path.stimulus in looks:
                here = objects[path.stimulus]
                search = self._search(path.stimulus, looks[path.stimulus], here, path.target,
                                      path.size, rng, nearest_objects(path, here))  # fmt: skip
                sides[path.stimulus in train].append(search)
        learned = scanpaths.select(np.isin(scanpaths.stimulus, list(train)))
        self._fit_scatter(learned.select(learned.target != ""), objects)
        return sides[True], sides[False]

    def _looks(self, image: np.ndarray, objects: Objects) -> tuple[np.ndarray, np.ndarray]:
        """Crops of objects, or their embeddings, and their places."""
        if self.tower is None:
            return crop_objects(image, objects)
        crops, places = crop_objects(image, objects, side=_EMBEDDED)
        return self.tower.encode_images(crops)["pooled"], places

    def _search(
        self,
        stimulus: str,
        looks: tuple[np.ndarray, np.ndarray],
        objects: Objects,
        target: str,
        size: tuple[int, int],
        rng: np.random.Generator,
        fixated: np.ndarray = (),  # type: ignore[assignment]
    ) -> Search:
        crops, places = looks
        if self.shown == "picture":
            shown = crops[objects.find(target)[0]]
        else:
            shown = self.exemplars.draw(target, stimulus, rng)
        width, height = size
        start = (width / max(size) / 2, height / max(size) / 2)
        return Search(crops, places, shown, start, fixated)

    def _fit_scatter(self, scanpaths: Scanpaths, objects: Mapping[str, Objects]) -> None:
        """How far from an object's middle people look, in its width and height; how long."""
        away = []
        for path in scanpaths:
            if path.stimulus in objects:
                boxes = objects[path.stimulus].boxes[nearest_objects(path, objects[path.stimulus])]
                offset = (path.xy - boxes[:, :2] - boxes[:, 2:] / 2) / boxes[:, 2:]
                away.append(offset[(np.abs(offset) <= 0.5).all(1)])
        inside = np.concatenate(away)
        self.scatter = inside.std(0) if len(inside) > 1 else np.full(2, 0.2)
        known = np.log(scanpaths.duration[np.isfinite(scanpaths.duration)])
        self.log_duration = (known.mean(), known.std()) if known.size else None

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
        """See `ScanpathModel.predict`; each scanpath has an exemplar of its own in mind."""
        if self.model is None:
            raise ConfigError("oat was not fitted; call fit on training pictures")
        if objects is None or not len(objects) or not target:
            raise DataError("oat needs objects and a target", field="objects", fix="give both")
        size = image.shape[1], image.shape[0]
        objects.check(size)
        objects.find(target)
        looks = self._looks(image, objects)
        rng, generator = np.random.default_rng(seed), torch.Generator().manual_seed(seed)
        given = [self._search("", looks, objects, target, size, rng) for _ in range(n_samples)]
        scene, _, _ = collate(given)
        fixated, lengths = draw_sequences(
            self.model, scene, n_fixations, greedy=self.greedy, generator=generator
        )
        paths = []
        for i, (chosen, n) in enumerate(zip(fixated[:, 0].numpy(), lengths[:, 0].tolist())):
            boxes = objects.boxes[chosen[:n]]
            away = (self.scatter * rng.standard_normal((n, 2))).clip(-0.5, 0.499)
            x, y = (boxes[:, :2] + (0.5 + away) * boxes[:, 2:]).T
            paths.append(Scanpath(x, y, self._durations(n, rng), viewer=f"sample-{i}",
                                  target=target, caption=caption or "", size=size))  # fmt: skip
        return Scanpaths.from_list(paths)

    def _durations(self, n: int, rng: np.random.Generator) -> np.ndarray:
        if self.log_duration is None:
            return np.full(n, np.nan)
        mean, spread = self.log_duration
        return np.exp(mean + spread * rng.standard_normal(n))


def searched(scanpaths: Scanpaths, objects: Mapping[str, Objects] | None) -> list[str]:
    """Pictures that somebody searched and whose objects are known.

    Parameters
    ----------
    scanpaths : Scanpaths
        Of any task.
    objects : mapping of str to Objects
        What lies where.

    Returns
    -------
    list of str
        In alphabetical order, at least two.

    Raises
    ------
    ConfigError
        If there are fewer.
    """
    names = set(scanpaths.stimulus[scanpaths.target != ""].tolist()) & set(objects or {})
    if len(names) < 2:
        raise ConfigError("oat needs searches of at least 2 training pictures with objects")
    return sorted(names)
