"""A block of the grid network: over frequencies, over time, and back in time by attention.

After TF-GridNet (Wang et al. 2023, IEEE/ACM TASLP 31, section II) in its causal form (Veluri et
al. 2024, Look once to hear), much narrower.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from neurodecode.nn.attention import make_attention

__all__ = ["BlockState", "GridBlock"]


@dataclass(frozen=True)
class BlockState:
    """What a block remembers.

    Parameters
    ----------
    hidden, cell : Tensor of shape (1, n_batch * n_bands, n_hidden)
        Of the network over time.
    key, value : Tensor of shape (n_batch, n_heads, n_past, width)
        Of the last frames.
    known : Tensor of bool of shape (n_past,)
        Which of them there were; before the beginning there is nothing to attend to.
    """

    hidden: Tensor
    cell: Tensor
    key: Tensor
    value: Tensor
    known: Tensor


class GridBlock(nn.Module):
    """Over frequencies in both directions, over time forwards, then attention to what was.

    Parameters
    ----------
    channels, bands : int
        Features of a place in the grid, and places in a frame.
    hidden : int
        Units of the recurrent networks.
    n_heads, key_dim : int
        Heads of the attention, and features of a query in each band.
    past : int
        Frames that attention reaches back.
    attention : str
        A mechanism of `neurodecode.nn.attention`.
    """

    def __init__(
        self,
        channels: int,
        bands: int,
        hidden: int = 28,
        n_heads: int = 2,
        key_dim: int = 2,
        past: int = 50,
        attention: str = "softmax",
    ) -> None:
        super().__init__()
        self.channels, self.bands, self.hidden = channels, bands, hidden
        self.n_heads, self.key_dim, self.past = n_heads, key_dim, past
        self.norm_bands, self.norm_time = nn.LayerNorm(channels), nn.LayerNorm(channels)
        self.over_bands = nn.LSTM(channels, hidden, batch_first=True, bidirectional=True)
        self.from_bands = nn.Linear(2 * hidden, channels)
        self.over_time = nn.LSTM(channels, hidden, batch_first=True)
        self.from_time = nn.Linear(hidden, channels)
        self.qkv = nn.Linear(channels, n_heads * 2 * key_dim + channels)
        self.norm_query = nn.LayerNorm(key_dim * bands)
        self.norm_key = nn.LayerNorm(key_dim * bands)
        self.attend = make_attention(attention, n_heads, key_dim * bands)
        self.from_past = nn.Linear(channels, channels)

    def start(self, n_batch: int) -> BlockState:
        """Nothing yet.

        Parameters
        ----------
        n_batch : int
            Sounds.

        Returns
        -------
        BlockState
            State before the first frame.
        """
        new = self.from_time.weight.new_zeros
        keys = new(n_batch, self.n_heads, self.past, self.key_dim * self.bands)
        values = new(n_batch, self.n_heads, self.past, self.channels // self.n_heads * self.bands)
        hidden = new(1, n_batch * self.bands, self.hidden)
        return BlockState(hidden, hidden, keys, values, new(self.past, dtype=torch.bool))

    def forward(self, grid: Tensor, state: BlockState) -> tuple[Tensor, BlockState]:
        """Go over some frames.

        Parameters
        ----------
        grid : Tensor of shape (n_batch, n_frames, bands, channels)
            Features.
        state : BlockState
            From the frames before.

        Returns
        -------
        grid : Tensor of the same shape
            Features.
        state : BlockState
            For the next frames.
        """
        n_batch, n_frames = grid.shape[:2]
        found, _ = self.over_bands(self.norm_bands(grid).flatten(0, 1))
        grid = grid + self.from_bands(found).unflatten(0, (n_batch, n_frames))
        columns = self.norm_time(grid).transpose(1, 2).flatten(0, 1)
        found, (hidden, cell) = self.over_time(columns, (state.hidden, state.cell))
        found = self.from_time(found).unflatten(0, (n_batch, self.bands))
        grid = grid + found.transpose(1, 2)
        found, key, value, known = self._look_back(grid, state)
        return grid + found, BlockState(hidden, cell, key, value, known)

    def _look_back(self, grid: Tensor, state: BlockState) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Attend to the last frames: what was found, and keys, values for later."""
        n_frames = grid.shape[1]
        width = self.n_heads * self.key_dim
        query, key, value = self.qkv(grid).split([width, width, self.channels], -1)
        query, key, value = (self._by_head(each) for each in (query, key, value))
        query, key = self.norm_query(query), self.norm_key(key)
        key, value = torch.cat([state.key, key], 2), torch.cat([state.value, value], 2)
        known = torch.cat([state.known, state.known.new_ones(n_frames)])
        place = torch.arange(n_frames, device=grid.device)[:, None]
        frame = torch.arange(self.past + n_frames, device=grid.device)[None]
        near = (frame > place) & (frame <= place + self.past) & known
        found = self.attend(query, key, value, mask=near[None, None])
        found = found.unflatten(-1, (self.bands, -1)).permute(0, 2, 3, 1, 4).flatten(3)
        return (
            self.from_past(found),
            key[:, :, -self.past :],
            value[:, :, -self.past :],
            known[-self.past :],
        )

    def _by_head(self, features: Tensor) -> Tensor:
        """(n_batch, n_frames, bands, heads * x) to (n_batch, heads, n_frames, bands * x)."""
        return features.unflatten(-1, (self.n_heads, -1)).permute(0, 3, 1, 2, 4).flatten(3)
