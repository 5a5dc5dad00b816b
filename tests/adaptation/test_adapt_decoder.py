"""`neurodecode adapt` for decoders: what is trained, on what, and what it is good for."""

from __future__ import annotations

import json
import shutil

import h5py
import numpy as np
import pytest
import torch
from decoding_world import N_TEST, TOKENS
from scipy.special import log_softmax

from neurodecode.cli import main
from neurodecode.loaders import ResponseDataModule
from neurodecode.store import EmbeddingStore, ResponseStore, read_predictions
from neurodecode.tasks.writer import side_path

pytestmark = [
    pytest.mark.filterwarnings("ignore:.*exists and is not empty"),
    pytest.mark.filterwarnings("ignore:LightningCLI's args parameter"),
    pytest.mark.filterwarnings("ignore::jsonargparse._deprecated.JsonargparseDeprecationWarning"),
]
NEW = "c"  # the run was trained on the others
SHARED = "decoder.trunk.blocks.0.1.weight"
ADAPTER = "decoder.adapters.adapters.sub-c.linear.weight"


def adapt(run, out, *words):
    given = ["--from", run, "--subject", NEW, "--trials", "40", "--steps", "24", "--seed", "5"]
    words = [word for word in map(str, words)]
    assert main(["adapt", *map(str, given), *words, "--out", str(out), "--quiet"]) == 0
    return out


def weights(path):
    return torch.load(path, weights_only=True)["state_dict"]


@pytest.fixture(scope="session")
def adapted(decoder_run, tmp_path_factory):
    return adapt(decoder_run, tmp_path_factory.mktemp("adapted") / "run")


def two_way(path, world, side="test"):
    """How often the true stimulus is more like what was decoded than another one."""
    (each,) = read_predictions(side_path(path / "predictions.h5", side)).predictions
    true = EmbeddingStore(world.root / "tokens.h5").read("tokens", each.stimulus_id)
    flat = [v.reshape(len(v), -1) / np.linalg.norm(v.reshape(len(v), -1), axis=1)[:, None]
            for v in (each.arrays["tokens"], true)]  # fmt: skip
    scores = flat[0] @ flat[1].T
    worse = (scores < np.diag(scores)[:, None]).sum(axis=1)
    return float(worse.mean() / (len(true) - 1))


def test_the_adapter_alone_is_trained(adapted, decoder_run):
    before = weights(decoder_run / "checkpoints" / "best.ckpt")
    after = weights(adapted / "best.ckpt")
    shared = {name for name in before if ".adapters." not in name}
    assert {name for name in after if ".adapters." not in name} == shared
    for name in shared:
        torch.testing.assert_close(after[name], before[name], rtol=0, atol=0)
    assert [name for name in after if ".adapters." in name] == [
        ADAPTER, ADAPTER.replace("weight", "bias")
    ]  # fmt: skip


def test_predictions_say_how_many_trials(adapted):
    content = read_predictions(adapted / "predictions.h5")
    assert content.method == "adapted"
    attrs = dict(content.attrs)
    assert len(attrs.pop("embedding_fingerprint")) == 16
    assert attrs == {
        "task": "adaptation", "trials": "40", "dataset": "tiny", "embedding": "tokens",
        "target": "tokens", "side": "test", "selection_split": "validation",
        "transductive": False, "seed": 5,
    }  # fmt: skip
    (each,) = content.predictions
    assert (each.subject, each.n_trials) == (NEW, 40)
    assert each.arrays["tokens"].shape == (N_TEST, *TOKENS)


def test_decoder_and_encoder_together(adapted, world):
    """The product of the experts, under weights that are written beside it."""
    decoded = read_predictions(adapted / "predictions.h5").predictions[0]
    judged = read_predictions(adapted / "likelihood.h5")
    content = read_predictions(adapted / "posterior.h5")
    assert (judged.method, content.method) == ("adapted_likelihood", "adapted_posterior")
    assert (content.attrs["task"], content.attrs["trials"]) == ("adaptation", "40")
    (each,) = content.predictions
    assert (each.subject, each.n_trials, each.stimulus_id) == (NEW, 40, decoded.stimulus_id)
    weights = content.attrs["weights"][f"{NEW}/0"]
    assert set(weights) == {"adapted", "adapted_likelihood"}
    # the decoder's expert, by hand: cosines with what the candidates' embeddings are
    known = EmbeddingStore(world.root / "tokens.h5").read("tokens", each.candidate_id)
    flat = [a.reshape(len(a), -1).astype(float) for a in (decoded.arrays["tokens"], known)]
    cosine = np.divide(flat[0] @ flat[1].T, np.outer(*(np.linalg.norm(a, axis=1) for a in flat)))
    (encoder,) = judged.predictions
    rows = [encoder.stimulus_id.index(name) for name in each.stimulus_id]
    columns = [encoder.candidate_id.index(name) for name in each.candidate_id]
    nats = encoder.arrays["scores"][np.ix_(rows, columns)].astype(float)
    logs = weights["adapted"] * cosine + weights["adapted_likelihood"] * nats
    np.testing.assert_allclose(each.arrays["scores"], log_softmax(logs, axis=1), atol=1e-3)


def test_few_trials_suffice_where_others_were_known(adapted, decoder_run, world, tmp_path):
    """Adapted with 40 trials it tells most apart; from scratch, as long trained, it finds less."""
    words = ("--trials", "15", "--side", "validation")
    known = two_way(adapt(decoder_run, tmp_path / "known", *words), world, "validation")
    scratch = adapt(decoder_run, tmp_path / "new", *words, "--from-scratch")
    assert not (scratch / "predictions.h5").exists()
    assert not (scratch / "posterior.h5").exists()
    scratch = two_way(scratch, world, "validation")
    assert two_way(adapted, world) > 0.8
    assert known > scratch


