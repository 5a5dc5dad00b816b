"""Where and how long the next fixation is, as densities that can be trained by likelihood."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from neurodecode.errors import ConfigError
from neurodecode.nn.attention import make_attention
from neurodecode.nn.encoders.token_block import TokenBlock
from neurodecode.nn.scanpath.memory_block import MemoryBlock
from neurodecode.nn.scanpath.oat import order_code
from neurodecode.nn.scanpath.pointer import Pointer
from neurodecode.nn.scanpath.position_code import GridCode

__all__ = ["FixationDensity", "Next"]


class Next(NamedTuple):
    """What is said about every fixation from those before it.

    Parameters
    ----------
    log_mass : Tensor of shape (n_pictures, n_viewers, n_steps + 1, rows, columns)
        Log probability of each cell.
    steps : Tensor of shape (n_pictures, n_viewers, n_steps + 1, width)
        State of the decoder, for the duration.
    cells : Tensor of shape (n_pictures, rows * columns, width)
        Cells as the decoder reads them.
    """

    log_mass: Tensor
    steps: Tensor
    cells: Tensor


class FixationDensity(nn.Module):
    """Log probability of the next fixation over the cells of a picture, and its duration.

    Three things are added and normalised: the log of a centre bias fitted beforehand, how
    conspicuous a cell is for anybody, and how well it answers to the query that a decoder makes
    of the fixations so far. The last two begin at zero, so that training starts at the centre
    bias. Durations are log-normal, given the history and the fixated cell.

    Parameters
    ----------
    grid : (int, int)
        Rows and columns of cells.
    features : int
        Frozen features of each cell.
    width : int
        Width of the network, a multiple of `n_heads`.
    depth, n_heads : int
        Decoder blocks, and their attention heads.
    encoder_depth : int
        Blocks in which cells attend to one another, after two convolutions.
    position_dim : int
        Of `GridCode`, for each axis.
    dropout : float
        Of features and in the blocks.
    attention : str
        Mechanism, a name of `neurodecode.nn.attention.ATTENTION`.
    attention_options : mapping, optional
        Its options.

    Raises
    ------
    ConfigError
        If the width cannot be divided among the heads.

    References
    ----------
    Kuemmerer et al. 2022 (DeepGaze III) for the parts and the likelihood; the decoder is OAT's.
    """

    def __init__(
        self,
        grid: tuple[int, int],
        features: int,
        width: int = 32,
        depth: int = 1,
        n_heads: int = 4,
        encoder_depth: int = 0,
        position_dim: int = 12,
        dropout: float = 0.1,
        attention: str = "softmax",
        attention_options: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__()
        if width % n_heads:
            raise ConfigError(f"width {width} of the density model: a multiple of {n_heads} heads")
        self.grid, self.width = tuple(grid), width
        self.read = nn.Sequential(
            nn.Dropout2d(dropout), nn.Conv2d(features, width, 3, padding=1), nn.GELU(),
            nn.Conv2d(width, width, 5, padding=2, groups=width), nn.GELU(),
            nn.Conv2d(width, width, 1),
        )  # fmt: skip
        self.conspicuity = nn.Linear(width, 1)
        self.code = GridCode(max(grid) // 3, 2.0, position_dim)
        self.place = nn.Linear(self.code.dim, width)
        make = partial(make_attention, attention, n_heads, width // n_heads, attention_options)
        self.encoder = nn.ModuleList(TokenBlock(width, make(), dropout=dropout)
                                     for _ in range(encoder_depth))  # fmt: skip
        self.nothing = nn.Parameter(0.02 * torch.randn(width))
        self.lasted = nn.Linear(1, width)
        self.decoder = nn.ModuleList(MemoryBlock(width, make, dropout=dropout)
                                     for _ in range(depth))  # fmt: skip
        self.cells_norm, self.steps_norm = nn.LayerNorm(width), nn.LayerNorm(width)
        self.pointer = Pointer(width)
        self.duration = nn.Sequential(nn.LayerNorm(2 * width), nn.Linear(2 * width, 2))
        for layer in (self.conspicuity, self.pointer.join, self.duration[1]):
            nn.init.zeros_(layer.weight)
            nn.init.zeros_(layer.bias)
        places = torch.cartesian_prod(*(torch.arange(n) + 0.5 for n in grid)).flip(-1)
        self.register_buffer("places", places / max(grid), persistent=False)
        self.register_buffer("log_prior", torch.full(self.grid, -float(torch.tensor(
            grid).prod().log())))  # fmt: skip
        #: Mean and standard deviation of the log of durations in ms in training.
        self.register_buffer("log_duration", torch.tensor([5.4, 0.5]))

    def encode(self, features: Tensor) -> tuple[Tensor, Tensor]:
        """Read pictures.

        Parameters
        ----------
        features : Tensor of shape (n_batch, features, rows, columns)
            Frozen features.

        Returns
        -------
        cells : Tensor of shape (n_batch, rows * columns, width)
            What the decoder reads.
        still : Tensor of shape (n_batch, rows * columns)
            Log prior and conspicuity, added.
        """
        seen = self.read(features).flatten(2).transpose(1, 2)
        cells = seen + self.place(self.code(self.places)).to(seen)
        for block in self.encoder:
            cells = block(cells)
        still = self.log_prior.flatten() + self.conspicuity(seen)[..., 0].float()
        return self.cells_norm(cells), still

    def forward(self, encoded: tuple[Tensor, Tensor], fixated: Tensor, durations: Tensor) -> Next:
        """Say where fixations go, each from those before it.

        Parameters
        ----------
        encoded : tuple of Tensor
            From `encode`.
        fixated : Tensor of int of shape (n_pictures, n_viewers, n_steps)
            Cells of the fixations, numbered row by row.
        durations : Tensor of shape (n_pictures, n_viewers, n_steps)
            In ms, NaN where unknown.

        Returns
        -------
        Next
            About the first fixation, the second and so on to the one after the last given.
        """
        cells, still = encoded
        steps = self._history(cells, fixated, durations).flatten(0, 1)
        for block in self.decoder:
            steps = block(steps, cells)
        steps = self.steps_norm(steps).unflatten(0, fixated.shape[:2])
        scores = self.pointer(steps.flatten(1, 2), cells).float() + still[:, None]
        log_mass = scores.log_softmax(-1).unflatten(-1, self.grid)
        return Next(log_mass.unflatten(1, steps.shape[1:3]), steps, cells)

    def _history(self, cells: Tensor, fixated: Tensor, durations: Tensor) -> Tensor:
        mean, spread = self.log_duration
        length = ((durations.log() - mean) / spread).nan_to_num(0.0)
        looked = _at(cells, fixated) + self.lasted(length[..., None].to(cells))
        first = self.nothing.to(looked).expand(*looked.shape[:2], 1, -1)
        steps = torch.cat([first, looked], dim=2)
        return steps + order_code(steps.shape[2], self.width, steps)

    def log_durations(self, after: Next, fixated: Tensor) -> tuple[Tensor, Tensor]:
        """Mean and standard deviation of the log duration of fixations.

        Parameters
        ----------
        after : Next
            From `forward`.
        fixated : Tensor of int of shape (n_pictures, n_viewers, n_steps)
            Cells of the fixations whose duration is asked for, from the first; they may be one
            more than `forward` was given.

        Returns
        -------
        mean, spread : Tensor of shape (n_pictures, n_viewers, n_steps)
            Of the natural logarithm of milliseconds.
        """
        known = [after.steps[:, :, : fixated.shape[2]], _at(after.cells, fixated)]
        shift, scale = self.duration(torch.cat(known, dim=-1)).float().unbind(-1)
        mean, spread = self.log_duration
        return mean + spread * shift, spread * scale.clamp(-3, 3).exp()


def _at(cells: Tensor, fixated: Tensor) -> Tensor:
    """Look up cells, (n_pictures, n_viewers, n_steps, width)."""
    index = fixated.flatten(1)[..., None].expand(-1, -1, cells.shape[-1])
    return cells.gather(1, index).unflatten(1, fixated.shape[1:])
