from __future__ import annotations

from functools import partial

import numpy as np
import pytest
import torch
from lightning.pytorch import Trainer, seed_everything

from neurodecode.errors import ConfigError
from neurodecode.loaders import ResponseDataModule
from neurodecode.nn.decoder import BrainDecoder
from neurodecode.nn.prior import PriorTransformer
from neurodecode.tasks import prior as module
from neurodecode.tasks.decode import DecodeTask
from neurodecode.tasks.prior import PriorTask


@pytest.fixture
def task(world, monkeypatch) -> tuple[PriorTask, ResponseDataModule]:
    seed_everything(1, verbose=False)
    data = ResponseDataModule(**world.data)
    decoder = DecodeTask(data.context, lambda context: BrainDecoder(context, 16))
    monkeypatch.setattr(module, "load_task", lambda *_: decoder)
    network = partial(PriorTransformer, width=8, depth=1, n_heads=2)
    return PriorTask(data.context, "decoder.ckpt", network, sample_steps=5, lr=3e-3), data


def run(folder, **options) -> Trainer:
    quiet = {"enable_progress_bar": False, "enable_model_summary": False, "logger": False}
    return Trainer(
        default_root_dir=folder, accelerator="cpu", enable_checkpointing=False, **quiet | options
    )


def test_training_moves_the_prior_and_nothing_else(task, tmp_path):
    prior, data = task
    before = [p.clone() for p in prior.decoder.parameters()]
    start = [p.clone() for p in prior.network.parameters()]
    trainer = run(tmp_path, max_epochs=10, check_val_every_n_epoch=10)
    trainer.fit(prior, datamodule=data)
    assert all(torch.equal(*pair) for pair in zip(before, prior.decoder.parameters(), strict=True))
    # all parameters, the null condition included; the null for noised tokens is only published
    # practice, and off by default
    still = [
        name
        for (name, p), q in zip(prior.network.named_parameters(), start, strict=True)
        if torch.equal(p, q)
    ]
    assert still == ["null_noised"]
    assert trainer.callback_metrics["train/loss"] < 1.0
    assert {"val/loss", "val/cosine", "val/top1"} <= set(trainer.callback_metrics)


def test_embeddings_are_standardised_by_training_stimuli(task, tmp_path):
    prior, data = task
    run(tmp_path, max_epochs=1, limit_train_batches=1, limit_val_batches=0).fit(
        prior, datamodule=data
    )
    rows = np.array([data._row_of[name] for name in data.split.folds[0].train])
    train = prior.standardise(data.bank.read("tokens", rows))
    torch.testing.assert_close(train.mean(dim=0), torch.zeros(train.shape[1:]), atol=1e-5, rtol=0)
    assert train.square().mean() == pytest.approx(1, abs=1e-4)


@pytest.mark.parametrize("noisy", [True, False])
def test_condition_is_noisy_in_training_only(task, noisy):
    prior, data = task
    prior.noisy_condition = noisy
    batch = next(iter(data.val_dataloader()))
    one, two = (prior.decode(batch).condition for _ in range(2))
    assert torch.equal(one, two)
    prior.decoder.train(prior.noisy_condition)
    one, two = (prior.decoder(batch["responses"]).condition for _ in range(2))
    assert torch.equal(one, two) != noisy


def test_the_candidate_most_like_the_decoded_tokens_is_kept(task):
    prior, data = task
    batch = next(iter(data.val_dataloader()))
    decoded = prior.decode(batch)

    def cosines(tokens):
        return torch.cosine_similarity(tokens.flatten(1), decoded.tokens.flatten(1))

    drawn = torch.stack(
        [prior.sample(decoded.condition, prior.row_seeds(batch, k)) for k in range(4)]
    )
    assert not torch.equal(drawn[0], drawn[1])
    best = torch.stack([cosines(each) for each in drawn]).argmax(dim=0)
    assert len(set(best.tolist())) > 1
    prior.candidates = 4
    chosen = prior.best_sample(decoded, batch)
    torch.testing.assert_close(chosen, drawn[best, torch.arange(len(best))])


def bundled_prior(width: int):
    """A network for this world's tokens, as a bundle gives it."""
    network = PriorTransformer((3, 5), (3, 5), width=width, depth=1, n_heads=2)
    config = {"model_cfg": {"width": width}, "deviation": 2.5}
    return config, {**network.state_dict(), "mean": torch.arange(15.0).view(3, 5) / 7}


def test_training_goes_on_from_a_bundled_prior_and_its_moments(task, monkeypatch, tmp_path):
    _, data = task
    config, weights = bundled_prior(8)
    monkeypatch.setattr(module, "read_bundle", lambda _: (config, dict(weights)))
    network = partial(PriorTransformer, width=8, depth=1, n_heads=2)
    prior = PriorTask(data.context, "decoder.ckpt", network, start_from="mini-prior")
    for name, value in prior.network.state_dict().items():
        assert torch.equal(value, weights[name])
    run(tmp_path, max_epochs=1, limit_train_batches=1, limit_val_batches=0).fit(
        prior, datamodule=data
    )
    torch.testing.assert_close(prior.mean, weights["mean"])
    assert float(prior.deviation) == 2.5


def test_a_bundled_prior_of_another_size_is_refused(task, monkeypatch):
    _, data = task
    monkeypatch.setattr(module, "read_bundle", lambda _: bundled_prior(6))
    network = partial(PriorTransformer, width=8, depth=1, n_heads=2)
    with pytest.raises(ConfigError, match=r"start_from mini-prior: model\.network is of another"):
        PriorTask(data.context, "decoder.ckpt", network, start_from="mini-prior")
