"""`neurodecode adapt` for encoders: a new readout on the core of other sessions."""

from __future__ import annotations

import shutil

import h5py
import numpy as np
import pytest

from neurodecode.cli import main
from neurodecode.loaders.encoding import EncodingDataModule
from neurodecode.store import read_predictions

pytestmark = [
    pytest.mark.filterwarnings("ignore:.*exists and is not empty"),
    # lightning 2.6 on jsonargparse 4.53
    pytest.mark.filterwarnings("ignore::jsonargparse._deprecated.JsonargparseDeprecationWarning"),
]


def adapt(run, out, *words):
    given = ["--from", run, "--subject", "b", "--trials", "60", "--seed", "4", *words]
    assert main(["adapt", *map(str, given), "--out", str(out), "--quiet"]) == 0
    return read_predictions(out / "predictions.h5")


def found(content):
    """Share of stimuli whose own candidate is the likeliest."""
    (each,) = content.predictions
    truth = [list(each.candidate_id).index(name) for name in each.stimulus_id]
    return float(np.mean(each.arrays["scores"].argmax(axis=1) == truth))


@pytest.fixture(scope="module")
def adapted(encoder_run, tmp_path_factory):
    return adapt(encoder_run.folder, tmp_path_factory.mktemp("adapted") / "out")


def test_an_adapted_encoder_identifies(adapted):
    assert adapted.attrs == {
        "task": "adaptation", "trials": "60", "dataset": "tiny", "side": "test", "scale": "nats",
        "selection_split": "validation", "transductive": False, "seed": 4,
    }  # fmt: skip
    (each,) = adapted.predictions
    assert (each.subject, each.n_trials) == ("b", 60)
    assert each.arrays["scores"].shape == (22, 22)
    assert found(adapted) > 4 / 22


def test_from_scratch_is_worse(adapted, encoder_run, tmp_path):
    words = ("--from-scratch", "--steps", "8")
    content = adapt(encoder_run.folder, tmp_path / "out", *words)
    assert content.method == "from_scratch"
    assert found(content) < found(adapted)


def test_test_responses_change_nothing_but_their_own_scores(adapted, encoder_run, tmp_path):
    """Predicted responses are the same whatever was measured for test and undrawn trials."""
    stores = tmp_path / "stores"
    shutil.copytree(encoder_run.stores, stores)
    data = EncodingDataModule(stores, subjects=["b"], image_size=24, trials=60, trials_seed=4)
    used = [t for side in ("train", "validation") for group in data.rows(side)["b"].trials
            for t in group]  # fmt: skip
    with h5py.File(stores / "sub-b.h5", "r+") as file:
        values = file["responses"][:]
        values[np.setdiff1d(np.arange(len(values)), used)] = 50.0
        file["responses"][...] = values
    run = tmp_path / "run"
    shutil.copytree(encoder_run.folder, run)
    text = (run / "config.yaml").read_text()
    (run / "config.yaml").write_text(text.replace(str(encoder_run.stores), str(stores)))
    (other,), (each,) = adapt(run, tmp_path / "out").predictions, adapted.predictions
    np.testing.assert_array_equal(other.arrays["responses"], each.arrays["responses"])
    assert not np.array_equal(other.arrays["scores"], each.arrays["scores"])


def test_the_core_has_no_low_rank_update(encoder_run, tmp_path, capsys):
    given = ["--from", str(encoder_run.folder), "--subject", "b", "--trials", "60", "--rank", "2"]
    assert main(["adapt", *given, "--out", str(tmp_path / "out"), "--quiet"]) == 2
    assert "--rank updates decoders" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
