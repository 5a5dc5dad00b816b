from __future__ import annotations

import pytest
import torch
from decoding_world import TOKENS, make_world, write_augmented
from lightning.pytorch import Trainer, seed_everything
from lightning.pytorch.callbacks import Callback, ModelCheckpoint

from neurodecode.context import BuildContext
from neurodecode.errors import ConfigError
from neurodecode.loaders import ResponseDataModule
from neurodecode.losses import Mixup, bimixco, soft_clip, unit_rows
from neurodecode.nn.decoder import BrainDecoder
from neurodecode.tasks.decode import DecodeTask


def small(context: BuildContext) -> BrainDecoder:
    return BrainDecoder(context, width=16)


def trainer(folder, *callbacks: Callback, **options) -> Trainer:
    keep = ModelCheckpoint(folder, filename="best", monitor="val/top1", mode="max", save_last=True)
    defaults = {"max_epochs": 4, "accelerator": "cpu", "logger": False}
    quiet = {"enable_progress_bar": False, "enable_model_summary": False}
    return Trainer(
        default_root_dir=folder, callbacks=[keep, *callbacks], **defaults | quiet | options
    )


def fit(world, folder, *callbacks: Callback, ckpt=None, extras=None, **options):
    seed_everything(0, verbose=False)
    data = ResponseDataModule(**world.data, **extras or {})
    task = DecodeTask(data.context, small, lr=3e-3)
    run = trainer(folder, *callbacks, **options)
    run.fit(task, datamodule=data, ckpt_path=ckpt, weights_only=True)
    return run, task, data


def weights(path) -> dict[str, torch.Tensor]:
    return torch.load(path, weights_only=True)["state_dict"]


def test_training_finds_new_stimuli_and_two_runs_are_identical(world, tmp_path):
    options = {"max_epochs": 20, "check_val_every_n_epoch": 10}
    run, _, _ = fit(world, tmp_path / "one", **options)
    assert run.callback_metrics["val/top1"] > 0.4  # chance is .125
    assert {f"val/top1_{name}" for name in ("a.1", "b", "c")} <= set(run.callback_metrics)
    fit(world, tmp_path / "two", **options)
    one, two = (weights(tmp_path / name / "last.ckpt") for name in ("one", "two"))
    assert all(torch.equal(one[name], two[name]) for name in one)


@pytest.mark.filterwarnings("ignore:Checkpoint directory .* is not empty")
@pytest.mark.parametrize("stop", [20, 26], ids=["end of an epoch", "in the middle of an epoch"])
def test_interrupted_training_ends_where_it_would_have(world, tmp_path, stop):
    whole, expected, _ = fit(world, tmp_path / "whole")
    with pytest.raises(Interrupted):
        fit(world, tmp_path / "part", Interruption(stop, tmp_path / "stopped.ckpt"))
    rest, resumed, _ = fit(world, tmp_path / "part", ckpt=tmp_path / "stopped.ckpt")
    assert rest.global_step == whole.global_step == 40
    for one, two in zip(expected.parameters(), resumed.parameters(), strict=True):
        assert torch.equal(one, two)


@pytest.fixture(scope="module")
def wide(tmp_path_factory):
    """A data set with pictures that nobody was shown, and synthetic responses to them."""
    root = tmp_path_factory.mktemp("wide")
    world = make_world(root, unshown=13)
    return world, {"synthetic": write_augmented(world, root / "synthetic"), "negatives": 11}


@pytest.mark.filterwarnings("ignore:Checkpoint directory .* is not empty")
def test_training_with_synthetic_trials_is_seeded_and_resumable(wide, tmp_path):
    world, extras = wide
    whole, expected, _ = fit(world, tmp_path / "whole", extras=extras, max_epochs=2)
    assert whole.global_step == 2 * 19
    assert whole.callback_metrics["train/contrastive"].isfinite()
    stop = Interruption(26, tmp_path / "stopped.ckpt")
    with pytest.raises(Interrupted):
        fit(world, tmp_path / "part", stop, extras=extras, max_epochs=2)
    _, resumed, _ = fit(
        world, tmp_path / "part", extras=extras, max_epochs=2, ckpt=tmp_path / "stopped.ckpt"
    )
    _, plain, _ = fit(world, tmp_path / "plain", max_epochs=2)
    for one, two in zip(expected.parameters(), resumed.parameters(), strict=True):
        assert torch.equal(one, two)
    pairs = zip(expected.parameters(), plain.parameters(), strict=True)
    assert any(not torch.equal(one, two) for one, two in pairs)


def test_predictions_do_not_need_what_training_had_besides(wide, tmp_path):
    world, extras = wide
    run, task, rich = fit(world, tmp_path, extras=extras, max_epochs=1)
    plain = ResponseDataModule(**world.data)
    with_extras, without = (
        run.predict(task, datamodule=data, ckpt_path=tmp_path / "last.ckpt", weights_only=True)
        for data in (rich, plain)
    )
    for one, two in zip(with_extras, without, strict=True):
        assert list(one) == list(two)
        for subject in one:
            torch.testing.assert_close(one[subject]["tokens"], two[subject]["tokens"])
            named = [
                [data.stimuli[row] for row in part[subject]["stimulus"]]
                for data, part in ((rich, one), (plain, two))
            ]
            assert named[0] == named[1]


