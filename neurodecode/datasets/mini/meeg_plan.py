"""Who sees which scene, when, in the miniature world's MEG and EEG: THINGS' design in small."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from neurodecode.datasets.mini.plan import MiniOptions, make_plan, stream
from neurodecode.datasets.mini.scene_types import Scene
from neurodecode.errors import ConfigError

__all__ = ["MeegOptions", "MeegPlan", "make_meeg_plan"]

N_SESSIONS, RUNS_PER_SESSION = 2, 5


@dataclass(frozen=True)
class MeegOptions:
    """Size of the miniature MEG or EEG.

    Parameters
    ----------
    modality : {"meg", "eeg"}
        What is recorded.
    world : MiniOptions
        The fMRI world whose pictures are shown; the same options and seed give the same pictures.
    viewers : int
        How many people; other ones than in the fMRI world.
    train_images : int
        Pictures for training: some of those that only one person saw in the fMRI world.
    train_repeats, test_repeats : int
        How often each training and each test picture is shown to every viewer.
    sfreq : float
        Sampling rate in Hz.
    """

    modality: str
    world: MiniOptions = field(default_factory=MiniOptions)
    viewers: int = 2
    train_images: int = 3500
    train_repeats: int = 2
    test_repeats: int = 12
    sfreq: float = 200.0

    def __post_init__(self) -> None:
        if self.modality not in ("meg", "eeg"):
            raise ConfigError(f"modality is {self.modality!r}; give meg or eeg")
        for name, least in (
            ("viewers", 1), ("train_images", 8), ("train_repeats", 1), ("test_repeats", 1)
        ):  # fmt: skip
            if getattr(self, name) < least:
                raise ConfigError(f"{name} is {getattr(self, name)}; give at least {least}")


@dataclass(frozen=True)
class MeegPlan:
    """What is shown to whom.

    Parameters
    ----------
    rows : array of int of shape (n_images,)
        Number of each picture in the fMRI world (row of its `imgBrick`); test pictures first.
    scenes : list of Scene
        What is in them.
    n_test : int
        How many are test pictures: those that everybody sees in the fMRI world.
    runs : list of array of int
        For each viewer a list of runs, each an array of pictures (places in `rows`).
    """

    rows: np.ndarray
    scenes: list[Scene]
    n_test: int
    runs: list[list[np.ndarray]]


def make_meeg_plan(options: MeegOptions) -> MeegPlan:
    """Choose pictures and the order of trials.

    As in THINGS-MEG and THINGS-EEG2, every viewer sees the same pictures, the test pictures more
    often, and the trials of all sessions are mixed; each session shows every test picture about
    equally often.

    Parameters
    ----------
    options : MeegOptions
        Sizes.

    Returns
    -------
    MeegPlan
        The plan.

    Raises
    ------
    ConfigError
        If there are not enough pictures.
    """
    world = make_plan(options.world)
    test = world.shared
    seen = [
        world.images[subject, np.unique(world.order[world.attended(subject)])]
        for subject in range(options.world.n_subjects)
    ]
    # pictures of the sessions that a subject missed are on no side of the fMRI world's split
    own = np.setdiff1d(np.concatenate(seen), test)
    if options.train_images > len(own):
        raise ConfigError(f"train_images is {options.train_images}; the world has {len(own)}")
    seed = options.world.seed
    train = np.sort(stream(seed, 4).choice(own, options.train_images, replace=False))
    rows = np.concatenate([test, train])
    which = int(options.modality == "eeg")
    runs = []
    for viewer in range(options.viewers):
        rng = stream(seed, 5, which, viewer)
        sessions = _sessions(len(test), len(train), options, rng)
        runs.append([run for one in sessions for run in np.array_split(one, RUNS_PER_SESSION)])
    return MeegPlan(rows, [world.scenes[row] for row in rows.tolist()], len(test), runs)


def _sessions(
    n_test: int, n_train: int, options: MeegOptions, rng: np.random.Generator
) -> list[np.ndarray]:
    """Deal out the repeats of each picture to the sessions in turn, then shuffle each session."""
    shown = np.concatenate(
        [
            np.repeat(np.arange(n_test), options.test_repeats),
            n_test + np.tile(rng.permutation(n_train), options.train_repeats),
        ]
    )
    session = np.arange(len(shown)) % N_SESSIONS
    # single repeats go on with the turn; tiled ones would meet the same session if n is even
    repeat = np.arange(n_train * options.train_repeats) // n_train
    session[n_test * options.test_repeats :] = (
        np.arange(n_train * options.train_repeats) + repeat * (n_train + 1)
    ) % N_SESSIONS
    return [rng.permutation(shown[session == number]) for number in range(N_SESSIONS)]
