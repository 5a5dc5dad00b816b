"""Run the miniature world's experiment and write it to disk in NSD's layout."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from joblib import Parallel, delayed
from threadpoolctl import threadpool_limits

from neurodecode.datasets.mini.anatomy import Anatomy, make_anatomy, volume_shape
from neurodecode.datasets.mini.early import ReceptiveFields, early_responses, make_fields
from neurodecode.datasets.mini.late import Selectivity, late_responses, make_selectivity
from neurodecode.datasets.mini.plan import MiniOptions, Plan, make_plan, stream
from neurodecode.datasets.mini.scenes import Scene, render
from neurodecode.datasets.mini.voxels import (
    Reliability,
    make_reliability,
    mix_signal,
    session_betas,
    subject_gains,
)
from neurodecode.datasets.mini.write_design import (
    write_annotations,
    write_behaviour,
    write_design,
    write_images,
)
from neurodecode.datasets.mini.write_subject import (
    write_betas,
    write_ncsnr,
    write_rois,
    write_truth,
)
from neurodecode.datasets.nsd.paths import NsdPaths
from neurodecode.errors import ConfigError
from neurodecode.folders import atomic_folder, reserve
from neurodecode.progress import progress_bar

__all__ = ["draw", "refuse_other_folder", "simulate"]

_SCENES_AT_ONCE, _WORTH_PROCESSES = 50, 1000


def simulate(
    out: str | Path, options: MiniOptions | None = None, *, n_jobs: int = 1, quiet: bool = True
) -> Path:
    """Write the miniature world, complete or not at all.

    Parameters
    ----------
    out : path-like
        Folder to write. A miniature world that is there already is replaced; a folder with
        anything else is refused.
    options : MiniOptions, optional
        Size of the world.
    n_jobs : int
        Processes. The result does not depend on them.
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
    out, options = Path(out), options or MiniOptions()
    refuse_other_folder(out)
    plan = make_plan(options)
    if options.n_subjects * options.images_per_subject < _WORTH_PROCESSES:
        n_jobs = 1  # starting processes would take longer
    with atomic_folder(out, replace=True) as folder:
        paths = NsdPaths(folder)
        reserve(folder, _expected_bytes(plan, options))
        images = draw(plan.scenes, options.image_size, n_jobs, quiet)
        write_design(paths, plan)
        write_images(paths, images)
        write_annotations(paths, plan.scenes, options.image_size)
        gains = subject_gains(options.n_subjects, stream(options.seed, 1))
        jobs = [
            delayed(_scan)(
                _Subject(paths, plan, options, number, float(gain)), images[plan.images[number]]
            )
            for number, gain in enumerate(gains)
        ]
        parallel = Parallel(n_jobs=n_jobs, return_as="generator")
        with progress_bar("scanning subjects", len(jobs), quiet=quiet) as advance:
            for done, _ in enumerate(parallel(jobs), start=1):
                advance(done)
    return out


def refuse_other_folder(out: Path) -> None:
    """Refuse to replace anything but a miniature world.

    Parameters
    ----------
    out : Path
        Folder to be written.

    Raises
    ------
    ConfigError
        If it holds something else.
    """
    if out.is_dir() and any(out.iterdir()) and not (out / "truth").is_dir():
        raise ConfigError(f"{out} is not empty and is not a miniature world; give another folder")


def _expected_bytes(plan: Plan, options: MiniOptions) -> int:
    """Size of the largest files: pictures and betas."""
    pictures = len(plan.scenes) * options.image_size**2 * 3
    volumes = [
        len(plan.attended(number)) * int(np.prod(volume_shape(number)))
        for number in range(options.n_subjects)
    ]
    return pictures + np.dtype(np.int16).itemsize * sum(volumes)


