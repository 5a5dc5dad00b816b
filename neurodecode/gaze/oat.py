"""OAT as a scanpath model: which of the objects is looked at next, until the target is found."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal, Self

import numpy as np
import torch

from neurodecode.embed import make_embedder
from neurodecode.errors import ConfigError, DataError
from neurodecode.gaze.exemplars import Exemplars
from neurodecode.gaze.landing import Landing
from neurodecode.gaze.model import SCANPATH_MODELS, Pictures, ScanpathModel
from neurodecode.gaze.oat_training import OatTraining
from neurodecode.gaze.object_looks import Looks, ObjectLooks
from neurodecode.gaze.object_sequences import Search, collate, nearest_objects
from neurodecode.nn.scanpath.oat import ObjectAttentionTransformer
from neurodecode.nn.scanpath.object_sequences import draw_sequences
from neurodecode.scanpaths import Objects, Scanpaths

__all__ = ["OatModel", "searched"]


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
        Frozen tower (a name of `neurodecode.embed.make_embedder`) that embeds the objects' crops,
        of which `ObjectLooks` keeps what tells kinds apart; or ``cnn``: a small network learns
        what matters, which takes thousands of searches.
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
        self.looks = ObjectLooks(None if appearance == "cnn" else make_embedder(appearance))
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
            model = ObjectAttentionTransformer(sides[0][0].features, **self.network)
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
        self.looks.fit(pictures, objects, train)
        looks = {name: self.looks(pictures[name], objects[name]) for name in [*train, *validation]}
        self.exemplars = Exemplars()
        for name in train:
            self.exemplars.add(name, objects[name].category, looks[name].crops)
        sides: dict[bool, list[Search]] = {True: [], False: []}
        for path in scanpaths:
            if path.target and len(path) and path.stimulus in looks:
                here = objects[path.stimulus]
                search = self._search(path.stimulus, looks[path.stimulus], here, path.target,
                                      path.size, rng, nearest_objects(path, here))  # fmt: skip
                sides[path.stimulus in train].append(search)
        learned = scanpaths.select(np.isin(scanpaths.stimulus, list(train)))
        self.landing = Landing().fit(learned.select(learned.target != ""), objects)
        return sides[True], sides[False]

    def _search(
        self,
        stimulus: str,
        looks: Looks,
        objects: Objects,
        target: str,
        size: tuple[int, int],
        rng: np.random.Generator,
        fixated: np.ndarray = (),  # type: ignore[assignment]
    ) -> Search:
        if self.shown == "picture":
            shown = looks.crops[objects.find(target)[0]]
        else:
            shown = self.exemplars.draw(target, stimulus, rng)
        width, height = size
        start = (width / max(size) / 2, height / max(size) / 2)
        return Search(looks.crops, looks.places, looks.prominence, shown, start, fixated)

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
        looks = self.looks(image, objects)
        rng, generator = np.random.default_rng(seed), torch.Generator().manual_seed(seed)
        given = [self._search("", looks, objects, target, size, rng) for _ in range(n_samples)]
        scene, _, _ = collate(given)
        fixated, lengths = draw_sequences(
            self.model, scene, n_fixations, greedy=self.greedy, generator=generator
        )
        start = size[0] / 2, size[1] / 2
        labels = {"target": target, "caption": caption or "", "size": size}
        paths = [
            self.landing.draw(chosen[:n], objects, start, rng, viewer=f"sample-{i}", **labels)
            for i, (chosen, n) in enumerate(zip(fixated[:, 0].numpy(), lengths[:, 0].tolist()))
        ]
        return Scanpaths.from_list(paths)


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
