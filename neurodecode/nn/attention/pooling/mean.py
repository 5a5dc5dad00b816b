"""The mean of all tokens."""

from __future__ import annotations

from torch import Tensor

from neurodecode.nn.attention.pooling.base import POOLING, Pooling

__all__ = ["MeanToken"]


@POOLING.register("mean")
class MeanToken(Pooling):
    """Every token counts alike."""

    def pool(self, tokens: Tensor, mask: Tensor | None) -> Tensor:
        """See `Pooling.forward`."""
        if mask is None:
            return tokens.mean(1)
        return tokens.sum(1) / mask.sum(1, keepdim=True).clamp(min=1)
