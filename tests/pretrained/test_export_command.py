"""`neurodecode export`: what it writes, and what it refuses."""

from __future__ import annotations

import json
import shutil

import pytest
import torch
from huggingface_hub import ModelCard

from neurodecode.cli import main
from neurodecode.metrics.records import MetricRecord, write_records
from neurodecode.pretrained import PretrainedDecoder

pytestmark = [
    pytest.mark.filterwarnings("ignore:LightningCLI's args parameter"),
    pytest.mark.filterwarnings("ignore:.*exists and is not empty"),
    # lightning 2.6 on jsonargparse 4.53
    pytest.mark.filterwarnings("ignore::jsonargparse._deprecated.JsonargparseDeprecationWarning"),
]


def record(**changes) -> MetricRecord:
    fields = {
        "profile": "try", "dataset": "tiny", "subject": "a.1", "task": "identification",
        "method": "decoder", "metric": "two_way", "value": 0.8125, "ci_low": 0.75,
        "ci_high": 0.875, "chance": 0.5, "n": 9, "n_candidates": 9, "n_averaged": 2.5,
        "selection_split": "validation", "transductive": False, "seed": 3, "version": "0.1.0",
    }  # fmt: skip
    return MetricRecord(**fields | changes)


@pytest.fixture
def export(run, tmp_path, capsys):
    """Run the command; give the folder it wrote, or the one line of its error."""

    def call(*words, checkpoint=run / "best.ckpt"):
        out = tmp_path / "out"
        given = ["export", "--checkpoint", checkpoint, "--out", out, *words, "--quiet"]
        code = main([*map(str, given)])
        if code == 0:
            return out
        assert code == 2
        assert not out.exists()
        (line,) = capsys.readouterr().err.splitlines()
        return line

    return call


@pytest.fixture
def metrics(tmp_path):
    """Write metrics.json and give the options that name it."""

    def write(*records):
        write_records(tmp_path / "metrics.json", records)
        return "--metrics", tmp_path / "metrics.json"

    return write


def test_the_configuration_says_what_it_was_trained_on(exported, run, world):
    assert sorted(path.name for path in exported.iterdir()) == [
        "README.md", "config.json", "model.safetensors",
    ]  # fmt: skip
    modes = {path.stat().st_mode for path in exported.iterdir()}
    assert len(modes) == 1
    content = json.loads((exported / "config.json").read_text())
    state = torch.load(run / "best.ckpt", weights_only=True)["ResponseDataModule"]
    assert content["training"] == {
        "dataset": "tiny", "split": state["fingerprint"], "fold": 0, "seed": 3, "repeats": 1,
        "epoch": 0,
    }  # fmt: skip
    assert content["embeddings"] == {"tokens": "tokens", "latent": "latent"}
    assert content["context"]["n_features"] == {"a.1": 7, "b": 9, "c": 11}
    adapter = content["decoder"]["init_args"]["adapter"]
    assert adapter["class_path"] == "neurodecode.nn.adapters.MLPAdapter"
    assert adapter["init_args"]["dropout"] == 0.25
    # where the files lay is nobody else's business
    assert all(
        str(world.root) not in (exported / name).read_text()
        for name in ("config.json", "README.md")
    )


def test_the_card_has_the_scores_and_the_hub_can_read_it(export, metrics):
    mean = record(subject="mean", value=0.75, ci_low=0.625, ci_high=0.8125, n=27)
    others = [
        record(method="ridge", value=0.111),
        record(dataset="other", value=0.222),
        record(task="reconstruction", metric="ssim", value=0.333),
    ]
    out = export(*metrics(record(), mean, *others))
    card = ModelCard((out / "README.md").read_text())
    (result,) = card.data.eval_results
    assert (result.task_type, result.dataset_name, result.metric_type) == (
        "identification", "tiny", "two_way",
    )  # fmt: skip
    assert result.metric_value == 0.75
    assert card.data.library_name == "neurodecode"
    rows = card.text.splitlines()
    assert "| two_way | a.1 | 0.812 | 0.75 to 0.875 | 0.5 | 9 | 9 | 2.5 |" in rows
    assert "| two_way | mean | 0.75 | 0.625 to 0.812 | 0.5 | 27 | 9 | 2.5 |" in rows
    assert "- `two_way`: share of distractors that score below the truth" in rows
    assert "| b | 9 | 3 (1 to 3) |" in rows
    for absent in ("0.111", "0.222", "0.333"):
        assert absent not in card.text
    assert PretrainedDecoder.from_pretrained(out).card == (out / "README.md").read_text()


