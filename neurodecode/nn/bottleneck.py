"""A small correction of a vector by way of a few dimensions."""

from __future__ import annotations

from torch import Tensor, nn

__all__ = ["Bottleneck"]


class Bottleneck(nn.Module):
    """Add to a vector what a narrow perceptron makes of it; at first nothing.

    Parameters
    ----------
    width : int
        Width of the vector.
    inner : int
        Width of the perceptron's hidden layer; 128 in MindBridge.

    References
    ----------
    Houlsby et al. 2019 (adapters); Wang et al. 2024 (MindBridge).
    """

    def __init__(self, width: int, inner: int) -> None:
        super().__init__()
        self.down, self.up = nn.Linear(width, inner), nn.Linear(inner, width)
        self.activation = nn.ReLU()
        nn.init.zeros_(self.up.weight)
        nn.init.zeros_(self.up.bias)

    def forward(self, values: Tensor) -> Tensor:
        """Correct vectors.

        Parameters
        ----------
        values : Tensor of shape (n_batch, width)
            Vectors.

        Returns
        -------
        Tensor of shape (n_batch, width)
            Corrected vectors.
        """
        return values + self.up(self.activation(self.down(values)))
