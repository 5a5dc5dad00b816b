"""Synthetic trials and negatives: what is in a batch, and that nothing held out is."""

from __future__ import annotations

from itertools import islice
from pathlib import Path

import numpy as np
import pytest
import torch
from decoding_world import N_TEST, N_TRAIN, N_VALIDATION, N_VOXELS, World, make_world
from decoding_world import write_augmented as augmented

from neurodecode.errors import ConfigError, DataError, LeakError
from neurodecode.loaders import ResponseDataModule
from neurodecode.loaders.draw import TrialDraw
from neurodecode.loaders.rows import SyntheticRow
from neurodecode.loaders.synthetic import SyntheticTrials, open_synthetic
from neurodecode.splits import Fold, Split, write_split
from neurodecode.store import EmbeddingStore
from neurodecode.store.synthetic import SyntheticResponses, read_synthetic

N_UNSHOWN = 13


@pytest.fixture(scope="module")
def wide(tmp_path_factory) -> World:
    """The data set of the other tests with 13 pictures that nobody was shown."""
    return make_world(tmp_path_factory.mktemp("wide"), unshown=N_UNSHOWN)


@pytest.fixture(scope="module")
def synthetic(wide, tmp_path_factory) -> Path:
    return augmented(wide, tmp_path_factory.mktemp("made") / "synthetic")


def epochs(data: ResponseDataModule, n: int) -> list:
    loader = data.train_dataloader()
    batches = []
    for epoch in range(n):
        loader.sampler.set_epoch(epoch)
        batches += list(loader)
    return batches


def own_pictures(wide: World, synthetic: Path) -> dict[str, list[str]]:
    return {name: read_synthetic(synthetic / f"sub-{name}.h5").stimulus_id for name in N_VOXELS}


@pytest.mark.parametrize("in_memory", [True, False])
@pytest.mark.parametrize("n_workers", [0, 2])
def test_batches_hold_measured_and_then_synthetic_rows(wide, synthetic, in_memory, n_workers):
    data = ResponseDataModule(
        **wide.data, repeats=2, synthetic=synthetic, in_memory=in_memory, num_workers=n_workers
    )
    bank = EmbeddingStore(wide.root / "tokens.h5")
    new = own_pictures(wide, synthetic)
    batches = list(data.train_dataloader())
    assert len(batches) == 19  # 37 stimuli, two measured rows a subject
    for batch in batches:
        ids = [data.stimuli[row] for row in batch["stimulus"]]
        np.testing.assert_array_equal(batch["targets"]["tokens"], bank.read("tokens", ids))
        for number, (subject, n_voxels) in enumerate(N_VOXELS.items()):
            part = batch["responses"][subject]
            assert part.shape == (4, n_voxels)
            assert part.dtype == torch.float32
            mine = ids[4 * number : 4 * number + 4]
            assert not set(mine[:2]) & set(new[subject])
            assert set(mine[2:]) <= set(new[subject])
            answer = np.array([int(name, 16) / 8 for name in mine[2:]])
            np.testing.assert_allclose(part[2:], np.repeat(answer[:, None], n_voxels, 1), atol=0.06)
            assert batch["n_averaged"][4 * number + 2 : 4 * number + 4].tolist() == [2, 2]


def test_pictures_are_new_to_the_subject_and_nothing_is_held_out(wide, synthetic):
    data = ResponseDataModule(**wide.data, synthetic=synthetic, negatives=11)
    new = own_pictures(wide, synthetic)
    fold = data.split.folds[0]
    assert {name: len(pictures) for name, pictures in new.items()} == {"a.1": 13, "b": 14, "c": 15}
    for name, pictures in new.items():
        assert not set(pictures) & set(data.stores[name].stimulus_id)
        assert not set(pictures) & {*fold.validation, *fold.test}
    seen = {data.stimuli[row] for batch in epochs(data, 3) for row in batch["stimulus"].tolist()}
    assert not seen & {*fold.validation, *fold.test}
    assert len(seen) == N_TRAIN + N_UNSHOWN


