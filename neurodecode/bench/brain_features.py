"""Features of a frozen tower, computed once for all trainings of a comparison."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor, nn

from neurodecode.embed.tower_core import TowerCore
from neurodecode.loaders.dataset import Batch
from neurodecode.loaders.encoding import EncodingDataModule
from neurodecode.nn.encoders.pixels import standardise_images
from neurodecode.tasks.encode import EncodeTask

__all__ = ["FeatureBank", "FeatureTask", "PatchFeatures"]

_BLOCK = 64


class FeatureBank:
    """Patch features of pictures in memory, in the place of the pictures.

    Parameters
    ----------
    data : EncodingDataModule
        Whose pictures.
    tower : str
        Embedder.
    layers : sequence of int
        Its blocks; the class token of each is given to every patch.
    """

    def __init__(self, data: EncodingDataModule, tower: str, layers: Sequence[int]) -> None:
        core = TowerCore(tower, layers, class_token=True)
        core.norm = nn.Identity()  # standardised in training, by training pictures
        core.eval()
        rows, found = np.arange(len(data.stimuli)), []
        with torch.inference_mode():
            for start in range(0, len(rows), _BLOCK):
                images = data.bank.read("image", rows[start : start + _BLOCK])
                found.append(core(standardise_images(images)))
        self.features = torch.cat(found).clone()
        self.shape = tuple(self.features.shape[1:])
        self.shapes = {"image": self.shape}

    def read(self, name: str, rows: np.ndarray) -> Tensor:
        """Read features.

        Parameters
        ----------
        name : str
            ``image``.
        rows : array of int of shape (n,)
            Row numbers.

        Returns
        -------
        Tensor of shape (n, channels, height, width)
            Features.
        """
        if name not in self.shapes:
            raise KeyError(name)
        return self.features[torch.from_numpy(rows)]


class PatchFeatures(nn.Module):
    """Core of an encoder that is given features: each channel is standardised.

    Parameters
    ----------
    shape : tuple of int
        Channels, height and width.
    """

    def __init__(self, shape: tuple[int, ...]) -> None:
        super().__init__()
        self.shape, self.norm = shape, nn.BatchNorm2d(shape[0], affine=False)

    def out_shape(self, height: int, width: int) -> tuple[int, ...]:
        """Shape of the features, whatever the size of pictures."""
        return self.shape

    def forward(self, features: Tensor) -> Tensor:
        """Standardise features of shape (n, channels, height, width)."""
        return self.norm(features)


class FeatureTask(EncodeTask):
    """`EncodeTask` of batches that hold features instead of pictures, hence without shifts."""

    def forward(self, batch: Batch, shifts: Tensor | None = None) -> dict[str, Tensor]:
        """Predict the responses of a batch; see `EncodeTask.forward`."""
        features = batch["targets"]["image"]
        return self.encoder({name: features[rows] for name, rows in self.split_rows(batch)})
