"""EEG of miniature viewers while they search: eyes that move, and responses to fixations."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from neurodecode.datasets.mini.evoked import Component
from neurodecode.datasets.mini.gaze_policy import DEGREES
from neurodecode.datasets.mini.sensor_noise import make_noise_field, noise
from neurodecode.datasets.mini.sensors import HEAD_CENTRE, STIM_CHANNEL, gain, sensor_info
from neurodecode.datasets.mini.viewers import LEVELS
from neurodecode.datasets.tables import write_table
from neurodecode.errors import ConfigError
from neurodecode.folders import atomic_folder
from neurodecode.scanpaths import Scanpath, Scanpaths

if TYPE_CHECKING:
    import mne

    from neurodecode.datasets.gaze.base import GazeData

__all__ = ["simulate_gaze_eeg"]

_SFREQ, _GAP, _SACCADE, _SEED_TAG = 100.0, 0.6, 0.03, 0x65_65_67
#: Eyes turn a dipole with them: 16 uV a degree beside the eyes (Malmivuo and Plonsey 1995, chapter
#: 28), about half of that at the best electrode of a cap.
_CORNEA = 8e-6
#: Lambda response to what the fovea meets, and the positivity at a fixated target: some
#: microvolts, with the latencies of visual evoked potentials and of the P300 after fixation onset
#: (Dimigen et al. 2011; Kamienkowski et al. 2012). Peak, place in metres from the middle of the
#: head, time course.
_LAMBDA = (6e-6, (0.0, -0.068, 0.01), Component("low_level", "V1", 0.045, 0.100, 5.0))
_TARGET = (6e-6, (0.0, -0.035, 0.055), Component("high_level", "parietal", 0.150, 0.380, 4.0))
_EYES = np.array([[-0.030, 0.070, -0.022], [0.030, 0.070, -0.022]])


def simulate_gaze_eeg(out: str | Path, data: GazeData, viewers: int = 2, seed: int = 0) -> Path:
    """Write the EEG of some viewers during their searches, and when they fixated what.

    Parameters
    ----------
    out : path-like
        Folder; replaced.
    data : GazeData
        The miniature viewers (`mini-gaze`), with objects.
    viewers : int
        How many of them wear a cap, the first ones.
    seed : int
        Seed of everything.

    Returns
    -------
    Path
        The folder: ``sub-<viewer>_task-search_eeg.fif`` (volt, 100 Hz, 32 electrodes) and
        ``sub-<viewer>_task-search_fixations.tsv``: onset in seconds, stimulus, target, number of
        the fixation in its scanpath (from 0), x, y in pixels.

    Raises
    ------
    ConfigError
        If there are fewer viewers, or nobody searched.
    """
    searches = data.scanpaths.select(data.scanpaths.task == "search_present")
    names = sorted(set(searches.viewer.tolist()))
    if not names or viewers > len(names):
        raise ConfigError(f"{viewers} viewers with EEG: {data.name} has {len(names)} who searched")
    with atomic_folder(Path(out), replace=True) as folder:
        for number, name in enumerate(names[:viewers]):
            rng = np.random.default_rng([_SEED_TAG, seed, number])
            own = searches.select(searches.viewer == name)
            _write_viewer(folder, name, own, data, rng)
    return Path(out)


def _write_viewer(
    folder: Path, name: str, searches: Scanpaths, data: GazeData, rng: np.random.Generator
) -> None:
    import mne

    info = sensor_info("eeg", _SFREQ)
    order = rng.permutation(len(searches))
    session = _Session.of([searches[int(row)] for row in order], data)
    n = round((session.onset[-1] + 2) * _SFREQ)
    wave, _ = noise(make_noise_field(info, LEVELS["eeg"], rng), n, _SFREQ, rng)
    wave += _eyes(info) @ session.gaze(n)
    for (peak, where, course), strength in zip((_LAMBDA, _TARGET), session.strengths(rng)):
        lead = gain(info, HEAD_CENTRE + np.array([where]), _outwards(where))[:, 0]
        lead *= peak / np.abs(lead).max()
        wave += np.outer(lead, _responses(session.onset, strength, course, n))
    stim = np.zeros((1, n))
    stim[0, np.round(session.onset * _SFREQ).astype(int)] = 1 + np.arange(len(session.onset)) % 255
    raw = mne.io.RawArray(np.vstack([wave, stim]), info, verbose="ERROR")
    assert raw.ch_names[-1] == STIM_CHANNEL
    raw.save(folder / f"sub-{name}_task-search_eeg.fif", fmt="single", verbose="ERROR")
    write_table(folder / f"sub-{name}_task-search_fixations.tsv", session.table(), sep="\t")


@dataclass(frozen=True)
class _Session:
    """The fixations of one viewer, one search after the other."""

    onset: np.ndarray
    xy: np.ndarray
    on_target: np.ndarray
    number: np.ndarray
    stimulus: list[str]
    target: list[str]
    size: int

    @classmethod
    def of(cls, searches: list[Scanpath], data: GazeData) -> _Session:
        """Lay searches out in time; the eye waits in the middle between them."""
        onset, xy, hit, number, stimulus, target = [], [], [], [], [], []
        clock = 1.0
        for path in searches:
            objects = data.objects[path.stimulus]
            clock += _GAP
            on = np.isin(objects.at(path.x, path.y), objects.find(path.target))
            for k in range(len(path)):
                onset.append(clock)
                clock += path.duration[k] / 1000
            xy += path.xy.tolist()
            hit += on.tolist()
            number += range(len(path))
            stimulus += [path.stimulus] * len(path)
            target += [path.target] * len(path)
        return cls(np.array(onset), np.array(xy), np.array(hit), np.array(number), stimulus,
                   target, searches[0].size[0])  # fmt: skip

    def gaze(self, n: int) -> np.ndarray:
        """Degrees to the right and up at each sample, (2, n); saccades take 30 ms."""
        away = (self.xy - self.size / 2) * DEGREES / self.size * [1, -1]
        times, places = [0.0], [np.zeros(2)]
        for k, start in enumerate(self.onset):
            if self.number[k] == 0:  # back to the middle, half a gap before
                back = start - _GAP / 2
                times += [back - _SACCADE, back]
                places += [places[-1], np.zeros(2)]
            times += [start - _SACCADE, start]
            places += [places[-1], away[k]]
        seconds = np.arange(n) / _SFREQ
        return np.stack([np.interp(seconds, times, column) for column in np.array(places).T])

    def strengths(self, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        """Of the two responses to each fixation, with a spread of .3 between fixations."""
        vary = rng.gamma(1 / 0.09, 0.09, (2, len(self.onset)))
        return vary[0], vary[1] * self.on_target

    def table(self) -> dict[str, list]:
        """Columns of the file of fixations."""
        return {
            "onset": [f"{value:.4f}" for value in self.onset.tolist()],
            "stimulus": self.stimulus, "target": self.target, "number": self.number.tolist(),
            "x": [f"{value:.2f}" for value in self.xy[:, 0].tolist()],
            "y": [f"{value:.2f}" for value in self.xy[:, 1].tolist()],
        }  # fmt: skip


def _eyes(info: mne.Info) -> np.ndarray:
    """What a degree to the right and a degree up do to the electrodes, (n_channels, 2)."""
    place = np.tile(HEAD_CENTRE + _EYES, (2, 1))
    turned = np.repeat([[1.0, 0, 0], [0, 0, 1.0]], 2, axis=0)
    lead = gain(info, place, turned).reshape(-1, 2, 2).sum(axis=2)
    return lead * (_CORNEA / np.abs(lead).max(axis=0))


def _outwards(where: tuple[float, float, float]) -> np.ndarray:
    return np.array([where]) / np.linalg.norm(where)


def _responses(
    onset: np.ndarray, strength: np.ndarray, course: Component, n: int, seconds: float = 1.0
) -> np.ndarray:
    """Time courses at each fixation, added up; successive ones overlap, (n,)."""
    out = np.zeros(n + round(seconds * _SFREQ))
    shape = course(np.arange(round(seconds * _SFREQ)) / _SFREQ)
    for start, size in zip(np.round(onset * _SFREQ).astype(int), strength):
        out[start : start + len(shape)] += size * shape
    return out[:n]
