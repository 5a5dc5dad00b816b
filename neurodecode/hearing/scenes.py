"""Two talkers at two places, at both ears of a listener."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from neurodecode.hearing.corpus import Recorded
from neurodecode.hearing.head import add_room, at_ears
from neurodecode.hearing.talkers import RATE

__all__ = ["Scene", "SceneOptions", "draw_scene"]


@dataclass(frozen=True)
class SceneOptions:
    """What scenes are like.

    Parameters
    ----------
    seconds : float
        Length.
    level_db : tuple of float
        Range of the energy of the first talker over that of the second, both ears together.
    azimuth_deg : float
        Talkers stand up to so far to the left and right.
    room_share : float
        Share of scenes with reverberation.
    decay_s, direct_db : tuple of float
        Ranges of reverberation time, and of direct over reverberant energy.
    """

    seconds: float = 2.0
    level_db: tuple[float, float] = (0.0, 0.0)
    azimuth_deg: float = 90.0
    room_share: float = 0.0
    decay_s: tuple[float, float] = (0.15, 0.4)
    direct_db: tuple[float, float] = (0.0, 8.0)


@dataclass(frozen=True)
class Scene:
    """One mixture.

    Parameters
    ----------
    images : array of float32 of shape (2, 2, n_samples)
        What either talker alone would be at left and right ear; the mixture is their sum.
    talkers : tuple of int
        Their places in the list of talkers.
    azimuth_deg : tuple of float
        Where they stand.
    decay_s : float
        Reverberation time; 0 without.
    """

    images: np.ndarray
    talkers: tuple[int, int]
    azimuth_deg: tuple[float, float]
    decay_s: float

    @property
    def mixture(self) -> np.ndarray:
        """Both talkers, (2, n_samples)."""
        return self.images.sum(axis=0)


def draw_scene(
    talkers: Sequence[Recorded], options: SceneOptions, rng: np.random.Generator
) -> Scene:
    """Draw two talkers, what they say, where they stand, and a room.

    Parameters
    ----------
    talkers : sequence of Recorded
        Of one side.
    options : SceneOptions
        What scenes are like.
    rng : numpy.random.Generator
        Source of randomness.

    Returns
    -------
    Scene
        The same for the same state of `rng`; root mean square of the mixture .05.
    """
    chosen = rng.choice(len(talkers), 2, replace=False)
    azimuths = rng.uniform(-options.azimuth_deg, options.azimuth_deg, 2)
    room = rng.random() < options.room_share
    decay_s = float(rng.uniform(*options.decay_s)) if room else 0.0
    direct_db = rng.uniform(*options.direct_db)
    n, images = round(options.seconds * RATE), []
    for index, azimuth in zip(chosen, azimuths, strict=True):
        ears = at_ears(_cut(talkers[index].speech, n, rng), RATE, float(azimuth))
        if room:
            ears = add_room(ears, RATE, decay_s, direct_db, rng)
        images.append(ears / np.sqrt(np.mean(ears**2)))
    images[0] = images[0] * 10 ** (rng.uniform(*options.level_db) / 20)
    both = np.stack(images)
    both *= 0.05 / np.sqrt(np.mean(both.sum(axis=0) ** 2))
    return Scene(
        both.astype(np.float32),
        (int(chosen[0]), int(chosen[1])),
        (float(azimuths[0]), float(azimuths[1])),
        decay_s,
    )


def _cut(speech: np.ndarray, n: int, rng: np.random.Generator) -> np.ndarray:
    """A piece of speech; pieces that are mostly pause are drawn again."""
    usual = np.mean(speech**2)
    for _ in range(10):
        start = int(rng.integers(max(len(speech) - n, 0) + 1))
        piece = speech[start : start + n]
        if np.mean(piece**2) > 0.3 * usual:
            break
    return np.pad(piece.astype(np.float64), (0, n - len(piece)))
