"""Pictures of natural scenes without any weights: what the low spatial frequencies say."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from neurodecode.embed.dct import N_COEFFICIENTS, DctEmbedder, dct_coefficients, dct_pixels
from neurodecode.errors import DataError
from neurodecode.generate.conditioning import Conditioning
from neurodecode.generate.guide import Guidance, ascend

__all__ = ["DctGenerator"]

_SHAPE = (N_COEFFICIENTS, 1, 1)


class DctGenerator:
    r"""The picture of decoded cosine coefficients, blurred as the decoder is uncertain.

    There is nothing to draw: a picture follows from its coefficients. A guide moves them. Its
    gradient is taken where coefficients have about unit variance in natural scenes, so that
    each frequency moves in proportion to its 1/f amplitude; steps get shorter towards the end,
    and with few of them a picture stays near what was decoded, its mean a posteriori (an early
    stop in place of the decoder's own covariance).

    Attributes
    ----------
    name : str
        ``"dct"``.
    takes : Conditioning
        The coefficients of `DctEmbedder`.
    provenance : dict
        Constants of the coefficients.
    """

    name = "dct"
    takes = Conditioning("dct", "coefficients", (N_COEFFICIENTS,))

    @property
    def provenance(self) -> Mapping[str, Any]:
        """Constants of the coefficients, as plain JSON values."""
        return DctEmbedder().provenance

    def encode(self, images: np.ndarray) -> np.ndarray:
        """Map pictures to coefficients; see `ImageGenerator.encode`.

        Parameters
        ----------
        images : array of uint8 of shape (n, height, width, 3)
            RGB pixels.

        Returns
        -------
        array of float32 of shape (n, 384, 1, 1)
            Of about unit variance.
        """
        return dct_coefficients(images).reshape(-1, *_SHAPE)

    def decode(self, latents: np.ndarray) -> np.ndarray:
        """Map coefficients to pictures; see `ImageGenerator.decode`.

        Parameters
        ----------
        latents : array of shape (n, 384, 1, 1)
            As `encode` returns them.

        Returns
        -------
        array of uint8 of shape (n, 64, 64, 3)
            RGB pixels.
        """
        pixels = dct_pixels(torch.as_tensor(latents, dtype=torch.float32).flatten(1))
        return (pixels.clamp(0, 1) * 255).round().byte().permute(0, 2, 3, 1).numpy()

    def generate(
        self,
        tokens: np.ndarray,
        *,
        init_latents: np.ndarray | None = None,
        strength: float = 0.85,
        n_steps: int = 20,
        guidance: float = 2.0,
        seed: int | Sequence[int] = 0,
        guide: Guidance | None = None,
    ) -> np.ndarray:
        """Make the pictures of coefficients; see `GuidedGenerator.generate`.

        Parameters
        ----------
        tokens : array of shape (n, 384)
            Decoded coefficients.
        init_latents, strength, guidance, seed
            Not used: nothing is drawn.
        n_steps : int
            Steps of the guide.
        guide : Guidance, optional
            What the pictures have to explain besides, and how strongly it pulls.

        Returns
        -------
        array of uint8 of shape (n, 64, 64, 3)
            RGB pixels.

        Raises
        ------
        DataError
            If the coefficients are of another number.
        """
        if tokens.shape[1:] != (N_COEFFICIENTS,):
            raise DataError(
                f"shape {tokens.shape}, wanted (n, {N_COEFFICIENTS})",
                field="tokens",
                fix="decode the coefficients of `embed --model dct`",
            )
        latents = torch.as_tensor(tokens, dtype=torch.float32).reshape(-1, *_SHAPE)
        if guide is not None and guide.scale:
            latents = self._follow(latents, guide, n_steps)
        return self.decode(latents)

    def _follow(self, latents: Tensor, guide: Guidance, n_steps: int) -> Tensor:
        """Climb the guide's log-likelihood, in ever shorter steps."""
        rows = np.arange(len(latents))

        def log_likelihood(moved: Tensor) -> Tensor:
            return guide.guide(dct_pixels(moved.flatten(1)).clamp(0, 1), rows)

        for step in range(n_steps):
            latents = ascend(latents, log_likelihood, guide.scale * (1 - step / n_steps) / n_steps)
        return latents
