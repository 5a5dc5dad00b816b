"""Band-limiting and thinning out of recordings as they come: a step with its state in its hands."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from scipy import signal

from neurodecode.errors import ConfigError
from neurodecode.preprocess.audio.features import SoundRecipe

__all__ = ["CausalState", "causal_start", "causal_step", "thinning"]

_ORDER, _WHOLE = 4, 1e-6


@dataclass(frozen=True)
class CausalState:
    """What the filter remembers between chunks.

    Parameters
    ----------
    delays : array of shape (n_sections, 2, n_channels)
        Of the second-order sections.
    skip : int
        Samples until the next one that is kept.
    last : array of shape (n_channels,)
        Last finite value of each channel.
    """

    delays: np.ndarray
    skip: int
    last: np.ndarray


def thinning(rate: float, recipe: SoundRecipe) -> int | None:
    """Samples of a recording for one of the recipe.

    Parameters
    ----------
    rate : float
        Of the recording in Hz.
    recipe : SoundRecipe
        Its rate and band.

    Returns
    -------
    int or None
        None if it is no whole number, or nothing would keep higher frequencies out.
    """
    ratio = rate / recipe.sfreq
    fits = ratio >= 1 - _WHOLE and abs(ratio - round(ratio)) < _WHOLE
    if not fits or (ratio > 1.5 and (recipe.high_hz or np.inf) >= recipe.sfreq / 2):
        return None
    return round(ratio)


@lru_cache(maxsize=8)
def _sections(rate: float, recipe: SoundRecipe) -> np.ndarray:
    """Second-order sections; designing them takes longer than filtering a small chunk."""
    edges = [edge for edge in (recipe.low_hz, recipe.high_hz) if edge is not None]
    if not edges:
        return np.array([[1.0, 0, 0, 1, 0, 0]])
    if edges[-1] >= rate / 2:
        raise ConfigError(f"no filter from {recipe.low_hz} to {recipe.high_hz} Hz at {rate:g} Hz")
    kind = {2: "bandpass"}.get(len(edges), "lowpass" if recipe.low_hz is None else "highpass")
    where = edges if len(edges) == 2 else edges[0]
    return signal.butter(_ORDER, where, kind, fs=rate, output="sos")


def causal_start(n_channels: int, rate: float, recipe: SoundRecipe, skip: int = 0) -> CausalState:
    """State before the first sample.

    Parameters
    ----------
    n_channels : int
        Channels.
    rate : float
        Of the recording in Hz.
    recipe : SoundRecipe
        Band.
    skip : int
        Samples before the first one that is kept, which is that of the sound.

    Returns
    -------
    CausalState
        At rest.
    """
    return CausalState(
        np.zeros((len(_sections(rate, recipe)), 2, n_channels)), skip, np.zeros(n_channels)
    )


def causal_step(
    chunk: np.ndarray, state: CausalState, rate: float, recipe: SoundRecipe
) -> tuple[np.ndarray, np.ndarray, CausalState]:
    """Filter a chunk and keep every so manyth sample.

    Parameters
    ----------
    chunk : array of shape (n_samples, n_channels)
        As recorded, re-referenced; what is not finite is replaced by the last value before it.
    state : CausalState
        After the chunk before.
    rate : float
        Of the recording in Hz.
    recipe : SoundRecipe
        Rate and band.

    Returns
    -------
    kept : array of shape (n, n_channels)
        Filtered.
    held : array of int of shape (n,)
        Samples of the recording in which something was replaced, since the one kept before.
    state : CausalState
        For the next chunk: any division into chunks gives the same.

    Raises
    ------
    ConfigError
        If the rates do not divide.
    """
    step = thinning(rate, recipe)
    if step is None:
        raise ConfigError(
            f"a recording of {rate:g} Hz cannot be thinned out to {recipe.sfreq:g} Hz as it comes;"
            " prepare the stores at a rate that divides it, with --high below half of that"
        )
    if not len(chunk):
        return np.empty((0, chunk.shape[1])), np.empty(0, dtype=int), state
    finite = np.isfinite(chunk)
    place = np.where(finite, np.arange(1, len(chunk) + 1)[:, None], 0)
    known = np.vstack([state.last, np.where(finite, chunk, 0)])
    held = np.take_along_axis(known, np.maximum.accumulate(place, axis=0), axis=0)
    found, delays = signal.sosfilt(_sections(rate, recipe), held, axis=0, zi=state.delays)
    kept = np.arange(state.skip, len(chunk), step)
    bad = np.concatenate([[0], np.cumsum(~finite.all(axis=1))])
    starts = np.maximum(kept - step + 1, 0)
    after = kept[-1] + step if len(kept) else state.skip
    return (
        found[kept],
        bad[kept + 1] - bad[starts],
        CausalState(delays, int(after - len(chunk)), held[-1]),
    )