def test_from_scratch_trains_everything(decoder_run, tmp_path):
    words = ("--from-scratch", "--steps", "3", "--trials", "all")
    out = adapt(decoder_run, tmp_path / "out", *words)
    after = weights(out / "best.ckpt")
    again = weights(adapt(decoder_run, tmp_path / "again", *words) / "best.ckpt")
    assert all(torch.equal(again[name], value) for name, value in after.items())
    before = weights(decoder_run / "checkpoints" / "best.ckpt")
    assert not torch.allclose(after[SHARED], before[SHARED])
    content = read_predictions(out / "predictions.h5")
    assert (content.method, content.attrs["trials"]) == ("from_scratch", "all")
    assert content.predictions[0].n_trials > 80


def test_low_rank_update_of_the_trunk(decoder_run, world, tmp_path):
    """The matrix differs by one of rank two, and the checkpoint fits the decoder as it was."""
    out = adapt(decoder_run, tmp_path / "out", "--rank", "2", "--trials", "all")
    before = weights(decoder_run / "checkpoints" / "best.ckpt")
    after = weights(out / "best.ckpt")
    assert set(after) - {ADAPTER, ADAPTER.replace("weight", "bias")} <= set(before)
    change = torch.linalg.svdvals((after[SHARED] - before[SHARED]).double())
    assert change[1] > 1e-4
    assert change[2] < 1e-5 * change[0] + 1e-6
    for name in ("decoder.trunk.blocks.0.1.bias", "decoder.trunk.blocks.0.0.weight"):
        torch.testing.assert_close(after[name], before[name], rtol=0, atol=0)
    predicted = read_predictions(out / "predictions.h5").predictions[0].arrays["tokens"]
    words = ["predict", "--config", str(out / "config.yaml"), "--ckpt_path",
             str(out / "best.ckpt"), "--quiet"]  # fmt: skip
    assert main(words) == 0
    again = read_predictions(out / "predictions.h5").predictions[0].arrays["tokens"]
    np.testing.assert_allclose(again, predicted, atol=1e-5)


def test_export_of_an_adapted_decoder(adapted, tmp_path):
    words = ["export", "--checkpoint", str(adapted / "best.ckpt"), "--out", str(tmp_path / "out")]
    assert main([*words, "--quiet"]) == 0
    config = json.loads((tmp_path / "out" / "config.json").read_text())
    assert list(config["context"]["n_features"]) == [NEW]


def test_nothing_but_the_drawn_trials_is_learned_from(decoder_run, adapted, world, tmp_path):
    """Other training trials and all test trials of the new subject may hold anything."""
    stores = tmp_path / "stores"
    shutil.copytree(world.root / "stores", stores)
    arguments = {**world.data, "subjects": [NEW], "trials": 40, "trials_seed": 5}
    data = ResponseDataModule(**arguments)
    used = [t for side in ("train", "validation") for group in data.rows(side)[NEW].trials
            for t in group]  # fmt: skip
    store = ResponseStore(stores / f"sub-{NEW}.h5")
    other = np.setdiff1d(np.arange(store.n_trials), used)
    assert len(other) > 40
    with h5py.File(store.path, "r+") as file:
        values = file["responses"][:]
        values[other] = 1e3
        file["responses"][...] = values
    run = tmp_path / "run"
    shutil.copytree(decoder_run, run)
    text = (run / "config.yaml").read_text()
    (run / "config.yaml").write_text(text.replace(str(world.root / "stores"), str(stores)))
    after = weights(adapt(run, tmp_path / "out") / "best.ckpt")
    for name, value in weights(adapted / "best.ckpt").items():
        torch.testing.assert_close(after[name], value, rtol=0, atol=0)


def test_bad_requests_end_in_one_line(decoder_run, tmp_path, capsys):
    def refused(words, *says):
        out = tmp_path / "out"
        assert main(["adapt", *map(str, words), "--out", str(out), "--quiet"]) == 2
        (line,) = capsys.readouterr().err.splitlines()
        for text in says:
            assert text in line
        assert not out.exists()

    given = ["--from", decoder_run, "--subject", NEW, "--trials", "40"]
    refused([*given, "--subject", "b"], "subject b is one that the run", "(a.1, b)", "predict")
    refused([*given, "--subject", "d"], "unknown subject d; known: a.1, b, c")
    refused([*given, "--trials", "4000"], "subject c has", "4000 are asked for", "`all`")
    refused([*given, "--trials", "few"], "trials is 'few'; give a number, a share like 10%")
    refused([*given, "--trials", "9"], "trials is 9; give 10 or more")
    refused([*given, "--rank", "2", "--from-scratch"], "--rank updates a trained trunk")
    refused([*given, "--from", tmp_path], "no best.ckpt", "`neurodecode fit`")


def test_a_subject_that_a_run_has_never_seen_is_sent_to_adapt(decoder_run, capsys):
    """Whoever asks a decoder for somebody else learns whom it knows, and what to do."""
    words = ["predict", "--config", str(decoder_run / "config.yaml"), "--ckpt_path",
             str(decoder_run / "checkpoints" / "best.ckpt"), "--data.subjects=[c]",
             "--data.synthetic=null", "--quiet"]  # fmt: skip
    assert main(words) == 2
    (line,) = [each for each in capsys.readouterr().err.splitlines() if "error" in each]
    assert "never seen subject c; known: a.1, b; `neurodecode adapt --from RUN" in line
    assert "--subject c --trials N`" in line
