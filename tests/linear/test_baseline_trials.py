"""`baseline --trials`: the linear methods of a learning curve."""

from __future__ import annotations

import shutil

import h5py
import numpy as np
import pytest
from decoding_world import N_TEST, N_VOXELS, make_world

from neurodecode.cli import main
from neurodecode.loaders import ResponseDataModule
from neurodecode.store import read_predictions


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    return make_world(tmp_path_factory.mktemp("world"))


def baseline(world, stores, out, *words):
    code = main(["baseline", "--method", "ridge", "--stores", str(stores), "--splits",
                 str(stores / "splits.json"), "--embeddings", str(world.root / "tokens.h5"),
                 "--out", str(out), "--jobs", "1", "--quiet", *words])  # fmt: skip
    return read_predictions(out) if code == 0 else code


def test_records_of_a_learning_curve(world, tmp_path):
    content = baseline(world, world.root / "stores", tmp_path / "out.h5", "--trials", "30",
                       "--folds", "1", "--seed", "4")  # fmt: skip
    assert (content.attrs["task"], content.attrs["trials"]) == ("adaptation", "30")
    assert [(each.subject, each.fold, each.n_trials) for each in content.predictions] == [
        (name, 1, 30) for name in N_VOXELS
    ]
    everything = baseline(world, world.root / "stores", tmp_path / "all.h5", "--trials", "all")
    data = ResponseDataModule(**world.data)
    for each in everything.predictions:
        if each.fold == 0:
            rows = data.rows("train")[each.subject]
            assert each.n_trials == sum(map(len, rows.trials))
    assert everything.attrs["trials"] == "all"


def test_it_learns_from_the_trials_of_adapt_and_no_others(world, tmp_path):
    """Not even from validation, which the whole baseline is fitted on besides."""
    stores = world.root / "stores"
    words = ("--trials", "30", "--folds", "0", "--seed", "4", "--subjects", "b")
    (before,) = baseline(world, stores, tmp_path / "before.h5", *words).predictions
    data = ResponseDataModule(**world.data, trials=30, trials_seed=4)
    drawn = [t for group in data.rows("train")["b"].trials for t in group]
    tested = [t for group in data.rows("test")["b"].trials for t in group]
    other = tmp_path / "stores"
    shutil.copytree(stores, other)
    with h5py.File(other / "sub-b.h5", "r+") as file:
        values = file["responses"][:]
        values[np.setdiff1d(np.arange(len(values)), drawn + tested)] = 70.0
        file["responses"][...] = values
    (after,) = baseline(world, other, tmp_path / "after.h5", *words).predictions
    np.testing.assert_array_equal(after.arrays["scores"], before.arrays["scores"])
    assert before.arrays["scores"].shape == (N_TEST, N_TEST)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--trials", "5"), "trials is 5; give 10 or more"),
        (("--trials", "3000"), "3000 are asked for"),
        (("--folds", "2"), "--folds 2 does not exist; there are 2"),
        (("--trials", "many"), "trials is 'many'; give a number, a share like 10%, or `all`"),
    ],
)
def test_impossible_requests(world, tmp_path, capsys, words, message):
    stores = str(world.root / "stores")
    code = main(["baseline", "--method", "ridge", "--stores", stores, "--splits",
                 f"{stores}/splits.json", "--out", str(tmp_path / "out.h5"), "--jobs", "1",
                 "--quiet", "--embeddings", str(world.root / "tokens.h5"), *words])  # fmt: skip
    assert code == 2
    assert message in capsys.readouterr().err
    assert not (tmp_path / "out.h5").exists()
