"""When the sources of the miniature world's MEG and EEG answer, and how much."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from neurodecode.datasets.mini.anatomy import Anatomy

__all__ = ["COMPONENTS", "Component", "Jitter", "group_of", "jitter", "waveforms"]


@dataclass(frozen=True)
class Component:
    """Time course of one group of sources.

    ``h(t) = (x exp(1 - x))^k`` with ``x = (t - onset) / (peak - onset)``: zero up to the onset,
    one at the peak.

    Parameters
    ----------
    kind : {"low_level", "high_level"}
        What the sources answer to: local energy, or what is in the scene.
    where : str
        Area or stream, as `group_of` names it.
    onset, peak : float
        In seconds after the picture appears.
    sharpness : float
        The exponent k.
    """

    kind: str
    where: str
    onset: float
    peak: float
    sharpness: float

    def __call__(self, seconds: np.ndarray) -> np.ndarray:
        """Evaluate the time course.

        Parameters
        ----------
        seconds : array
            Times after the picture appears.

        Returns
        -------
        array of the same shape
            Between 0 and 1.
        """
        x = np.maximum(seconds - self.onset, 0.0) / (self.peak - self.onset)
        return (x * np.exp(1 - x)) ** self.sharpness


#: Latencies rounded from Cichy, Pantazis and Oliva (2014): MEG agrees best with V1 at 101 ms and
#: with inferior temporal cortex at 132 ms, animate and natural are told apart best at 157 ms and
#: 122 ms; and from intracranial onsets (Yoshor et al. 2007: V1 about 60 ms; Liu et al. 2009:
#: object identity in temporal cortex 100 ms and later). Sustained high-level responses over 200
#: to 400 ms follow Kietzmann et al. (2019). Set here, once.
COMPONENTS: tuple[Component, ...] = (
    Component("low_level", "V1", 0.045, 0.095, 5.0),
    Component("low_level", "V2", 0.050, 0.102, 5.0),
    Component("low_level", "V3", 0.055, 0.110, 5.0),
    Component("low_level", "hV4", 0.060, 0.125, 5.0),
    Component("low_level", "middle", 0.070, 0.140, 5.0),
    Component("low_level", "ventral", 0.080, 0.155, 5.0),
    Component("low_level", "lateral", 0.080, 0.160, 5.0),
    Component("low_level", "parietal", 0.080, 0.165, 5.0),
    Component("high_level", "middle", 0.100, 0.210, 4.0),
    Component("high_level", "ventral", 0.110, 0.260, 4.0),
    Component("high_level", "lateral", 0.115, 0.290, 4.0),
    Component("high_level", "parietal", 0.125, 0.340, 4.0),
)

#: Spread of single trials. Latency: about 10 ms for the first responses and 30 ms for late ones
#: (P1 and P300 in Ouyang, Sommer and Zhou 2016). Amplitude: a coefficient of variation of .3
#: within a run, and a drift of .15 over it.
_EARLY_JITTER, _LATE_JITTER = 0.010, 0.030
_TRIAL_GAIN, _DRIFT_GAIN = 0.30, 0.15


def group_of(anatomy: Anatomy) -> np.ndarray:
    """Name the group of each source: its early area, or its stream.

    Parameters
    ----------
    anatomy : Anatomy
        The brain.

    Returns
    -------
    array of str of shape (n_voxels,)
        ``V1``, ``V2``, ``V3``, ``hV4``, ``middle``, ``ventral``, ``lateral`` or ``parietal``.
    """
    area, streams = anatomy.area, anatomy.streams
    group = np.where(np.char.startswith(streams, "mid"), "middle", streams)
    return np.where(area != "", area, group)


@dataclass(frozen=True)
class Jitter:
    """What differs between presentations of one picture.

    Parameters
    ----------
    early, late : array of shape (n_trials,)
        Shift of the low-level and of the high-level responses, in seconds.
    gain : array of shape (n_trials,)
        Factor on the response.
    """

    early: np.ndarray
    late: np.ndarray
    gain: np.ndarray


def jitter(n_trials: int, rng: np.random.Generator) -> Jitter:
    """Draw latencies and amplitudes of the trials of one run.

    Parameters
    ----------
    n_trials : int
        Trials in the run.
    rng : numpy.random.Generator
        Source of randomness.

    Returns
    -------
    Jitter
        Gains drift with two cosines over the run, and vary from trial to trial (gamma).
    """
    time = (np.arange(n_trials) + 0.5) / n_trials
    waves = np.cos(np.pi * np.outer(time, [1, 2])) @ rng.standard_normal(2)
    shape = 1 / _TRIAL_GAIN**2
    return Jitter(
        early=_EARLY_JITTER * rng.standard_normal(n_trials),
        late=_LATE_JITTER * rng.standard_normal(n_trials),
        gain=np.exp(_DRIFT_GAIN * waves) * rng.gamma(shape, 1 / shape, n_trials),
    )


def waveforms(seconds: np.ndarray, trials: Jitter) -> np.ndarray:
    """Time course of each component in each trial.

    Parameters
    ----------
    seconds : array of shape (n_times,)
        Times after the picture appears.
    trials : Jitter
        Latency and amplitude of n_trials trials.

    Returns
    -------
    array of shape (n_trials, n_components, n_times)
        In the order of `COMPONENTS`.
    """
    shift = {"low_level": trials.early, "high_level": trials.late}
    courses = [each(seconds - shift[each.kind][:, None]) for each in COMPONENTS]
    return trials.gain[:, None, None] * np.stack(courses, axis=1)