def test_the_card_without_scores_says_so(exported):
    card = ModelCard((exported / "README.md").read_text())
    assert card.data.eval_results is None
    assert "None were given" in card.text
    assert 'model.decode({"a.1": responses}, session=1)' in card.text


def test_the_example_of_the_card_runs(exported, rng):
    text = (exported / "README.md").read_text()
    code = text.split("```python\n")[1].split("```")[0].replace("FOLDER or owner/name", "{}")
    names = {"responses": rng.normal(size=(4, 7))}
    exec(code.replace("{}", str(exported)), names)
    assert names["decoded"].tokens.shape[0] == 4


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"method": "ridge"}, "no scores of decoder on tiny (found: ridge on tiny)"),
        ({"dataset": "other"}, "no scores of decoder on tiny (found: decoder on other)"),
        ({"subject": "a.1+d"}, "scores of subject d, the checkpoint has a.1, b, c"),
        ({"seed": 4}, "scores of seed 4, the checkpoint has 3"),
    ],
)
def test_scores_of_another_model_are_refused(export, metrics, changes, says):
    line = export(*metrics(record(**changes)))
    assert says in line
    assert "metrics.json" in line


def test_scores_under_another_name(export, metrics):
    out = export(*metrics(record(method="mine")), "--method", "mine")
    assert "| two_way | a.1 | 0.812 |" in (out / "README.md").read_text()


def test_a_training_without_its_configuration(export, run, tmp_path):
    alone = shutil.copy(run / "best.ckpt", tmp_path / "alone.ckpt")
    line = export(checkpoint=alone)
    assert f"file {tmp_path / 'config.yaml'}: file is missing" in line
    assert "--config" in line
    out = export("--config", run / "config.yaml", checkpoint=alone)
    assert PretrainedDecoder.from_pretrained(out).subjects == ["a.1", "b", "c"]
    shutil.rmtree(out)
    (tmp_path / "text.yaml").write_text("data: nothing")
    line = export("--config", tmp_path / "text.yaml", checkpoint=alone)
    assert "text.yaml: not the configuration of a training" in line


def test_checkpoints_that_hold_no_decoder_are_refused(export, run, tmp_path):
    assert "gone.ckpt: checkpoint is missing" in export(checkpoint=tmp_path / "gone.ckpt")
    content = torch.load(run / "best.ckpt", weights_only=True)
    changed = tmp_path / "changed.ckpt"

    def save(**changes) -> None:
        torch.save(content | changes, changed)

    save(hyper_parameters={"_class_path": "neurodecode.tasks.prior.PriorTask", "candidates": 4})
    assert "checkpoint of neurodecode.tasks.prior.PriorTask" in export(checkpoint=changed)
    save(hyper_parameters={})
    assert "a model that was made in Python" in export(checkpoint=changed)
    save(ResponseDataModule={})
    assert "no statistics of the responses" in export(checkpoint=changed)
    state = content["ResponseDataModule"]
    scalers = {name: state["scalers"][name] for name in ("a.1", "c")}
    save(ResponseDataModule=state | {"scalers": scalers})
    assert "no statistics of subject b" in export(checkpoint=changed)


def test_a_full_disk_leaves_nothing(export, full_disk):
    assert "no space left on the disk" in export()
