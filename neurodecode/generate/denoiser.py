"""The miniature denoiser: a diffusers U-Net that sees CLIP tokens in two ways.

The patch tokens lie on a grid, so they are also laid over the latent like a coarse map: the U-Net
finds what belongs where without having to learn it through attention alone. Class and patch
tokens together are the keys of its cross-attention.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
import torch.nn.functional as F
from diffusers import UNet2DConditionModel
from torch import Tensor, nn

__all__ = ["MiniDenoiser", "normalise_tokens"]


def normalise_tokens(tokens: Tensor) -> Tensor:
    """Bring every token to zero mean and unit variance over its channels.

    Parameters
    ----------
    tokens : Tensor of shape (n, n_tokens, width)
        Tokens of any scale.

    Returns
    -------
    Tensor of shape (n, n_tokens, width)
        Normalised tokens; the null condition of guidance is all zeros.
    """
    return F.layer_norm(tokens, tokens.shape[-1:])


class MiniDenoiser(nn.Module):
    """Predicts the velocity of a noisy latent, given tokens.

    Parameters
    ----------
    latent_channels : int
        Channels of the latent.
    latent_size : int
        Side of the latent.
    token_width : int
        Width of a token.
    grid : int
        Side of the grid of patch tokens; their number is its square, after one class token.
    channels : tuple of int
        Channels of the two or more levels of the U-Net. The first level has no attention.
    layers : int
        Residual blocks of each level.
    heads : int
        Attention heads.
    norm_groups : int
        Groups of the group normalisation.
    """

    def __init__(
        self,
        latent_channels: int = 4,
        latent_size: int = 16,
        token_width: int = 128,
        grid: int = 4,
        channels: tuple[int, ...] = (64, 128),
        layers: int = 1,
        heads: int = 4,
        norm_groups: int = 16,
    ) -> None:
        super().__init__()
        self.grid, self.latent_size = grid, latent_size
        deeper = len(channels) - 1
        self.unet = UNet2DConditionModel(
            sample_size=latent_size,
            in_channels=latent_channels + token_width + 2,
            out_channels=latent_channels,
            down_block_types=("DownBlock2D", *["CrossAttnDownBlock2D"] * deeper),
            up_block_types=(*["CrossAttnUpBlock2D"] * deeper, "UpBlock2D"),
            block_out_channels=tuple(channels),
            layers_per_block=layers,
            cross_attention_dim=token_width,
            attention_head_dim=heads,
            norm_num_groups=norm_groups,
        )
        line = torch.linspace(-1, 1, latent_size)
        self.register_buffer("place", torch.stack(torch.meshgrid(line, line, indexing="ij")),
                             persistent=False)  # fmt: skip

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> MiniDenoiser:
        """Build a denoiser from the keyword arguments stored beside its weights.

        Parameters
        ----------
        config : mapping
            Keyword arguments.

        Returns
        -------
        MiniDenoiser
            Randomly initialised.
        """
        return cls(**{**config, "channels": tuple(config["channels"])})

    def forward(self, latents: Tensor, timesteps: Tensor, tokens: Tensor) -> Tensor:
        """Predict the velocity (Salimans & Ho 2022).

        Parameters
        ----------
        latents : Tensor of shape (n, latent_channels, latent_size, latent_size)
            Noisy latents.
        timesteps : Tensor of shape (n,)
            Steps of the noise schedule.
        tokens : Tensor of shape (n, 1 + grid**2, token_width)
            Normalised tokens, zeros for the null condition.

        Returns
        -------
        Tensor of shape (n, latent_channels, latent_size, latent_size)
            The velocity.
        """
        n, _, width = tokens.shape
        patches = tokens[:, 1:].transpose(1, 2).reshape(n, width, self.grid, self.grid)
        overlay = F.interpolate(patches, size=latents.shape[-2:], mode="bilinear")
        place = self.place.expand(n, -1, -1, -1)
        stacked = torch.cat([latents, overlay.to(latents), place.to(latents)], dim=1)
        return self.unet(stacked, timesteps, encoder_hidden_states=tokens).sample
