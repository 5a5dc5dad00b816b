from __future__ import annotations

import numpy as np
import pytest
import torch
from decoding_world import LATENT, N_TEST, N_TRAIN, N_VALIDATION, N_VOXELS, TOKENS, make_world

from neurodecode.errors import ConfigError, DataError, LeakError
from neurodecode.loaders import ResponseDataModule
from neurodecode.loaders.scaler import TrialScaler
from neurodecode.store import EmbeddingStore, ResponseStore


def test_context_is_read_from_the_files(world):
    context = ResponseDataModule(**world.data).context
    assert context.n_features == N_VOXELS
    assert context.targets == {"tokens": TOKENS, "latent": LATENT}
    assert context.n_times == {}


@pytest.mark.parametrize("in_memory", [True, False])
@pytest.mark.parametrize("n_workers", [0, 2])
def test_batches_match_the_stores(world, in_memory, n_workers):
    data = ResponseDataModule(**world.data, in_memory=in_memory, num_workers=n_workers, repeats=2)
    batches = list(data.train_dataloader())
    assert len(batches) == 10
    bank = EmbeddingStore(world.root / "tokens.h5")
    for batch in batches:
        shapes = {name: tuple(part.shape) for name, part in batch["responses"].items()}
        assert shapes == {name: (4, n) for name, n in N_VOXELS.items()}
        ids = [data.stimuli[row] for row in batch["stimulus"]]
        np.testing.assert_array_equal(batch["targets"]["tokens"], bank.read("tokens", ids))
        assert batch["targets"]["latent"].shape == (12, *LATENT)
        assert set(ids) <= set(data.split.folds[0].train)


def test_lazy_and_in_memory_give_the_same_batches(world):
    both = [
        list(ResponseDataModule(**world.data, in_memory=flag).val_dataloader())
        for flag in (True, False)
    ]
    for one, other in zip(*both, strict=True):
        for subject in one["responses"]:
            torch.testing.assert_close(one["responses"][subject], other["responses"][subject])


def test_repeats_are_averaged_after_standardising(world):
    data = ResponseDataModule(**world.data)
    batch = next(iter(data.test_dataloader()))
    store = ResponseStore(world.root / "stores" / "sub-a.1.h5")
    train = np.isin(store.stimulus_id, data.split.folds[0].train)
    scaled = np.empty((store.n_trials, 7))
    values = store.read(np.arange(store.n_trials)).astype(float)
    for session in (1, 2, 3):
        fit = values[train & (store.session == session)]
        mine = store.session == session
        scaled[mine] = (values[mine] - fit.mean(axis=0)) / fit.std(axis=0, ddof=1)
    stimulus = data.stimuli[batch["stimulus"][1]]
    own = store.stimulus_id == stimulus
    torch.testing.assert_close(
        batch["responses"]["a.1"][1].double(), torch.from_numpy(scaled[own].mean(axis=0)),
        rtol=1e-4, atol=1e-5,
    )  # fmt: skip
    assert batch["n_averaged"][1] == own.sum()


def test_sides_are_disjoint_and_complete(world):
    data = ResponseDataModule(**world.data)
    counts = {"train": N_TRAIN, "validation": N_VALIDATION, "test": N_TEST}
    for number, subject in enumerate(N_VOXELS):
        sides = {side: data.rows(side)[subject] for side in counts}
        assert {side: len(rows) for side, rows in sides.items()} == counts | {
            "train": N_TRAIN - number
        }
        trials = [t for rows in sides.values() for group in rows.trials for t in group]
        assert sorted(trials) == list(range(data.stores[subject].n_trials))


def test_target_moments_use_training_stimuli_only(world):
    data = ResponseDataModule(**world.data)
    mean, deviation = data.target_moments("tokens")
    train = EmbeddingStore(world.root / "tokens.h5").read("tokens", data.split.folds[0].train)
    np.testing.assert_allclose(mean, train.mean(axis=0), rtol=1e-4)
    np.testing.assert_allclose(deviation, train.std(axis=0), rtol=1e-3)


def test_statistics_travel_in_the_state(world, tmp_path, monkeypatch):
    trained = ResponseDataModule(**world.data)
    expected = next(iter(trained.test_dataloader()))
    torch.save(trained.state_dict(), tmp_path / "state.pt")
    fresh = ResponseDataModule(**world.data)
    fresh.load_state_dict(torch.load(tmp_path / "state.pt", weights_only=True))
    monkeypatch.setattr(TrialScaler, "fit", None)  # nothing may be fitted again
    batch = next(iter(fresh.test_dataloader()))
    torch.testing.assert_close(batch["responses"], expected["responses"])
    other = ResponseDataModule(**world.data, fold=1)
    with pytest.raises(LeakError, match="another split or fold than fold 1"):
        other.load_state_dict(trained.state_dict())


def test_a_subject_of_its_own(world):
    data = ResponseDataModule(**world.data, subjects=["c"])
    assert list(data.context.n_features) == ["c"]
    assert set(next(iter(data.train_dataloader()))["responses"]) == {"c"}


def test_mistakes_are_named(world, tmp_path):
    with pytest.raises(ConfigError, match=r"unknown subject d; known: a\.1, b, c"):
        ResponseDataModule(**world.data, subjects=["b", "d"])
    with pytest.raises(ConfigError, match="fold 2 does not exist; the split has 2"):
        ResponseDataModule(**world.data, fold=2)
    with pytest.raises(DataError, match=r"no sub-\*\.h5 in this folder"):
        ResponseDataModule(**world.data | {"stores": tmp_path})
    wrong = world.data | {"embeddings": {"pooled": world.root / "tokens.h5"}}
    with pytest.raises(DataError, match=r"no array 'pooled' \(found: tokens\)"):
        ResponseDataModule(**wrong)
    partial = EmbeddingStore.create(tmp_path / "few.h5", ["00"], {"tokens": TOKENS})
    partial.write([0], {"tokens": np.zeros((1, *TOKENS))})
    data = ResponseDataModule(**world.data | {"embeddings": {"tokens": tmp_path / "few.h5"}})
    with pytest.raises(DataError, match="has no embedding"):
        data.train_dataloader()


def test_reading_leaves_no_file_open_for_workers_to_inherit(tmp_path):
    data = ResponseDataModule(**make_world(tmp_path).data, in_memory=False)
    data.train_dataloader()
    assert all(store._file is None for store in data.stores.values())
