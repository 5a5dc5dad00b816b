"""Tokens and latents of the pretraining scenes, computed once for the generator's training."""

from __future__ import annotations

from pathlib import Path

import h5py
import lightning.pytorch as pl
import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from neurodecode.embed.base import make_embedder
from neurodecode.embed.bundle import bundle_digest
from neurodecode.errors import DataError
from neurodecode.files import atomic_path

Batch = dict[str, Tensor]
_ENCODE = 250
_MODELS = {"tokens": "mini-clip", "latent": "mini-vae"}


def write_features(name: str, scenes: Path, out: Path) -> None:
    """Embed every pretraining scene with one bundled model.

    Parameters
    ----------
    name : {"tokens", "latent"}
        Tokens of ``mini-clip`` or latents of ``mini-vae``.
    scenes : Path
        File of `neurodecode.tasks.pretrain_scenes`.
    out : Path
        HDF5 file: an array a split, float16, and the model's checksum as an attribute.
    """
    embedder = make_embedder(_MODELS[name])
    with (
        h5py.File(scenes) as source,
        atomic_path(out) as temporary,
        h5py.File(temporary, "w") as target,
    ):
        target.attrs["sha256"] = embedder.provenance["sha256"]
        for split in source:
            images = source[split]["images"]
            parts = [
                embedder.encode_images(images[start : start + _ENCODE])[name].astype(np.float16)
                for start in range(0, len(images), _ENCODE)
            ]
            target[split] = np.concatenate(parts)


def _current(name: str, path: Path) -> bool:
    """Whether features exist and come from the models as they are in the bundle now."""
    if not path.exists():
        return False
    with h5py.File(path) as file:
        return file.attrs["sha256"] == bundle_digest(_MODELS[name])


class FeatureDataset(Dataset[Batch]):
    """Tokens and latents of one split in memory, fetched a batch at a time.

    Parameters
    ----------
    tokens : Tensor of shape (n, n_tokens, width)
        CLIP tokens.
    latents : Tensor of shape (n, channels, height, width)
        Latents of unit variance.
    """

    def __init__(self, tokens: Tensor, latents: Tensor) -> None:
        self.tokens, self.latents = tokens, latents

    def __len__(self) -> int:
        return len(self.tokens)

    def __getitems__(self, indices: list[int]) -> Batch:
        """Fetch a batch in float32."""
        return {"tokens": self.tokens[indices].float(), "latents": self.latents[indices].float()}


def _as_is(batch: Batch) -> Batch:
    return batch


class PretrainFeatures(pl.LightningDataModule):
    """Tokens and latents of the scenes, made on first use by the models of the bundle.

    Parameters
    ----------
    folder : str
        Folder of ``scenes.h5``; ``tokens.h5`` and ``latent.h5`` are written beside it, and made
        again where the bundled models have changed.
    batch_size : int
        Scenes a training step.
    """

    def __init__(self, folder: str = "data/pretrain", batch_size: int = 64) -> None:
        super().__init__()
        self.save_hyperparameters()
        self.folder, self.batch_size = Path(folder), batch_size
        self.sets: dict[str, FeatureDataset] = {}

    def prepare_data(self) -> None:
        """Compute the features, a few minutes on two cores, unless they are there."""
        scenes = self.folder / "scenes.h5"
        if not scenes.exists():
            raise DataError("no pretraining scenes", file=scenes, fix="run the stage `scenes`")
        for name in _MODELS:
            out = self.folder / f"{name}.h5"
            if not _current(name, out):
                write_features(name, scenes, out)

    def setup(self, stage: str | None = None) -> None:
        """Read both splits into memory (about 0.25 GB for 40,000 scenes)."""
        with (
            h5py.File(self.folder / "tokens.h5") as tokens,
            h5py.File(self.folder / "latent.h5") as latents,
        ):
            for split in ("train", "val"):
                arrays = [torch.from_numpy(file[split][:]) for file in (tokens, latents)]
                self.sets[split] = FeatureDataset(*arrays)

    def train_dataloader(self) -> DataLoader[Batch]:
        """Shuffled batches of the training scenes."""
        return DataLoader(self.sets["train"], self.batch_size, shuffle=True, drop_last=True,
                          collate_fn=_as_is)  # fmt: skip

    def val_dataloader(self) -> DataLoader[Batch]:
        """Load the first 500 held-out scenes, in order."""
        held_out = self.sets["val"]
        first = FeatureDataset(held_out.tokens[:500], held_out.latents[:500])
        return DataLoader(first, 250, collate_fn=_as_is)
