"""`encoder` from the command line: one file a subject, or one line that says why not."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
from decoding_world import N_VOXELS, TOKENS, World, make_world

from neurodecode.cli import main
from neurodecode.splits import read_split
from neurodecode.store import EmbeddingStore
from neurodecode.store.encoders import encoder_path, read_encoder


@pytest.fixture(scope="module")
def named(tmp_path_factory: pytest.TempPathFactory) -> World:
    """The usual world, whose embedding says who made it."""
    world = make_world(tmp_path_factory.mktemp("named"))
    old = EmbeddingStore(world.root / "tokens.h5")
    store = EmbeddingStore.create(
        world.root / "named.h5", old.ids, {"tokens": TOKENS}, {"embedder": "toy", "batch_size": 3}
    )
    store.write(np.arange(len(old.ids)), {"tokens": old.read("tokens", old.ids)})
    return world


def run(world: World, out: Path, *words: object, **changed: Path) -> int:
    files = {
        "stores": world.root / "stores", "splits": world.root / "stores" / "splits.json",
        "embeddings": world.root / "named.h5", "out": out, **changed,
    }  # fmt: skip
    options = [word for name, path in files.items() for word in (f"--{name}", path)]
    return main([str(word) for word in ("encoder", *options, "--jobs", 1, "--quiet", *words)])


def test_every_subject_gets_an_encoder_of_the_fold(named: World, tmp_path: Path) -> None:
    assert run(named, tmp_path / "out", "--components", 6, "--fold", 1) == 0
    split = read_split(named.root / "stores" / "splits.json")
    assert len(list((tmp_path / "out").iterdir())) == len(N_VOXELS)
    for subject, n_voxels in N_VOXELS.items():
        encoder = read_encoder(encoder_path(tmp_path / "out", subject))
        assert (encoder.subject, encoder.split) == (subject, split.folds[1].digest)
        assert encoder.weights.shape == (int(np.prod(TOKENS)), n_voxels)
        # the world is linear: what was learned holds for pictures of the test side
        tokens = EmbeddingStore(named.root / "named.h5").read("tokens", split.folds[1].test)
        assert encoder.predict(tokens).std() > 0.5


@pytest.mark.parametrize(
    ("words", "changed", "message"),
    [
        (["--fold", 2], {}, "--fold 2 does not exist; there are 2"),
        (["--components", 0], {}, "--components is 0; give a positive number"),
        (["--target", "pooled"], {}, "no array 'pooled' (found: tokens)"),
        ([], {"embeddings": "tokens.h5"}, "does not say which embedder made it"),
        ([], {"stores": "nothing"}, "no sub-*.h5 found"),
    ],
)
def test_bad_input_ends_in_one_line(
    named: World, tmp_path: Path, capsys: pytest.CaptureFixture[str],
    words: list, changed: dict, message: str,
) -> None:  # fmt: skip
    paths = {name: named.root / path for name, path in changed.items()}
    assert run(named, tmp_path / "out", *words, **paths) == 2
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1
    assert not (tmp_path / "out").exists()


def test_a_damaged_store_leaves_nothing(named: World, tmp_path: Path) -> None:
    shutil.copytree(named.root / "stores", tmp_path / "stores")
    damaged = tmp_path / "stores" / "sub-c.h5"
    damaged.write_bytes(damaged.read_bytes()[:2000])
    assert run(named, tmp_path / "out", stores=tmp_path / "stores") == 2
    assert not (tmp_path / "out").exists()
