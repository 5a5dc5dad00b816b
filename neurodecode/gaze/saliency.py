"""Salience of pixels without any training, and a model that visits it."""

from __future__ import annotations

from typing import Self, Unpack

import numpy as np

from neurodecode.gaze.baselines import CentreBias
from neurodecode.gaze.grid import cell_areas, cell_of, grid_shape, normalise
from neurodecode.gaze.model import SCANPATH_MODELS, Pictures, Viewing
from neurodecode.gaze.sampled import SampledModel, image_size
from neurodecode.scanpaths import Objects, Scanpaths

__all__ = ["SaliencyWithInhibition", "centre_surround"]

_SIDE = 64
#: Strengths of inhibition to choose from, and the number of training scanpaths that choose.
_STRENGTHS, _TRIED = (0.0, 0.2, 0.4, 0.6, 0.8), 100
#: Deviations of centre and surround, in pixels at that size.
_SCALES = ((1.0, 4.0), (1.0, 8.0), (2.0, 8.0), (2.0, 16.0))


def centre_surround(image: np.ndarray) -> np.ndarray:
    """Salience as contrast of a place to what is around it.

    Itti, Koch and Niebur 1998 (TPAMI 20, 1254), with differences of Gaussians of intensity, red
    against green and blue against yellow at four pairs of scales; orientation is left out. Each map
    is weighed by how much its maximum stands out from its mean, as there.

    Parameters
    ----------
    image : array of shape (height, width, 3), uint8
        RGB.

    Returns
    -------
    array of shape (rows, columns)
        Not negative; the longer side has 64 pixels.
    """
    from PIL import Image
    from scipy.ndimage import gaussian_filter

    width, height = image_size(image)
    scale = _SIDE / max(width, height)
    small = (max(round(width * scale), 1), max(round(height * scale), 1))
    resized = Image.fromarray(image).resize(small, Image.Resampling.BOX)
    red, green, blue = np.moveaxis(np.asarray(resized, np.float64) / 255, 2, 0)
    total = np.zeros(red.shape)
    for channel in ((red + green + blue) / 3, red - green, blue - (red + green) / 2):
        blurred = {s: gaussian_filter(channel, s, mode="nearest") for s in {*sum(_SCALES, ())}}
        for centre, surround in _SCALES:
            contrast = np.abs(blurred[centre] - blurred[surround])
            highest = contrast.max()
            if highest > 1e-9:
                total += contrast / highest * (1 - contrast.mean() / highest) ** 2
    return total


