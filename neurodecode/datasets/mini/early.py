"""Early visual voxels: a Gaussian receptive field on local energy, compressed."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from neurodecode.datasets.mini.anatomy import Anatomy
from neurodecode.datasets.mini.energy import COLOURS, CYCLES, ORIENTATIONS, channel_maps

__all__ = ["FIELD_DEGREES", "ReceptiveFields", "early_responses", "make_fields"]

FIELD_DEGREES = 8.4
"""Width of the picture in degrees of visual angle, as in NSD."""

#: area: pRF size at the fovea, growth with eccentricity, exponent of the compression;
#: rounded from Dumoulin and Wandell (2008) and Kay et al. (2013)
_AREAS = {
    "V1": (0.3, 0.10, 0.35),
    "V2": (0.4, 0.15, 0.28),
    "V3": (0.6, 0.22, 0.24),
    "hV4": (0.9, 0.32, 0.20),
    "": (1.2, 0.40, 0.18),
}
_IMAGES_AT_ONCE = 128


@dataclass(frozen=True)
class ReceptiveFields:
    """What each voxel takes from the picture.

    Parameters
    ----------
    x, y, sigma : array of shape (n_voxels,)
        Centre (to the right and up from fixation) and size, in degrees.
    exponent : array of shape (n_voxels,)
        Of the compressive nonlinearity.
    weights : array of shape (n_voxels, n_channels)
        Non-negative weight of each channel of `energy.channel_maps`.
    orientation, cycles : array of shape (n_voxels,)
        Preferred orientation in radians and frequency in cycles per picture.
    """

    x: np.ndarray
    y: np.ndarray
    sigma: np.ndarray
    exponent: np.ndarray
    weights: np.ndarray
    orientation: np.ndarray
    cycles: np.ndarray

    @property
    def eccentricity(self) -> np.ndarray:
        """Distance of the centre from fixation, in degrees."""
        return np.hypot(self.x, self.y)


def _ranks(values: np.ndarray, groups: np.ndarray) -> np.ndarray:
    """Rank of each value within its group, from 0 to below 1."""
    out = np.empty(len(values))
    for group in np.unique(groups):
        here = np.flatnonzero(groups == group)
        out[here[np.argsort(values[here], kind="stable")]] = (np.arange(len(here)) + 0.5) / len(
            here
        )
    return out


def make_fields(anatomy: Anatomy, rng: np.random.Generator) -> ReceptiveFields:
    """Give each voxel its receptive field and tuning.

    Eccentricity grows from posterior to anterior within an area (log-uniform, 0.2 to 5.5
    degrees), polar angle with the angle around the occipital pole; the left hemisphere sees
    the right visual field, ventral cortex the upper one.

    Parameters
    ----------
    anatomy : Anatomy
        The brain.
    rng : numpy.random.Generator
        Source of randomness.

    Returns
    -------
    ReceptiveFields
        One for each voxel of visual cortex.
    """
    n = anatomy.n_voxels
    right, front, top = anatomy.position.T
    area = anatomy.area
    groups = np.char.add(area.astype("U8"), np.where(right < 0, "l", "r"))
    depth = _ranks(front + 0.05 * rng.standard_normal(n), groups)
    eccentricity = 0.2 * (5.5 / 0.2) ** depth
    # around the occipital pole, from the top (-1) over the horizontal plane to the bottom (1)
    around = -np.arctan2(top, np.abs(right)) + 0.05 * rng.standard_normal(n)
    # hV4 and what follows see the whole hemifield, V1 to V3 a quarter in each half
    whole = (area == "hV4") | (area == "")
    quarter = _ranks(np.abs(around), groups) * np.pi / 2 * np.where(top < 0, 1, -1)
    angle = np.where(whole, (_ranks(around, groups) - 0.5) * np.pi, quarter)
    side = np.where(right < 0, 1.0, -1.0)
    size, growth, exponent = np.array([_AREAS[name] for name in area]).T
    weights, orientation, cycles = _tuning(eccentricity, area, rng)
    return ReceptiveFields(
        x=side * eccentricity * np.cos(angle),
        y=eccentricity * np.sin(angle),
        sigma=(size + growth * eccentricity) * np.exp(0.15 * rng.standard_normal(n)),
        exponent=np.clip(exponent + 0.03 * rng.standard_normal(n), 0.08, 0.6),
        weights=weights,
        orientation=orientation,
        cycles=cycles,
    )


def _tuning(
    eccentricity: np.ndarray, area: np.ndarray, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Weights on the channels: orientation (von Mises), frequency (log-Gaussian), colour."""
    n = len(area)
    orientation = rng.uniform(0, np.pi, n)
    kappa = np.exp(0.5 * rng.standard_normal(n))
    by_orientation = np.exp(
        kappa[:, None] * (np.cos(2 * (np.array(ORIENTATIONS) - orientation[:, None])) - 1)
    )
    # preferred frequency falls with eccentricity
    octaves = np.log2(14.0) - 0.9 * np.log2(1 + eccentricity / 1.5) + 0.4 * rng.standard_normal(n)
    by_cycles = np.exp(-((np.log2(CYCLES) - octaves[:, None]) ** 2) / (2 * 0.8**2))
    energy = (by_cycles[:, :, None] * by_orientation[:, None, :]).reshape(n, -1)
    energy /= energy.sum(axis=1, keepdims=True)
    gain = np.where(area == "hV4", 0.8, 0.5) * np.exp(0.4 * rng.standard_normal(n))
    colour = rng.dirichlet(np.full(len(COLOURS), 0.7), n) * gain[:, None]
    return np.concatenate([energy, colour], axis=1), orientation, 2**octaves


