"""The trained per-fixation density as a scanpath model."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, Self, Unpack

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from neurodecode.errors import ConfigError
from neurodecode.gaze.density_training import DensityTraining
from neurodecode.gaze.grid import grid_shape, normalise
from neurodecode.gaze.looks import Looks, cells_of, looks_of
from neurodecode.gaze.model import SCANPATH_MODELS, Pictures, ScanpathModel, Viewing
from neurodecode.gaze.patch_features import PatchFeatures
from neurodecode.nn.scanpath.density import FixationDensity
from neurodecode.scanpaths import Objects, Scanpath, Scanpaths

__all__ = ["DensityModel"]


@SCANPATH_MODELS.register("density")
class DensityModel(ScanpathModel):
    """Where and how long people look next, trained by exact likelihood.

    Parameters
    ----------
    features : str
        Frozen features of the cells, see `PatchFeatures`.
    cells : int
        Cells along the longer side of the training pictures.
    held_out : int
        Every so manieth training picture decides which epoch is kept.
    network : mapping, optional
        Arguments of `FixationDensity`.
    training : mapping, optional
        Arguments of `DensityTraining`.
    """

    has_density = True

    def __init__(
        self,
        features: str = "conspicuity",
        cells: int = 40,
        held_out: int = 6,
        network: Mapping[str, Any] | None = None,
        training: Mapping[str, Any] | None = None,
    ) -> None:
        self.names, self.n_cells, self.held_out = features, cells, held_out
        self.network, self.training = dict(network or {}), DensityTraining(**dict(training or {}))
        self.model: FixationDensity | None = None

    def fit(
        self,
        scanpaths: Scanpaths,
        pictures: Pictures,
        objects: Mapping[str, Objects] | None = None,
    ) -> Self:
        """See `ScanpathModel.fit`; a part of the training pictures chooses the epoch."""
        stimuli = sorted(set(scanpaths.stimulus.tolist()) & set(pictures))
        if len(stimuli) < 2:
            raise ConfigError("the density model needs at least 2 training pictures")
        # a fixed draw, so that a picture's name does not decide
        order = torch.randperm(len(stimuli), generator=torch.Generator().manual_seed(0)).tolist()
        kept = [stimuli[i] for i in order[:: self.held_out]]
        train = [name for name in stimuli if name not in kept]
        sides = self.prepare(scanpaths, pictures, train, kept)
        with torch.random.fork_rng():
            torch.manual_seed(self.training.seed)
            model = FixationDensity(self.features.grid, sides[0][0].shape[1], **self.network)
            self.history = self.training(model, *sides)
        self.model = model.eval()
        return self

    def prepare(
        self,
        scanpaths: Scanpaths,
        pictures: Pictures,
        train: Sequence[str],
        validation: Sequence[str],
    ) -> tuple[tuple[Tensor, Looks], tuple[Tensor, Looks]]:
        """Choose the grid, and read everything that the network is trained on.

        Parameters
        ----------
        scanpaths, pictures
            As of `fit`.
        train, validation : sequence of str
            Pictures to learn from, and those that choose the epoch.

        Returns
        -------
        train, validation : tuple of Tensor and Looks
            Features (n_pictures, features, rows, columns), and who looked where.
        """
        grid = _grid(scanpaths.size[train[0]], self.n_cells)
        self.features = PatchFeatures(self.names, grid)
        return tuple(
            (torch.stack([self.features(pictures[name]) for name in side]),
             looks_of(scanpaths, side, grid))
            for side in (train, validation)
        )  # fmt: skip

    def _encode(self, image: np.ndarray) -> tuple[FixationDensity, tuple[Tensor, Tensor]]:
        if self.model is None:
            raise ConfigError("the density model was not fitted; call fit on training pictures")
        with torch.no_grad():
            return self.model, self.model.encode(self.features(image)[None])

    def log_densities(
        self,
        image: np.ndarray,
        fixations: np.ndarray,
        *,
        cell: int = 1,
        **about: Unpack[Viewing],
    ) -> np.ndarray:
        """See `ScanpathModel.log_densities`; all steps at once."""
        return self._log_densities(image, fixations, cell)[: len(fixations)]

    def log_density(
        self,
        image: np.ndarray,
        history: np.ndarray,
        *,
        cell: int = 1,
        **about: Unpack[Viewing],
    ) -> np.ndarray:
        """See `ScanpathModel.log_density`."""
        return self._log_densities(image, history, cell)[-1]

    @torch.no_grad()
    def _log_densities(self, image: np.ndarray, history: np.ndarray, cell: int) -> np.ndarray:
        model, encoded = self._encode(image)
        size = image.shape[1], image.shape[0]
        history = np.asarray(history, np.float64).reshape(-1, 3)
        fixated = torch.from_numpy(cells_of(history[:, :2], size, model.grid))
        times = torch.from_numpy(history[:, 2]).float()
        log_mass = model(encoded, fixated[None, None], times[None, None]).log_mass[0]
        weights = _on_cells(log_mass[0], size, cell)
        return normalise(weights.double().numpy(), size, cell)

    @torch.no_grad()
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
        """See `ScanpathModel.predict`; positions are uniform within a cell."""
        model, encoded = self._encode(image)
        generator = torch.Generator().manual_seed(seed)
        fixated = torch.zeros(1, n_samples, 0, dtype=torch.long)
        times = torch.zeros(1, n_samples, 0)
        for _ in range(n_fixations):
            after = model(encoded, fixated, times)
            mass = after.log_mass[0, :, -1].exp().flatten(1)
            drawn = torch.multinomial(mass, 1, generator=generator)
            fixated = torch.cat([fixated, drawn[None]], dim=2)
            mean, spread = (each[0, :, -1:] for each in model.log_durations(after, fixated))
            noise = torch.randn(mean.shape, generator=generator)
            times = torch.cat([times, (mean + spread * noise).exp()[None]], dim=2)
        rows, columns = model.grid
        within = torch.rand(2, *fixated[0].shape, generator=generator)
        size = image.shape[1], image.shape[0]
        x = (fixated[0] % columns + within[0]) / columns * size[0]
        y = (fixated[0] // columns + within[1]) / rows * size[1]
        labels = {"target": target or "", "caption": caption or "", "size": size}
        return Scanpaths.from_list(
            [Scanpath(x[i].numpy(), y[i].numpy(), times[0, i].numpy(),
                      viewer=f"sample-{i}", **labels) for i in range(n_samples)]
        )  # fmt: skip


def _on_cells(log_mass: Tensor, size: tuple[int, int], cell: int) -> Tensor:
    """Read a density between the model's cells, (n, rows, columns); not normalised.

    Cells that are wider than the model's are read at several places.
    """
    n_rows, n_columns = grid_shape(size, cell)
    finest = min(size[0] / log_mass.shape[2], size[1] / log_mass.shape[1])
    parts = max(1, math.ceil(cell / finest))
    y, x = (
        (torch.arange(n * parts) + 0.5) * cell / parts / length * 2 - 1
        for n, length in ((n_rows, size[1]), (n_columns, size[0]))
    )
    places = torch.stack(torch.meshgrid(x, y, indexing="xy"), dim=-1)
    read = F.grid_sample(
        log_mass[:, None], places.expand(len(log_mass), -1, -1, -1).to(log_mass),
        mode="bilinear", padding_mode="border", align_corners=False,
    )  # fmt: skip
    return F.avg_pool2d(read.exp(), parts)[:, 0]


def _grid(size: tuple[int, int], cells: int) -> tuple[int, int]:
    """Rows and columns of about square cells."""
    width, height = size
    longer = max(width, height)
    return max(3, round(cells * height / longer)), max(3, round(cells * width / longer))
