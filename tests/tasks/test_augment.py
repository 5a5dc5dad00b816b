"""Synthetic responses on a linear world whose weights and noise are known."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from neurodecode.errors import DataError
from neurodecode.recording import Recording
from neurodecode.splits import Fold, Split
from neurodecode.store import EmbeddingStore, ResponseStore
from neurodecode.tasks.augment import synthesise
from neurodecode.tasks.baselines import Features

N_TRAIN, N_HELD_OUT, N_OTHER, N_VOXELS, TOKENS = 600, 9, 87, 9, (3, 4)
IDS = [f"{number:032x}" for number in range(N_TRAIN + 2 * N_HELD_OUT + N_OTHER)]
FOLD = Fold(
    tuple(IDS[:N_TRAIN]),
    tuple(IDS[N_TRAIN : N_TRAIN + N_HELD_OUT]),
    tuple(IDS[N_TRAIN + N_HELD_OUT : N_TRAIN + 2 * N_HELD_OUT]),
)
N_SHOWN = N_TRAIN + 2 * N_HELD_OUT


class LinearWorld:
    """Responses are weighted features, plus what no feature tells, plus noise of each trial."""

    def __init__(self, root: Path, repeats: int, seed: int = 4) -> None:
        rng = np.random.default_rng(seed)
        features = rng.normal(size=(len(IDS), *TOKENS)).astype(np.float32)
        store = EmbeddingStore.create(root / "tower.h5", IDS, {"tokens": TOKENS})
        store.write(np.arange(len(IDS)), {"tokens": features})
        self.features = Features([EmbeddingStore(root / "tower.h5")], "tokens")
        self.clean = features.reshape(len(IDS), -1) @ rng.normal(size=(12, N_VOXELS))
        self.model, self.trial = (
            scale * (base @ base.T / N_VOXELS + 0.1 * np.eye(N_VOXELS))
            for scale, base in zip(
                (1.0, 3.0), rng.normal(size=(2, N_VOXELS, N_VOXELS)), strict=True
            )
        )
        none = np.zeros(N_VOXELS)
        unexplained = rng.multivariate_normal(none, self.model, N_SHOWN)
        shown = rng.permutation(np.tile(np.arange(N_SHOWN), repeats))
        noise = rng.multivariate_normal(none, self.trial, len(shown))
        # voxels of very different scale: what is stored is in units of standardised responses
        responses = (self.clean[shown] + unexplained[shown] + noise) * np.arange(1, N_VOXELS + 1)
        train = shown < N_TRAIN
        mean, spread = responses[train].mean(axis=0), responses[train].std(axis=0, ddof=1)
        scale = np.arange(1, N_VOXELS + 1) / spread
        self.clean = self.clean * scale - mean / spread
        self.model, self.trial = (
            each * np.outer(scale, scale) for each in (self.model, self.trial)
        )
        recording = Recording(
            subject="07", modality="fmri", responses=responses.astype(np.float32),
            stimulus_id=np.array(IDS)[shown], session=np.ones(len(shown), int),
            run=np.ones(len(shown), int),
        )  # fmt: skip
        self.store = ResponseStore.write(root / "sub-07.h5", recording, dataset="linear")


@pytest.fixture(scope="module", params=[3, 1])
def linear(request, tmp_path_factory) -> tuple[LinearWorld, int]:
    return LinearWorld(tmp_path_factory.mktemp("linear"), request.param), request.param


SPLIT = Split("kfold", "stimulus", (FOLD,), duplicates=((FOLD.test[0], IDS[-1]),))


def off(found: np.ndarray, wanted: np.ndarray) -> float:
    return np.linalg.norm(found - wanted) / np.linalg.norm(wanted)


def test_predictions_follow_the_truth_and_the_noise_is_known(linear):
    world, repeats = linear
    made = synthesise(world.store, SPLIT, 0, world.features, SPLIT.pool(0, IDS))
    assert made.subject == "07"
    assert made.split == FOLD.digest
    assert made.stimulus_id == IDS[N_SHOWN:-1]  # the last one looks like a test picture
    assert made.responses.dtype == np.float16
    truth = world.clean[N_SHOWN:-1]
    np.testing.assert_allclose(made.responses, truth, atol=0.5)
    correlation = [np.corrcoef(made.responses[:, v], truth[:, v])[0, 1] for v in range(N_VOXELS)]
    assert min(correlation) > 0.97
    if repeats == 1:  # then the two kinds of noise cannot be told apart
        assert not made.trial_covariance.any()
        assert off(made.model_covariance, world.model + world.trial) < 0.12
    else:
        assert off(made.trial_covariance, world.trial) < 0.12
        assert off(made.model_covariance, world.model) < 0.25
        factor = made.noise_factor(2)
        assert off(factor @ factor.T, world.model + world.trial / 2) < 0.12


def test_held_out_trials_change_nothing(linear, tmp_path):
    world, _ = linear
    responses = world.store.read(np.arange(world.store.n_trials))
    train = np.isin(world.store.stimulus_id, FOLD.train)
    responses[~train] = 1000.0
    recording = Recording(
        subject="07", modality="fmri", responses=responses, stimulus_id=world.store.stimulus_id,
        session=world.store.session, run=world.store.run,
    )  # fmt: skip
    other = ResponseStore.write(tmp_path / "sub-07.h5", recording, dataset="linear")
    pool = SPLIT.pool(0, IDS)
    one, two = (
        synthesise(each, SPLIT, 0, world.features, pool, n_components=7)
        for each in (world.store, other)
    )
    for name, value in vars(one).items():
        np.testing.assert_array_equal(getattr(two, name), value)


def test_a_subject_that_was_shown_everything(linear):
    world, _ = linear
    message = "subject 07, field stimuli: every picture that training may use was shown; store more"
    with pytest.raises(DataError, match=message):
        synthesise(world.store, SPLIT, 0, world.features, SPLIT.pool(0, IDS[:N_SHOWN]))
