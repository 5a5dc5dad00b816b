"""From time series to states as a user does it: prepare, fit, states, evaluate."""

from __future__ import annotations

import json
import shutil

import h5py
import numpy as np
import pytest
import torch
from dataset_worlds import write_haxby
from sklearn.covariance import LedoitWolf

from neurodecode.cli import main
from neurodecode.regions.connectivity import StaticConnectivity
from neurodecode.regions.windows import label_share, read_blocks, read_runs
from neurodecode.store import ResponseStore, read_predictions

pytestmark = [
    pytest.mark.filterwarnings("ignore:LightningCLI's args parameter"),
    pytest.mark.filterwarnings("ignore::jsonargparse._deprecated.JsonargparseDeprecationWarning"),
]
CONFIG = "configs/regions/haxby2001.yaml"


@pytest.fixture(scope="module")
def study(tmp_path_factory, repository):
    """Stores of five regions, and the encoder of one of the three folds."""
    root = tmp_path_factory.mktemp("study")
    write_haxby(root / "raw", np.random.default_rng(3))
    stores = root / "stores" / "haxby2001-series"
    words = ["--dataset", "haxby2001-series", "--root", str(root / "raw"), "--out", str(stores)]
    assert main(["prepare", "--quiet", *words, "--option", "regions=5"]) == 0
    assert main(["fit", *fit_words(repository, root, 0), "--quiet"]) == 0
    shutil.copytree(root / "encoders" / "fold-0", root / "encoders" / "fold-1")
    return root


def fit_words(repository, root, fold, *more):
    return [
        "--config", str(repository / CONFIG), f"--data.stores={root}/stores/haxby2001-series",
        f"--data.fold={fold}", "--data.n_volumes=4", "--data.batch_size=4", "--model.patch=2",
        "--model.width=8", "--model.n_heads=2", "--trainer.max_epochs=1",
        "--trainer.log_every_n_steps=1",
        f"--trainer.logger.init_args.save_dir={root}/encoders/fold-{fold}", *more,
    ]  # fmt: skip


def states(root, out, *words):
    stores = str(root / "stores" / "haxby2001-series")
    return main(["states", "--quiet", "--stores", stores, "--out", str(out), *words])


def store_of(root):
    return ResponseStore(root / "stores" / "haxby2001-series" / "sub-1.h5")


def test_windows_are_the_blocks_of_the_recording(study):
    store = store_of(study)
    blocks = read_blocks(store, 4)
    assert blocks.series.shape == (9, 5, 4)
    assert blocks.label[:3].tolist() == ["face", "house", "cat"]
    runs = read_runs(store)
    assert list(runs) == ["ses-01_run-01", "ses-01_run-02", "ses-01_run-03"]
    # blocks of a run begin at volumes 2, 8 and 14; one volume late is one volume on
    assert np.array_equal(blocks.series[4], runs["ses-01_run-02"][:, 8:12])
    assert np.array_equal(read_blocks(store, 4, 1).series[4], runs["ses-01_run-02"][:, 9:13])
    some = label_share(blocks, 0.34, np.random.default_rng(0))
    assert sorted(some.label.tolist()) == ["cat", "face", "house"]


def test_connectivity_is_the_correlation_of_regions(rng):
    series = rng.standard_normal((3, 5, 9))
    found = StaticConnectivity().fit(series).transform(series)
    rows, columns = np.tril_indices(5, -1)
    for own, each in zip(found, series, strict=True):
        covariance = LedoitWolf().fit(each.T).covariance_
        spread = np.sqrt(np.diag(covariance))
        expected = covariance / np.outer(spread, spread)
        np.testing.assert_allclose(own, expected[rows, columns], atol=1e-6)


def test_baselines_hold_out_runs_and_are_scored(study, tmp_path):
    files = []
    for method, share in (("mean_activity", 1), ("connectivity", 1), ("mean_activity", 0.5)):
        files.append(tmp_path / f"{method}{share}.h5")
        assert states(study, files[-1], "--method", method, "--window", "4",
                      "--share", str(share)) == 0  # fmt: skip
    content = read_predictions(files[2])
    assert content.method == "mean_activity@50%"
    assert [each.fold for each in content.predictions] == [0, 1, 2]
    assert [len(each.stimulus_id) for each in content.predictions] == [3, 3, 3]
    # one training run of three blocks of different kinds
    assert content.predictions[0].n_trials == 3
    words = ["--dataset", "haxby2001-series", "--predictions", *map(str, files)]
    out = tmp_path / "report"
    assert main(["evaluate", "--profile", "regions", "--stores", str(study / "stores"),
                 "--out", str(out), *words]) == 0  # fmt: skip
    records = json.loads((out / "metrics.json").read_text())
    shares = {each["method"]: each["label_share"] for each in records}
    assert shares == {"mean_activity": 1, "mean_activity@50%": 0.5, "connectivity": 1}
    assert {each["n"] for each in records} == {9}


