"""NevaClip as a scanpath model: no gaze data, a caption or the picture itself as goal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal, Self

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from neurodecode.embed import make_embedder
from neurodecode.embed.differentiable import PooledImages
from neurodecode.embed.openclip import OpenClipEmbedder
from neurodecode.errors import ConfigError, DataError
from neurodecode.gaze.model import SCANPATH_MODELS, Asked, Pictures, ScanpathModel
from neurodecode.nn.scanpath.foveation import to_pixels
from neurodecode.nn.scanpath.neva import FixationSearch
from neurodecode.scanpaths import Objects, Scanpath, Scanpaths

__all__ = ["NevaClip"]

#: Standard deviation of the published blur, as a share of the picture's side.
_PUBLISHED_BLUR = 10 / 224


@SCANPATH_MODELS.register("nevaclip")
class NevaClip(ScanpathModel):
    """Fixations whose foveated view comes closest to a caption's CLIP embedding.

    Without a caption the goal is the embedding of the sharp picture. It learns nothing from
    viewers and knows no durations. Scanpaths of one picture differ only by the random restarts
    of their search.

    Parameters
    ----------
    tower : str
        OpenCLIP model: ``mini-clip`` or ``openclip:ARCHITECTURE/WEIGHTS``.
    search : mapping, optional
        Arguments of `FixationSearch`; ``sigma`` and the blur have names of their own here.
    fovea : float
        ``sigma`` of `neurodecode.nn.scanpath.foveation.fovea`; .2 as published.
    blur : float
        Standard deviation of the blur as a share of the picture's shorter side; 10 of 224 pixels
        as published. The kernel reaches two deviations.
    picture : float
        Share of the sharp picture's own embedding in the goal, the rest is the caption's: 0 as
        published for captions, 1 is free viewing (the published code can pass from one to the
        other over the fixations; here the share stays).
    words : {"given", "other", "none"}
        Whose caption is the goal: the one that is given, one of another picture from training
        (a control: what does the right caption add?), or none, the picture itself.
    download : bool
        Whether public weights may be fetched.

    Raises
    ------
    ConfigError
        If the tower has no texts, or an argument is out of range.
    """

    together = 16

    def __init__(
        self,
        tower: str = "mini-clip",
        search: Mapping[str, Any] | None = None,
        fovea: float = 0.2,
        blur: float = _PUBLISHED_BLUR,
        picture: float = 0.0,
        words: Literal["given", "other", "none"] = "given",
        download: bool = False,
    ) -> None:
        if words not in ("given", "other", "none"):
            raise ConfigError(f"nevaclip knows words given, other and none, not {words!r}")
        if not 0 <= picture <= 1 or fovea <= 0 or not 0 < blur < 0.25:
            raise ConfigError(
                "nevaclip takes picture from 0 to 1, fovea above 0 and blur between 0 and .25"
            )
        self.words, self.picture = words, picture
        self.known: list[str] = []
        embedder = make_embedder(tower, download=download)
        if not isinstance(embedder, OpenClipEmbedder):
            raise ConfigError(f"nevaclip needs an OpenCLIP model, not {tower}; try mini-clip")
        self.embedder, self.size = embedder, embedder.image_size
        self.embed = PooledImages(embedder.model.visual, embedder.mean, embedder.std)
        sigma = blur * min(self.size)
        seen = {"sigma": fovea, "blur_sigma": sigma, "blur_kernel": 2 * round(2 * sigma) + 1}
        self.search = FixationSearch(**{**seen, **dict(search or {})})

    def fit(
        self,
        scanpaths: Scanpaths,
        pictures: Pictures,
        objects: Mapping[str, Objects] | None = None,
    ) -> Self:
        """Remember the captions of the training pictures, for ``words="other"``; nothing else."""
        self.known = sorted(set(scanpaths.caption.tolist()) - {""})
        return self

    def _goal(self, caption: str | None, rng: np.random.Generator) -> str | None:
        """Which words are the goal."""
        if self.words == "given" or not caption:
            return caption
        if self.words == "none":
            return None
        others = [each for each in self.known if each != caption]
        if not others:
            raise ConfigError("nevaclip with the words of others needs training captions")
        return others[rng.integers(len(others))]

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
        asked = Asked(image, objects, target, caption, n_fixations, n_samples, seed)
        return self.predict_all([asked])[0]

    def predict_all(self, asked: Sequence[Asked]) -> list[Scanpaths]:
        """See `ScanpathModel.predict_all`; restarts are seeded by the first question."""
        images, goals = [], []
        for each in asked:
            rng = np.random.default_rng(each.seed)
            images += [each.image] * each.n_samples
            goals += [self._goal(each.caption, rng) for _ in range(each.n_samples)]
        # a shorter search is the beginning of a longer one
        longest = max(each.n_fixations for each in asked)
        drawn = iter(self.predict_many(images, goals, longest, asked[0].seed))
        return [
            Scanpaths.from_list(
                [_scanpath(next(drawn)[: each.n_fixations], each, f"sample-{number}")
                 for number in range(each.n_samples)]
            )
            for each in asked
        ]  # fmt: skip

    def predict_many(
        self,
        images: Sequence[np.ndarray],
        captions: Sequence[str | None],
        n_fixations: int,
        seed: int = 0,
    ) -> list[np.ndarray]:
        """Search many pictures at once.

        Parameters
        ----------
        images : sequence of array of uint8 of shape (height, width, 3)
            RGB, of any sizes; each is squeezed to what the tower takes.
        captions : sequence of str or None
            Goal of each; None or an empty string for the picture itself.
        n_fixations : int
            Fixations of each.
        seed : int
            Of the restarts.

        Returns
        -------
        list of array of shape (n_fixations, 2)
            x and y in pixels of each picture.

        Raises
        ------
        DataError
            If a caption is longer than the text tower's context, or numbers do not match.
        """
        if len(images) != len(captions):
            raise DataError(f"{len(captions)} captions for {len(images)} pictures", field="caption")
        pixels = torch.cat([_squeezed(image, self.size) for image in images])
        generator = torch.Generator().manual_seed(seed)
        wanted = self._goals(pixels, captions)
        positions, _ = self.search(self.embed, pixels, wanted, n_fixations, generator)
        return [
            to_pixels(each.double(), image.shape[:2]).numpy()
            for each, image in zip(positions, images, strict=True)
        ]

    @torch.no_grad()
    def _goals(self, pixels: Tensor, captions: Sequence[str | None]) -> Tensor:
        goals = F.normalize(self.embed(pixels), dim=-1)
        given = sorted({caption for caption in captions if caption})
        for caption in given:
            self._check_length(caption)
        if given:
            texts = torch.from_numpy(self.embedder.encode_texts(given))
            for row, caption in enumerate(captions):
                if caption:
                    words = F.normalize(texts[given.index(caption)], dim=-1)
                    goals[row] = self.picture * goals[row] + (1 - self.picture) * words
        return goals

    def _check_length(self, caption: str) -> None:
        """Refuse what the tokenizer would cut without a word."""
        encode = getattr(self.embedder.tokenizer, "encode", None)
        context = getattr(self.embedder.tokenizer, "context_length", None)
        if encode is None or context is None:
            return
        n_tokens = len(encode(caption)) + 2  # start and end
        if n_tokens > context:
            raise DataError(
                f"caption of {n_tokens} tokens, the text tower of {self.embedder.name} reads"
                f" {context} ({caption[:40]!r}...)",
                field="caption",
                fix="shorten it",
            )


def _scanpath(xy: np.ndarray, asked: Asked, viewer: str) -> Scanpath:
    size = asked.image.shape[1], asked.image.shape[0]
    return Scanpath(*xy.T, np.full(len(xy), np.nan), viewer=viewer, target=asked.target or "",
                    caption=asked.caption or "", size=size)  # fmt: skip


def _squeezed(image: np.ndarray, size: tuple[int, int]) -> Tensor:
    """Bring a picture to a tower's size without cutting anything off."""
    pixels = torch.from_numpy(np.array(image)).permute(2, 0, 1)[None].float() / 255
    if tuple(image.shape[:2]) == tuple(size):
        return pixels
    return F.interpolate(pixels, size, mode="bicubic", antialias=True).clamp(0, 1)
