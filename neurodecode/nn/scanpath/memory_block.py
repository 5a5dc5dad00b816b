"""A decoder block: steps look back at one another, then at what the encoder says."""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor, nn

from neurodecode.nn.attention import Attention
from neurodecode.nn.encoders.token_block import TokenBlock

__all__ = ["MemoryBlock"]


class MemoryBlock(nn.Module):
    """Attention of steps to a memory, then a `TokenBlock` in which they see what came before.

    Parameters
    ----------
    width : int
        Width of steps and memory.
    attention : callable
        Makes the mechanism; it is called twice, for the memory and for the steps.
    expansion : float
        Hidden width of the perceptron, relative to `width`.
    dropout : float
        After attention and perceptron.
    """

    def __init__(
        self,
        width: int,
        attention: Callable[[], Attention],
        expansion: float = 2.0,
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        self.steps = TokenBlock(width, attention(), expansion, dropout)
        self.attention = attention()
        self.norm, self.memory_norm = nn.LayerNorm(width), nn.LayerNorm(width)
        self.query, self.key_value = nn.Linear(width, width), nn.Linear(width, 2 * width)
        self.out = nn.Sequential(nn.Linear(width, width), nn.Dropout(dropout))

    def forward(self, steps: Tensor, memory: Tensor, mask: Tensor | None = None) -> Tensor:
        """Let steps read.

        Parameters
        ----------
        steps : Tensor of shape (n_batch * n_copies, n_steps, width)
            In order of time; several sequences may share a memory, one after the other.
        memory : Tensor of shape (n_batch, n_tokens, width)
            Output of the encoder.
        mask : Tensor of bool of shape (n_batch, n_tokens), optional
            True where the memory holds a token and not padding.

        Returns
        -------
        Tensor of shape (n_batch * n_copies, n_steps, width)
            The same steps.
        """
        together = steps.reshape(len(memory), -1, steps.shape[-1])
        heads = self.attention.n_heads
        query = self.query(self.norm(together)).unflatten(-1, (heads, -1)).transpose(1, 2)
        pair = self.key_value(self.memory_norm(memory)).unflatten(-1, (2, heads, -1))
        seen = None if mask is None else mask[:, None, None]
        read = self.attention(query, *pair.permute(2, 0, 3, 1, 4), mask=seen)
        steps = steps + self.out(read.transpose(1, 2).flatten(2)).reshape(steps.shape)
        return self.steps(steps, causal=True)
