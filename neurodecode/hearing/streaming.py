"""From a file to a file as a stream would be: chunk after chunk, the state in one's hands."""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

from neurodecode.hearing.extractor import TalkerExtractor
from neurodecode.hearing.filterbank import CHUNK

__all__ = ["chunk_times_s", "extract"]


@torch.inference_mode()
def extract(
    network: TalkerExtractor,
    sound: np.ndarray,
    embedding: Tensor,
    *,
    chunks: int = 125,
    advance: Callable[[int], None] | None = None,
) -> np.ndarray:
    """Take a talker out of a sound.

    Parameters
    ----------
    network : TalkerExtractor
        Trained.
    sound : array of shape (2, n_samples)
        Both ears, at the rate of the network.
    embedding : Tensor of shape (dim,), (n_chunks, dim) or (n_wishes, n_chunks, dim)
        What is wanted; one for all chunks of 8 ms, or one for each, or several that are computed
        together.
    chunks : int
        How many are computed together; the result does not depend on it.
    advance : callable, optional
        Told how many chunks are done.

    Returns
    -------
    array of float32 of shape (2, n_samples) or (n_wishes, 2, n_samples)
        The talker, at the time of the input: the delay of the network is taken out.
    """
    n = sound.shape[1]
    # the delay comes out at the end, so that much more has to go in
    total = -(-(n + network.delay) // CHUNK)
    padded = np.pad(sound.astype(np.float32), ((0, 0), (0, total * CHUNK - n)))
    waves = torch.from_numpy(padded)[None]
    wanted = _to_length(embedding if embedding.dim() > 1 else embedding[None], total)
    wanted = wanted if wanted.dim() == 3 else wanted[None]
    state, parts = network.start(1, len(wanted)), []
    for start in range(0, total, chunks):
        stop = min(start + chunks, total)
        piece = waves[..., start * CHUNK : stop * CHUNK]
        made, state = network.step(piece, state, wanted[:, start:stop])
        parts.append(made)
        if advance is not None:
            advance(stop)
    found = torch.cat(parts, -1)[..., network.delay : network.delay + n].numpy()
    return found if embedding.dim() == 3 else found[0]


def _to_length(embedding: Tensor, n: int) -> Tensor:
    """Keep the last wish for whatever comes after."""
    known = embedding[..., :n, :]
    last = known[..., -1:, :].expand(*known.shape[:-2], n - known.shape[-2], -1)
    return torch.cat([known, last], -2)


@torch.inference_mode()
def chunk_times_s(network: TalkerExtractor, n: int = 500, seed: int = 0) -> np.ndarray:
    """Measure how long a chunk takes, one at a time, on one thread.

    Parameters
    ----------
    network : TalkerExtractor
        Trained or not.
    n : int
        Chunks; twenty before them do not count.
    seed : int
        Of the noise that is heard.

    Returns
    -------
    array of shape (2, n)
        Seconds on the clock, and of the processor.
    """
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        noise = torch.Generator().manual_seed(seed)
        sound = 0.05 * torch.randn(n + 20, 1, 2, CHUNK, generator=noise)
        wanted = torch.nn.functional.normalize(
            torch.randn(1, network.options["dim"], generator=noise), dim=-1
        )
        state, times = network.start(), []
        for chunk in sound:
            clock, busy = time.perf_counter(), time.process_time()
            _, state = network.step(chunk, state, wanted)
            times.append((time.perf_counter() - clock, time.process_time() - busy))
    finally:
        torch.set_num_threads(threads)
    return np.array(times[20:]).T