def test_noise_is_new_in_every_epoch_and_the_same_in_every_run(wide, tmp_path):
    loud = augmented(wide, tmp_path / "loud", noise=1.0)
    first, again = (
        epochs(ResponseDataModule(**wide.data, synthetic=loud, synthetic_share=0.75), 2)
        for _ in range(2)
    )
    for one, other in zip(first, again, strict=True):
        torch.testing.assert_close(one["responses"], other["responses"], rtol=0, atol=0)
    responses: dict[int, list] = {}
    for batch in first:
        for row, response in zip(
            batch["stimulus"][1:4], batch["responses"]["a.1"][1:], strict=True
        ):
            responses.setdefault(int(row), []).append(tuple(response.tolist()))
    assert sum(map(len, responses.values())) == 2 * N_TRAIN * 3  # one measured row a batch
    assert all(len(set(drawn)) == len(drawn) > 1 for drawn in responses.values())


def test_trials_have_the_noise_of_an_average(rng):
    model, trial = (root @ root.T / 7 for root in rng.normal(size=(2, 7, 7)))
    responses = rng.normal(size=(5, 7)).astype(np.float16)
    names = list("edcba")
    made = SyntheticResponses("x", "", names, responses, model, 4 * trial)
    trials = SyntheticTrials(made, 3, {name: 10 + row for row, name in enumerate("abcde")})
    assert len(trials) == 5
    assert trials.stimulus.tolist() == [14, 13, 12, 11, 10]
    drawn = trials.draw([SyntheticRow(0, 3, seed) for seed in range(20_000)])
    assert drawn.dtype == np.float32
    np.testing.assert_allclose(drawn.mean(axis=0), responses[3], atol=0.05)
    wanted = model + 4 * trial / 3
    off = np.linalg.norm(np.cov(drawn.T) - wanted) / np.linalg.norm(wanted)
    assert off < 0.05
    once, twice = (trials.draw([SyntheticRow(0, 2, 8), SyntheticRow(0, 2, 9)]) for _ in range(2))
    np.testing.assert_array_equal(once, twice)
    assert (once[0] != once[1]).all()


@pytest.mark.parametrize("in_memory", [True, False])
def test_negatives_are_neither_held_out_nor_in_the_batch(wide, in_memory):
    data = ResponseDataModule(**wide.data, negatives=31, in_memory=in_memory)
    bank = EmbeddingStore(wide.root / "tokens.h5")
    name_of = {bank.read("tokens", [name]).tobytes(): name for name in bank.ids}
    fold = data.split.folds[0]
    used = set()
    for batch in epochs(data, 2):
        tokens = batch["negatives"]["tokens"]
        assert len(batch["negatives"]["latent"]) == len(tokens)
        names = {name_of[each.numpy().tobytes()] for each in tokens}
        own = {data.stimuli[row] for row in batch["stimulus"].tolist()}
        assert len(names) == len(tokens)
        assert 31 - 12 <= len(names) < 31
        assert not names & own
        used |= names
    assert used == {*fold.train, *bank.ids[N_TRAIN + N_VALIDATION + N_TEST :]}


def test_look_alikes_of_the_test_set_are_no_negatives(wide, tmp_path):
    data = ResponseDataModule(**wide.data)
    ids = EmbeddingStore(wide.root / "tokens.h5").ids
    pair = (data.split.folds[0].test[0], ids[-1])
    write_split(tmp_path / "splits.json", Split("kfold", "stimulus", data.split.folds, 0, (pair,)))
    here = wide.data | {"splits": tmp_path / "splits.json"}
    n_pool = N_TRAIN + N_UNSHOWN - 1
    next(iter(ResponseDataModule(**here, negatives=n_pool).train_dataloader()))
    with pytest.raises(ConfigError, match=f"negatives is {n_pool + 1}; training may use {n_pool}"):
        ResponseDataModule(**here, negatives=n_pool + 1).train_dataloader()


def test_negatives_want_a_split_of_stimuli(wide, tmp_path):
    runs = Fold(("ses-01_run-01", "ses-02_run-01"), (), ("ses-03_run-01",))
    write_split(tmp_path / "splits.json", Split("leave-one-run-out", "run", (runs,)))
    with pytest.raises(ConfigError, match="divides runs, not stimuli"):
        ResponseDataModule(**wide.data | {"splits": tmp_path / "splits.json"}, negatives=7)


