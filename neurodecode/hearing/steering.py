"""What is wanted now: voices, mixed by how likely each is attended."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from neurodecode.errors import ConfigError
from neurodecode.hearing.encoder import SpeakerEncoder
from neurodecode.hearing.filterbank import CHUNK

__all__ = ["embed_windows", "mix_voices", "self_enrolled", "spread_over_chunks"]


def mix_voices(posterior: np.ndarray, voices: Tensor) -> Tensor:
    """Mix embeddings by a posterior; nothing is switched.

    Parameters
    ----------
    posterior : array of shape (n_windows, n_voices)
        Probability that each is attended.
    voices : Tensor of shape (n_voices, dim)
        Embeddings.

    Returns
    -------
    Tensor of shape (n_windows, dim)
        Of unit length only where one voice is certain.

    Raises
    ------
    ConfigError
        If the numbers of voices differ.
    """
    if posterior.shape[1] != len(voices):
        raise ConfigError(f"a posterior over {posterior.shape[1]} talkers for {len(voices)} voices")
    return torch.as_tensor(posterior, dtype=voices.dtype) @ voices


def spread_over_chunks(
    windows: Tensor, ends_s: Sequence[float], rate: float, before: Tensor
) -> Tensor:
    """Give each chunk what was known before it began.

    Parameters
    ----------
    windows : Tensor of shape (n_windows, dim)
        What is wanted after each window.
    ends_s : sequence of float of length n_windows
        When each ended.
    rate : float
        In Hz.
    before : Tensor of shape (dim,)
        What is wanted until the first has ended.

    Returns
    -------
    Tensor of shape (n_chunks, dim)
        Up to the end of the last window; nothing of the future is used.
    """
    n_chunks = int(np.ceil(ends_s[-1] * rate / CHUNK))
    starts_s = np.arange(n_chunks) * CHUNK / rate
    last = np.searchsorted(np.asarray(ends_s), starts_s + 1e-9, side="right")
    return torch.cat([before[None], windows])[last]


@torch.inference_mode()
def embed_windows(
    encoder: SpeakerEncoder, candidates: np.ndarray, window_s: float, rate: float
) -> Tensor:
    """Embed every window of every candidate.

    Parameters
    ----------
    encoder : SpeakerEncoder
        Trained.
    candidates : array of shape (n_candidates, n_samples)
        Sounds the decoder chose among.
    window_s : float
        Length of a window.
    rate : float
        In Hz.

    Returns
    -------
    Tensor of shape (n_windows, n_candidates, dim)
        Of whole windows.
    """
    n = round(window_s * rate)
    pieces = torch.as_tensor(candidates, dtype=torch.float32)
    pieces = pieces[:, : pieces.shape[1] // n * n].unfold(1, n, n)
    found = [encoder(window) for window in pieces.transpose(0, 1)]
    return torch.stack(found)


def self_enrolled(
    embedded: Tensor, posterior: np.ndarray, *, confidence: float = 0.9, forget: float = 0.9
) -> tuple[Tensor, np.ndarray]:
    """Learn the attended voice where the decoder is confident; nobody presses a button.

    Parameters
    ----------
    embedded : Tensor of shape (n_windows, n_candidates, dim)
        From `embed_windows`. Which candidate is which may change from window to window.
    posterior : array of shape (n_windows, n_candidates)
        Probability that each is attended, after the window.
    confidence : float
        Windows in which nobody is attended with this probability teach nothing.
    forget : float
        Weight of what was learned before, at every confident window.

    Returns
    -------
    voice : Tensor of shape (n_windows, dim)
        What is wanted after each window: the voice learned so far, and before there is one the
        candidates by their probability.
    taught : array of bool of shape (n_windows,)
        Confident windows.
    """
    best = posterior.argmax(axis=1)
    taught = posterior.max(axis=1) >= confidence
    voices, learned = [], torch.zeros(embedded.shape[-1])
    for window, shares, choice, sure in zip(embedded, posterior, best, taught, strict=True):
        if sure:
            learned = forget * learned + (1 - forget) * window[choice]
        known = bool(learned.any())
        mixed = torch.as_tensor(shares, dtype=window.dtype) @ window
        voices.append(F.normalize(learned, dim=0) if known else mixed)
    return torch.stack(voices), taught
