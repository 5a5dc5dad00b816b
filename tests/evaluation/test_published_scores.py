"""Networks and their weights, random draws, collapse and whitening, as `evaluate` records them."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from neurodecode.cli import main
from neurodecode.commands import evaluate
from neurodecode.embed import EMBEDDERS
from neurodecode.errors import WeightsError
from neurodecode.evaluation.nets import NET_METRICS, open_nets
from neurodecode.metrics.feature_nets import FEATURE_NETS, build_feature_net
from neurodecode.metrics.functional import (
    correlation_distance,
    effective_rank,
    expected_top_k,
    repeated_draws,
    two_way_identification,
)
from neurodecode.metrics.records import read_records
from neurodecode.metrics.weights import Weights
from neurodecode.recording import StimulusSet
from neurodecode.store import EmbeddingStore, Prediction, write_predictions, write_stimuli

IDS = [f"{number:032x}" for number in range(9)]


class Pixels:
    """Stands for an embedder."""

    name, provenance = "pixels", {"model": "pixels", "sha256": "0123456789abcdef"}

    def encode_images(self, images):
        return {"pooled": images[:, ::4, ::4].reshape(len(images), -1).astype(np.float32)}


@pytest.fixture
def drawn(tmp_path, monkeypatch, rng):
    """True pictures, and reconstructions in a file; no weights in the cache."""
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    monkeypatch.setitem(EMBEDDERS, "pixels", lambda variant, download: Pixels())
    truth, images = rng.integers(0, 256, (2, 9, 16, 16, 3), dtype=np.uint8)
    images = (truth // 2 + images // 2).astype(np.uint8)
    write_stimuli(tmp_path / "tiny" / "stimuli.h5", StimulusSet(IDS, truth))
    made = {"task": "reconstruction", "selection_split": "train"}
    each = Prediction("1", IDS, {"images": images}, n_averaged=2)
    write_predictions(tmp_path / "decoder.h5", "decoder", [each], made)
    return truth, images


def run(folder, file, *words):
    code = main(["evaluate", "--profile", "p", "--dataset", "tiny", "--stores", str(folder),
                 "--embeddings", str(folder), "--clip", "pixels", "--out", str(folder / "out"),
                 "--predictions", str(folder / file), "--quiet", *map(str, words)])  # fmt: skip
    if code:
        return code
    records = read_records(folder / "out" / "metrics.json")
    return {(record.method, record.metric): record for record in records}


def test_names_agree():
    assert set(NET_METRICS) == set(FEATURE_NETS) == set(evaluate.NETS)


def test_records_say_which_weights_are_missing(drawn, tmp_path):
    found = run(tmp_path, "decoder.h5")
    for name, metric in NET_METRICS.items():
        record = found["decoder", metric]
        if name == "clip":
            assert record.extra == {"features": "pixels", "weights": "pixels sha256:0123456789ab"}
        else:
            assert (record.value, record.n, record.extra["weights"]) == (None, 0, "none")
            assert record.extra["missing"].startswith("https://")
    rank = found["decoder", "effective_rank"]
    pooled = [Pixels().encode_images(images)["pooled"] for images in drawn]
    assert rank.extra["of_targets"] == pytest.approx(effective_rank(pooled[0]), rel=1e-6)
    assert rank.value == pytest.approx(effective_rank(pooled[1]), rel=1e-6)
    assert rank.ci_low is None


def test_untrained_networks_are_called_so(drawn, tmp_path):
    found = run(tmp_path, "decoder.h5", "--nets", "alexnet2", "effnet", "--untrained-nets")
    for name, score in (("alexnet2", two_way_identification), ("effnet", correlation_distance)):
        net = build_feature_net(name, Weights(untrained=True))
        truth, images = (net(torch.from_numpy(part)) for part in drawn)
        record = found["decoder", NET_METRICS[name]]
        assert record.extra == {"features": name, "weights": "untrained"}
        assert record.value == pytest.approx(float(score(truth, images).mean()), abs=1e-6)
    r = np.corrcoef(truth, images)[:9, 9:]
    want = 1 - r[~np.eye(9, dtype=bool)].mean()
    assert found["decoder", "distance_effnet"].chance == pytest.approx(want, abs=1e-5)
    assert ("decoder", "two_way_inception") not in found


def test_weights_in_the_cache_are_used_and_named(drawn, tmp_path):
    untrained = build_feature_net("effnet", Weights(untrained=True)).module.state_dict()
    from torchvision.models import efficientnet_b1

    model = efficientnet_b1()
    model.load_state_dict(untrained, strict=False)
    cache = tmp_path / "torch" / "hub" / "checkpoints"
    cache.mkdir(parents=True)
    torch.save(model.state_dict(), cache / "efficientnet_b1-c27df63c.pth")
    record = run(tmp_path, "decoder.h5")["decoder", "distance_effnet"]
    assert record.extra["weights"].startswith("efficientnet_b1-c27df63c.pth sha256:")
    assert record.value is not None
    (cache / "efficientnet_b1-c27df63c.pth").write_bytes(b"broken")
    assert run(tmp_path, "decoder.h5") == 2


def test_a_network_that_was_asked_for_must_be_there(drawn, tmp_path, capsys):
    assert run(tmp_path, "decoder.h5", "--nets", "swav") == 2
    assert "swav_800ep_pretrain.pth.tar is missing; put https" in capsys.readouterr().err
    with pytest.raises(WeightsError, match="is missing"):
        open_nets(["alexnet2"], required=True)


@pytest.fixture
def decoded(tmp_path, rng):
    """Decoded embeddings in a file, and the true ones."""
    truth = rng.normal(size=(9, 3, 5)).astype(np.float32) + 1
    tokens = truth + rng.normal(size=truth.shape).astype(np.float32)
    store = EmbeddingStore.create(tmp_path / "tiny" / "own.h5", IDS, {"tokens": (3, 5)})
    store.write(np.arange(9), {"tokens": truth})
    made = {"task": "identification", "selection_split": "train", "embedding": "own"}
    write_predictions(tmp_path / "ridge.h5", "ridge", [Prediction("1", IDS, {"tokens": tokens})],
                      made)  # fmt: skip
    return truth.reshape(9, -1), tokens.reshape(9, -1)


def test_draws_rank_and_whitening(decoded, tmp_path):
    found = run(tmp_path, "ridge.h5", "--drawn", 5, "--matching", "whitening")
    truth, tokens = (part / np.linalg.norm(part, axis=1, keepdims=True) for part in decoded)
    scores = (tokens @ truth.T).astype(np.float64)
    for metric, own in (("retrieval_draws_top1", scores), ("retrieval_brain_draws_top1", scores.T)):
        record = found["ridge", metric]
        assert record.value == pytest.approx(float(expected_top_k(own, 5).mean()))
        assert (record.chance, record.n_candidates, record.extra["n_draws"]) == (0.2, 5, 30)
        assert record.extra["mean_of_draws"] == pytest.approx(float(repeated_draws(own, 5).mean()))
        assert record.ci_low <= record.value <= record.ci_high
    rank = found["ridge", "effective_rank"]
    assert (rank.task, rank.n) == ("embedding", 9)
    assert rank.value == pytest.approx(effective_rank(decoded[1]), rel=1e-5)
    white = found["ridge+whitening", "retrieval_top1"]
    assert white.transductive
    assert 0 < white.extra["whitening_shrinkage"] <= 1
    assert not found["ridge", "retrieval_top1"].transductive


def test_a_test_set_that_is_no_larger_is_not_drawn_from(decoded, tmp_path):
    assert ("ridge", "retrieval_draws_top1") not in run(tmp_path, "ridge.h5", "--drawn", 9)
    assert ("ridge", "retrieval_draws_top1") not in run(tmp_path, "ridge.h5")
    assert run(tmp_path, "ridge.h5", "--drawn", 0) == 2


def test_scores_without_an_embedding_cannot_be_whitened(tmp_path, caplog):
    made = {"task": "identification", "selection_split": "train", "scale": "nats"}
    each = Prediction("1", IDS, {"scores": np.eye(9)}, IDS)
    write_predictions(tmp_path / "likelihood.h5", "likelihood", [each], made)
    found = run(tmp_path, "likelihood.h5", "--matching", "whitening")
    assert {method for method, _ in found} == {"likelihood"}
    assert "no decoded embedding to whiten" in caplog.text
