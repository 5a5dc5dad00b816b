"""Tokens by way of a few dimensions each, and attention among them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from torch import Tensor, nn

from neurodecode.nn.attention import make_attention

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
        Of the attention weights; 0 for mechanisms that know none.
    attention : str
        Mechanism, a name of `neurodecode.nn.attention.ATTENTION`.
    attention_options : mapping, optional
        Its options.

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
        attention: str = "softmax",
        attention_options: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__()
        self.shape = (n_tokens, inner)
        attention_width = attention_width or dim
        self.attention = make_attention(
            attention,
            n_heads,
            attention_width // n_heads,
            attention_options,
            dropout=attention_dropout,
        )
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
        qkv = self.qkv(self.norm(tokens)).unflatten(-1, (3, self.attention.n_heads, -1))
        attended = self.attention(*qkv.permute(2, 0, 3, 1, 4))
        tokens = tokens + self.out(attended.transpose(1, 2).flatten(2))
        return self.widen(tokens)
