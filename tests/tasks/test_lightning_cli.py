"""The decoder and its prior through the command line, from stores to prediction files."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
import yaml
from decoding_world import LATENT, N_TEST, N_VALIDATION, TOKENS

from neurodecode.cli import main
from neurodecode.context import BuildContext
from neurodecode.errors import ConfigError, WeightsError
from neurodecode.nn.adapters import MLPAdapter
from neurodecode.store import EmbeddingStore, read_predictions
from neurodecode.tasks.checkpoints import load_task
from neurodecode.tasks.decode import DecodeTask
from neurodecode.tasks.prior import PriorTask
from neurodecode.tasks.writer import side_path

# lightning logs to the folder it also writes checkpoints to, and says so
pytestmark = [
    pytest.mark.filterwarnings("ignore:.*exists and is not empty"),
    pytest.mark.filterwarnings("ignore:LightningCLI's args parameter"),
    # lightning 2.6 on jsonargparse 4.53
    pytest.mark.filterwarnings("ignore::jsonargparse._deprecated.JsonargparseDeprecationWarning"),
]


def configuration(world, folder, task: str, **model) -> list[str]:
    """Write a configuration and return the option that names it."""
    callbacks = [
        {
            "class_path": "lightning.pytorch.callbacks.ModelCheckpoint",
            "init_args": {"dirpath": str(folder), "filename": "best", "monitor": "val/top1"},
        },
        {
            "class_path": "neurodecode.tasks.writer.PredictionWriter",
            "init_args": {"path": str(folder / "predictions.h5"), "method": "decoder"},
        },
    ]
    logger = {
        "class_path": "lightning.pytorch.loggers.CSVLogger",
        "init_args": {"save_dir": str(folder), "name": "", "version": ""},
    }
    data = {name: str(value) for name, value in world.data.items() if name == "stores"}
    data |= {
        "embeddings": {name: str(path) for name, path in world.data["embeddings"].items()},
        "batch_size": 12,
    }
    content = {
        "seed_everything": 3,
        "trainer": {
            "max_epochs": 2,
            "accelerator": "cpu",
            "logger": logger,
            "log_every_n_steps": 1,
            "callbacks": callbacks,
            "default_root_dir": str(folder),
        },
        "model": {"class_path": f"neurodecode.tasks.{task}", "init_args": model},
        "data": {"class_path": "neurodecode.loaders.ResponseDataModule", "init_args": data},
    }
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "given.yaml"
    path.write_text(yaml.safe_dump(content))
    return ["--config", str(path), "--quiet"]


@pytest.fixture(scope="module")
def decoder(world, tmp_path_factory):
    """Configuration and folder of a trained decoder."""
    folder = tmp_path_factory.mktemp("decoder")
    network = {"class_path": "neurodecode.nn.decoder.BrainDecoder", "init_args": {"width": 16}}
    given = configuration(world, folder, "decode.DecodeTask", decoder=network)
    swapped = "--model.decoder.adapter=neurodecode.nn.adapters.MLPAdapter"
    assert main(["fit", *given, swapped, "--model.decoder.adapter.dropout=0.25"]) == 0
    return given, folder


def test_a_part_is_swapped_from_the_command_line(decoder, world):
    _, folder = decoder
    context = BuildContext({"a.1": 7, "b": 9, "c": 11}, {"tokens": TOKENS, "latent": LATENT})
    task = load_task(folder / "best.ckpt", DecodeTask, context)
    adapter = task.decoder.adapters.adapters["sub-b"]
    assert isinstance(adapter, MLPAdapter)
    assert adapter.activation[2].p == 0.25
    assert not task.training
    assert (folder / "metrics.csv").read_text().startswith("epoch,step,")


def test_predict_writes_what_evaluate_needs_and_keeps_the_training_log(decoder, world):
    given, folder = decoder
    before = (folder / "metrics.csv").read_text()
    assert main(["predict", *given, "--ckpt_path", str(folder / "best.ckpt")]) == 0
    found = read_predictions(folder / "predictions.h5")
    assert found.method == "decoder"
    attrs = dict(found.attrs)
    tokens = EmbeddingStore(world.data["embeddings"]["tokens"])
    assert attrs.pop("embedding_fingerprint") == tokens.fingerprint
    assert attrs == {
        "task": "identification", "dataset": "tiny", "embedding": "tokens", "target": "tokens",
        "side": "test", "selection_split": "validation", "transductive": False, "seed": 3,
    }  # fmt: skip
    assert [each.subject for each in found.predictions] == ["a.1", "b", "c"]
    for each in found.predictions:
        shapes = {name: values.shape for name, values in each.arrays.items()}
        tokens = (N_TEST, *TOKENS)
        assert shapes == {"tokens": tokens, "condition": tokens, "latent": (N_TEST, *LATENT)}
        assert list(each.stimulus_id) == sorted(each.stimulus_id)
        assert 2 <= each.n_averaged <= 3
    assert (folder / "metrics.csv").read_text() == before


def test_validation_predictions_lie_beside_those_of_the_test_side(decoder, tmp_path):
    given, folder = decoder
    predict = ["predict", *given, "--ckpt_path", str(folder / "best.ckpt")]
    assert main(predict) == 0
    test = (folder / "predictions.h5").read_bytes()
    assert main([*predict, "--data.predict_on=validation"]) == 0
    assert (folder / "predictions.h5").read_bytes() == test
    found = read_predictions(folder / "predictions-validation.h5")
    assert found.attrs["side"] == "validation"
    assert [len(each.stimulus_id) for each in found.predictions] == [N_VALIDATION] * 3
    # an option of the last callback of the configuration
    (folder / "predictions-validation.h5").unlink()
    elsewhere = f"--trainer.callbacks.path={tmp_path / 'mine.h5'}"
    assert main([*predict, "--data.predict_on=validation", elsewhere]) == 0
    assert [path.name for path in tmp_path.iterdir()] == ["mine-validation.h5"]
    assert not (folder / "predictions-validation.h5").exists()
    again = read_predictions(tmp_path / "mine-validation.h5")
    assert again.method == "decoder"
    assert again.attrs == found.attrs


def test_fit_predicts_on_with_the_best_checkpoint(world, tmp_path):
    network = {"class_path": "neurodecode.nn.decoder.BrainDecoder", "init_args": {"width": 8}}
    # a rate at which more training makes the decoder worse: the last weights are not the best
    given = configuration(world, tmp_path, "decode.DecodeTask", decoder=network, lr=0.5)
    given += ["--trainer.max_epochs=4"]
    assert main(["fit", *given, "--then_predict=[validation,test]"]) == 0
    paths = {side: side_path(tmp_path / "predictions.h5", side) for side in ("test", "validation")}
    at_once = {side: read_predictions(path) for side, path in paths.items()}
    assert not (tmp_path / "predictions-train.h5").exists()
    for side, found in at_once.items():
        paths[side].unlink()
        ckpt = ["--ckpt_path", str(tmp_path / "best.ckpt"), f"--data.predict_on={side}"]
        assert main(["predict", *given, *ckpt]) == 0
        later = read_predictions(paths[side])
        assert later.attrs == found.attrs
        for now, then in zip(found.predictions, later.predictions, strict=True):
            assert now.stimulus_id == then.stimulus_id
            assert all(np.array_equal(now.arrays[name], then.arrays[name]) for name in then.arrays)
    # what was written of the run can be given to any sub-command
    assert main(["validate", "--config", str(tmp_path / "config.yaml"), "--quiet"]) == 0


def test_without_validation_there_is_no_best_checkpoint(world, tmp_path, capsys):
    network = {"class_path": "neurodecode.nn.decoder.BrainDecoder", "init_args": {"width": 8}}
    given = configuration(world, tmp_path, "decode.DecodeTask", decoder=network)
    given += ["--trainer.max_epochs=1", "--trainer.check_val_every_n_epoch=2"]
    assert main(["fit", *given, "--then_predict=[test]"]) == 2
    assert "none was saved: add a ModelCheckpoint" in capsys.readouterr().err
    assert not (tmp_path / "predictions.h5").exists()


@pytest.mark.parametrize(("side", "name"), [
    ("test", "a.b.h5"), ("validation", "a.b-validation.h5"), ("train", "a.b-train.h5"),
])  # fmt: skip
def test_a_side_has_its_own_file(side, name):
    assert side_path(Path("runs/a.b.h5"), side) == Path("runs") / name


def test_prior_trains_on_the_frozen_decoder_and_predicts(decoder, world, tmp_path):
    _, folder = decoder
    network = {
        "class_path": "neurodecode.nn.prior.PriorTransformer",
        "init_args": {"width": 8, "depth": 1, "n_heads": 2},
    }
    given = configuration(
        world, tmp_path, "prior.PriorTask", network=network, sample_steps=4,
        decoder_checkpoint=str(folder / "best.ckpt"),
    )  # fmt: skip
    assert main(["fit", *given]) == 0
    content = torch.load(tmp_path / "best.ckpt", weights_only=True)
    assert not any(name.startswith("decoder") for name in content["state_dict"])
    assert content["state_dict"]["mean"].abs().sum() > 0
    predict = ["predict", *given, "--ckpt_path", str(tmp_path / "best.ckpt")]
    assert main(predict) == 0
    one = read_predictions(tmp_path / "predictions.h5").predictions
    assert one[1].arrays["prior_tokens"].shape == (N_TEST, *TOKENS)
    # a sample depends on seed, subject and stimulus, not on its neighbours in the batch
    assert main([*predict, "--data.batch_size=7"]) == 0
    other = read_predictions(tmp_path / "predictions.h5").predictions
    for mine, theirs in zip(one, other, strict=True):
        torch.testing.assert_close(
            torch.from_numpy(mine.arrays["prior_tokens"]),
            torch.from_numpy(theirs.arrays["prior_tokens"]),
        )

    # the command line has the last word, not the settings in the checkpoint
    assert main([*predict, "--model.guidance=4"]) == 0
    guided = read_predictions(tmp_path / "predictions.h5").predictions
    assert not np.allclose(guided[0].arrays["prior_tokens"], one[0].arrays["prior_tokens"])


def test_wrong_checkpoints_are_named(decoder, tmp_path):
    _, folder = decoder
    context = BuildContext({"a.1": 7, "b": 10}, {"tokens": TOKENS, "latent": LATENT})
    with pytest.raises(WeightsError, match=r"gone\.ckpt: checkpoint is missing"):
        load_task(tmp_path / "gone.ckpt", DecodeTask, context)
    (tmp_path / "text.ckpt").write_text("no checkpoint")
    with pytest.raises(WeightsError, match="not a checkpoint, or one that holds more"):
        load_task(tmp_path / "text.ckpt", DecodeTask, context)
    with pytest.raises(WeightsError, match=r"checkpoint of .*DecodeTask, not of PriorTask"):
        load_task(folder / "best.ckpt", PriorTask, context)
    differ = r"n_features of b: 9 \(here 10\), n_features of c: 11 \(here none\)"
    with pytest.raises(ConfigError, match=differ):
        load_task(folder / "best.ckpt", DecodeTask, context)


def test_unknown_key_is_one_line(world, tmp_path, capsys):
    given = configuration(world, tmp_path, "decode.DecodeTask", learning_rate=1.0)
    assert main(["fit", *given]) == 2
    message = capsys.readouterr().err.strip().splitlines()[-1]
    assert "learning_rate" in message
