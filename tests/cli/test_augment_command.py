"""`augment` from the command line, and what follows from its files."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from decoding_world import N_VOXELS, TOKENS, World, make_world

from neurodecode.cli import main
from neurodecode.loaders import ResponseDataModule
from neurodecode.loaders.counts import open_responses
from neurodecode.recording import Recording
from neurodecode.splits import Fold, Split, read_split, write_split
from neurodecode.store import EmbeddingStore, ResponseStore
from neurodecode.store.synthetic import read_synthetic
from neurodecode.tasks.augment import synthesise
from neurodecode.tasks.baselines import Features

N_UNSHOWN = 13


@pytest.fixture(scope="module")
def wide(tmp_path_factory) -> World:
    """Three subjects and 13 pictures that none of them was shown."""
    return make_world(tmp_path_factory.mktemp("wide"), unshown=N_UNSHOWN)


def command(world: World, out: Path, *words: object, **changed: Path) -> list[object]:
    files = {
        "stores": world.root / "stores", "splits": world.root / "stores" / "splits.json",
        "embeddings": world.root / "tokens.h5", "out": out, **changed,
    }  # fmt: skip
    options = [word for name, path in files.items() for word in (f"--{name}", path)]
    return ["augment", *options, "--jobs", 1, *words]


@pytest.mark.parametrize("fold", [0, 1])
def test_every_subject_gets_what_it_was_not_shown(wide, out, fold):
    words = command(wide, out, "--components", 7, "--fold", fold, "--quiet")
    assert main([*map(str, words)]) == 0
    assert sorted(path.name for path in out.iterdir()) == [f"sub-{name}.h5" for name in N_VOXELS]
    split = read_split(wide.root / "stores" / "splits.json")
    known = EmbeddingStore(wide.root / "tokens.h5").ids
    for number, (subject, n_voxels) in enumerate(N_VOXELS.items()):
        made = read_synthetic(out / f"sub-{subject}.h5")
        assert (made.subject, made.split) == (subject, split.folds[fold].digest)
        store = ResponseStore(wide.root / "stores" / f"sub-{subject}.h5")
        pool = set(split.pool(fold, known))
        assert set(made.stimulus_id) == pool - set(store.stimulus_id)
        assert len(made.stimulus_id) == N_UNSHOWN + (number if fold == 0 else 0)
        assert made.responses.shape == (len(made.stimulus_id), n_voxels)
    data = ResponseDataModule(**wide.data, fold=fold, synthetic=out)
    batch = next(iter(data.train_dataloader()))
    assert {name: len(part) for name, part in batch["responses"].items()} == dict.fromkeys(
        N_VOXELS, 4
    )


def test_features_of_several_towers_are_joined(wide, out, tmp_path):
    latent = EmbeddingStore(wide.root / "latent.h5")
    other = EmbeddingStore.create(tmp_path / "other.h5", latent.ids, {"tokens": (2,)})
    other.write(np.arange(len(latent.ids)), {"tokens": latent.read("latent")[:, 0, 0, :2]})
    both = ["--embeddings", wide.root / "tokens.h5", other.path]
    assert main([*map(str, command(wide, out, *both, "--quiet"))]) == 0
    assert main([*map(str, command(wide, tmp_path / "one", "--quiet"))]) == 0
    joined, one = (read_synthetic(folder / "sub-b.h5") for folder in (out, tmp_path / "one"))
    assert joined.stimulus_id == one.stimulus_id
    assert (joined.responses != one.responses).any()


def test_spike_counts_stay_counts_as_decoders_read_them(out, tmp_path, rng):
    world = make_world(tmp_path / "world", unshown=N_UNSHOWN)
    path = world.root / "stores" / "sub-b.h5"
    store = ResponseStore(path)
    counts = rng.poisson(3 + np.abs(store.read(np.arange(store.n_trials)))).astype(np.float32)
    recording = Recording(
        subject="b", modality="spikes", responses=counts, stimulus_id=store.stimulus_id,
        session=store.session, run=store.run,
    )  # fmt: skip
    store.close()
    ResponseStore.write(path, recording, dataset="tiny")
    assert main([*map(str, command(world, out, "--quiet"))]) == 0
    split = read_split(world.root / "stores" / "splits.json")
    features = Features([EmbeddingStore(world.root / "tokens.h5")], "tokens")
    pool = split.pool(0, features.stores[0].ids)
    as_counts, as_roots = (
        synthesise(opened, split, 0, features, pool).responses
        for opened in (ResponseStore(path), open_responses(path))
    )
    made = read_synthetic(out / "sub-b.h5").responses
    np.testing.assert_allclose(made, as_counts, atol=1e-3)
    assert np.abs(made - as_roots).max() > 0.05


# --- what is refused, in one line


def test_bad_options(wide, out, refuse):
    refuse(command(wide, out, "--fold", 2), "--fold 2 does not exist; there are 2")
    refuse(command(wide, out, "--fold", -1), "--fold -1 does not exist")
    refuse(command(wide, out, "--components", 0), "--components is 0; give a positive number")
    refuse(command(wide, out, "--target", "pooled"), f"file {wide.root / 'tokens.h5'}", "'pooled'")


def test_missing_files(wide, out, refuse, tmp_path):
    nowhere = tmp_path / "nowhere"
    refuse(command(wide, out, stores=nowhere), f"file {nowhere}", "no sub-*.h5 found")
    refuse(command(wide, out, splits=nowhere), f"file {nowhere}: file is missing")
    refuse(command(wide, out, embeddings=nowhere), f"file {nowhere}: file is missing")


def test_split_of_runs(wide, out, refuse, tmp_path):
    runs = Fold(("ses-01_run-01", "ses-02_run-01"), (), ("ses-03_run-01",))
    write_split(tmp_path / "runs.json", Split("leave-one-run-out", "run", (runs,)))
    words = command(wide, out, splits=tmp_path / "runs.json")
    refuse(words, "split leave-one-run-out divides runs, not stimuli")


def test_everything_was_shown(out, refuse, tmp_path):
    """Subject a.1 saw all training pictures; what the other two miss does not save it."""
    world = make_world(tmp_path / "world")
    line = refuse(command(world, out), "subject a.1, field stimuli: every picture")
    assert "--unshown N" in line


def test_embeddings_of_another_data_set(wide, out, refuse, tmp_path):
    few = EmbeddingStore.create(tmp_path / "few.h5", ["00"], {"tokens": TOKENS})
    few.write([0], {"tokens": np.zeros((1, *TOKENS))})
    words = command(wide, out, embeddings=tmp_path / "few.h5")
    refuse(words, f"file {tmp_path / 'few.h5'}, field id: stimulus", "has no embedding")


def test_split_of_another_data_set(wide, out, refuse, tmp_path):
    path = wide.root / "stores" / "splits.json"
    content = json.loads(path.read_text())
    content["folds"] = [{"train": ["x"], "validation": ["y"], "test": ["z"]}]
    (tmp_path / "splits.json").write_text(json.dumps(content))
    refuse(command(wide, out, splits=tmp_path / "splits.json"), "subject a.1")
