"""Pictures as the mean of a bank under the likelihood of an encoder."""

from __future__ import annotations

import shutil
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import torch
import yaml
from encoding_world import SIZE
from scipy.special import softmax

from neurodecode.cli import main
from neurodecode.loaders.counts import open_responses
from neurodecode.loaders.encoding import EncodingDataModule
from neurodecode.loaders.table import TrialTable
from neurodecode.splits import read_split
from neurodecode.store import read_predictions, read_stimuli
from neurodecode.tasks.baselines import (
    LinearOptions,
    identify_predicted,
    predicted_rows,
    validation_turns,
)
from neurodecode.tasks.checkpoints import load_task
from neurodecode.tasks.encode import EncodeTask
from neurodecode.tasks.posterior_mean import bank_weights, mean_pictures, predict_pictures

pytestmark = pytest.mark.filterwarnings(
    "ignore:(?s).*(deprecated in v4.49|JsonargparseDeprecationWarning)"
)


def test_mean_is_weighed():
    """Two rows of weights, three pictures of 1 x 2 pixels: worked by hand."""
    images = np.zeros((3, 1, 2, 3), dtype=np.uint8)
    images[1, 0, 0] = 90
    images[2, 0, 1] = 200
    weights = np.array([[0.25, 0.5, 0.25], [0.2, 0.3, 0.5]])
    found = mean_pictures(images, weights)
    np.testing.assert_array_equal(found[:, 0, :, 1], [[45, 50], [27, 100]])


@pytest.fixture(scope="module")
def known(trained, encoding_world):
    """One subject: store, table, what an encoder predicts, and answers to a made-up bank."""
    (each,) = [e for e in read_predictions(trained / "predictions.h5").predictions
               if e.subject == "b"]  # fmt: skip
    store = open_responses(encoding_world / "sub-b.h5")
    split = read_split(encoding_world / "splits.json")
    table = TrialTable.load(store, split, 0, ("train",))
    answers = np.random.default_rng(4).normal(size=(13, store.n_features))
    return SimpleNamespace(store=store, split=split, table=table, each=each, answers=answers)


def weigh(known, side, table=None):
    table = table or known.table
    return bank_weights(known.store, table, 0, [known.each], [known.answers], side)


def test_weights_are_the_likelihood_that_identifies(known):
    """With the stimuli themselves for a bank, as `baseline --method encoder_likelihood` says."""
    made = identify_predicted(known.store, known.split, 0, [known.each], None, LinearOptions())
    own = predicted_rows(known.each, made.candidate_id)
    found = bank_weights(known.store, known.table, 0, [known.each], [own], "test")
    np.testing.assert_allclose(found, softmax(made.arrays["scores"], axis=1), atol=1e-6)


def test_no_validation_stimulus_is_judged_by_what_was_learned_from_it(known):
    """Another response to one of them changes the weights of no stimulus of its own part."""
    table = known.table
    name = table.average("validation").stimulus_id[3]
    trials = np.flatnonzero(table.stimulus_id == name)
    responses = table.responses.copy()
    responses[trials] += 4 * np.sign(np.arange(responses.shape[1]) % 2 - 0.5)
    before, after = weigh(known, "validation"), weigh(
        known, "validation", replace(table, responses=responses)
    )  # fmt: skip
    same = [row for row in range(len(before)) if np.allclose(before[row], after[row], atol=1e-12)]
    (part,) = [part.tolist() for _, part in validation_turns(known.store, 0, len(before), 0)
               if 3 in part]  # fmt: skip
    assert same == [row for row in sorted(part) if row != 3]


def test_pictures_are_predicted_as_predict_does(trained, encoding_world):
    data = EncodingDataModule(encoding_world, image_size=SIZE)
    task = load_task(trained / "checkpoints" / "best.ckpt", EncodeTask, data.context).eval()
    each = read_predictions(trained / "predictions.h5").predictions[1]
    rows = np.array([data.stimuli.index(name) for name in each.stimulus_id])
    found = predict_pictures(task, each.subject, data.bank.read("image", rows))
    np.testing.assert_allclose(found, each.arrays["responses"], atol=1e-4)


@pytest.fixture(scope="module")
def drawn(trained, tmp_path_factory):
    out = tmp_path_factory.mktemp("drawn") / "guided.h5"
    assert main(["posterior", "--encoders", str(trained), "--out", str(out), "--quiet"]) == 0
    return read_predictions(out)


def test_pictures_would_be_answered_as_their_stimuli_were(drawn, trained, encoding_world):
    """By the encoder; and none is a copy of its stimulus, which the bank must not hold."""
    data = EncodingDataModule(encoding_world, image_size=SIZE)
    task = load_task(trained / "checkpoints" / "best.ckpt", EncodeTask, data.context).eval()
    source = read_stimuli(encoding_world / "stimuli.h5")
    assert (drawn.method, drawn.attrs["task"]) == ("guided", "reconstruction")
    known = read_predictions(trained / "predictions.h5").predictions
    predicted = {each.subject: each for each in known}
    for each in drawn.predictions:
        images = each.arrays["images"]
        assert images.shape == (len(each.stimulus_id), SIZE, SIZE, 3)
        assert (images != source.images[source.rows(each.stimulus_id)]).any(axis=(1, 2, 3)).all()
        own = predicted[each.subject]
        rows = [own.stimulus_id.index(name) for name in each.stimulus_id]
        measured = own.arrays["measured"][rows]
        pixels = torch.from_numpy(images).permute(0, 3, 1, 2)
        again = predict_pictures(task, each.subject, pixels)
        near = np.square(again - measured).mean()
        assert near < 0.6 * np.square(np.roll(again, 1, axis=0) - measured).mean()


def test_without_a_brain_all_pictures_are_one(trained, tmp_path):
    out = tmp_path / "prior.h5"
    words = ["--prior-only", "--out", str(out), "--quiet"]
    assert main(["posterior", "--encoders", str(trained), *words]) == 0
    prior = read_predictions(out)
    assert (prior.method, prior.attrs["control"]) == ("prior_only", True)
    assert all(len(np.unique(each.arrays["images"], axis=0)) == 1 for each in prior.predictions)


def test_validation_side_and_some_subjects(trained, tmp_path):
    out = tmp_path / "out.h5"
    words = ["--subjects", "b", "--side", "validation", "--out", str(out), "--quiet"]
    assert main(["posterior", "--encoders", str(trained), str(trained), *words]) == 0
    content = read_predictions(out)
    assert [each.subject for each in content.predictions] == ["b"]
    assert content.attrs["side"] == "validation"


def test_bad_requests_end_in_one_line(trained, tmp_path, capsys):
    def refused(words, message):
        out = tmp_path / "out.h5"
        given = ["posterior", "--out", str(out), "--quiet", *map(str, words)]
        assert main(given) == 2
        assert message in capsys.readouterr().err
        assert not out.exists()

    refused(["--encoders", trained, "--subjects", "z"], "the encoders know a.1, b")
    refused(["--encoders", tmp_path], "no best.ckpt")
    other = tmp_path / "other"
    shutil.copytree(trained, other)
    config = yaml.safe_load((other / "config.yaml").read_text())
    config["data"]["init_args"]["fold"] = 1
    (other / "config.yaml").write_text(yaml.safe_dump(config))
    refused(["--encoders", trained, other], "data.fold is 1")
    (other / "predictions.h5").unlink()
    refused(["--encoders", other], "predictions.h5")
