"""From sound to spectra and back in chunks of 8 ms, with a long look back and a short delay.

Windows of analysis and synthesis differ (Mauler and Martin 2007, A low delay, variable resolution,
perfect reconstruction spectral analysis-synthesis system): 32 ms of the past are seen, so that the
harmonics of a voice are apart, but only the last 12 ms of them are made again.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

__all__ = ["CHUNK", "Analysis", "Synthesis"]

#: Samples of a chunk (8 ms at 8 kHz), of the window, and of the overlap of what is made again;
#: the overlap is also the delay, 4 ms.
CHUNK, WINDOW, OVERLAP = 64, 256, 32


def _windows() -> tuple[Tensor, Tensor]:
    """Windows whose product adds up to 1 when moved by a chunk."""
    # a slow rise, and a fall within the overlap
    rise = torch.sin(torch.pi / 2 * (torch.arange(WINDOW - OVERLAP) + 0.5) / (WINDOW - OVERLAP))
    fall = torch.cos(torch.pi / 2 * (torch.arange(OVERLAP) + 0.5) / OVERLAP)
    seen = torch.cat([rise, fall])
    wanted = torch.zeros(WINDOW)
    wanted[-CHUNK - OVERLAP : -CHUNK] = fall.flip(0) ** 2
    wanted[-CHUNK:-OVERLAP] = 1
    wanted[-OVERLAP:] = fall**2
    return seen, wanted / seen


class Analysis(nn.Module):
    """Spectra of the last 32 ms, every 8 ms."""

    n_bins = WINDOW // 2 + 1

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("window", _windows()[0], persistent=False)

    def start(self, n_batch: int, n_ears: int) -> Tensor:
        """Silence, as what was heard before.

        Parameters
        ----------
        n_batch, n_ears : int
            Sounds, and channels of each.

        Returns
        -------
        Tensor of shape (n_batch, n_ears, window - chunk)
            State.
        """
        return self.window.new_zeros(n_batch, n_ears, WINDOW - CHUNK)

    def forward(self, sound: Tensor, state: Tensor) -> tuple[Tensor, Tensor]:
        """Analyse whole chunks.

        Parameters
        ----------
        sound : Tensor of shape (n_batch, n_ears, n_frames * chunk)
            Sound.
        state : Tensor
            What was heard before.

        Returns
        -------
        spectra : complex Tensor of shape (n_batch, n_ears, n_frames, n_bins)
            A frame a chunk; it ends with the chunk.
        state : Tensor
            For the next call.
        """
        heard = torch.cat([state, sound], -1)
        frames = heard.unfold(-1, WINDOW, CHUNK)
        return torch.fft.rfft(frames * self.window), heard[..., -(WINDOW - CHUNK) :]


class Synthesis(nn.Module):
    """Sound from spectra; `OVERLAP` samples later than what was analysed."""

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("window", _windows()[1][-CHUNK - OVERLAP :], persistent=False)

    def start(self, n_batch: int, n_ears: int) -> Tensor:
        """Silence.

        Parameters
        ----------
        n_batch, n_ears : int
            Sounds, and channels of each.

        Returns
        -------
        Tensor of shape (n_batch, n_ears, overlap)
            State: the end of the last frame, to which the next adds.
        """
        return self.window.new_zeros(n_batch, n_ears, OVERLAP)

    def forward(self, spectra: Tensor, state: Tensor) -> tuple[Tensor, Tensor]:
        """Make sound.

        Parameters
        ----------
        spectra : complex Tensor of shape (n_batch, n_ears, n_frames, n_bins)
            Of `Analysis`, changed.
        state : Tensor
            From before.

        Returns
        -------
        sound : Tensor of shape (n_batch, n_ears, n_frames * chunk)
            Sound.
        state : Tensor
            For the next call.
        """
        frames = torch.fft.irfft(spectra, WINDOW)[..., -CHUNK - OVERLAP :] * self.window
        chunks, tails = frames[..., :CHUNK], frames[..., CHUNK:]
        before = torch.cat([state[..., None, :], tails[..., :-1, :]], -2)
        chunks = chunks + F.pad(before, (0, CHUNK - OVERLAP))
        return chunks.flatten(-2), tails[..., -1, :]
