"""Record the miniature world's MEG or EEG and write it as FIF files with tables of events."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from joblib import Parallel, delayed
from threadpoolctl import threadpool_limits

from neurodecode.datasets.mini.evoked import COMPONENTS, Jitter, jitter, waveforms
from neurodecode.datasets.mini.meeg_plan import (
    RUNS_PER_SESSION,
    MeegOptions,
    MeegPlan,
    make_meeg_plan,
)
from neurodecode.datasets.mini.plan import stream
from neurodecode.datasets.mini.sensor_noise import NoiseField, make_noise_field, noise
from neurodecode.datasets.mini.sensors import sensor_info
from neurodecode.datasets.mini.simulate import draw, refuse_other_folder
from neurodecode.datasets.mini.viewers import LEVELS, Patterns, make_patterns
from neurodecode.datasets.mini.write_meeg import write_pictures, write_run
from neurodecode.datasets.mini.write_subject import write_truth
from neurodecode.folders import atomic_folder, reserve
from neurodecode.progress import progress_bar

if TYPE_CHECKING:
    import mne

__all__ = ["simulate_meeg"]

#: Seconds from picture to picture (THINGS-MEG: 1.5 +- .2, THINGS-EEG2: .2), how long a response
#: is followed, and how long a run goes on before and after the pictures.
_INTERVAL, _RESPONSE, _REST = (0.55, 0.65), 0.8, 2.0
_LOOSE = 15.0  # times the noise of a sensor whose contact is loose
_WHEN = datetime(2026, 1, 1, tzinfo=UTC)


def simulate_meeg(
    out: str | Path, options: MeegOptions, *, n_jobs: int = 1, quiet: bool = True
) -> Path:
    """Write the recordings of all viewers, complete or not at all.

    ``sub-<viewer>/ses-<n>/<modality>/sub-<viewer>_ses-<n>_task-look_run-<n>_<modality>.fif`` with
    ``..._events.tsv`` beside it, pictures in ``stimuli``, and in ``truth`` what no sensor tells.

    Parameters
    ----------
    out : path-like
        Folder to write. A miniature world that is there already is replaced; a folder with
        anything else is refused.
    options : MeegOptions
        What and how much.
    n_jobs : int
        Processes. The samples do not depend on them.
    quiet : bool
        No progress bars.

    Returns
    -------
    Path
        The folder.

    Raises
    ------
    ConfigError
        If the options do not fit together, or the folder holds something else.
    DataError
        If the disk is full.
    """
    out = Path(out)
    refuse_other_folder(out)
    plan = make_meeg_plan(options)
    with atomic_folder(out, replace=True) as folder:
        info = sensor_info(options.modality, options.sfreq)
        n_trials = sum(len(run) for runs in plan.runs for run in runs)
        reserve(folder, int(n_trials * np.mean(_INTERVAL) * options.sfreq * len(info["chs"]) * 4))
        images = draw(plan.scenes, options.world.image_size, n_jobs, quiet)
        write_pictures(folder / "stimuli", plan, images)
        jobs = [
            delayed(_record)(_Viewer(folder, plan, options, number), images)
            for number in range(options.viewers)
        ]
        parallel = Parallel(n_jobs=min(n_jobs, len(jobs)), return_as="generator")
        with progress_bar(f"recording {options.modality}", len(jobs), quiet=quiet) as advance:
            for done, _ in enumerate(parallel(jobs), start=1):
                advance(done)
    return out


def _record(viewer: _Viewer, images: np.ndarray) -> None:
    """Write one viewer, with one thread: sums then have the same last bit everywhere."""
    with threadpool_limits(1):
        viewer.write(images)


@dataclass
class _Viewer:
    """One person in the scanner or under the cap."""

    folder: Path
    plan: MeegPlan
    options: MeegOptions
    number: int

    @property
    def name(self) -> str:
        """``m01`` for MEG, ``e01`` for EEG: other people than the fMRI world's 01 to 04."""
        return f"{self.options.modality[0]}{self.number + 1:02d}"

    def _rng(self, *words: int) -> np.random.Generator:
        which = int(self.options.modality == "eeg")
        return stream(self.options.world.seed, 6, which, self.number, *words)

    def write(self, images: np.ndarray) -> None:
        """Record all runs."""
        info = sensor_info(self.options.modality, self.options.sfreq)
        levels = LEVELS[self.options.modality]
        patterns = make_patterns(
            self.number, info, levels, images, self.plan.scenes, [self._rng(k) for k in range(5)]
        )
        field = make_noise_field(info, levels, self._rng(5))
        drawn = [
            self._write_run(number, info, patterns, field)
            for number in range(len(self.plan.runs[self.number]))
        ]
        self._write_truth(patterns, field, drawn)

    def _write_run(
        self, number: int, info: mne.Info, patterns: Patterns, field: NoiseField
    ) -> Jitter:
        rng, sfreq = self._rng(6, number), self.options.sfreq
        shown = self.plan.runs[self.number][number]
        gaps = rng.uniform(*_INTERVAL, len(shown))
        onset = np.round((_REST + np.cumsum(gaps) - gaps[0]) * sfreq).astype(int)
        n_samples = int(onset[-1] + (_RESPONSE + _REST) * sfreq)
        data, _ = noise(field, n_samples, sfreq, rng)
        trials = jitter(len(shown), rng)
        seconds = np.arange(round(_RESPONSE * sfreq)) / sfreq
        courses = waveforms(seconds, trials)
        for start, picture, course in zip(onset, shown, courses, strict=True):
            response = (patterns.evoked + patterns.picture[picture]).T @ course
            data[:, start : start + len(seconds)] += response
        bads = []
        if number == 1:
            # one loose contact, in one run: what interpolation is for
            loose = int(rng.integers(len(data)))
            data[loose] += _LOOSE * data[loose].std() * rng.standard_normal(n_samples)
            bads = [info["ch_names"][loose]]
        where = (self.name, number // RUNS_PER_SESSION + 1, number % RUNS_PER_SESSION + 1)
        write_run(self.folder, where, info, data, onset, self.plan.rows[shown], bads, _WHEN)
        return trials

    def _write_truth(self, patterns: Patterns, field: NoiseField, drawn: list[Jitter]) -> None:
        arrays = {"image": self.plan.rows}
        arrays |= {f"patterns/{name}": values for name, values in vars(patterns).items()}
        arrays |= {f"noise/{name}": np.asarray(values) for name, values in vars(field).items()}
        for name in ("early", "late", "gain"):
            arrays[f"trials/{name}"] = np.concatenate([getattr(each, name) for each in drawn])
        attrs = {
            "content": "responses in T or V: patterns/evoked + patterns/picture[image], times the"
            " courses of the components, shifted and scaled in each trial; images are rows of the"
            " fMRI world's imgBrick, from 0",
            "components": [f"{each.kind} {each.where} {each.peak:.3f} s" for each in COMPONENTS],
        }
        options = {**asdict(self.options), **asdict(self.options.world)}
        attrs |= {f"option_{name}": value for name, value in options.items() if name != "world"}
        write_truth(self.folder / "truth" / f"sub-{self.name}.h5", arrays, attrs)
