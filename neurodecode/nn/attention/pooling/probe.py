"""Attentive probing."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from neurodecode.errors import ConfigError
from neurodecode.nn.attention.dense import masked_softmax
from neurodecode.nn.attention.pooling.base import POOLING, Pooling

__all__ = ["AttentiveProbe"]


@POOLING.register("attentive_probe")
class AttentiveProbe(Pooling):
    """Learned queries attend to the tokens themselves, each for its share of the dimensions.

    A projection of keys would only multiply learned queries by another learned matrix, and one of
    the output the layer that follows: neither is there. Values are projected once.

    Parameters
    ----------
    dim : int
        Dimension of the tokens.
    n_queries : int
        Queries; they share the dimensions evenly.

    Raises
    ------
    ConfigError
        If dimensions cannot be shared evenly.

    References
    ----------
    Psomas et al. 2025, "Attention, please! Revisiting attentive probing".
    """

    def __init__(self, dim: int, n_queries: int = 8) -> None:
        super().__init__(dim)
        if dim % n_queries:
            raise ConfigError(f"attentive probe: {dim} dimensions, not a multiple of {n_queries}")
        self.queries = nn.Parameter(0.02 * torch.randn(n_queries, dim))
        self.value = nn.Linear(dim, dim, bias=False)

    def weights(self, tokens: Tensor, mask: Tensor | None = None) -> Tensor:
        """How much each token counts for each query.

        Parameters
        ----------
        tokens : Tensor of shape (n_batch, n_tokens, dim)
            Tokens.
        mask : Tensor of bool of shape (n_batch, n_tokens), optional
            True for tokens that count.

        Returns
        -------
        Tensor of shape (n_batch, n_queries, n_tokens)
            Weights.
        """
        scores = self.queries @ tokens.transpose(1, 2) * self.dim**-0.5
        return masked_softmax(scores, None if mask is None else mask[:, None])

    def pool(self, tokens: Tensor, mask: Tensor | None) -> Tensor:
        """See `Pooling.forward`."""
        shares = self.value(tokens).unflatten(2, (len(self.queries), -1))
        return torch.einsum("bqn,bnqd->bqd", self.weights(tokens, mask), shares).flatten(1)
