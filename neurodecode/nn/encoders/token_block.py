"""A transformer block over the patches of a picture, its objects or the steps of a scanpath."""

from __future__ import annotations

from torch import Tensor, nn

from neurodecode.nn.attention import Attention

__all__ = ["TokenBlock"]


class TokenBlock(nn.Module):
    """Pre-norm self-attention by any mechanism, and a perceptron.

    Parameters
    ----------
    width : int
        Width of the tokens.
    attention : Attention
        The mechanism; its heads share the width.
    expansion : float
        Hidden width of the perceptron, relative to `width`.
    dropout : float
        After attention and perceptron.
    """

    def __init__(
        self, width: int, attention: Attention, expansion: float = 2.0, dropout: float = 0.0
    ) -> None:
        super().__init__()
        self.attention, hidden = attention, int(expansion * width)
        self.norm = nn.LayerNorm(width)
        self.qkv = nn.Linear(width, 3 * width)
        self.out = nn.Sequential(nn.Linear(width, width), nn.Dropout(dropout))
        self.perceptron = nn.Sequential(
            nn.LayerNorm(width), nn.Linear(width, hidden), nn.GELU(),
            nn.Linear(hidden, width), nn.Dropout(dropout),
        )  # fmt: skip

    def forward(
        self,
        tokens: Tensor,
        places: Tensor | None = None,
        *,
        mask: Tensor | None = None,
        causal: bool = False,
    ) -> Tensor:
        """Let tokens attend to one another.

        Parameters
        ----------
        tokens : Tensor of shape (n_batch, n_tokens, width)
            Patches, objects or steps.
        places : Tensor of int of shape (n_tokens, n_axes), optional
            Where they are, for mechanisms that know places.
        mask : Tensor of bool, broadcast to (n_batch, n_heads, n_tokens, n_tokens), optional
            True where a token may attend.
        causal : bool
            Tokens see those before them and themselves.

        Returns
        -------
        Tensor of shape (n_batch, n_tokens, width)
            The same tokens.
        """
        qkv = self.qkv(self.norm(tokens)).unflatten(-1, (3, self.attention.n_heads, -1))
        attended = self.attention(
            *qkv.permute(2, 0, 3, 1, 4), positions=places, mask=mask, causal=causal
        )
        tokens = tokens + self.out(attended.transpose(1, 2).flatten(2))
        return tokens + self.perceptron(tokens)