def draw(scenes: list[Scene], size: int, n_jobs: int = 1, quiet: bool = True) -> np.ndarray:
    """Render scenes.

    Parameters
    ----------
    scenes : list of Scene of length n
        What to draw.
    size : int
        Side of the pictures in pixels.
    n_jobs : int
        Processes.
    quiet : bool
        No progress bars.

    Returns
    -------
    array of uint8 of shape (n, size, size, 3)
        RGB.
    """
    starts = range(0, len(scenes), _SCENES_AT_ONCE)
    jobs = (delayed(_draw_some)(scenes[s : s + _SCENES_AT_ONCE], size) for s in starts)
    parallel = Parallel(n_jobs=n_jobs, return_as="generator")
    images = np.empty((len(scenes), size, size, 3), dtype=np.uint8)
    with progress_bar("drawing scenes", len(scenes), quiet=quiet) as advance:
        for start, block in zip(starts, parallel(jobs), strict=True):
            images[start : start + len(block)] = block
            advance(start + len(block))
    return images


def _draw_some(scenes: list[Scene], size: int) -> np.ndarray:
    return np.stack([render(scene, size) for scene in scenes])


def _scan(subject: _Subject, images: np.ndarray) -> None:
    """Write one subject, with one thread: sums then have the same last bit everywhere."""
    with threadpool_limits(1):
        subject.write(images)


@dataclass
class _Subject:
    """One subject of the world, from anatomy to files."""

    paths: NsdPaths
    plan: Plan
    options: MiniOptions
    number: int
    gain: float

    @property
    def name(self) -> str:
        """Two digits, from 01, as in NSD's folders."""
        return f"{self.number + 1:02d}"

    @property
    def n_sessions(self) -> int:
        """Number of sessions this subject was scanned."""
        return self.plan.n_sessions[self.number]

    def _rng(self, *words: int) -> np.random.Generator:
        return stream(self.options.seed, 2, self.number, *words)

    def write(self, images: np.ndarray) -> None:
        """Measure and write everything about this subject."""
        anatomy = make_anatomy(self.number, self._rng(0))
        fields = make_fields(anatomy, self._rng(1))
        selectivity = make_selectivity(anatomy, self._rng(2))
        rows = self.plan.images[self.number]
        early = early_responses(images, fields)
        late = late_responses([self.plan.scenes[row] for row in rows], selectivity)
        signal, share = mix_signal(early, late, anatomy, self._rng(3))
        known = make_reliability(anatomy, self.n_sessions, self.gain, self._rng(4))
        write_behaviour(self.paths, self.plan, self.number)
        write_rois(self.paths, self.name, anatomy, fields.eccentricity)
        write_ncsnr(self.paths, self.name, anatomy, known.ncsnr)
        self._write_truth(anatomy, fields, selectivity, known, signal, share)
        self._measure(anatomy, known, signal)

    def _measure(self, anatomy: Anatomy, known: Reliability, signal: np.ndarray) -> None:
        for session in range(self.n_sessions):
            rng = self._rng(5, session)
            shown = self.plan.order[self.plan.session == session + 1]
            betas = session_betas(signal[shown], session, known, rng)
            write_betas(self.paths.session(self.name, session + 1), betas, anatomy, rng)

    def _write_truth(
        self,
        anatomy: Anatomy,
        fields: ReceptiveFields,
        selectivity: Selectivity,
        known: Reliability,
        signal: np.ndarray,
        share: np.ndarray,
    ) -> None:
        arrays = {
            "image": self.plan.images[self.number],
            "signal": (known.mean + signal * known.signal_sd).astype(np.float32),
            "xyz": anatomy.xyz,
            "low_level_share": share,
        }
        for group, record in (
            ("prf", fields),
            ("selectivity", selectivity),
            ("reliability", known),
        ):
            for name, values in vars(record).items():
                if name != "mixing":  # follows from xyz, and is large
                    arrays[f"{group}/{name}"] = values
        attrs = {
            "content": "noise-free responses in percent signal change, rows as in `image` (row of"
            " imgBrick, from 0), columns as in `xyz`; receptive fields in degrees",
            **{f"option_{name}": value for name, value in asdict(self.options).items()},
        }
        write_truth(self.paths.root / "truth" / f"subj{self.name}.h5", arrays, attrs)
