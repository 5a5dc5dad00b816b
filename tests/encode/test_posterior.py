"""Pictures as the mean of a bank under the likelihood of an encoder."""

from __future__ import annotations

import shutil

import numpy as np
import pytest
import torch
import yaml
from encoding_world import SIZE

from neurodecode.cli import main
from neurodecode.loaders.encoding import EncodingDataModule
from neurodecode.loaders.table import RepeatAverages
from neurodecode.store import read_predictions, read_stimuli
from neurodecode.tasks.checkpoints import load_task
from neurodecode.tasks.encode import EncodeTask
from neurodecode.tasks.posterior_mean import BankPosterior, predict_pictures

pytestmark = pytest.mark.filterwarnings(
    "ignore:(?s).*(deprecated in v4.49|JsonargparseDeprecationWarning)"
)


def test_mean_is_weighed_by_likelihood():
    """Two responses, three pictures of 1 x 2 pixels: worked by hand."""
    images = np.zeros((3, 1, 2, 3), dtype=np.uint8)
    images[1, 0, 0] = 90
    images[2, 0, 1] = 200
    logs = np.log([[1, 2, 1], [0.25, 0.25, 0.5]])
    posterior = BankPosterior(images, lambda responses, counts: 7 + logs)
    measured = RepeatAverages(np.array(["x", "y"]), np.zeros((2, 5)), np.array([1, 3]))
    weights = posterior.weights(measured)
    np.testing.assert_allclose(weights, [[0.25, 0.5, 0.25], [0.25, 0.25, 0.5]])
    np.testing.assert_array_equal(
        posterior.mean(weights)[:, 0, :, 1], [[45, 50], [22, 100]]
    )  # fmt: skip


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
