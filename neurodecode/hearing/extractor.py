"""Causal extraction of one talker from both ears, told by an embedding of the voice.

A grid network (`neurodecode.hearing.blocks`) sees spectra of both ears; after its first block the
embedding is multiplied in (Veluri et al. 2024). It gives a two by two complex filter for every
band and frame, so that a direction can be cancelled as well as a band.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from neurodecode.errors import ConfigError
from neurodecode.hearing.blocks import BlockState, GridBlock
from neurodecode.hearing.filterbank import CHUNK, OVERLAP, Analysis, Synthesis

__all__ = ["ExtractorState", "TalkerExtractor"]

#: Bins below 1.6 kHz, where harmonics are apart, and how many make a band; the same above.
_LOW, _LOW_BAND, _HIGH_BAND = 52, 4, 11
#: How fast the running level forgets (2 s).
_FORGET = 1 - 0.008 / 2
_FEATURES = 8


@dataclass(frozen=True)
class ExtractorState:
    """Everything that is remembered between chunks.

    Parameters
    ----------
    heard, made : Tensor
        Of analysis and synthesis.
    level : Tensor of shape (2, n_batch)
        Running energy and weight.
    frames : Tensor of shape (n_batch, 8, 2, n_bins)
        The last two frames of features.
    blocks : tuple of BlockState
        One for each block.
    """

    heard: Tensor
    made: Tensor
    level: Tensor
    frames: Tensor
    blocks: tuple[BlockState, ...]


class TalkerExtractor(nn.Module):
    """Binaural sound and an embedding to the talker at both ears.

    Parameters
    ----------
    dim : int
        Length of the embedding.
    channels, hidden, blocks : int
        Features of a place in the grid, units of the recurrent networks, number of blocks.
    n_heads, key_dim, past, attention
        See `GridBlock`.
    """

    #: Samples by which the output comes later than the input.
    delay = OVERLAP

    def __init__(
        self,
        dim: int,
        channels: int = 28,
        hidden: int = 28,
        blocks: int = 2,
        n_heads: int = 2,
        key_dim: int = 2,
        past: int = 50,
        attention: str = "softmax",
    ) -> None:
        super().__init__()
        if blocks < 2:
            raise ConfigError("the embedding comes in after the first of two blocks or more")
        self.options: dict[str, Any] = {
            "dim": dim, "channels": channels, "hidden": hidden, "blocks": blocks,
            "n_heads": n_heads, "key_dim": key_dim, "past": past, "attention": attention,
        }  # fmt: skip
        self.analysis, self.synthesis = Analysis(), Synthesis()
        high = Analysis.n_bins - _LOW
        bands = -(-_LOW // _LOW_BAND) - (-high // _HIGH_BAND)
        self.bands, self.channels = bands, channels
        self.encode_low, self.decode_low = _band_layers(channels, _LOW, _LOW_BAND)
        self.encode_high, self.decode_high = _band_layers(channels, high, _HIGH_BAND)
        self.norm = nn.LayerNorm(channels)
        self.blocks = nn.ModuleList(
            GridBlock(channels, bands, hidden, n_heads, key_dim, past, attention)
            for _ in range(blocks)
        )
        self.condition = nn.Linear(dim, channels * bands)
        self.condition_norm = nn.LayerNorm(channels * bands)

    def start(self, n_batch: int = 1, n_voices: int = 1) -> ExtractorState:
        """State before anything was heard.

        Parameters
        ----------
        n_batch, n_voices : int
            Sounds, and voices that are taken out of each.

        Returns
        -------
        ExtractorState
            All silence.
        """
        new = self.condition.weight.new_zeros
        # the first block does not know yet who is wanted
        n_rows = [n_batch, *[n_batch * n_voices] * (len(self.blocks) - 1)]
        return ExtractorState(
            self.analysis.start(n_batch, 2),
            self.synthesis.start(n_batch * n_voices, 2),
            new(2, n_batch),
            new(n_batch, _FEATURES, 2, Analysis.n_bins),
            tuple(block.start(n) for block, n in zip(self.blocks, n_rows, strict=True)),
        )

    def forward(self, sound: Tensor, embedding: Tensor) -> Tensor:
        """Extract from whole sounds.

        Parameters
        ----------
        sound : Tensor of shape (n_batch, 2, n_samples)
            Left and right ear; what is beyond the last whole chunk is padded with silence.
        embedding : Tensor of shape (n_batch * n_voices, dim) or (n_batch * n_voices, n_chunks, dim)
            Of the voices that are wanted of each sound, one sound after the other; one embedding
            for all chunks, or one for each.

        Returns
        -------
        Tensor of shape (n_batch * n_voices, 2, n_samples)
            The talkers, `delay` samples later.
        """
        n = sound.shape[-1]
        padded = F.pad(sound, (0, -n % CHUNK))
        start = self.start(len(sound), len(embedding) // len(sound))
        return self.step(padded, start, embedding)[0][..., :n]

    def step(
        self, chunk: Tensor, state: ExtractorState, embedding: Tensor
    ) -> tuple[Tensor, ExtractorState]:
        """Extract from the next chunk, or several.

        Parameters
        ----------
        chunk : Tensor of shape (n_batch, 2, n_chunks * 64)
            Left and right ear.
        state : ExtractorState
            From the chunks before.
        embedding : Tensor of shape (n_batch * n_voices, dim) or (n_batch * n_voices, n_chunks, dim)
            Of the voices that are wanted now; a mixture of voices by how likely each is attended.

        Returns
        -------
        chunk : Tensor of shape (n_batch * n_voices, 2, n_chunks * 64)
            The talker, `delay` samples later.
        state : ExtractorState
            For the next chunk.
        """
        spectra, heard = self.analysis(chunk, state.heard)
        scale, level = self._running_level(spectra, state.level)
        frames = torch.cat([state.frames, _features(spectra / scale[:, None, :, None])], 2)
        found = torch.cat([self.encode_low(frames[..., :_LOW]),
                           self.encode_high(frames[..., _LOW:])], -1)  # fmt: skip
        grid = self.norm(found.permute(0, 2, 3, 1))
        grid, first = self.blocks[0](grid, state.blocks[0])
        n_voices = len(embedding) // len(chunk)
        grid, spectra = (each.repeat_interleave(n_voices, 0) for each in (grid, spectra))
        grid = grid * self._wanted(embedding)
        remembered = [first]
        for block, before in zip(self.blocks[1:], state.blocks[1:], strict=True):
            grid, after = block(grid, before)
            remembered.append(after)
        made, tail = self.synthesis(self._filter(grid, spectra), state.made)
        last = frames[:, :, -2:]
        return made, ExtractorState(heard, tail, level, last, tuple(remembered))

    def delayed(self, sound: Tensor) -> Tensor:
        """Delay sound as the output is delayed, to compare the two.

        Parameters
        ----------
        sound : Tensor of shape (..., n_samples)
            Sound.

        Returns
        -------
        Tensor of the same shape
            Later.
        """
        return F.pad(sound, (self.delay, 0))[..., : sound.shape[-1]]

    def _wanted(self, embedding: Tensor) -> Tensor:
        """Factors for the grid: (n_batch, 1 or n_chunks, bands, channels)."""
        each = embedding if embedding.dim() == 3 else embedding[:, None]
        factors = self.condition_norm(self.condition(each))
        return factors.unflatten(-1, (self.bands, self.channels))

    def _running_level(self, spectra: Tensor, level: Tensor) -> tuple[Tensor, Tensor]:
        """Root of the running energy, (n_batch, n_frames), and what to remember of it."""
        energy, weight = level
        scales = []
        for frame in spectra.abs().square().mean((1, 3)).unbind(-1):
            energy = _FORGET * energy + frame
            weight = _FORGET * weight + 1
            scales.append((energy / weight + 1e-10).sqrt())
        return torch.stack(scales, -1), torch.stack([energy, weight])

    def _filter(self, grid: Tensor, spectra: Tensor) -> Tensor:
        """Filter the spectra of both ears: (n_batch, 2, n_frames, n_bins)."""
        n_batch, n_frames = grid.shape[:2]
        columns = grid.flatten(0, 1).transpose(1, 2)
        n_low = -(-_LOW // _LOW_BAND)
        low, high = self.decode_low(columns[..., :n_low]), self.decode_high(columns[..., n_low:])
        taps = torch.cat([low, high], -1).unflatten(0, (n_batch, n_frames))
        taps = taps.unflatten(2, (2, 2, 2)).permute(0, 2, 3, 1, 5, 4).contiguous()
        return (torch.view_as_complex(taps) * spectra[:, None]).sum(2)


def _band_layers(channels: int, n_bins: int, width: int) -> tuple[nn.Conv2d, nn.ConvTranspose1d]:
    """From bins to bands, three frames at a time, and from bands to the filters of bins."""
    encode = nn.Conv2d(_FEATURES, channels, (3, 2 * width - 1), (1, width), (0, width - 1))
    left = (n_bins - 1) % width
    decode = nn.ConvTranspose1d(channels, 8, 2 * width - 1, width, width - 1, left)
    with torch.no_grad():  # begin near half of the mixture
        decode.weight.mul_(0.1)
        decode.bias.copy_(torch.tensor([0.5, 0, 0, 0, 0, 0, 0.5, 0]))
    return encode, decode


def _features(spectra: Tensor) -> Tensor:
    """What the network sees of both ears: (n_batch, 8, n_frames, n_bins).

    Real and imaginary parts of the square roots of the magnitudes, levels, and the cosine and
    sine of the difference of phase between the ears.
    """
    size = spectra.abs().clamp_min(1e-3)
    unit = spectra / size
    pressed = unit * size.sqrt()
    between = unit[:, 1] * unit[:, 0].conj()
    return torch.cat(
        [pressed.real, pressed.imag, size.log() / 2, between.real[:, None], between.imag[:, None]],
        1,
    )
