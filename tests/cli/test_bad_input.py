"""Broken files between the stages, through every command that reads them.

One line that names the file, exit code 2, nothing half-written. Recordings from outside are in
test_bad_recordings.py.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import h5py
import numpy as np
import pytest
import torch
from broken_worlds import Bomb, cut, make_older
from decoding_world import N_TEST, TOKENS
from later_stages import IDS, TEST_IDS, Stages

from neurodecode.cli import main
from neurodecode.embed.bundle import bundle_folder

pytestmark = [
    pytest.mark.filterwarnings("ignore:LightningCLI's args parameter"),
    # lightning 2.6 on jsonargparse 4.53
    pytest.mark.filterwarnings("ignore::jsonargparse._deprecated.JsonargparseDeprecationWarning"),
]


@pytest.fixture(scope="module")
def healthy(tmp_path_factory):
    return Stages(tmp_path_factory.mktemp("healthy")).write()


@pytest.fixture
def stages(healthy, tmp_path):
    """A copy to be broken."""
    copy = Stages(shutil.copytree(healthy.root, tmp_path / "stages"))
    copy.configure()
    return copy


@pytest.mark.parametrize("command", ["embed", "baseline", "fit", "predict", "shuffle", "evaluate"])
def test_the_stages_are_healthy_before_they_are_broken(command, healthy, out):
    assert main([*map(str, healthy.command(command, out)), "--quiet"]) == 0
    assert any(path.is_file() for path in out.rglob("*"))


# --- files of ours that are missing, truncated, of an older version, or something else

READERS = {
    "stimuli": ["embed", "evaluate pictures"],
    "subject": ["baseline", "fit"],
    "tokens": ["baseline", "fit", "evaluate"],
    "decoded": ["reconstruct", "evaluate"],
}
DAMAGES = {
    "missing": (Path.unlink, "file is missing"),
    "truncated": (cut, "file is truncated"),
    "no HDF5": (lambda path: path.write_text("<html>404</html>"), "not a readable HDF5 file"),
    "older": (make_older, "store has format version 0, this program writes 1; delete it"),
}


@pytest.mark.parametrize("damage", sorted(DAMAGES))
@pytest.mark.parametrize(
    ("file", "command"), [(file, command) for file in READERS for command in READERS[file]]
)
def test_broken_store(file, command, damage, stages, out, refuse):
    path = getattr(stages, file)
    break_it, says = DAMAGES[damage]
    break_it(path)
    if (file, damage) == ("subject", "missing"):
        # without its file, nobody knows of the subject; a training takes those that are there
        shutil.rmtree(stages.stores)
        stages.stores.mkdir()
        path, says = stages.stores, "" if command == "fit" else "splits.json: file is missing"
    refuse(stages.command(command, out), str(path), says)


@pytest.mark.parametrize("command", ["baseline", "fit"])
@pytest.mark.parametrize(
    ("text", "says"),
    [
        (None, "file is missing"),
        ("{", "not valid JSON"),
        (json.dumps({"kind": "splits", "format_version": 0}), "not splits of format version 1"),
        (json.dumps({"kind": "splits", "format_version": 1}), "entry is missing or malformed"),
    ],
)
def test_broken_split(command, text, says, stages, out, refuse):
    stages.splits.unlink()
    if text is not None:
        stages.splits.write_text(text)
    refuse(stages.command(command, out), f"file {stages.splits}: {says}")


def test_embeddings_of_an_older_version_are_not_gone_on_with(stages, out, refuse):
    shutil.copy(stages.tokens, out / "e.h5")
    make_older(out / "e.h5")
    refuse(stages.command("embed", out), f"file {out / 'e.h5'}: store has", keeps=("e.h5",))


# --- files that are whole but do not fit each other

#: Lightning notes the configuration before a training reads its first trial.
KEPT = {"baseline": (), "evaluate": (), "fit": ("config.yaml",)}


@pytest.mark.parametrize("command", ["baseline", "fit", "evaluate"])
def test_stimulus_without_an_embedding(command, stages, out, refuse):
    stages.embed(IDS[:-1])
    says = f"field id: stimulus {IDS[-1]} has no embedding; run `neurodecode embed`"
    refuse(stages.command(command, out), f"file {stages.tokens}, {says}", keeps=KEPT[command])


@pytest.mark.parametrize("command", ["baseline", "fit", "evaluate"])
def test_embedding_that_was_interrupted(command, stages, out, refuse):
    stages.embed(rows=7)
    says = "embedding was interrupted; run `neurodecode embed` again"
    refuse(stages.command(command, out), f"file {stages.tokens}: {says}", keeps=KEPT[command])


def test_stimulus_without_a_picture(stages, out, refuse):
    pictures = np.zeros((2, 12, 12, 3), np.uint8)
    stages.predict(stages.drawn, ["elsewhere", IDS[0]], "reconstruction", images=pictures)
    says = "field stimulus_id: 1 stimulus ids without an image, first: elsewhere"
    refuse(stages.command("evaluate pictures", out), f"file {stages.drawn}, {says}")


def test_encoder_without_its_pictures(stages, out, refuse):
    with h5py.File(stages.stimuli, "r+") as file:
        names = file["id"].asstr()[:]
        file["id"][3] = "another"
    words = [
        "fit", "--model=neurodecode.tasks.encode.EncodeTask",
        "--model.encoder=neurodecode.nn.encoders.SharedCoreEncoder",
        "--model.encoder.core=neurodecode.nn.encoders.ConvCore",
        "--data=neurodecode.loaders.encoding.EncodingDataModule", f"--data.stores={stages.stores}",
        f"--trainer.default_root_dir={out}", "--trainer.logger=false",
        "--trainer.accelerator=cpu", "--trainer.max_epochs=1",
    ]  # fmt: skip
    says = f"field stimulus_id: 1 stimulus ids without an image, first: {names[3]}"
    refuse(words, f"file {stages.stimuli}, {says}", keeps=KEPT["fit"])


@pytest.mark.parametrize(
    ("command", "words"), [("baseline", ["--subjects", "zz"]), ("fit", ["--data.subjects=[zz]"])]
)
def test_unknown_subject(command, words, stages, out, refuse):
    refuse([*stages.command(command, out), *words], f"{stages.stores}", "known: a.1, b, c")


@pytest.mark.parametrize("command", ["baseline", "fit"])
def test_voxel_that_is_not_a_number(command, stages, out, refuse):
    with h5py.File(stages.subject, "r+") as file:
        values = file["responses"][:]
        values[::2, 4] = np.nan
        file["responses"][:] = values
    says = f"file {stages.subject}, subject b: 1 features are not finite"
    refuse(stages.command(command, out), says, "--drop-bad-voxels", keeps=KEPT[command])


@pytest.mark.parametrize(
    ("command", "task", "arrays", "says"),
    [
        ("evaluate", "identification", {}, "field task: no predictions in it"),
        ("evaluate", "poetry", {"tokens": (3,)}, "field task: unknown task 'poetry'"),
        ("evaluate", "identification", {"other": (3,)}, "subject b, field arrays: no array 'toke"),
        ("evaluate", "classification", {"other": (3,)}, "subject b, field arrays: no array 'scor"),
        ("evaluate", "reconstruction", {"other": (3,)}, "subject b, field arrays: no array 'imag"),
        ("evaluate", "identification", {"tokens": (5, 7)}, "subject b, field tokens: decoded as"),
        ("reconstruct", "identification", {"other": (3,)}, "subject b, field arrays: no array 'to"),
        (
            "reconstruct",
            "identification",
            {"tokens": TOKENS},
            "subject b, field tokens: embeddings of shape (3, 5), but",
        ),
    ],
)
def test_predictions_that_lack_what_is_needed(command, task, arrays, says, stages, out, refuse):
    made = {name: np.ones((N_TEST, *shape)) for name, shape in arrays.items()}
    stages.predict(stages.decoded, TEST_IDS, task, **made)
    refuse(stages.command(command, out), f"file {stages.decoded}, {says}")


def test_impossible_batch(stages, out, refuse):
    refuse([*stages.command("embed", out), "--batch-size", 0], "--batch-size is 0")


# --- configurations


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"model__init_args__learning_rate": 1}, "Option 'learning_rate' is not accepted"),
        ({"model__init_args__decoder__init_args__widht": 1}, "Option 'widht' is not accepted"),
        ({"data__init_args__storez": "x"}, "Option 'storez' is not accepted"),
        ({"trainer__max_epoch": 1}, "does not accept option 'trainer.max_epoch'"),
        ({"modell": 1}, "does not accept option 'modell'"),
        ({"data__init_args__batch_size": "many"}, "\"batch_size\": Expected a <class 'int'>"),
        ({"model__class_path": "neurodecode.tasks.decode.Nobody"}, "has no attribute 'Nobody'"),
    ],
)
def test_configuration_with_an_unknown_key_or_value(changed, says, stages, out, refuse):
    stages.configure(**changed)
    refuse(stages.command("fit", out), f"file {stages.config}", says)


def test_configuration_that_is_missing_or_no_yaml(stages, out, refuse):
    stages.config.write_text("model: [1\ndata: {")
    refuse(stages.command("fit", out), f"file {stages.config}", "line 2, column")
    stages.config.unlink()
    refuse(stages.command("fit", out), f"file {stages.config}", "File does not exist")


# --- weights


@pytest.mark.parametrize("command", ["fit", "predict"])
@pytest.mark.parametrize("words", [[], ["--weights_only=false"]])
def test_pickled_code_in_a_checkpoint_is_not_run(command, words, stages, out, refuse, tmp_path):
    path = tmp_path / "pickled.ckpt"
    torch.save({"state_dict": {}, "more": Bomb(tmp_path / "bomb")}, path)
    words = [*stages.command(command, out), "--ckpt_path", path, *words]
    refuse(words, f"file {path}: not a checkpoint, or one that holds more than tensors")
    assert not (tmp_path / "bomb").exists()


@pytest.mark.parametrize("command", ["fit", "predict"])
@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda path: None, "checkpoint is missing; run the stage that trains it"),
        (lambda path: path.write_text("<html>404</html>"), "not a checkpoint"),
        (lambda path: torch.save({"epoch": 3}, path), "no training state"),
    ],
)
def test_checkpoint_that_is_none(command, make, says, stages, out, refuse, tmp_path):
    path = tmp_path / "some.ckpt"
    make(path)
    words = [*stages.command(command, out), "--ckpt_path", path]
    refuse(words, f"file {path}: {says}")


@pytest.mark.parametrize(
    ("command", "words", "name"),
    [
        ("embed", ["--model", "mini-clip"], "mini-clip"),
        ("embed", ["--model", "mini-vae"], "mini-vae"),
        ("reconstruct", [], "mini-generator"),
        ("evaluate pictures", [], "mini-clip"),
    ],
)
def test_weights_with_another_checksum(
    command, words, name, stages, out, refuse, tmp_path, monkeypatch
):
    bundle = shutil.copytree(bundle_folder(), tmp_path / "bundle")
    monkeypatch.setenv("NEURODECODE_PRETRAINED", str(bundle))
    path = bundle / name / "model.safetensors"
    content = bytearray(path.read_bytes())
    content[-5] ^= 1
    path.write_bytes(content)
    words = [*stages.command(command, out), *words]
    refuse(words, f"file {path}: checksum differs from checksums.json; restore")


# --- a full disk


@pytest.mark.usefixtures("full_disk")
@pytest.mark.parametrize("command", ["embed", "baseline", "shuffle", "predict"])
def test_what_cannot_fit_is_not_begun(command, stages, out, refuse):
    refuse(stages.command(command, out), f"file {out}", "no space left on the disk; free some")


@pytest.mark.parametrize("command", ["evaluate", "fit"])
def test_disk_that_fills_up_meanwhile(command, stages, out, refuse, limit_files):
    limit_files(2048)
    line = refuse(stages.command(command, out), "no space left on the disk; free some space")
    # what fills up is the first file that is large: the items of the table, the configuration
    assert f"file {out}" in line


def test_checkpoint_on_a_disk_that_fills_up(stages, out, refuse, limit_files, monkeypatch):
    limit_files(2048)
    # only the checkpoint, which Lightning writes, is too large: no file of ours to name
    monkeypatch.setattr(
        "neurodecode.lightning_cli.ConfigWriter.setup", lambda *args, **kwargs: None
    )
    refuse(stages.command("fit", out), "neurodecode: error: no space left on the disk; free some")
