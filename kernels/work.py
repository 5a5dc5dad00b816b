"""What each operation must move and compute at least, whatever the implementation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

__all__ = ["Work", "adamw", "routed_attention", "soft_clip", "subject_linear"]


@dataclass(frozen=True)
class Work:
    """Lower bounds of one call.

    Parameters
    ----------
    bytes : int
        Inputs read once and outputs written once.
    flops : int
        Operations of the matrix products, two for each multiply-add.
    """

    bytes: int
    flops: int

    def seconds(self, bandwidth: float, arithmetic: float) -> float:
        """Time that no implementation can beat.

        Parameters
        ----------
        bandwidth : float
            Bytes a second.
        arithmetic : float
            Operations a second.

        Returns
        -------
        float
            The larger of the two bounds, in seconds.
        """
        return max(self.bytes / bandwidth, self.flops / arithmetic)


def subject_linear(
    subjects: Sequence[tuple[int, int]], width: int, item_size: int, backward: bool = False
) -> Work:
    """Bound of a forward pass, or of a backward pass without gradients of the inputs.

    Parameters
    ----------
    subjects : sequence of (n_rows, n_features)
        Subjects of the batch.
    width : int
        Outputs.
    item_size : int
        Bytes of a value.
    backward : bool
        Gradients of weights and biases instead.

    Returns
    -------
    Work
        Both passes move inputs, weights (or their gradients) and outputs (or theirs) once.
    """
    values = sum(n * f + f * width + n * width + width for n, f in subjects)
    return Work(values * item_size, sum(2 * n * f * width for n, f in subjects))


def adamw(n_weights: int, item_size: int) -> Work:
    """Bound of an update of AdamW: four values read and three written for each weight.

    Parameters
    ----------
    n_weights : int
        Weights of the touched subjects.
    item_size : int
        Bytes of a value.

    Returns
    -------
    Work
        Without products.
    """
    return Work(7 * n_weights * item_size, 0)


def soft_clip(n: int, dim: int, item_size: int, soft: bool = True, backward: bool = False) -> Work:
    """Bound of a forward pass, or of a backward pass to the predictions.

    Parameters
    ----------
    n, dim : int
        Items and dimensions.
    item_size : int
        Bytes of a value.
    soft : bool
        SoftCLIP, with two matrices of pairs, or InfoNCE, with one.
    backward : bool
        The matrices again, and the product of their difference with the targets.

    Returns
    -------
    Work
        Rows are read once; no matrix of pairs is moved.
    """
    products = (2 if soft else 1) + backward
    return Work((2 + backward) * n * dim * item_size, products * 2 * n * n * dim)


def routed_attention(
    n_batch: int, n_heads: int, n_queries: int, n_tokens: int, dim: int, item_size: int
) -> Work:
    """Bound of a forward pass.

    Parameters
    ----------
    n_batch, n_heads, n_queries, n_tokens, dim : int
        Sizes.
    item_size : int
        Bytes of a value.

    Returns
    -------
    Work
        Queries, keys and values read, output and map written.
    """
    heads = n_batch * n_heads
    values = 2 * heads * (n_queries + n_tokens) * dim + n_batch * n_queries * n_tokens
    return Work(values * item_size, 4 * heads * n_queries * n_tokens * dim)
