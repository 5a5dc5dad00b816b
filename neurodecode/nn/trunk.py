"""The part all subjects share."""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor, nn

__all__ = ["ResidualTrunk", "SingleLayerTrunk", "TrunkFactory"]

#: Makes a trunk from its width.
TrunkFactory = Callable[[int], nn.Module]


class _Residual(nn.Module):
    """Residual blocks one after the other."""

    blocks: nn.ModuleList

    def forward(self, hidden: Tensor) -> Tensor:
        """Refine the shared representation.

        Parameters
        ----------
        hidden : Tensor of shape (n_batch, width)
            Output of the adapters.

        Returns
        -------
        Tensor of shape (n_batch, width)
            Same space.
        """
        for block in self.blocks:
            hidden = hidden + block(hidden)
        return hidden


class ResidualTrunk(_Residual):
    """Residual blocks, each a layer norm and a two-layer perceptron (as in MindEye2).

    Parameters
    ----------
    width : int
        Width of the shared space.
    n_blocks : int
        Number of blocks; none makes it the identity.
    dropout : float
        Inside each block.
    """

    def __init__(self, width: int, n_blocks: int = 4, dropout: float = 0.15) -> None:
        super().__init__()
        self.blocks = nn.ModuleList(
            nn.Sequential(
                nn.LayerNorm(width),
                nn.Linear(width, width),
                nn.GELU(),
                nn.Dropout(dropout),
                nn.Linear(width, width),
                nn.Dropout(dropout),
            )
            for _ in range(n_blocks)
        )


class SingleLayerTrunk(_Residual):
    """Residual blocks, each one linear layer, layer norm and GELU (MindEye, STTM, MindBridge).

    Parameters
    ----------
    width : int
        Width of the shared space.
    n_blocks : int
        Number of blocks; none makes it the identity.
    dropout : float
        At the end of each block.
    """

    def __init__(self, width: int, n_blocks: int = 4, dropout: float = 0.15) -> None:
        super().__init__()
        self.blocks = nn.ModuleList(
            nn.Sequential(
                nn.Linear(width, width), nn.LayerNorm(width), nn.GELU(), nn.Dropout(dropout)
            )
            for _ in range(n_blocks)
        )
