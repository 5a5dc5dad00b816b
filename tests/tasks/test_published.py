"""A decoder with the parts of the published systems through the command line, and compiled."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest
import torch
import yaml
from decoding_world import N_TEST, N_VOXELS, TOKENS, make_world, write_augmented
from lightning.pytorch import Trainer, seed_everything

from neurodecode.cli import main
from neurodecode.loaders import ResponseDataModule
from neurodecode.nn.decoder import BrainDecoder
from neurodecode.pretrained import PretrainedDecoder
from neurodecode.pretrained.checkpoint import from_checkpoint
from neurodecode.store import EmbeddingStore, read_predictions
from neurodecode.tasks.checkpoints import load_task
from neurodecode.tasks.decode import DecodeTask

pytestmark = [
    pytest.mark.filterwarnings("ignore:.*exists and is not empty"),
    pytest.mark.filterwarnings("ignore:LightningCLI's args parameter"),
    # lightning 2.6 on jsonargparse 4.53
    pytest.mark.filterwarnings("ignore::jsonargparse._deprecated.JsonargparseDeprecationWarning"),
]
NN, TERMS = "neurodecode.nn", "neurodecode.tasks.objectives"
PARTS = {
    "width": 16,
    "aggregate": {"class_path": f"{NN}.aggregation.AdaptivePool", "init_args": {"n_out": 6}},
    "adapter": {
        "class_path": f"{NN}.adapters.MLPAdapter",
        "init_args": {"residual": False, "bottleneck": 2},
    },
    "builder": {"class_path": f"{NN}.builders.ResponseBuilder"},
    "trunk": {"class_path": f"{NN}.trunk.SingleLayerTrunk", "init_args": {"n_blocks": 1}},
    "token_head": {
        "class_path": f"{NN}.attention_head.AttentionTokenHead",
        "init_args": {"inner": 4, "n_heads": 1},
    },
    "low_level": {"class_path": f"{NN}.guided_low_level.GuidedLatentHead"},
    "text_head": {"class_path": f"{NN}.heads.TokenHead"},
}
OBJECTIVES = [
    {"class_path": f"{TERMS}.Contrast", "init_args": {"read": "text"}},
    {
        "class_path": f"{TERMS}.Contrast",
        "init_args": {"read": "class", "target": "text", "weight": 0.2, "mixing_weight": 0.5},
    },
    {"class_path": f"{TERMS}.CosineError", "init_args": {"read": "text"}},
    {"class_path": f"{TERMS}.ResponseError"},
    {"class_path": f"{TERMS}.CycleError"},
]


def configuration(root, folder, **data):
    """Write a configuration with every part, and return the option that names it."""
    text = root / "text.h5"
    if not text.exists():
        # captions of what was shown; a word for each of the tokens' dimensions
        ids = EmbeddingStore(root / "tokens.h5").ids[:54]
        values = EmbeddingStore(root / "tokens.h5").read("tokens", ids).mean(axis=1)
        store = EmbeddingStore.create(text, ids, {"text": values.shape[1:]})
        store.write(np.arange(len(ids)), {"text": values})
    keep = {
        "class_path": "lightning.pytorch.callbacks.ModelCheckpoint",
        "init_args": {"dirpath": str(folder), "filename": "best", "monitor": "val/top1"},
    }
    writer = {
        "class_path": "neurodecode.tasks.writer.PredictionWriter",
        "init_args": {"path": str(folder / "predictions.h5"), "method": "all_parts"},
    }
    logger = {
        "class_path": "lightning.pytorch.loggers.CSVLogger",
        "init_args": {"save_dir": str(folder), "name": "", "version": ""},
    }
    content = {
        "seed_everything": 3,
        "trainer": {
            "max_epochs": 3, "accelerator": "cpu", "logger": logger, "log_every_n_steps": 1,
            "callbacks": [keep, writer], "default_root_dir": str(folder),
        },
        "model": {
            "class_path": "neurodecode.tasks.decode.DecodeTask",
            "init_args": {
                "decoder": {"class_path": f"{NN}.decoder.BrainDecoder", "init_args": PARTS},
                "objectives": OBJECTIVES, "mixup_share": 0.34, "lr": 1e-3,
            },
        },
        "data": {
            "class_path": "neurodecode.loaders.ResponseDataModule",
            "init_args": {
                "stores": str(root / "stores"), "batch_size": 12,
                "embeddings": {name: str(root / f"{name}.h5")
                               for name in ("tokens", "text", "latent")},
                **data,
            },
        },
    }  # fmt: skip
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "given.yaml").write_text(yaml.safe_dump(content))
    return ["--config", str(folder / "given.yaml"), "--quiet"]


def test_every_part_is_trained_predicts_and_is_exported(tmp_path):
    world, folder = make_world(tmp_path / "world"), tmp_path / "run"
    given = configuration(world.root, folder)
    assert main(["fit", *given]) == 0
    header = (folder / "metrics.csv").read_text().split("\n")[0].split(",")
    terms = {"text_own", "class_text", "text_own_cosine", "response", "cycle", "latent"}
    assert {f"{side}/{term}" for side in ("train", "val") for term in terms} <= set(header)
    assert main(["predict", *given, "--ckpt_path", str(folder / "best.ckpt")]) == 0
    content = read_predictions(folder / "predictions.h5")
    assert [p.subject for p in content.predictions] == list(N_VOXELS)
    assert content.predictions[0].arrays["tokens"].shape == (N_TEST, *TOKENS)
    data = ResponseDataModule(
        world.root / "stores",
        {name: world.root / f"{name}.h5" for name in ("tokens", "text", "latent")},
    )
    task = load_task(folder / "best.ckpt", DecodeTask, data.context)
    assert [each.weight for each in task.objectives] == [1, 0.5, 1, 0.2, 1, 1, 1]
    from_checkpoint(folder / "best.ckpt").save(tmp_path / "exported")
    alone = PretrainedDecoder.from_pretrained(tmp_path / "exported")
    responses = {"b": np.random.default_rng(1).normal(size=(4, 9))}
    same = {"b": torch.from_numpy(responses["b"]).float()}
    torch.testing.assert_close(alone.decode(responses, session=None).text, task.decoder(same).text)


def test_pictures_without_a_caption_are_refused_before_training(tmp_path, capsys):
    world = make_world(tmp_path / "world", unshown=13)
    synthetic = write_augmented(world, tmp_path / "synthetic")
    given = configuration(world.root, tmp_path / "run", synthetic=str(synthetic))
    assert main(["fit", *given]) == 2
    error = capsys.readouterr().err.strip().splitlines()
    assert len(error) == 1
    assert "training pictures have no 'text', which the objective text_own needs" in error[0]
    assert not (tmp_path / "run" / "best.ckpt").exists()


def test_objective_with_a_wrong_argument_is_named(tmp_path, capsys):
    world = make_world(tmp_path / "world")
    given = configuration(world.root, tmp_path / "run")
    path = tmp_path / "run" / "given.yaml"
    path.write_text(path.read_text().replace("read: text", "read: words"))
    assert main(["fit", *given]) == 2
    error = capsys.readouterr().err.strip().splitlines()
    assert len(error) == 1
    assert "words" in error[0]
    assert "given.yaml" in error[0]


def test_compiled_training_is_the_same(world, tmp_path, monkeypatch):
    # the compiler of kernels is torch's business; here it matters what is compiled
    counted = []

    def count(graph, inputs):
        counted.append(graph)
        return graph

    monkeypatch.setattr(torch, "compile", partial(torch.compile, backend=count))

    def weights(compile: bool):
        seed_everything(0, verbose=False)
        data = ResponseDataModule(**world.data)
        task = DecodeTask(data.context, partial(BrainDecoder, width=16), compile=compile)
        run = Trainer(
            max_epochs=1, limit_train_batches=3, limit_val_batches=0, accelerator="cpu",
            logger=False, enable_checkpointing=False, enable_progress_bar=False,
            enable_model_summary=False, default_root_dir=tmp_path,
        )  # fmt: skip
        run.fit(task, datamodule=data)
        return task.state_dict()

    plain = weights(False)
    assert not counted
    compiled = weights(True)
    assert counted
    assert list(compiled) == list(plain)
    for name, values in plain.items():
        torch.testing.assert_close(compiled[name], values, msg=name)
