"""A decoder that was exported decodes as the one that was trained, without its data."""

from __future__ import annotations

import json
import shutil

import numpy as np
import pytest
import torch
from decoding_world import LATENT, N_VOXELS, TOKENS
from safetensors.torch import load_file, save_file

from neurodecode.context import BuildContext
from neurodecode.errors import ConfigError, DataError, WeightsError
from neurodecode.files import sha256
from neurodecode.loaders.scaler import TrialScaler
from neurodecode.pretrained import PretrainedDecoder
from neurodecode.pretrained.classes import build_decoder
from neurodecode.pretrained.responses import check_responses, standardise
from neurodecode.store import ResponseStore, read_predictions

pytestmark = [
    pytest.mark.filterwarnings("ignore:LightningCLI's args parameter"),
    pytest.mark.filterwarnings("ignore:.*exists and is not empty"),
    # lightning 2.6 on jsonargparse 4.53
    pytest.mark.filterwarnings("ignore::jsonargparse._deprecated.JsonargparseDeprecationWarning"),
]


@pytest.fixture
def raw(rng) -> dict[str, np.ndarray]:
    """Two to four trials of each subject."""
    return {
        name: rng.normal(size=(n, count)).astype(np.float32)
        for n, (name, count) in zip((2, 4, 3), N_VOXELS.items(), strict=True)
    }


@pytest.fixture
def copy(exported, tmp_path):
    """A copy to be broken."""
    return shutil.copytree(exported, tmp_path / "copy")


def rewrite(folder, change=lambda tensors: None, **fields) -> None:
    """Change tensors and configuration, with a checksum that is right."""
    path, config = folder / "model.safetensors", folder / "config.json"
    tensors = load_file(path)
    change(tensors)
    save_file(tensors, path)
    content = json.loads(config.read_text()) | {"weights_sha256": sha256(path)} | fields
    config.write_text(json.dumps(content))


def test_raw_trials_give_the_predictions_of_the_trained_decoder(model, run, world):
    predictions = read_predictions(run / "predictions.h5").predictions
    assert [each.subject for each in predictions] == model.subjects == list(N_VOXELS)
    for each in predictions:
        store = ResponseStore(world.root / "stores" / f"sub-{each.subject}.h5")
        responses = store.read(np.arange(store.n_trials))
        scaled = model.standardise({each.subject: responses}, store.session)[each.subject]
        average = [scaled[store.stimulus_id == name].mean(axis=0) for name in each.stimulus_id]
        decoded = model.decode({each.subject: np.stack(average)}, session=None)
        for name in ("tokens", "condition", "latent"):
            found = getattr(decoded, name).numpy()
            np.testing.assert_allclose(found, each.arrays[name], rtol=1e-4, atol=1e-5)


def test_weights_and_statistics_are_those_of_the_checkpoint(model, run):
    checkpoint = torch.load(run / "best.ckpt", weights_only=True)
    for name, value in model.decoder.state_dict().items():
        assert torch.equal(value, checkpoint["state_dict"][f"decoder.{name}"])
    for subject, saved in checkpoint["ResponseDataModule"]["scalers"].items():
        for name, value in model.scalers[subject].state_dict().items():
            assert torch.equal(value, saved[name])


def test_trials_do_not_depend_on_their_company(model, raw):
    sessions = {"a.1": 2, "b": [1, 3, 1, 2], "c": np.array([3, 3, 1])}
    together = model.decode(raw, session=sessions)
    assert together.tokens.shape == (9, *TOKENS)
    assert together.condition.shape == (9, *TOKENS)
    assert together.latent.shape == (9, *LATENT)
    alone = model.decode({"b": raw["b"][1:2]}, session=3)
    torch.testing.assert_close(alone.tokens[0], together.tokens[2 + 1])
    # sessions of this world differ in offset and gain
    other = model.decode({"b": raw["b"][1:2]}, session=1)
    assert not torch.allclose(alone.tokens, other.tokens)
    as_tensor = model.decode({"b": torch.from_numpy(raw["b"])}, session=[1, 3, 1, 2])
    torch.testing.assert_close(as_tensor.tokens, together.tokens[2:6])


