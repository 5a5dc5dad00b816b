"""The exact likelihood of scanpaths under the density model, and its fitted beginnings."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
import torch
from scipy.ndimage import gaussian_filter
from torch import Tensor

from neurodecode.gaze.looks import Looks
from neurodecode.nn.scanpath.density import FixationDensity

__all__ = ["Likelihood", "fit_beginnings", "likelihood"]

#: Widths of the kernel of the centre bias that are tried, in cells.
_WIDTHS = (1.0, 1.5, 2.0, 3.0, 4.0)
#: Share of the uniform distribution, so that no cell is impossible.
_UNIFORM = 0.01


class Likelihood(NamedTuple):
    """Log likelihoods of the fixations of a batch.

    Parameters
    ----------
    where : Tensor of shape (n_pictures, n_viewers, n_steps)
        Nats of the cell of each fixation, 0 in padding.
    how_long : Tensor of the same shape
        Nats of the duration in ms, 0 where it is unknown.
    """

    where: Tensor
    how_long: Tensor


def likelihood(model: FixationDensity, encoded: tuple[Tensor, Tensor], looks: Looks) -> Likelihood:
    """Score every fixation, knowing those before it.

    Parameters
    ----------
    model : FixationDensity
        The model.
    encoded : tuple of Tensor
        ``model.encode`` of the pictures.
    looks : Looks
        What viewers did.

    Returns
    -------
    Likelihood
        In nats.
    """
    after = model(encoded, looks.cell[..., :-1], looks.duration[..., :-1])
    where = after.log_mass.flatten(-2).gather(-1, looks.cell[..., None])[..., 0]
    mean, spread = model.log_durations(after, looks.cell)
    known = looks.valid & looks.duration.isfinite()
    log = looks.duration.where(known, 1.0).log()
    normal = -((log - mean) ** 2) / (2 * spread**2) - spread.log() - 0.5 * math.log(2 * math.pi)
    return Likelihood(where.where(looks.valid, 0.0), (normal - log).where(known, 0.0))


@torch.no_grad()
def fit_beginnings(model: FixationDensity, looks: Looks) -> None:
    """Fit the centre bias and the overall distribution of durations to training scanpaths.

    The centre bias is a kernel density estimate; the width of its kernel is the one under which
    the fixations on each training picture are likeliest given those on the others.

    Parameters
    ----------
    model : FixationDensity
        Its ``log_prior`` and ``log_duration`` are set.
    looks : Looks
        Of training pictures.
    """
    n_cells = math.prod(model.grid)
    counts = np.stack(
        [np.bincount(cell[valid], minlength=n_cells).reshape(model.grid)
         for cell, valid in zip(looks.cell.numpy(), looks.valid.numpy(), strict=True)]
    ).astype(float)  # fmt: skip
    total = counts.sum(0)

    def log_density(histogram: np.ndarray, width: float) -> np.ndarray:
        smooth = gaussian_filter(histogram, width, mode="constant")
        return np.log((1 - _UNIFORM) * smooth / max(smooth.sum(), 1e-9) + _UNIFORM / n_cells)

    def held_out(width: float) -> float:
        return sum(float((own * log_density(total - own, width)).sum()) for own in counts)

    best = max(_WIDTHS, key=held_out) if len(counts) > 1 else _WIDTHS[2]
    model.log_prior.copy_(torch.from_numpy(log_density(total, best)))
    known = looks.duration[looks.valid & looks.duration.isfinite()].log()
    if len(known) > 1:
        model.log_duration.copy_(torch.stack([known.mean(), known.std()]))
