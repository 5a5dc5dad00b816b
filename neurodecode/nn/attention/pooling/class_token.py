"""The class token."""

from __future__ import annotations

from torch import Tensor

from neurodecode.nn.attention.pooling.base import POOLING, Pooling

__all__ = ["ClassToken"]


@POOLING.register("class_token")
class ClassToken(Pooling):
    """The first token, which a tower has trained to stand for the picture.

    References
    ----------
    Dosovitskiy et al. 2021, "An image is worth 16x16 words".
    """

    def pool(self, tokens: Tensor, mask: Tensor | None) -> Tensor:
        """See `Pooling.forward`."""
        return tokens[:, 0]
