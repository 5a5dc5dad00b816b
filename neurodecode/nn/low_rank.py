"""Low-rank updates of linear layers (LoRA)."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn
from torch.nn.utils import parametrize

__all__ = ["LowRankUpdate", "add_low_rank", "merged_state"]

#: What torch puts between the name of a layer and the parts of its matrix.
_PARTS = ".parametrizations.weight."


class LowRankUpdate(nn.Module):
    r"""A frozen matrix plus a product of two thin ones: :math:`W + U V`.

    U begins at zero, so that nothing changes before training.

    Parameters
    ----------
    n_out, n_in : int
        Shape of the matrix.
    rank : int
        Of the update; at most the smaller side is used.

    References
    ----------
    Hu et al. 2021, "LoRA: low-rank adaptation of large language models"; its factor alpha is
    left to the learning rate.
    """

    def __init__(self, n_out: int, n_in: int, rank: int) -> None:
        super().__init__()
        rank = min(rank, n_out, n_in)
        self.down = nn.Parameter(torch.randn(rank, n_in) / n_in**0.5)
        self.up = nn.Parameter(torch.zeros(n_out, rank))

    def forward(self, weight: Tensor) -> Tensor:
        """Add the update.

        Parameters
        ----------
        weight : Tensor of shape (n_out, n_in)
            The frozen matrix.

        Returns
        -------
        Tensor of shape (n_out, n_in)
            Updated matrix.
        """
        return weight + self.up @ self.down


def add_low_rank(module: nn.Module, rank: int) -> int:
    """Give every linear layer a low-rank update; all that was there before is frozen.

    Parameters
    ----------
    module : nn.Module
        Changed in place.
    rank : int
        Of the updates.

    Returns
    -------
    int
        How many layers there are.
    """
    module.requires_grad_(False)
    layers = [each for each in module.modules() if isinstance(each, nn.Linear)]
    for layer in layers:
        update = LowRankUpdate(*layer.weight.shape, rank)
        parametrize.register_parametrization(layer, "weight", update)
    return len(layers)


def merged_state(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Put the updates into the matrices, so that the weights fit the module as it was before.

    Parameters
    ----------
    state : mapping of str to Tensor
        ``state_dict`` of a module that `add_low_rank` may have changed.

    Returns
    -------
    dict of str to Tensor
        As if there had never been updates.
    """
    merged = {}
    for name, value in state.items():
        layer, found, part = name.partition(_PARTS)
        if not found:
            merged[name] = value
        elif part == "original":
            up, down = (state[f"{layer}{_PARTS}0.{side}"] for side in ("up", "down"))
            merged[f"{layer}.weight"] = value + up @ down
    return merged
