"""Baselines on real recordings, against what ../shared/data/README.md says is reached."""

from __future__ import annotations

import numpy as np
import pytest

from neurodecode.cli import main
from neurodecode.store import read_predictions

pytestmark = pytest.mark.realdata


def run(*words):
    assert main([str(word) for word in (*words, "--quiet")]) == 0


def top1(content):
    found = []
    for each in content.predictions:
        truth = [list(each.candidate_id).index(s) for s in each.stimulus_id]
        found.append(np.mean(each.arrays["scores"].argmax(axis=1) == truth))
    return np.mean(found)


def two_way(content):
    shares = []
    for each in content.predictions:
        scores = each.arrays["scores"]
        truth = [list(each.candidate_id).index(s) for s in each.stimulus_id]
        own = scores[np.arange(len(truth)), truth][:, None]
        shares.append((scores < own).sum() / (scores.size - len(truth)))
    return np.mean(shares)


def test_haxby_categories(real_data, tmp_path):
    run("prepare", "--dataset", "haxby2001", "--root", real_data / "haxby2001",
        "--out", tmp_path / "stores")  # fmt: skip
    run("baseline", "--method", "logistic", "--stores", tmp_path / "stores", "--splits",
        tmp_path / "stores" / "splits.json", "--out", tmp_path / "p.h5", "--jobs", "1")  # fmt: skip
    content = read_predictions(tmp_path / "p.h5")
    assert len(content.predictions) == 12
    assert sum(len(each.stimulus_id) for each in content.predictions) == 96
    assert top1(content) >= 0.72


@pytest.fixture(scope="module")
def v4(real_data, tmp_path_factory):
    """One session, prepared and embedded."""
    root = tmp_path_factory.mktemp("v4")
    run("prepare", "--dataset", "v4", "--root", real_data / "v4_natural_images",
        "--subjects", "190923", "--out", root)  # fmt: skip
    run("embed", "--stimuli", root / "stimuli.h5", "--model", "gabor", "--out", root / "gabor.h5")
    return root


@pytest.mark.parametrize(("words", "least_top1", "least_two_way"), [
    (("ridge", "--components", "100"), 0.077, 0.80),
    (("ridge", "--components", "100", "--whitening", "1"), 0.097, 0.87),
    (("encoder_likelihood", "--components", "200"), 0.302, 0.935),
])  # fmt: skip
def test_v4_session(v4, words, least_top1, least_two_way):
    run("baseline", "--method", *words, "--stores", v4, "--splits", v4 / "splits.json",
        "--embeddings", v4 / "gabor.h5", "--target", "features", "--out", v4 / "p.h5",
        "--jobs", "1")  # fmt: skip
    content = read_predictions(v4 / "p.h5")
    assert top1(content) >= least_top1
    assert two_way(content) >= least_two_way