@SCANPATH_MODELS.register("saliency_ior")
class SaliencyWithInhibition(SampledModel):
    """Salience mixed with the centre bias, less where the eye has just been.

    Itti and Koch 2000 (Vision Research 40, 1489) with the map of `centre_surround`; the share
    of the map and the strength of inhibition are those most likely on training viewers.

    Parameters
    ----------
    radius : float
        Deviation of the Gaussian of inhibition, as a share of the longer side.
    strength : float or None
        Share by which the density falls at the last fixation; None to learn it. People look again
        near where they are, so what is learned is less than what keeps a model from staying.
    recovery : float
        Fixations after which inhibition has fallen to 1/e.
    grid : int
        As of `SampledModel`.
    """

    def __init__(
        self,
        radius: float = 0.06,
        strength: float | None = None,
        recovery: float = 5.0,
        grid: int = 64,
    ) -> None:
        super().__init__(grid)
        self.radius, self.recovery = radius, recovery
        self.strength = 0.0 if strength is None else strength
        self._learns_strength = strength is None
        self.share = 0.5
        self.centre = CentreBias()
        self._maps: tuple[int, np.ndarray] | None = None

    def fit(
        self, scanpaths: Scanpaths, pictures: Pictures, objects: dict[str, Objects] | None = None
    ) -> Self:
        """Learn the centre bias and the share of the map.

        Parameters
        ----------
        scanpaths : Scanpaths
            Of training stimuli; those without a picture only count for the centre bias.
        pictures : mapping of str to array
            The training stimuli.
        objects
            Not used.

        Returns
        -------
        SaliencyWithInhibition
            Itself.
        """
        super().fit(scanpaths, pictures, objects)
        self.centre.fit(scanpaths, pictures, objects)
        salient, central = [], []
        for stimulus in sorted(set(scanpaths.stimulus.tolist()) & set(pictures)):
            image = pictures[stimulus]
            size = image_size(image)
            cell = max(-(-max(size) // self.grid), 1)
            chosen = scanpaths.select(scanpaths.stimulus == stimulus)
            at = cell_of(chosen.x, chosen.y, size, cell)
            salient.append(_as_density(centre_surround(image), size, cell)[at])
            central.append(np.exp(self.centre.of_size(size, cell))[at])
        if salient:
            s, c = np.concatenate(salient), np.concatenate(central)
            shares = np.linspace(0, 0.95, 20)
            likelihood = [np.log(share * s + (1 - share) * c).mean() for share in shares]
            self.share = float(shares[int(np.argmax(likelihood))])
            if self._learns_strength:
                self.strength = self._best_strength(scanpaths, pictures)
        return self

    def _best_strength(self, scanpaths: Scanpaths, pictures: Pictures) -> float:
        """Of a few strengths the one under which some training scanpaths are likeliest."""
        rows = [row for row, name in enumerate(scanpaths.stimulus) if name in pictures]
        rows = rows[:: max(len(rows) // _TRIED, 1)]
        likelihood = []
        for self.strength in _STRENGTHS:
            nats = []
            for scanpath in (scanpaths[row] for row in rows):
                image = pictures[scanpath.stimulus]
                cell = max(-(-max(scanpath.size) // self.grid), 1)
                at = cell_of(scanpath.x, scanpath.y, scanpath.size, cell)
                density = self.log_densities(image, scanpath.xyt, cell=cell)
                nats.append(density[np.arange(len(scanpath)), *at])
            likelihood.append(np.concatenate(nats).mean())
        return _STRENGTHS[int(np.argmax(likelihood))]

    def log_density(
        self,
        image: np.ndarray,
        history: np.ndarray,
        *,
        cell: int = 1,
        **about: Unpack[Viewing],
    ) -> np.ndarray:
        """See `ScanpathModel.log_density`.

        Parameters
        ----------
        image, history, cell, **about
            As there.

        Returns
        -------
        array of shape (rows, columns)
            Mixture, suppressed around earlier fixations.
        """
        size = image_size(image)
        return normalise(
            self._inhibited(self._still(image, size, cell), history, size, cell), size, cell
        )

    def log_densities(
        self,
        image: np.ndarray,
        fixations: np.ndarray,
        *,
        cell: int = 1,
        **about: Unpack[Viewing],
    ) -> np.ndarray:
        """See `ScanpathModel.log_densities`.

        Parameters
        ----------
        image, fixations, cell, **about
            As there.

        Returns
        -------
        array of shape (n_fixations, rows, columns)
            As of `log_density`, with the map made once.
        """
        size = image_size(image)
        still = self._still(image, size, cell)
        before = [self._inhibited(still, fixations[:i], size, cell) for i in range(len(fixations))]
        return normalise(np.stack(before), size, cell)

    def _inhibited(
        self, density: np.ndarray, history: np.ndarray, size: tuple[int, int], cell: int
    ) -> np.ndarray:
        """The density, less around earlier fixations."""
        rows, columns = density.shape
        x, y = (np.arange(columns) + 0.5) * cell, (np.arange(rows) + 0.5) * cell
        width = self.radius * max(size)
        for age, (fx, fy) in enumerate(history[::-1, :2]):
            left = self.strength * np.exp(-age / self.recovery)
            if left < 1e-3:
                break
            across = np.exp(-((x - fx) ** 2) / (2 * width**2))
            density = density * (
                1 - left * np.exp(-((y - fy) ** 2) / (2 * width**2))[:, None] * across
            )
        return density

    def _still(self, image: np.ndarray, size: tuple[int, int], cell: int) -> np.ndarray:
        """The mixture before any fixation; the last picture's is kept."""
        key = hash((image.shape, cell, image.tobytes()))
        if self._maps is None or self._maps[0] != key:
            salient = _as_density(centre_surround(image), size, cell)
            central = np.exp(self.centre.of_size(size, cell))
            self._maps = (key, self.share * salient + (1 - self.share) * central)
        return self._maps[1]


def _as_density(salience: np.ndarray, size: tuple[int, int], cell: int) -> np.ndarray:
    from scipy.ndimage import map_coordinates

    rows, columns = grid_shape(size, cell)
    y = (np.arange(rows) + 0.5) * cell / size[1] * salience.shape[0] - 0.5
    x = (np.arange(columns) + 0.5) * cell / size[0] * salience.shape[1] - 0.5
    at = np.meshgrid(y, x, indexing="ij")
    values = np.maximum(map_coordinates(salience, at, order=1, mode="nearest"), 0)
    # a picture without any contrast
    values = values if values.max() > 0 else np.ones_like(values)
    return values / (values * cell_areas(size, cell)).sum()