def test_only_training_batches_have_any_of_it(wide, synthetic):
    plain = ResponseDataModule(**wide.data)
    rich = ResponseDataModule(**wide.data, synthetic=synthetic, negatives=7)
    for loader in ("val_dataloader", "test_dataloader", "predict_dataloader"):
        both = zip(getattr(plain, loader)(), getattr(rich, loader)(), strict=True)
        for one, other in both:
            assert one.keys() == other.keys()
            for name in ("responses", "targets", "n_averaged"):
                torch.testing.assert_close(one[name], other[name], rtol=0, atol=0)
            names = [
                [data.stimuli[row] for row in batch["stimulus"]]
                for data, batch in ((plain, one), (rich, other))
            ]
            assert names[0] == names[1]
    torch.testing.assert_close(plain.target_moments("tokens"), rich.target_moments("tokens"))


def test_training_goes_on_in_the_middle_of_an_epoch(wide, synthetic):
    def make() -> ResponseDataModule:
        return ResponseDataModule(**wide.data, synthetic=synthetic, negatives=7, seed=4)

    expected = list(make().train_dataloader())
    stopped = make()
    taken = list(islice(stopped.train_dataloader(), 5))
    resumed = make()
    resumed.load_state_dict(stopped.state_dict())
    together = taken + list(resumed.train_dataloader())
    for one, other in zip(together, expected, strict=True):
        torch.testing.assert_close(one, other, rtol=0, atol=0)


def test_other_files_are_refused(wide, synthetic, tmp_path):
    data = ResponseDataModule(**wide.data)
    with pytest.raises(LeakError, match=r"sub-a\.1\.h5: the encoder of subject a\.1 was fitted to"):
        ResponseDataModule(**wide.data, fold=1, synthetic=synthetic)
    with pytest.raises(DataError, match=r"nowhere/sub-a\.1\.h5: file is missing"):
        ResponseDataModule(**wide.data, synthetic=tmp_path / "nowhere")
    (tmp_path / "sub-b.h5").symlink_to(synthetic / "sub-c.h5")
    with pytest.raises(
        DataError, match="subject b, field responses: 11 features, the measured responses have 9"
    ):
        open_synthetic(tmp_path, {"b": data.stores["b"]}, data.split, 0)
    with pytest.raises(ConfigError, match="synthetic_share is 1"):
        ResponseDataModule(**wide.data, synthetic=synthetic, synthetic_share=1).train_dataloader()


def test_synthetic_picture_that_turned_out_to_look_like_a_test_picture(wide, synthetic, tmp_path):
    data = ResponseDataModule(**wide.data)
    last = EmbeddingStore(wide.root / "tokens.h5").ids[-1]
    pair = (data.split.folds[0].test[0], last)
    write_split(tmp_path / "splits.json", Split("kfold", "stimulus", data.split.folds, 0, (pair,)))
    with pytest.raises(LeakError, match=rf"sub-a\.1\.h5: picture {last} is held out, or looks"):
        ResponseDataModule(**wide.data, splits=tmp_path / "splits.json", synthetic=synthetic)


def test_synthetic_picture_without_an_embedding(wide, synthetic, world):
    """The embeddings of the other world end where the unshown pictures begin."""
    few = wide.data | {"embeddings": {"tokens": world.root / "tokens.h5"}}
    with pytest.raises(DataError, match=r"tokens\.h5, field id: stimulus 0+36 has no embedding"):
        ResponseDataModule(**few, synthetic=synthetic).train_dataloader()


def test_an_encoder_that_knows_more_trials_is_refused(wide, synthetic):
    """Synthetic responses of an encoder of all trials would bring the other trials back in."""
    with pytest.raises(LeakError, match=r"sub-a\.1\.h5: the encoder of subject a\.1 was fitted"):
        ResponseDataModule(**wide.data, synthetic=synthetic, trials=23)
    assert TrialDraw(23, 4).digest("x") != TrialDraw(23, 5).digest("x")
    assert TrialDraw(None, 4).digest("x") == "x"
