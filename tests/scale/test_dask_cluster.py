"""Work over subjects and folds on a Dask cluster of two workers, through joblib alone."""

from __future__ import annotations

from pathlib import Path

import h5py
import numpy as np
import pandas as pd
import pytest
from dataset_worlds import write_v4
from decoding_world import make_world
from joblib import parallel_config

from neurodecode.cli import main
from neurodecode.evaluation.differences import paired_differences
from neurodecode.evaluation.summary import summarise_items
from neurodecode.store import read_predictions

distributed = pytest.importorskip("distributed", reason="the extra `cluster` is not installed")
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def cluster():
    """Two worker processes; workers note who they are in what they compute."""
    with (
        distributed.LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as made,
        distributed.Client(made) as client,
    ):
        yield client


@pytest.fixture
def on_cluster(cluster):
    """Run something with joblib's work on the cluster; it must have been there."""

    def run(work, *arguments):
        before = sum(cluster.run(_n_done).values())
        with parallel_config(backend="dask"):
            result = work(*arguments)
        assert sum(cluster.run(_n_done).values()) > before
        return result

    return run


def _n_done(dask_worker) -> int:
    return dask_worker.state.executed_count


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    return make_world(tmp_path_factory.mktemp("dask"), unshown=13)


def linear(world, name: str, out: Path) -> list[str]:
    stores = world.root / "stores"
    given = ["--stores", str(stores), "--splits", str(stores / "splits.json"), "--quiet",
             "--embeddings", str(world.root / "tokens.h5"), "--out", str(out)]  # fmt: skip
    command = {
        "ridge": ["baseline", "--method", "ridge"],
        "encoder": ["baseline", "--method", "encoder_likelihood", "--components", "4"],
        "augment": ["augment", "--components", "4"],
    }
    return command[name] + given


@pytest.mark.parametrize("method", ["ridge", "encoder"])
def test_linear_models_of_all_subjects_and_folds(world, on_cluster, tmp_path, method):
    for name, run in (("here", lambda work, words: work(words)), ("there", on_cluster)):
        assert run(main, linear(world, method, tmp_path / f"{name}.h5")) == 0
    here, there = (read_predictions(tmp_path / f"{name}.h5") for name in ("here", "there"))
    assert len(here.predictions) == 6
    for mine, theirs in zip(here.predictions, there.predictions, strict=True):
        assert (mine.subject, mine.fold) == (theirs.subject, theirs.fold)
        for name, values in mine.arrays.items():
            np.testing.assert_allclose(theirs.arrays[name], values, rtol=1e-5, atol=1e-6)


def contents(folder: Path) -> dict[str, np.ndarray]:
    found = {}
    for path in sorted(folder.glob("*.h5")):
        with h5py.File(path) as file:
            file.visititems(
                lambda key, item, name=path.name: (
                    found.update({f"{name}/{key}": item[()]})
                    if isinstance(item, h5py.Dataset)
                    else None
                )
            )
    return found


def test_synthetic_responses_of_all_subjects(world, on_cluster, tmp_path):
    assert main(linear(world, "augment", tmp_path / "here")) == 0
    assert on_cluster(main, linear(world, "augment", tmp_path / "there")) == 0
    here, there = contents(tmp_path / "here"), contents(tmp_path / "there")
    assert here.keys() == there.keys()
    for name, values in here.items():
        if values.dtype.kind == "f":
            np.testing.assert_allclose(there[name], values, rtol=2e-3, atol=1e-4)


def test_preparing_all_subjects(on_cluster, tmp_path, rng):
    write_v4(tmp_path / "v4", rng)
    words = ["prepare", "--dataset", "v4", "--root", str(tmp_path / "v4"), "--quiet", "--out"]
    assert main([*words, str(tmp_path / "here")]) == 0
    assert on_cluster(main, [*words, str(tmp_path / "there")]) == 0
    here, there = contents(tmp_path / "here"), contents(tmp_path / "there")
    assert here.keys() == there.keys()
    assert len(list((tmp_path / "here").glob("sub-*.h5"))) > 1
    for name, values in here.items():
        np.testing.assert_array_equal(there[name], values)
    # an error of a worker is the same one line
    bad = next((tmp_path / "v4").rglob("*.npy"), None) or next((tmp_path / "v4").rglob("*.mat"))
    bad.write_bytes(b"broken")
    assert on_cluster_or_not(on_cluster, [*words, str(tmp_path / "bad")]) == 2
    assert not (tmp_path / "bad").exists()


def on_cluster_or_not(on_cluster, words) -> int:
    with parallel_config(backend="dask"):
        return main(words)


def test_intervals_and_differences(on_cluster, rng):
    rows = [
        {"dataset": "d", "task": "identification", "method": method, "metric": "retrieval_top1",
         "subject": subject, "fold": 0, "stimulus_id": f"s{k}", "value": float(rng.random() < 0.6),
         "chance": 0.1, "n_candidates": 10, "n_averaged": 3.0}
        for method in ("ridge", "decoder") for subject in ("a", "b") for k in range(19)
    ]  # fmt: skip
    items = pd.DataFrame(rows)
    made = {("identification", name): {"seed": 1} for name in ("ridge", "decoder")}
    here = [each.to_dict() for each in summarise_items(items, "mini", made)]
    there = [each.to_dict() for each in on_cluster(summarise_items, items, "mini", made)]
    assert here == there
    pd.testing.assert_frame_equal(paired_differences(items), on_cluster(paired_differences, items))
