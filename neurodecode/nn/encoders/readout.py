"""From a map of features to the responses of one subject."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn

__all__ = ["FactorisedReadout", "ReadoutFactory"]

#: Makes a readout from the shape of the features (channels, height, width) and the number of
#: neurons or voxels.
ReadoutFactory = Callable[[tuple[int, int, int], int], nn.Module]


class FactorisedReadout(nn.Module):
    r"""Where each neuron looks, times what it looks for.

    .. math:: r_n = b_n + \sum_k \sum_{xy} s_{nk}(x, y) \sum_c w_{nkc} f_c(x, y)

    Parameters
    ----------
    in_shape : tuple of int
        Channels, height and width of the features.
    n_features : int
        Neurons or voxels.
    rank : int
        Pairs of spatial mask s and feature weights w for each neuron.

    References
    ----------
    Klindt et al. 2017, "Neural system identification for large populations separating what
    and where".
    """

    def __init__(self, in_shape: tuple[int, int, int], n_features: int, rank: int = 1) -> None:
        super().__init__()
        channels, height, width = in_shape
        n_places = height * width
        # begins as a mean over the whole picture, nearly: gradients reach every place
        mask = torch.randn(n_features, rank, n_places) * 0.01 + 1 / n_places
        self.mask = nn.Parameter(mask)
        self.weight = nn.Parameter(torch.randn(n_features, rank, channels) * 0.3 / channels**0.5)
        self.bias = nn.Parameter(torch.zeros(n_features))

    def forward(self, features: Tensor) -> Tensor:
        """Predict responses.

        Parameters
        ----------
        features : Tensor of shape (n, channels, height, width)
            From the core.

        Returns
        -------
        Tensor of shape (n, n_features)
            Predicted responses.
        """
        pooled = torch.einsum("bcp,nkp->bnkc", features.flatten(2), self.mask)
        return torch.einsum("bnkc,nkc->bn", pooled, self.weight) + self.bias
