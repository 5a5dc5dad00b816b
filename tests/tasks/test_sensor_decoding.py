"""MEG, EEG and fMRI through the decode task and the command line."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
import torch
import yaml
from decoding_world import N_TEST
from reference_numbers import read_reference, tensor
from sensor_world import EEG, MEG, REPEATS, make_sensor_world

from neurodecode.cli import main
from neurodecode.metrics.functional.two_way import two_way_from_scores
from neurodecode.metrics.records import read_records
from neurodecode.store import EmbeddingStore, read_predictions
from neurodecode.tasks.checkpoints import read_checkpoint
from neurodecode.tasks.objectives import ClipMseError, Step

pytestmark = [
    pytest.mark.filterwarnings("ignore:.*exists and is not empty"),
    pytest.mark.filterwarnings("ignore:LightningCLI's args parameter"),
    # lightning 2.6 on jsonargparse 4.53
    pytest.mark.filterwarnings("ignore::jsonargparse._deprecated.JsonargparseDeprecationWarning"),
]


@pytest.fixture(scope="module")
def sensors(tmp_path_factory):
    return make_sensor_world(tmp_path_factory.mktemp("sensors"), noise=0.3)


CONV = {
    "class_path": "neurodecode.nn.meeg.conv.ConvAdapter",
    "init_args": {"n_virtual": 7, "hidden": 16, "n_harmonics": 3},
}
NICE = {
    "class_path": "neurodecode.nn.meeg.nice.NICEAdapter",
    "init_args": {"n_filters": 6, "kernel": 3, "pool": 4, "stride": 2, "dropout": 0.2},
}


def config(world, root, stores, decoder: dict, epochs: int = 2, **data) -> str:
    """A configuration as a user writes it."""
    writer = {"path": str(root / "predictions.h5"), "method": "conv"}
    best = {"dirpath": str(root), "filename": "best", "enable_version_counter": False}
    content = {
        "seed_everything": 4,
        "trainer": {
            "accelerator": "cpu", "max_epochs": epochs, "logger": False,
            "default_root_dir": str(root), "num_sanity_val_steps": 0,
            "callbacks": [
                {"class_path": "lightning.pytorch.callbacks.ModelCheckpoint", "init_args": best},
                {"class_path": "neurodecode.tasks.writer.PredictionWriter", "init_args": writer},
            ],
        },
        "model": {
            "class_path": "neurodecode.tasks.decode.DecodeTask",
            "init_args": {
                "decoder": {
                    "class_path": "neurodecode.nn.decoder.BrainDecoder",
                    "init_args": {
                        "width": 24, "low_level": None,
                        "trunk": {"class_path": "neurodecode.nn.trunk.ResidualTrunk",
                                  "init_args": {"n_blocks": 0}},
                        "token_head": {"class_path": "neurodecode.nn.heads.MLPTokenHead"},
                        "retrieval_head": {"class_path": "neurodecode.nn.heads.MLPTokenHead"},
                        **decoder,
                    },
                },
                "contrastive_weight": 0.0, "mixup_share": 0.0, "lr": 3e-3,
                "objectives": [
                    {"class_path": "neurodecode.tasks.objectives.ClipMseError",
                     "init_args": {"share": 0.5}},
                ],
            },
        },
        "data": {
            "class_path": "neurodecode.loaders.ResponseDataModule",
            "init_args": {
                "stores": stores, "embeddings": {"tokens": str(world.root / "tokens.h5")},
                "batch_size": 24, "repeats": 2, "clamp": 20.0, **data,
            },
        },
    }  # fmt: skip
    path = root / "config.yaml"
    path.write_text(yaml.safe_dump(content))
    return str(path)


def run(command: str, path: str, *words: str) -> int:
    return main([command, "--config", path, "--trainer.enable_progress_bar=false",
                 "--trainer.enable_model_summary=false", "--quiet", *words])  # fmt: skip


def predict(path: str, root, *words: str) -> int:
    return run("predict", path, "--ckpt_path", str(root / "best.ckpt"), *words)


def two_way(world, prediction) -> float:
    """Share of pictures that are less similar to what was decoded than the true one."""
    true = EmbeddingStore(world.root / "tokens.h5").read("tokens", list(prediction.stimulus_id))
    true = true.reshape(len(true), -1)
    decoded = prediction.arrays["tokens"].reshape(len(true), -1)
    cosine = decoded @ (true / np.linalg.norm(true, axis=1, keepdims=True)).T
    return float(two_way_from_scores(cosine).mean())


def test_meg_is_trained_and_found_again(sensors, tmp_path):
    path = config(sensors, tmp_path, str(sensors.meg), {"adapter": CONV}, epochs=30)
    assert run("fit", path) == 0
    state = read_checkpoint(tmp_path / "best.ckpt")["state_dict"]
    assert state["objective_weights.clip_mse.value"] != pytest.approx(np.log(1 / 0.07))
    # once, not once a subject
    assert sum("attention.maps" in name for name in state) == 1
    assert predict(path, tmp_path) == 0
    content = read_predictions(tmp_path / "predictions.h5")
    assert content.attrs["dataset"] == "tiny-meg"
    assert [each.subject for each in content.predictions] == list(MEG)
    assert all(each.n_averaged == REPEATS for each in content.predictions)
    found = [two_way(sensors, each) for each in content.predictions]
    assert np.mean(found) > 0.68  # chance .5, deviation of eighteen pictures .07
    assert predict(path, tmp_path, "--data.predict_repeats=1") == 0
    # beside the averages, and under a name of its own
    assert read_predictions(tmp_path / "predictions.h5").predictions[0].n_averaged == REPEATS
    content = read_predictions(tmp_path / "predictions-1-repeats.h5")
    assert content.method == "conv@1"
    single = content.predictions[0]
    assert single.n_averaged == 1
    assert len(single.stimulus_id) == N_TEST * REPEATS
    assert list(single.stimulus_id) == sorted(single.stimulus_id)
    # three responses of their own to each picture
    assert len(np.unique(single.arrays["tokens"].reshape(len(single.stimulus_id), -1), axis=0)) > 20


def test_three_modalities_on_one_trunk(sensors, tmp_path):
    folders = [str(sensors.root / "stores"), str(sensors.meg), str(sensors.eeg)]
    nice = {**NICE, "init_args": NICE["init_args"] | {"share": False}}
    path = config(sensors, tmp_path, folders, {"modality_adapters": {"meg": CONV, "eeg": nice}})
    assert run("fit", path) == 0
    assert predict(path, tmp_path) == 0
    written = {each.name for each in tmp_path.glob("predictions*.h5")}
    assert written == {f"predictions-{name}.h5" for name in ("stores", "tiny-meg", "tiny-eeg")}
    eeg = read_predictions(tmp_path / "predictions-tiny-eeg.h5")
    assert eeg.attrs["dataset"] == "tiny-eeg"
    assert [each.subject for each in eeg.predictions] == list(EEG)


def test_subject_left_out_is_decoded_by_what_the_others_taught(sensors, tmp_path, capsys):
    words = {"leave_out": ["02"]}
    path = config(sensors, tmp_path, str(sensors.meg), {"adapter": NICE}, **words)
    assert run("fit", path) == 0
    assert predict(path, tmp_path) == 0
    content = read_predictions(tmp_path / "predictions.h5")
    assert [each.subject for each in content.predictions] == ["02"]
    assert content.attrs["subject_in_training"] is False
    folder = sensors.root / "embeddings" / "tiny-meg"
    folder.mkdir(parents=True)
    (folder / "tokens.h5").symlink_to(sensors.root / "tokens.h5")
    assert main(["evaluate", "--profile", "tiny", "--dataset", "tiny-meg", "--quiet",
                 "--stores", str(sensors.root), "--embeddings", str(sensors.root / "embeddings"),
                 "--predictions", str(tmp_path / "predictions.h5"),
                 "--out", str(tmp_path / "report")]) == 0  # fmt: skip
    (record,) = (r for r in read_records(tmp_path / "report" / "metrics.json")
                 if r.metric == "retrieval_top1")  # fmt: skip
    assert (record.subject, record.extra["subject_in_training"]) == ("02", False)
    assert predict(path, tmp_path, '--data.leave_out=["01"]') == 2
    assert "leave_out names 01, whom the checkpoint was trained on" in capsys.readouterr().err
    path = config(sensors, tmp_path, str(sensors.meg), {"adapter": CONV}, **words)
    assert run("fit", path) == 2
    assert "02, whose adapter has weights of its own" in capsys.readouterr().err


def test_clip_mse_objective_is_the_reference(fixtures_dir):
    inputs, expected = read_reference(fixtures_dir, "meg_clip_mse")
    decoded = SimpleNamespace(tokens=tensor(inputs["z_clip"]), condition=tensor(inputs["z_mse"]))
    decoder = SimpleNamespace(target="tokens")
    targets = {"tokens": tensor(inputs["targets"])}
    step = Step(decoder, decoded, targets, 0.0, {}, None, {}, None)
    for share in (0.0, 0.25, 0.75, 1.0):
        objective = ClipMseError(share, inputs["log_scale"], max_log_scale=10.0)
        value = objective(step)
        assert value.item() == pytest.approx(expected[f"total_lambda_{share:g}"], rel=1e-6)
    value = ClipMseError(1.0, inputs["log_scale"])(step)
    assert value < expected["clip"]  # the factor is at most 100
    assert torch.isfinite(value)