@pytest.mark.parametrize("mixed", [False, True])
def test_negatives_reach_the_contrast_alone(world, mixed):
    data = ResponseDataModule(**world.data)
    task = DecodeTask(data.context, small, token_weight=1.0)
    draw = {name: torch.randn(4 + 7, *shape) for name, shape in data.context.targets.items()}
    targets, negatives = ({name: x[rows] for name, x in draw.items()}
                          for rows in (slice(4), slice(4, None)))  # fmt: skip
    mixup = Mixup(torch.tensor([1, 0, 3, 2]), torch.tensor([0.25, 1.0, 0.5, 0.8]))
    decoded = task({"b": torch.randn(4, 9)})
    plain = task.losses(decoded, targets, 0.05, mixup if mixed else None)
    losses = task.losses(decoded, targets, 0.05, mixup if mixed else None, negatives)
    rows = [unit_rows(x) for x in (decoded.tokens, targets["tokens"], negatives["tokens"])]
    want = (
        bimixco(*rows[:2], mixup, 0.05, negatives=rows[2])
        if mixed
        else soft_clip(*rows[:2], 0.05, negatives=rows[2])
    )
    torch.testing.assert_close(losses["contrastive"], want)
    assert losses["contrastive"] != plain["contrastive"]
    for name in losses.keys() - {"contrastive", "loss"}:
        torch.testing.assert_close(losses[name], plain[name], rtol=0, atol=0)


class Interrupted(Exception):
    """As if the power had gone."""


class Interruption(Callback):
    def __init__(self, step: int, path) -> None:
        self.step, self.path = step, path

    def on_train_batch_end(self, trainer, *_) -> None:
        if trainer.global_step == self.step:
            trainer.save_checkpoint(self.path)
            raise Interrupted


def test_batch_of_one_subject_and_of_one_row(world):
    data = ResponseDataModule(**world.data)
    task = DecodeTask(data.context, small)
    for counts in ({"b": 5}, {"c": 1}):
        batch = {name: torch.randn(n, data.context.n_features[name]) for name, n in counts.items()}
        decoded = task(batch)
        n = sum(counts.values())
        targets = {name: torch.randn(n, *shape) for name, shape in data.context.targets.items()}
        losses = task.losses(decoded, targets, 0.05)
        losses["loss"].backward()
        assert losses["loss"].isfinite()


def test_regression_losses_see_mixed_targets_for_mixed_responses(world):
    data = ResponseDataModule(**world.data)
    task = DecodeTask(data.context, small, token_weight=1.0)
    targets = {name: torch.randn(4, *shape) for name, shape in data.context.targets.items()}
    mixup = Mixup(torch.tensor([1, 0, 3, 2]), torch.tensor([0.25, 1.0, 0.5, 0.8]))
    decoded = task({"b": torch.randn(4, 9)})._replace(
        condition=mixup.mix(targets["tokens"]), latent=mixup.mix(targets["latent"])
    )
    losses = task.losses(decoded, targets, 0.05, mixup)
    assert losses["token"] == pytest.approx(0, abs=1e-7)
    assert losses["latent"] == pytest.approx(0, abs=1e-7)


def test_predictions_cover_the_test_stimuli_in_order(world, tmp_path):
    run, task, data = fit(world, tmp_path, max_epochs=1)
    parts = run.predict(task, datamodule=data)
    seen = [data.stimuli[row] for part in parts if "b" in part for row in part["b"]["stimulus"]]
    assert seen == sorted(data.split.folds[0].test)
    tokens = torch.cat([part["b"]["tokens"] for part in parts if "b" in part])
    assert tokens.shape == (len(seen), *TOKENS)


def test_checkpoint_of_other_data_says_what_differs(world, tmp_path):
    fit(world, tmp_path, max_epochs=1)
    data = ResponseDataModule(**world.data, subjects=["a.1", "b"])
    task = DecodeTask(data.context, small)
    with pytest.raises(ConfigError, match=r"other data: n_features of c: 11 \(here none\)"):
        trainer(tmp_path).validate(task, datamodule=data, ckpt_path=tmp_path / "best.ckpt")


def test_phases_need_to_know_the_number_of_epochs(world, tmp_path):
    with pytest.raises(ConfigError, match=r"trainer\.max_epochs must be set"):
        fit(world, tmp_path, max_epochs=-1, max_steps=3)


def test_checkpoint_loads_without_pickle(world, tmp_path):
    fit(world, tmp_path, max_epochs=1)
    content = torch.load(tmp_path / "last.ckpt", weights_only=True)
    # a factory given in Python has no place in a checkpoint
    assert "decoder" not in content["hyper_parameters"]
    assert content["hyper_parameters"]["lr"] == 3e-3
    assert content["state_dict"]["decoder.token_head.linear.weight"].isfinite().all()
