from __future__ import annotations

import numpy as np
import pytest
from test_baseline import baseline, world  # noqa: F401

from neurodecode.errors import ConfigError
from neurodecode.linear import FeatureSpace, RidgeEncoder, fit_ridge
from neurodecode.linear.banded import BandedRidgeEncoder, mixtures
from neurodecode.store import EmbeddingStore


def test_mixtures_are_all_shares_that_sum_to_one():
    halves = [(0, 0, 2), (0, 1, 1), (0, 2, 0), (1, 0, 1), (1, 1, 0), (2, 0, 0)]
    np.testing.assert_allclose(mixtures(3, 2), np.array(halves) / 2, atol=2e-4)
    assert mixtures(2, 4).shape == (5, 2)
    np.testing.assert_allclose(mixtures(1, 4), [[1.0]])


def problem(n=70):
    """Responses of 8 voxels to a small space that matters and a wide one that does not."""
    rng = np.random.default_rng(4)
    good, idle = rng.normal(size=(n + 50, 7)), rng.normal(size=(n + 50, 90))
    clean = good @ rng.normal(size=(7, 8))
    responses = clean + 2 * rng.normal(size=clean.shape)
    return np.hstack([good, idle]), responses, clean, n


def test_one_band_is_plain_ridge():
    features, responses, _, n = problem()
    features = features[:, :7]
    banded = BandedRidgeEncoder([7], n_components=None, seed=2).fit(features[:n], responses[:n])
    space = FeatureSpace(None).fit(features[:n])
    inputs = space.transform(features) / np.float32(np.sqrt(7))
    plain = fit_ridge(inputs[:n], responses[:n], seed=2)
    wanted = plain.predict(inputs[n:])
    np.testing.assert_allclose(banded.predict(features[n:]), wanted, rtol=1e-3, atol=1e-3)


def test_a_band_that_does_not_matter_is_penalised_away():
    features, responses, clean, n = problem()
    banded = BandedRidgeEncoder([7, 90], n_components=None).fit(features[:n], responses[:n])
    weights = np.exp(banded.deltas_)
    assert np.mean(weights[0] / weights.sum(axis=0)) > 0.9
    error = np.mean((banded.predict(features[n:]) - clean[n:]) ** 2)
    joint = RidgeEncoder(None).fit(features[:n], responses[:n])
    assert error < 0.6 * np.mean((joint.predict(features[n:]) - clean[n:]) ** 2)
    with pytest.raises(ConfigError, match=r"bands of 7 \+ 80 features, but 97 given"):
        BandedRidgeEncoder([7, 80]).fit(features, responses)


def test_command_gives_each_target_its_band(world, capsys):  # noqa: F811
    tower = EmbeddingStore(world / "tower.h5")
    noise = EmbeddingStore.create(world / "noise.h5", tower.ids, {"noise": (30,)})
    rng = np.random.default_rng(1)
    noise.write(np.arange(90), {"noise": rng.normal(size=(90, 30)).astype(np.float32)})
    words = ["--method", "encoder_likelihood", "--folds", 0, "--subjects", "01", "--embeddings",
             world / "tower.h5", world / "noise.h5", "--target", "tokens", "noise"]  # fmt: skip
    (made,) = baseline(world, *words, "--bands").predictions
    predicted, measured = made.arrays["responses"], made.arrays["measured"]
    r = [np.corrcoef(a, b)[0, 1] for a, b in zip(predicted.T, measured.T, strict=True)]
    assert np.median(r) > 0.6
    assert baseline(world, *words) == 2
    assert "or with --bands" in capsys.readouterr().err
    assert baseline(world, *words[:-1], "--bands") == 2
    assert "--bands needs several --target" in capsys.readouterr().err