@pytest.mark.parametrize("method", ["probe", "scratch"])
def test_encoders_are_those_of_the_fold(study, tmp_path, capsys, method):
    words = ["--method", method, "--window", "4", "--steps", "2", "--tuning-steps", "1",
             "--encoders", str(study / "encoders")]  # fmt: skip
    # the second fold has the encoder of the first
    assert states(study, tmp_path / "a.h5", *words) == 2
    line = capsys.readouterr().err
    assert "fold-1" in line
    assert "another division of the runs" in line
    assert not (tmp_path / "a.h5").exists()


def test_a_probe_leaves_the_encoder_as_it_is_and_fine_tuning_does_not(study, rng):
    from neurodecode.regions.encoders import open_encoder
    from neurodecode.regions.probe import ProbeOptions, fit_states, log_probabilities
    from neurodecode.splits import read_split

    split = read_split(study / "stores" / "haxby2001-series" / "splits.json")
    folder, digest = study / "encoders" / "fold-0", split.folds[0].digest
    encoder, other = (
        open_encoder(folder, digest, trained=trained, seed=4) for trained in (True, False)
    )
    assert not torch.equal(encoder.regions, other.regions)
    series = rng.standard_normal((6, 5, 4)).astype(np.float32)
    label = np.array([0, 1, 2, 0, 1, 2])
    before = encoder.regions.clone()
    for head in ("attentive", "by_region"):
        for frozen in (True, False):
            options = ProbeOptions(
                frozen,
                head=head,
                n_steps=25,
                lr=0.03,
                tuning_lr=0.01,
                n_tuning_steps=5,
                dropout=0,
                n_models=2,
            )
            models = fit_states(encoder, series, label, options, seed=1)
            scores = log_probabilities(models, series)
            np.testing.assert_allclose(np.exp(scores).sum(axis=1), 1, atol=1e-5)
            changed = not torch.equal(models[0].encoder.regions, before)
            assert changed is not frozen
            assert torch.equal(encoder.regions, before)
    assert (scores.argmax(axis=1) == label).all()
    again = log_probabilities(fit_states(encoder, series, label, options, seed=1), series)
    np.testing.assert_array_equal(again, scores)


def test_checkpoints_name_their_division_and_resume(study, repository):
    path = study / "encoders" / "fold-0" / "checkpoints" / "best.ckpt"
    saved = torch.load(path, weights_only=True)
    stores = study / "stores" / "haxby2001-series"
    from neurodecode.splits import read_split

    assert saved["split"] == read_split(stores / "splits.json").folds[0].digest


BAD = {
    "--window 7": "into what follows",
    "--share 0": "--share is 0",
    "--encoders nowhere": "takes no --encoders",
    "--delay -1": "must be positive",
}


@pytest.mark.parametrize("words", BAD)
def test_bad_requests_end_in_one_line(study, tmp_path, capsys, words):
    assert states(study, tmp_path / "a.h5", "--method", "mean_activity", "--window", "4",
                  *words.split()) == 2  # fmt: skip
    line = capsys.readouterr().err
    assert BAD[words] in line
    assert line.count("\n") == 1


def test_bad_series_end_in_one_line(study, repository, tmp_path, capsys):
    root = shutil.copytree(study, tmp_path / "copy")
    words = fit_words(repository, root, 0, "--data.n_volumes=22")
    assert main(["fit", "--quiet", *words]) == 2
    assert "run ses-01_run-" in (line := capsys.readouterr().err)
    assert "20 volumes, a window 22" in line
    assert main(["fit", "--quiet", *fit_words(repository, root, 0, "--data.n_volumes=5")]) == 2
    assert "no multiple of patch 2" in capsys.readouterr().err
    assert main(["fit", "--quiet", *fit_words(repository, root, 7)]) == 2
    assert "fold 7" in capsys.readouterr().err
    # a copy that nobody has opened: the training above may still hold its stores
    root = shutil.copytree(study, tmp_path / "other")
    with h5py.File(root / "stores" / "haxby2001-series" / "sub-1.h5", "r+") as file:
        file.attrs["info"] = "{}"
    assert states(root, tmp_path / "a.h5", "--method", "connectivity", "--window", "4") == 2
    assert "no time series of regions" in capsys.readouterr().err
