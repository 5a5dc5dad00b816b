"""What attention mechanisms are told, and what they say of themselves."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from neurodecode.nn.attention.visibility import Visibility

__all__ = ["Attended", "Call", "Coordinates", "Cost", "Row"]

#: Coordinates of queries (n_queries, n_axes) and keys (n_keys, n_axes), where given.
Coordinates = tuple[Tensor, Tensor] | None
#: Output, and weights where they were asked for.
Attended = tuple[Tensor, Tensor | None]


@dataclass(frozen=True)
class Call:
    """What a mechanism is told besides queries, keys and values.

    Parameters
    ----------
    seen : Visibility
        Mask and causality.
    where : tuple of Tensor or None
        Coordinates of queries and keys.
    need_weights : bool
        Whether weights are wanted.
    """

    seen: Visibility
    where: Coordinates = None
    need_weights: bool = False


@dataclass(frozen=True)
class Cost:
    """What one forward pass costs.

    Parameters
    ----------
    flops : int
        Operations of the matrix products, two for each multiply-add; what is done element by
        element is not counted.
    bytes : int
        Inputs, output, and the largest tensors that live between them.
    """

    flops: int
    bytes: int


@dataclass(frozen=True)
class Row:
    """One query of one head and item, as the naive reference sees it.

    Parameters
    ----------
    q, k, v : Tensor of shape (n_heads, length, head_dim)
        All queries, keys and values of the item.
    head, query : int
        Which one.
    visible : Tensor of int of shape (n_visible,)
        Keys that it may attend to.
    coordinates : tuple of Tensor or None
        Of queries and keys.
    seen : Visibility
        Mask and causality of the call.
    """

    q: Tensor
    k: Tensor
    v: Tensor
    head: int
    query: int
    visible: Tensor
    coordinates: Coordinates
    seen: Visibility

    def scores(self, scale: float) -> Tensor:
        """Scaled dot products of this query with the keys it may see."""
        return self.k[self.head, self.visible] @ self.q[self.head, self.query] * scale
