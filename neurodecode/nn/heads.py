"""From the shared representation to embedding tokens, and on to the space of retrieval."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

from torch import Tensor, nn

__all__ = ["MLPTokenHead", "Projector", "ProjectorFactory", "TokenHead", "TokenHeadFactory"]

#: Makes a token head from width, number of tokens and token dimension.
TokenHeadFactory = Callable[[int, int, int], nn.Module]
#: Makes a projector from the token dimension.
ProjectorFactory = Callable[[int], nn.Module]


class TokenHead(nn.Module):
    """A linear map to all tokens at once.

    Parameters
    ----------
    width : int
        Width of the shared representation.
    n_tokens, dim : int
        Shape of the target embedding.
    dropout : float
        Before the map.
    """

    def __init__(self, width: int, n_tokens: int, dim: int, dropout: float = 0.0) -> None:
        super().__init__()
        self.shape = (n_tokens, dim)
        self.dropout = nn.Dropout(dropout)
        self.linear = nn.Linear(width, n_tokens * dim)

    def forward(self, hidden: Tensor) -> Tensor:
        """Make tokens.

        Parameters
        ----------
        hidden : Tensor of shape (n_batch, width)
            Shared representation.

        Returns
        -------
        Tensor of shape (n_batch, n_tokens, dim)
            Tokens: the condition of the prior, and the input of the projector.
        """
        return self.linear(self.dropout(hidden)).unflatten(-1, self.shape)


class MLPTokenHead(nn.Module):
    """Layer norm, GELU and linear, twice: a head of the M/EEG brain modules.

    Parameters
    ----------
    width : int
        Width of the shared representation.
    n_tokens, dim : int
        Shape of the target embedding.
    hidden : int or None
        Width of the inner layer; by default that of the representation.
    """

    def __init__(self, width: int, n_tokens: int, dim: int, hidden: int | None = None) -> None:
        super().__init__()
        self.shape = (n_tokens, dim)
        layers: list[nn.Module] = []
        for n_in, n_out in pairwise((width, hidden or width, n_tokens * dim)):
            layers += [nn.LayerNorm(n_in), nn.GELU(), nn.Linear(n_in, n_out)]
        self.layers = nn.Sequential(*layers)

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
        return self.layers(hidden).unflatten(-1, self.shape)


class Projector(nn.Module):
    """A perceptron on each token, on whose output the contrastive loss works (MindEye).

    Layer norm, GELU and linear, three times; with ``residual`` the input is added to the
    output.

    Parameters
    ----------
    dim : int
        Token dimension.
    hidden : int or None
        Width of the two inner layers, by default twice the dimension; 2048 in MindEye.
    residual : bool
        Learn a correction of the tokens instead of new ones.
    """

    def __init__(self, dim: int, hidden: int | None = None, residual: bool = False) -> None:
        super().__init__()
        self.residual = residual
        hidden = hidden or 2 * dim
        widths = (dim, hidden, hidden, dim)
        layers: list[nn.Module] = []
        for n_in, n_out in pairwise(widths):
            layers += [nn.LayerNorm(n_in), nn.GELU(), nn.Linear(n_in, n_out)]
        self.layers = nn.Sequential(*layers)

    def forward(self, tokens: Tensor) -> Tensor:
        """Project tokens.

        Parameters
        ----------
        tokens : Tensor of shape (n_batch, n_tokens, dim)
            Output of the token head.

        Returns
        -------
        Tensor of shape (n_batch, n_tokens, dim)
            Tokens for retrieval.
        """
        projected = self.layers(tokens)
        return tokens + projected if self.residual else projected