def test_saved_again_it_is_the_same(model, exported, raw, tmp_path):
    model.save(tmp_path / "again")
    for name in ("model.safetensors", "config.json", "README.md"):
        assert (tmp_path / "again" / name).read_bytes() == (exported / name).read_bytes()
    again = PretrainedDecoder.from_pretrained(tmp_path / "again")
    one, two = (each.decode(raw, session=1) for each in (model, again))
    for name in ("tokens", "condition", "latent", "shared"):
        assert torch.equal(getattr(one, name), getattr(two, name))


def test_loading_leaves_random_numbers_alone(exported):
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    PretrainedDecoder.from_pretrained(exported)
    assert torch.equal(torch.rand(3), expected)


@pytest.mark.parametrize(
    ("subject", "n_voxels", "session", "says"),
    [
        ("d", 7, 1, r"subject d: the decoder has no adapter .*\(known: a\.1, b, c\)"),
        ("b", 8, 1, r"subject b: responses have 8 features .* trained on 9"),
        ("b", 9, 4, r"no statistics of session 4 \(known: 1, 2, 3\); .*session=None"),
        ("b", 9, 2.0, "session is not a whole number"),
        ("b", 9, [1, 2, 3], "3 sessions for 2 trials"),
        ("b", 9, {"a.1": 1}, "session is not a whole number"),
    ],
)
def test_responses_that_do_not_fit_are_named(model, subject, n_voxels, session, says):
    with pytest.raises(DataError, match=says):
        model.decode({subject: np.zeros((2, n_voxels))}, session=session)


def test_responses_without_trials_or_with_holes_are_named(model):
    with pytest.raises(DataError, match=r"shape \(9,\), not \(n_trials, 9\)"):
        model.decode({"b": np.zeros(9)}, session=1)
    with pytest.raises(DataError, match="subject b: 1 of 18 responses are not finite"):
        model.decode({"b": np.where(np.arange(18) == 4, np.nan, 0).reshape(2, 9)}, session=1)
    with pytest.raises(DataError, match="no responses to decode"):
        model.decode({}, session=1)


def test_a_damaged_folder_is_refused(copy):
    content = (copy / "model.safetensors").read_bytes()
    (copy / "model.safetensors").write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    with pytest.raises(WeightsError, match=r"model\.safetensors: checksum differs"):
        PretrainedDecoder.from_pretrained(copy)
    (copy / "model.safetensors").write_bytes(content[:100])
    with pytest.raises(WeightsError, match=r"model\.safetensors: not a safetensors file"):
        PretrainedDecoder.from_pretrained(copy)
    (copy / "model.safetensors").unlink()
    with pytest.raises(WeightsError, match=r"model\.safetensors: missing"):
        PretrainedDecoder.from_pretrained(copy)
    (copy / "config.json").write_text("{")
    with pytest.raises(DataError, match=r"config\.json: not valid JSON"):
        PretrainedDecoder.from_pretrained(copy)


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"format_version": 2}, "format version 2, .* which reads version 1: update neurodecode"),
        ({"format_version": 0}, "format version 0, .*: export again"),
        ({"format_version": None}, "not the configuration of a neurodecode decoder"),
        ({"embeddings": None}, "field embeddings is missing"),
        ({"context": {"n_features": {"a.1": 7}, "colour": 1}}, "field context is not valid"),
    ],
)
def test_another_format_is_refused(copy, fields, says):
    rewrite(copy, **fields)
    with pytest.raises(WeightsError, match=says):
        PretrainedDecoder.from_pretrained(copy)


def take_bias(tensors):
    del tensors["decoder.token_head.linear.bias"]


def take_statistics(tensors):
    for name in ("mean", "scale"):
        del tensors[f"scaler.a.1.{name}"]


def add(tensors):
    tensors["decoder.more"] = torch.zeros(2)


def shorten(tensors):
    tensors["decoder.token_head.linear.bias"] = torch.zeros(4)


