"""Who sees which scene, when: the miniature world's experimental design, in NSD's terms."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from neurodecode.datasets.mini.scene_types import Scene
from neurodecode.datasets.mini.scenes import sample_scene
from neurodecode.errors import ConfigError

__all__ = ["MiniOptions", "Plan", "make_plan", "stream"]

MAX_TRIALS, MIN_SESSIONS = 750, 4
_SEED_TAG = 0x6D_66_6D_72_69
"""First word of every seed of this world; the bundled models were trained with another."""


@dataclass(frozen=True)
class MiniOptions:
    """Size of the miniature world.

    Parameters
    ----------
    n_subjects : int
        Subjects; the second half of them has one session less.
    images_per_subject : int
        Pictures that only one subject sees.
    shared : int
        Pictures that all subjects see.
    repeats : int
        How often each picture is planned; the missing session costs some repeats of the
        unshared ones.
    seed : int
        Seed of everything.
    image_size : int
        Side of the pictures in pixels.
    unshown : int
        Further pictures that nobody sees.
    """

    n_subjects: int = 4
    images_per_subject: int = 900
    shared: int = 100
    repeats: int = 3
    seed: int = 0
    image_size: int = 64
    unshown: int = 0

    def __post_init__(self) -> None:
        for name, least in (
            ("n_subjects", 1),
            ("images_per_subject", 8),
            ("shared", 2),
            ("repeats", 1),
            ("image_size", 16),
            ("unshown", 0),
        ):
            if getattr(self, name) < least:
                raise ConfigError(f"{name} is {getattr(self, name)}; give at least {least}")


@dataclass(frozen=True)
class Plan:
    """Everything that is decided before anybody is scanned.

    Parameters
    ----------
    scenes : list of Scene
        Scene of each row of `imgBrick`; those that nobody sees come last.
    images : array of int of shape (n_subjects, n_images)
        Row (0-based) of each subject's n-th image; the shared ones come first.
    order : array of int of shape (n_trials,)
        Image (0-based, into `images`) of each trial, the same for every subject.
    session : array of int of shape (n_trials,)
        Session of each trial, from 1.
    n_sessions : tuple of int
        Sessions that each subject attended.
    n_shared : int
        How many images are shared.
    """

    scenes: list[Scene]
    images: np.ndarray
    order: np.ndarray
    session: np.ndarray
    n_sessions: tuple[int, ...]
    n_shared: int

    @property
    def shared(self) -> np.ndarray:
        """Rows of the shared pictures, increasing."""
        return np.sort(self.images[0, : self.n_shared])

    def attended(self, subject: int) -> np.ndarray:
        """Trials of the sessions that a subject (from 0) attended."""
        return np.flatnonzero(self.session <= self.n_sessions[subject])


def stream(seed: int, *words: int) -> np.random.Generator:
    """Make a source of randomness that is independent of every other.

    Parameters
    ----------
    seed : int
        Seed of the world.
    *words : int
        What the stream is for.

    Returns
    -------
    numpy.random.Generator
        The generator.
    """
    return np.random.default_rng([_SEED_TAG, seed, *words])


def make_plan(options: MiniOptions) -> Plan:
    """Plan scenes, images of each subject and the order of trials.

    As in NSD, the order of images is common to all subjects, and a subject that comes to fewer
    sessions misses the last ones. Unlike in NSD, all repeats of the shared images are within
    the sessions that everybody attended, so that each has all its repeats for every subject.

    Parameters
    ----------
    options : MiniOptions
        Size of the world.

    Returns
    -------
    Plan
        The plan.
    """
    rng = stream(options.seed, 0)
    n_shared, n_own = options.shared, options.images_per_subject
    n_rows = n_shared + options.n_subjects * n_own
    scenes = [sample_scene(rng) for _ in range(n_rows)]
    rows = rng.permutation(n_rows)
    own = rows[n_shared:].reshape(options.n_subjects, n_own)
    shared = np.tile(rows[:n_shared], (options.n_subjects, 1))

    n_trials = (n_shared + n_own) * options.repeats
    most = max(MIN_SESSIONS, -(-n_trials // MAX_TRIALS))
    per_session = -(-n_trials // most)
    session = np.arange(n_trials) // per_session + 1
    order = _order(rng, n_shared, n_own, options.repeats, int((session < most).sum()))
    full = (options.n_subjects + 1) // 2
    n_sessions = tuple(most - (subject >= full) for subject in range(options.n_subjects))
    # from a stream of their own: how many there are changes nothing else in this world
    unshown = stream(options.seed, 3)
    scenes += [sample_scene(unshown) for _ in range(options.unshown)]
    return Plan(scenes, np.hstack([shared, own]), order, session, n_sessions, n_shared)


def _order(
    rng: np.random.Generator, n_shared: int, n_own: int, repeats: int, common: int
) -> np.ndarray:
    """Shuffle the trials; shared images stay within the first `common` ones."""
    if n_shared * repeats > common:
        raise ConfigError(
            f"{n_shared} shared images do not fit into the sessions that everybody attends;"
            " give fewer, or more images per subject"
        )
    order = np.empty((n_shared + n_own) * repeats, dtype=np.int64)
    places = np.sort(rng.choice(common, n_shared * repeats, replace=False))
    others = np.setdiff1d(np.arange(len(order)), places)
    order[places] = rng.permutation(np.repeat(np.arange(n_shared), repeats))
    order[others] = rng.permutation(np.repeat(np.arange(n_shared, n_shared + n_own), repeats))
    return order