def _field_maps(fields: ReceptiveFields, side: int) -> np.ndarray:
    """Gaussian over the places of the grid, (n_voxels, n_places), each summing to one."""
    centres = ((np.arange(side) + 0.5) / side - 0.5) * FIELD_DEGREES
    dx = centres[None, :] - fields.x[:, None]
    dy = -centres[None, :] - fields.y[:, None]  # rows run downwards
    width = 2 * fields.sigma[:, None] ** 2
    maps = np.exp(-(dy**2) / width)[:, :, None] * np.exp(-(dx**2) / width)[:, None, :]
    flat = maps.reshape(len(fields.x), -1)
    # a field beyond the edge sees little of the picture, but never nothing
    return (flat / (flat.sum(axis=1, keepdims=True) + 1e-9)).astype(np.float32)


def early_responses(images: np.ndarray, fields: ReceptiveFields) -> np.ndarray:
    """Compute the responses of all voxels to some pictures.

    ``r = (sum_c w_c sum_xy g(x, y) E_c(x, y)) ** n`` (Kay et al. 2013), where each channel
    ``E_c`` is divided by its mean over pictures and places.

    Parameters
    ----------
    images : array of uint8 of shape (n, size, size, 3)
        RGB pictures.
    fields : ReceptiveFields
        Of n_voxels voxels.

    Returns
    -------
    array of float32 of shape (n, n_voxels)
        Responses without noise, in arbitrary units.
    """
    maps: np.ndarray | None = None
    drive = np.zeros((len(images), fields.weights.shape[1], len(fields.x)), np.float32)
    totals = np.zeros(fields.weights.shape[1])
    for start in range(0, len(images), _IMAGES_AT_ONCE):
        channels = channel_maps(images[start : start + _IMAGES_AT_ONCE])
        if maps is None:
            maps = _field_maps(fields, int(np.sqrt(channels.shape[-1])))
        totals += channels.mean(axis=2).sum(axis=0)
        drive[start : start + len(channels)] = channels @ maps.T
    weights = fields.weights.T / (totals[:, None] / len(images) + 1e-9)
    pooled = np.einsum("icv,cv->iv", drive, weights.astype(np.float32))
    return np.power(np.maximum(pooled, 1e-6), fields.exponent).astype(np.float32)
