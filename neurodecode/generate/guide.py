"""Guidance of a sampler by what a picture has to explain, e.g. a measured response."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
import torch
from torch import Tensor

__all__ = ["Correction", "Guidance", "Guide", "ascend"]


class Guide(Protocol):
    """Says how well pictures explain what was measured; differentiable."""

    def __call__(self, pixels: Tensor, rows: np.ndarray) -> Tensor:
        """Compute log-likelihoods.

        Parameters
        ----------
        pixels : Tensor of shape (n, 3, height, width)
            RGB on the scale 0 to 1, with or without a gradient.
        rows : array of int of shape (n,)
            Which measurement each picture is to explain: rows of the call's embeddings.

        Returns
        -------
        Tensor of shape (n,)
            In nats, up to a constant of each row. A picture's value depends on no other picture.
        """


@dataclass(frozen=True)
class Guidance:
    """A guide, and how far a sampler follows it.

    Parameters
    ----------
    guide : Guide
        What pulls.
    scale : float
        Root mean square length of the pull on the clean latent in each step of the sampler, in
        standard deviations of the noise that is left; latents have unit variance. 0 is no
        guidance.
    """

    guide: Guide
    scale: float = 0.8

    def from_row(self, start: int) -> Guidance:
        """Guide a call that is given the embeddings from some row on.

        Parameters
        ----------
        start : int
            Row of the first embedding.

        Returns
        -------
        Guidance
            Of the same scale.
        """
        return replace(self, guide=lambda pixels, rows: self.guide(pixels, rows + start))


#: Moves estimates of clean latents: (latents, share of noise left, 0 to 1) -> latents.
Correction = Callable[[Tensor, float], Tensor]


def ascend(
    latents: Tensor, log_likelihood: Callable[[Tensor], Tensor], length: float
) -> Tensor:  # fmt: skip
    """Move each latent up its own gradient by a given length.

    The gradient is normalised for each picture: log-likelihoods of hundreds of voxels differ
    between pictures and steps by orders of magnitude, and no single factor serves them all.

    Parameters
    ----------
    latents : Tensor of shape (n, channels, height, width)
        Where to start.
    log_likelihood : callable
        Latents -> values of shape (n,), differentiable.
    length : float
        Root mean square of the change of each latent.

    Returns
    -------
    Tensor of shape (n, channels, height, width)
        Without a gradient. A latent whose gradient vanishes or is not finite stays in place.
    """
    # sampling runs in inference mode, whose tensors know no gradient
    with torch.inference_mode(False), torch.enable_grad():
        start = latents.clone().requires_grad_(True)
        (gradient,) = torch.autograd.grad(log_likelihood(start).sum(), start)
    size = gradient.flatten(1).square().mean(dim=1).sqrt().view(-1, 1, 1, 1)
    usable = torch.isfinite(size) & (size > 0)
    direction = torch.where(usable, gradient / size, torch.zeros_like(gradient))
    return latents + length * direction