def shorten_statistics(tensors):
    tensors["scaler.b.mean"] = tensors["scaler.b.mean"][:, 1:].contiguous()


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (take_bias, r"tensor decoder\.token_head\.linear\.bias is missing"),
        (take_statistics, r"2 tensors are \(first: scaler\.a\.1\.mean\) missing"),
        (add, r"tensor decoder\.more is not of this network"),
        (shorten, r"bias has shape \(4,\), the network takes \(15,\)"),
        (shorten_statistics, "statistics of subject b do not fit its 9 features"),
    ],
)
def test_tensors_that_do_not_fit_are_named(copy, change, says):
    rewrite(copy, change)
    with pytest.raises(WeightsError, match=says):
        PretrainedDecoder.from_pretrained(copy)


BRAIN = "neurodecode.nn.decoder.BrainDecoder"


@pytest.mark.parametrize(
    ("spec", "says"),
    [
        ({"class_path": "os.system"}, r"decoder names os\.system, which is not in neurodecode"),
        ({"class_path": "torch.nn.Identity"}, r"pass packages=\(\.\.\., 'torch'\)"),
        ({"class_path": "neurodecode.cli.os.system"}, "which cannot be imported"),
        ({"class_path": "neurodecode.files.sha256"}, "which is not a network"),
        ({"class_path": "neurodecode.nn.decoder.nn"}, "which is not a network"),
        ({"class_path": "neurodecode.tasks.base.LightningModule"}, r"which comes from lightning\."),
        ({"class_path": "neurodecode.nn.nothing.There"}, "which cannot be imported"),
        ({}, "decoder names None"),
        (
            {"class_path": BRAIN, "init_args": {"adapter": "os.kill"}},
            r"decoder\.init_args\.adapter names os\.kill, which is not in neurodecode",
        ),
        (
            {"class_path": BRAIN, "init_args": {"trunk": {"class_path": "builtins.exec"}}},
            r"trunk names builtins\.exec",
        ),
    ],
)
def test_a_configuration_builds_nothing_but_networks_of_ours(copy, spec, says):
    rewrite(copy, decoder=spec)
    with pytest.raises(ConfigError, match=says):
        PretrainedDecoder.from_pretrained(copy)


def test_parts_of_another_package_are_built_if_it_is_named():
    context = BuildContext({"a": 7, "b": 8}, {"tokens": (9,)})
    spec = {
        "class_path": BRAIN,
        "init_args": {"width": 6, "adapter": {"class_path": "torch.nn.Linear"}, "low_level": None},
    }
    with pytest.raises(ConfigError, match=r"adapter names torch\.nn\.Linear"):
        build_decoder(spec, context)
    decoder = build_decoder(spec, context, packages=("neurodecode", "torch"))
    assert type(decoder.adapters.adapters["sub-b"]) is torch.nn.Linear
    assert decoder({"b": torch.zeros(4, 8)}).tokens.shape == (4, 1, 9)


def test_time_resolved_responses_keep_their_samples():
    values = check_responses(np.ones((4, 7, 9)), "a", {"a": 7}, n_times=9)
    scaler = TrialScaler(np.array([1, 2]), np.zeros((2, 7)), np.arange(1, 15).reshape(2, 7))
    scaled = standardise(values, "a", scaler, [1, 2, 2, 1])
    assert scaled.shape == (4, 7, 9)
    np.testing.assert_allclose(scaled[1, :, 3], 1 / np.arange(8, 15))
    with pytest.raises(DataError, match=r"responses have 9 x 7 features .* trained on 7 x 9"):
        check_responses(np.ones((4, 9, 7)), "a", {"a": 7}, n_times=9)


def test_arguments_of_another_version_are_one_line(copy):
    rewrite(copy, decoder={"class_path": BRAIN, "init_args": {"wideness": 3}})
    with pytest.raises(WeightsError, match="cannot be built from its configuration") as error:
        PretrainedDecoder.from_pretrained(copy)
    assert "\n" not in str(error.value)
