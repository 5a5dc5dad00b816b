from __future__ import annotations

import decoding_world
import pytest
import torch
from decoding_world import make_world
from lightning.pytorch import Trainer, seed_everything

from neurodecode.loaders import ResponseDataModule
from neurodecode.nn.decoder import BrainDecoder
from neurodecode.tasks import tune_generator as module
from neurodecode.tasks.decode import DecodeTask
from neurodecode.tasks.pretrain_export import _load as load_for_export
from neurodecode.tasks.pretrain_generator import PretrainGenerator
from neurodecode.tasks.tune_generator import TuneGenerator


@pytest.fixture
def tuned(tmp_path, monkeypatch, repository):
    """The bundled generator after two steps on a decoder that knows nothing."""
    monkeypatch.setattr(decoding_world, "TOKENS", (17, 128))
    monkeypatch.setattr(decoding_world, "LATENT", (4, 16, 16))
    seed_everything(5, verbose=False)
    data = ResponseDataModule(**make_world(tmp_path / "world").data)
    decoder = DecodeTask(data.context, lambda context: BrainDecoder(context, 16))
    monkeypatch.setattr(module, "load_task", lambda *_: decoder)
    bundle = str(repository / "data" / "pretrained")
    task = TuneGenerator(data.context, "decoder.ckpt", bundle, true_share=0.0)
    before = [p.detach().clone() for p in task.decoder.parameters()]
    trainer = Trainer(
        default_root_dir=tmp_path, accelerator="cpu", logger=False, max_epochs=1,
        limit_train_batches=2,
        enable_checkpointing=False, log_every_n_steps=1,
        enable_progress_bar=False, enable_model_summary=False,
    )  # fmt: skip
    trainer.fit(task, datamodule=data)
    return task, data, before, trainer


def test_only_the_generator_moves_and_its_checkpoint_is_plain(tuned, tmp_path, repository):
    task, _, before, trainer = tuned
    assert all(torch.equal(*pair) for pair in zip(before, task.decoder.parameters(), strict=True))
    start = PretrainGenerator(start_from=str(repository / "data" / "pretrained"), channel=False)
    pairs = list(zip(start.model.parameters(), task.model.parameters(), strict=True))
    assert not all(torch.equal(*pair) for pair in pairs)
    assert {"train/loss", "val/loss"} <= set(trainer.callback_metrics)
    trainer.save_checkpoint(tmp_path / "last.ckpt")
    stored = torch.load(tmp_path / "last.ckpt", weights_only=True)
    assert "context" not in stored["hyper_parameters"]
    assert not any("decoder" in name for name in stored["state_dict"])
    again = load_for_export("generator", tmp_path / "last.ckpt")
    assert all(torch.equal(p, q) for p, (_, q) in zip(again.model.parameters(), pairs, strict=True))


def test_it_sees_what_is_decoded_not_what_is_true(tuned, monkeypatch):
    task, data, _, _ = tuned
    batch = next(iter(data.val_dataloader()))
    seen = []
    monkeypatch.setattr(
        task, "_loss", lambda latents, tokens, noise, steps: seen.append(tokens) or tokens.sum()
    )
    monkeypatch.setattr(task, "log", lambda *_, **__: None)
    task.hparams["drop"] = 0.0
    for share in (0.0, 1.0):
        task.true_share = share
        task.training_step(batch, 0)
    true = module.normalise_tokens(batch["targets"]["tokens"])
    decoded = module.normalise_tokens(task.decoder(batch["responses"]).condition)
    torch.testing.assert_close(seen[0], decoded)
    torch.testing.assert_close(seen[1], true)
