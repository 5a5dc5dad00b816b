"""`align` from the command line, and that the aligned stores decode across subjects."""

from __future__ import annotations

import numpy as np
import pytest
from decoding_world import N_VOXELS, World, make_world, write_augmented

from neurodecode.cli import main
from neurodecode.linear.ridge import RidgeDecoder
from neurodecode.loaders.table import TrialTable
from neurodecode.splits import Split, read_split, write_split
from neurodecode.store import EmbeddingStore, ResponseStore
from neurodecode.store.synthetic import SyntheticResponses, read_synthetic, write_synthetic


@pytest.fixture(scope="module")
def world(tmp_path_factory) -> World:
    return make_world(tmp_path_factory.mktemp("world"), unshown=13)


def align(world: World, out, *words: object) -> int:
    splits = world.root / "stores" / "splits.json"
    options = ["--stores", world.root / "stores", "--splits", splits, "--out", out, *words]
    return main(["align", *map(str, options), "--quiet"])


@pytest.mark.parametrize("method", ["procrustes", "ridge"])
def test_a_decoder_of_one_subject_reads_another(world, tmp_path, method):
    out = tmp_path / "aligned"
    assert align(world, out, "--components", 4, "--method", method, "--fold", 1) == 0
    split = read_split(out / "splits.json")
    before = read_split(world.root / "stores" / "splits.json")
    assert split.folds == before.folds[1:]
    tokens, tables = EmbeddingStore(world.root / "tokens.h5"), {}
    for subject in N_VOXELS:
        store = ResponseStore(out / f"sub-{subject}.h5")
        old = ResponseStore(world.root / "stores" / f"sub-{subject}.h5")
        assert store.shape == (old.n_trials, 4)
        assert store.stimulus_id.tolist() == old.stimulus_id.tolist()
        assert store.info["alignment"]["shared"] == "measured"
        assert store.info["alignment"]["split"] == split.folds[0].digest
        tables[subject] = TrialTable.load(store, split, 0)
    fit, test = tables["b"].average("train"), tables["c"].average("test")
    decoder = RidgeDecoder(None).fit(fit.responses, tokens.read("tokens", fit.stimulus_id))
    scores = decoder.similarity(test.responses, tokens.read("tokens", test.stimulus_id))
    # chance is 1 in 9
    assert np.mean(scores.argmax(axis=1) == np.arange(len(scores))) > 0.5


def test_only_training_trials_decide(world, tmp_path):
    other = make_world(tmp_path / "other", unshown=13)
    split = read_split(other.root / "stores" / "splits.json")
    path = other.root / "stores" / "sub-b.h5"
    import h5py

    held_out = np.isin(ResponseStore(path).stimulus_id, split.folds[0].test)
    with h5py.File(path, "r+") as file:
        for trial in np.flatnonzero(held_out):
            file["responses"][trial] = 1000.0
    for root, name in ((world, "one"), (other, "two")):
        assert align(root, tmp_path / name, "--components", 4) == 0
    one, two = (ResponseStore(tmp_path / name / "sub-b.h5") for name in ("one", "two"))
    rows = np.flatnonzero(~held_out)
    np.testing.assert_array_equal(one.read(rows), two.read(rows))
    one, two = (ResponseStore(tmp_path / name / "sub-c.h5") for name in ("one", "two"))
    np.testing.assert_array_equal(one.read(range(one.n_trials)), two.read(range(two.n_trials)))


def test_predicted_responses_stand_in_for_shared_stimuli(world, tmp_path):
    folder, rng = write_augmented(world, tmp_path / "synthetic"), np.random.default_rng(2)
    for path in folder.iterdir():
        old = read_synthetic(path)
        values = rng.normal(size=old.responses.shape)
        write_synthetic(path, SyntheticResponses(**{**vars(old), "responses": values}))
    assert align(world, tmp_path / "a", "--components", 5, "--synthetic", folder) == 0
    info = ResponseStore(tmp_path / "a" / "sub-a.1.h5").info["alignment"]
    assert (info["shared"], info["n_shared"]) == ("predicted", 13)


def test_shared_test_stimuli_are_not_used(world, tmp_path, capsys):
    splits = world.root / "stores" / "splits.json"
    before = read_split(splits)
    only = tmp_path / "only.json"
    # three stimuli are left for training, the first of which b was not shown
    fold = before.folds[0]
    rest = type(fold)(fold.train[:3], (), (*fold.train[3:], *fold.validation, *fold.test))
    write_split(only, Split("shared-test", "stimulus", (rest,)))
    words = ["--stores", world.root / "stores", "--splits", only, "--out", tmp_path / "a"]
    code = main(["align", *map(str, words), "--subjects", "a.1", "b", "--components", "4"])
    assert code == 2
    error = capsys.readouterr().err
    assert "all subjects share 2 training stimuli" in error
    assert "neurodecode augment" in error
    assert error.count("\n") == 1
    assert not (tmp_path / "a").exists()


def test_what_cannot_be_aligned_is_one_line(world, tmp_path, capsys):
    folder = write_augmented(world, tmp_path / "synthetic")
    for words, message in [
        (["--fold", 7], "--fold 7 does not exist; there are 2"),
        (["--components", 0], "give a positive number"),
        (["--subjects", "b"], "one subject cannot be aligned"),
        (["--synthetic", folder, "--fold", 1], "made for another division"),
        (["--synthetic", tmp_path], "no predicted responses"),
    ]:
        assert align(world, tmp_path / "out", *words) == 2
        error = capsys.readouterr().err
        assert message in error
        assert error.count("\n") == 1
    assert not (tmp_path / "out").exists()
