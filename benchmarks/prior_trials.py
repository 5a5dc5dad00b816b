"""What a prior is asked to do in `benchmarks.prior_sampling`, and how well it did."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch

from neurodecode.embed.openclip import OpenClipEmbedder
from neurodecode.generate.mini import MiniGenerator
from neurodecode.metrics.functional import pixcorr, two_way_identification
from neurodecode.metrics.functional.pixels import PUBLISHED
from neurodecode.store import EmbeddingStore, read_predictions
from neurodecode.store.stimuli import read_stimuli
from neurodecode.tasks.reconstruct import row_seed

__all__ = ["Trials"]

#: Steps of the generator, as in params.yaml.
_PICTURE_STEPS = 6


class Trials:
    """Decoded conditions with the true tokens of the pictures, all validation."""

    def __init__(self, predictions: Path, embeddings: Path, stimuli: Path) -> None:
        content, store = read_predictions(predictions), EmbeddingStore(embeddings)
        if content.attrs.get("side") != "validation":
            raise SystemExit(f"{predictions}: not of the validation side")
        parts = content.predictions
        self.subject = np.concatenate([[p.subject] * len(p.stimulus_id) for p in parts])
        self.stimulus = [name for p in parts for name in p.stimulus_id]
        self.condition = torch.from_numpy(np.concatenate([p.arrays["condition"] for p in parts]))
        self.true = store.read("tokens", self.stimulus)
        self.pictures = np.asarray(read_stimuli(stimuli).select(self.stimulus).images[:])
        self._generator, self._clip = MiniGenerator.bundled(), OpenClipEmbedder.bundled()

    def __len__(self) -> int:
        return len(self.stimulus)

    def seeds(self, repeat: int) -> list[int]:
        """Seed of each trial, the same for every sampler."""
        pairs = zip(self.subject, self.stimulus, strict=True)
        return [row_seed(repeat, subject, name) for subject, name in pairs]

    def scores(self, drawn: np.ndarray) -> dict[str, np.ndarray]:
        """How each trial fares among the subject's validation pictures.

        Top-1 and cosine of the embeddings; pixel correlation and two-way identification of
        the picture that the generator draws from each, one, without a low-level start.
        """
        first, second = (_unit(values) for values in (drawn, self.true))
        pictures = self._generator.generate(
            drawn, n_steps=_PICTURE_STEPS, seed=self.seeds(0)
        )  # fmt: skip
        seen, painted = (
            self._clip.encode_images(each)["pooled"] for each in (self.pictures, pictures)
        )
        top1, two_way = np.empty(len(self)), np.empty(len(self))
        for subject in np.unique(self.subject):
            rows = np.flatnonzero(self.subject == subject)
            similarity = first[rows] @ second[rows].T
            top1[rows] = similarity.argmax(axis=1) == np.arange(len(rows))
            two_way[rows] = np.asarray(two_way_identification(seen[rows], painted[rows]))
        return {
            "top1": top1,
            "cosine": (first * second).sum(axis=1),
            "pixcorr": np.nan_to_num(np.asarray(pixcorr(self.pictures, pictures, **PUBLISHED))),
            "two_way_clip": two_way,
        }


def _unit(values: np.ndarray) -> np.ndarray:
    flat = values.reshape(len(values), -1).astype(np.float64)
    return flat / np.linalg.norm(flat, axis=1, keepdims=True)
