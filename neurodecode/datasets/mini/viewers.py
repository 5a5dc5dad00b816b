"""Heads of the miniature world's MEG and EEG viewers: what a picture does to the sensors."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from neurodecode.datasets.mini.anatomy import make_anatomy
from neurodecode.datasets.mini.early import early_responses, make_fields
from neurodecode.datasets.mini.evoked import COMPONENTS, group_of
from neurodecode.datasets.mini.late import late_responses, make_selectivity
from neurodecode.datasets.mini.scene_types import Scene
from neurodecode.datasets.mini.sensors import BRAIN_RADIUS, HEAD_CENTRE, gain
from neurodecode.datasets.mini.voxels import low_level_share, standardised

if TYPE_CHECKING:
    import mne

__all__ = ["LEVELS", "Levels", "Patterns", "make_patterns"]


@dataclass(frozen=True)
class Levels:
    """How strong everything is at the sensors, in T or V.

    Parameters
    ----------
    evoked : float
        Peak of the response that all pictures have in common, at the best sensor.
    picture : float
        Root mean square over pictures of what differs between them, at its best sensor and time.
    background : float
        Brain activity that has nothing to do with the pictures, 1 to 40 Hz, root mean square at
        the median sensor.
    alpha : float
        10-Hz rhythm, root mean square at the best sensor.
    density : float
        White noise of a sensor, in T or V per root hertz.
    line, drift, blink : float
        50-Hz hum and slow drift (root mean square), peak of a blink at the best sensor.
    """

    evoked: float
    picture: float
    background: float
    alpha: float
    density: float
    line: float
    drift: float
    blink: float


#: Set once, from the literature and real recordings, and moved for nothing.
#: EEG: components of 5 to 10 uV in a background of 10 uV and more (Luck 2014, chapters 1 and 8);
#: alpha of 5 to 10 uV with open eyes; amplifiers of 1 uV over 100 Hz; blinks of 50 to 150 uV at
#: the forehead (Iwasaki et al. 2005). MEG: evoked fields of 100 to 200 fT, spontaneous activity
#: of several hundred fT, sensors of 3 to 5 fT per root hertz (Hamalainen et al. 1993, sections II
#: and V). Pictures: what tells faces from houses has .18 of the standard deviation of single
#: trials at the best of four dry electrodes (half the difference of the means, `n170`, 760 trials,
#: .1 to 40 Hz); taken as .2, with as much variance again within categories: .28 of 12 uV, and of
#: 275 fT.
LEVELS: dict[str, Levels] = {
    "eeg": Levels(6e-6, 3.4e-6, 10e-6, 6e-6, 1e-7, 3e-6, 20e-6, 100e-6),
    "meg": Levels(150e-15, 77e-15, 250e-15, 200e-15, 5e-15, 100e-15, 400e-15, 800e-15),
}

_FOLD_LENGTH, _N_WAVES = 0.025, 24  # metres over which cortex turns, and plane waves that do it


@dataclass(frozen=True)
class Patterns:
    """What the pictures do to the sensors of one viewer.

    Parameters
    ----------
    evoked : array of shape (n_components, n_channels)
        Response common to all pictures, in T or V at the peak of each component.
    picture : array of float32 of shape (n_images, n_components, n_channels)
        Deviation of each picture from it.
    place, orientation : array of shape (n_sources, 3)
        Sources in head coordinates (metres), and unit vectors.
    low_level_share : array of shape (n_sources,)
        Weight of the low-level response of each source.
    """

    evoked: np.ndarray
    picture: np.ndarray
    place: np.ndarray
    orientation: np.ndarray
    low_level_share: np.ndarray


def make_patterns(
    number: int,
    info: mne.Info,
    levels: Levels,
    images: np.ndarray,
    scenes: Sequence[Scene],
    rngs: Sequence[np.random.Generator],
) -> Patterns:
    """Grow a head and show it all pictures.

    Sources are the voxels of a brain as the fMRI world grows them, with the same receptive
    fields and selectivities; none of them knows an embedding. Cortex is folded at random, so
    that each viewer has topographies of its own.

    Parameters
    ----------
    number : int
        Viewer, from 0.
    info : mne.Info
        Sensors.
    levels : Levels
        Scales.
    images : array of uint8 of shape (n_images, size, size, 3)
        Pictures.
    scenes : sequence of Scene of length n_images
        What is in them.
    rngs : sequence of numpy.random.Generator
        Five independent sources of randomness.

    Returns
    -------
    Patterns
        In T or V.
    """
    anatomy = make_anatomy(number, rngs[0])
    early = early_responses(images, make_fields(anatomy, rngs[1]))
    late = late_responses(scenes, make_selectivity(anatomy, rngs[2]))
    place = HEAD_CENTRE + BRAIN_RADIUS * anatomy.position
    orientation = folded(place, rngs[3])
    lead = gain(info, place, orientation)
    share = low_level_share(anatomy, rngs[4])
    base = rngs[4].gamma(2.0, 0.5, anatomy.n_voxels)
    answers = {
        "low_level": share * standardised(early),
        "high_level": (1 - share) * standardised(late),
    }
    common = {"low_level": share * base, "high_level": (1 - share) * base}
    group = group_of(anatomy)
    picture = np.stack(
        [(answers[c.kind][:, group == c.where] @ lead[:, group == c.where].T) for c in COMPONENTS],
        axis=1,
    )
    evoked = np.stack(
        [lead[:, group == c.where] @ common[c.kind][group == c.where] for c in COMPONENTS]
    )
    return Patterns(
        evoked=evoked * (levels.evoked / _peak(evoked[None])),
        picture=(picture * (levels.picture / _peak(picture))).astype(np.float32),
        place=place,
        orientation=orientation,
        low_level_share=share,
    )


def _peak(patterns: np.ndarray) -> float:
    """Largest root mean square over pictures, of any sensor at any time of the mean course."""
    seconds = np.arange(0.0, 0.8, 0.004)
    courses = np.stack([component(seconds) for component in COMPONENTS])
    largest = 0.0
    for channel in range(patterns.shape[2]):
        # (n_images, n_components) @ (n_components, n_times)
        over_time = patterns[:, :, channel] @ courses
        largest = max(largest, float(np.sqrt((over_time**2).mean(axis=0)).max()))
    return largest


def folded(place: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Orient sources at right angles to a cortex that is folded at random.

    Parameters
    ----------
    place : array of shape (n, 3)
        Positions in metres.
    rng : numpy.random.Generator
        Source of randomness.

    Returns
    -------
    array of shape (n, 3)
        Unit vectors that turn smoothly over about 25 mm (a sum of plane waves).
    """
    waves = rng.standard_normal((_N_WAVES, 3)) * (2 * np.pi / _FOLD_LENGTH / np.sqrt(3))
    phase = rng.uniform(0, 2 * np.pi, _N_WAVES)
    vectors = np.cos(place @ waves.T + phase) @ rng.standard_normal((_N_WAVES, 3))
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
