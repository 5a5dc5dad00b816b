"""Tokens by way of a few dimensions each, and attention among them."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor, nn

__all__ = ["AttentionTokenHead"]


class AttentionTokenHead(nn.Module):
    """Narrow tokens from a linear map, which attend to one another and are widened (STTM).

    For 257 tokens of 768 dimensions from a width of 4096 the linear map has 135 million weights
    instead of the 808 million of `TokenHead`.

    Parameters
    ----------
    width : int
        Width of the shared representation.
    n_tokens, dim : int
        Shape of the target embedding.
    inner : int
        Dimension of the narrow tokens; 128 in STTM.
    attention_width : int or None
        Width of queries, keys and values over all heads; the token dimension by default.
    n_heads : int
        Attention heads; 8 in STTM.
    dropout : float
        After the attention and within the perceptron.
    attention_dropout : float
        Of the attention weights.

    References
    ----------
    Liu et al. 2024, "See through their minds".
    """

    def __init__(
        self,
        width: int,
        n_tokens: int,
        dim: int,
        inner: int = 128,
        attention_width: int | None = None,
        n_heads: int = 8,
        dropout: float = 0.15,
        attention_dropout: float = 0.1,
    ) -> None:
        super().__init__()
        self.shape, self.n_heads = (n_tokens, inner), n_heads
        self.attention_dropout = attention_dropout
        attention_width = attention_width or dim
        self.narrow = nn.Sequential(
            nn.LayerNorm(width), nn.GELU(), nn.Linear(width, n_tokens * inner)
        )
        self.norm = nn.LayerNorm(inner)
        self.qkv = nn.Linear(inner, 3 * attention_width)
        self.out = nn.Sequential(nn.Linear(attention_width, inner), nn.Dropout(dropout))
        self.widen = nn.Sequential(
            nn.LayerNorm(inner),
            nn.Linear(inner, 2 * dim),
            nn.LayerNorm(2 * dim),
            nn.GELU(),
            nn.Dropout(dropout),
            nn.Linear(2 * dim, dim),
        )

    def forward(self, hidden: Tensor) -> Tensor:
        """Make tokens.

        Parameters
        ----------
        hidden : Tensor of shape (n_batch, width)
            Shared representation.

        Returns
        -------
        Tensor of shape (n_batch, n_tokens, dim)
            Tokens.
        """
        tokens = self.narrow(hidden).unflatten(-1, self.shape)
        qkv = self.qkv(self.norm(tokens)).unflatten(-1, (3, self.n_heads, -1))
        attended = F.scaled_dot_product_attention(
            *qkv.permute(2, 0, 3, 1, 4),
            dropout_p=self.attention_dropout if self.training else 0.0,
        )
        tokens = tokens + self.out(attended.transpose(1, 2).flatten(2))
        return self.widen(tokens)
