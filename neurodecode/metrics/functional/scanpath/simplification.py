"""Joining saccades that belong together, as MultiMatch does before it compares."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

__all__ = ["Saccades", "simplify"]


@dataclass(frozen=True)
class Saccades:
    """A scanpath as vectors.

    Parameters
    ----------
    start : array of shape (n_saccades, 2)
        Where each begins, in pixels.
    vector : array of shape (n_saccades, 2)
        Where it goes from there.
    duration : array of shape (n_saccades + 1,)
        Milliseconds of the fixation before each saccade, and of the last one.
    """

    start: np.ndarray
    vector: np.ndarray
    duration: np.ndarray

    def __len__(self) -> int:
        return len(self.start)


def simplify(saccades: Saccades, direction: float, amplitude: float, duration: float) -> Saccades:
    """Join saccades until nothing changes (Jarodzka et al. 2010, section 3.1).

    Parameters
    ----------
    saccades : Saccades
        A scanpath.
    direction : float
        Degrees between neighbours below which they are one.
    amplitude : float
        Pixels below which a saccade goes with the next one, the last with the one before.
    duration : float
        Milliseconds; fixations at least as long as this keep saccades apart.

    Returns
    -------
    Saccades
        Possibly fewer.
    """
    while True:
        before = len(saccades)
        saccades = _join(saccades, _same_direction(saccades, direction, duration))
        saccades = _join(saccades, _short(saccades, amplitude, duration))
        saccades = _join_last(saccades, amplitude, duration)
        if len(saccades) == before:
            return saccades


def _same_direction(saccades: Saccades, limit: float, duration: float) -> np.ndarray:
    first, second = saccades.vector[:-1], saccades.vector[1:]
    norm = np.hypot(*first.T) * np.hypot(*second.T)
    # rounding may put the cosine of parallel vectors above 1; no movement has no direction
    cosine = (first * second).sum(axis=1) / np.where(norm > 0, norm, 1)
    angle = np.degrees(np.arccos(np.clip(cosine, -1, 1)))
    return (norm > 0) & (angle < limit) & (saccades.duration[1:-1] < duration)


def _short(saccades: Saccades, limit: float, duration: float) -> np.ndarray:
    length = np.hypot(*saccades.vector[:-1].T)
    brief = np.minimum(saccades.duration[:-2], saccades.duration[1:-1]) < duration
    return (length < limit) & brief


def _join(saccades: Saccades, with_next: np.ndarray) -> Saccades:
    """Join each marked saccade with the next, which then takes no part in another join."""
    keep, vectors, row = [], [], 0
    while row < len(saccades):
        joined = row < len(with_next) and with_next[row]
        keep.append(row)
        vectors.append(saccades.vector[row : row + 1 + joined].sum(axis=0))
        row += 1 + joined
    return Saccades(
        saccades.start[keep],
        np.array(vectors).reshape(-1, 2),
        np.append(saccades.duration[keep], saccades.duration[-1]),
    )


def _join_last(saccades: Saccades, limit: float, duration: float) -> Saccades:
    if len(saccades) < 2 or np.hypot(*saccades.vector[-1]) >= limit:
        return saccades
    if min(saccades.duration[-2:]) >= duration:
        return saccades
    vector = saccades.vector[:-1].copy()
    vector[-1] += saccades.vector[-1]
    return Saccades(saccades.start[:-1], vector, np.delete(saccades.duration, -2))
