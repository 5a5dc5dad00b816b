"""What pooling heads have in common."""

from __future__ import annotations

from abc import ABC, abstractmethod

import torch
from torch import Tensor, nn

from neurodecode.errors import ConfigError
from neurodecode.registry import Registry

__all__ = ["POOLING", "Pooling"]


class Pooling(nn.Module, ABC):
    """Make one vector of the tokens of each item.

    Parameters
    ----------
    dim : int
        Dimension of the tokens.
    """

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.dim = dim

    def forward(self, tokens: Tensor, mask: Tensor | None = None) -> Tensor:
        """Pool.

        Parameters
        ----------
        tokens : Tensor of shape (n_batch, n_tokens, dim)
            Tokens.
        mask : Tensor of bool of shape (n_batch, n_tokens), optional
            True for tokens that count.

        Returns
        -------
        Tensor of shape (n_batch, dim)
            One vector an item; zero for an item of which no token counts.

        Raises
        ------
        ConfigError
            If tokens or mask have another shape.
        """
        if tokens.dim() != 3 or tokens.shape[2] != self.dim or not tokens.shape[1]:
            raise ConfigError(
                f"pooling needs tokens of shape (batch, tokens, {self.dim}),"
                f" not {tuple(tokens.shape)}"
            )
        if mask is not None and (mask.dtype != torch.bool or mask.shape != tokens.shape[:2]):
            raise ConfigError(
                f"pooling mask must be bool of shape {tuple(tokens.shape[:2])},"
                f" not {mask.dtype} of shape {tuple(mask.shape)}"
            )
        if mask is not None:
            tokens = tokens.masked_fill(~mask[..., None], 0)  # 0 * NaN is NaN
        return self.pool(tokens, mask)

    @abstractmethod
    def pool(self, tokens: Tensor, mask: Tensor | None) -> Tensor:
        """Pool checked tokens, zero where the mask is False; see `forward`."""


#: Name -> class of the pooling head; each takes the dimension of the tokens.
POOLING: Registry[type[Pooling]] = Registry("pooling head")
