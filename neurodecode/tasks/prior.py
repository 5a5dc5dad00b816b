"""Training the diffusion prior: decoded tokens -> samples of the embedding they stand for."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from neurodecode.context import BuildContext
from neurodecode.embed.bundle import read_bundle
from neurodecode.errors import ConfigError
from neurodecode.loaders.dataset import Batch
from neurodecode.nn.decoder import BrainDecoder, Decoded
from neurodecode.nn.diffusion import Diffusion, SamplerName, row_noise
from neurodecode.nn.prior import PriorTransformer, PriorTransformerFactory
from neurodecode.tasks.base import DecodingModule
from neurodecode.tasks.checkpoints import load_task
from neurodecode.tasks.decode import DecodeTask
from neurodecode.tasks.optim import adamw_one_cycle
from neurodecode.tasks.validation import LossLog, RetrievalLog

__all__ = ["PriorTask"]

#: Denoising steps at which the validation loss is taken, as shares of the whole process.
_VALIDATION_TIMES = (0.1, 0.3, 0.5, 0.7, 0.9)


class PriorTask(DecodingModule):
    """Diffusion prior on the condition tokens of a trained decoder, which stays as it is.

    Embeddings are standardised by the mean of each element and one overall deviation, both
    from training stimuli, so that the squared error keeps the geometry of the embedding. The
    condition tokens are brought to the same scale.

    Parameters
    ----------
    context : BuildContext
        Sizes of the data, linked from the DataModule.
    decoder_checkpoint : path
        Checkpoint of a `DecodeTask`.
    network : callable
        Makes the denoising network.
    start_from : str, optional
        Name of a bundled prior (``mini-prior``) whose weights training goes on from; `network`
        has to be of its size. Its moments standardise the embeddings then.
    noisy_condition : bool
        Train with the decoder's dropout active. A decoder knows its training stimuli better
        than new ones; without this noise the prior learns to trust conditions that will not be
        as good again.
    n_steps : int
        Steps of the diffusion.
    drop : float
        How often training hides the condition.
    null_noised : {"keep", "drop"}
        What the unconditional pass sees, see `Diffusion`.
    sample_steps, guidance, sampler
        How samples are drawn, for validation and prediction.
    lr, weight_decay, warmup : float
        As for `DecodeTask`.
    candidates : int
        Samples drawn for each prediction; the one most like the projected tokens of the decoder
        is kept. Nothing true is looked at.
    seed : int
        Seed of the samples.
    """

    def __init__(
        self,
        context: BuildContext,
        decoder_checkpoint: Path,
        network: PriorTransformerFactory = PriorTransformer,
        start_from: str | None = None,
        noisy_condition: bool = True,
        n_steps: int = 100,
        drop: float = 0.2,
        null_noised: Literal["keep", "drop"] = "keep",
        sample_steps: int = 20,
        guidance: float = 1.0,
        sampler: SamplerName = "ddim",
        lr: float = 3e-4,
        weight_decay: float = 1e-2,
        warmup: float = 0.05,
        candidates: int = 1,
        seed: int = 0,
    ) -> None:
        super().__init__(context)
        self.save_hyperparameters(ignore=["context"])
        decoder: BrainDecoder = load_task(decoder_checkpoint, DecodeTask, context).decoder
        # frozen and kept out of the module tree: not saved again, not trained, not counted
        self._frozen = (decoder.requires_grad_(False).train(noisy_condition),)
        self.noisy_condition = noisy_condition
        shape = decoder.token_shape
        self.network = network(shape, shape)
        # processes wait for the gradient of every parameter that is trained
        self.network.null_noised.requires_grad_(null_noised == "drop")
        self.diffusion = Diffusion(n_steps, drop, null_noised)
        self.sampling = {"n_steps": sample_steps, "guidance": guidance, "sampler": sampler}
        self.optim = {"lr": lr, "weight_decay": weight_decay, "warmup": warmup}
        self.candidates, self.seed = candidates, seed
        self.register_buffer("mean", torch.zeros(shape))
        self.register_buffer("deviation", torch.ones(()))
        self.pretrained = start_from is not None
        if start_from is not None:
            self._start_from(start_from)
        self.retrieval, self.validation_losses = RetrievalLog(), LossLog()

    def _start_from(self, name: str) -> None:
        config, weights = read_bundle(name)
        mean = weights.pop("mean")
        try:
            self.network.load_state_dict(weights)
        except RuntimeError as error:
            raise ConfigError(
                f"start_from {name}: model.network is of another size than {config['model_cfg']}"
            ) from error
        self.mean.copy_(mean)
        self.deviation.fill_(config["deviation"])

    @property
    def decoder(self) -> BrainDecoder:
        """The frozen decoder, on the device of the prior."""
        return self._frozen[0].to(self.device)

    def setup(self, stage: str) -> None:
        """Take mean and deviation of the training embeddings, unless the weights brought theirs.

        Parameters
        ----------
        stage : str
            Only ``fit`` does anything; a checkpoint overwrites it when training resumes.
        """
        if stage == "fit" and not self.pretrained:
            mean, deviation = self.trainer.datamodule.target_moments(self.decoder.target)
            self.mean.copy_(mean.view_as(self.mean))
            self.deviation.fill_(float(deviation.square().mean().sqrt()))

    def configure_optimizers(self) -> dict[str, Any]:
        """AdamW under a one-cycle learning rate."""
        steps = int(self.trainer.estimated_stepping_batches)
        return adamw_one_cycle(self.network, steps, **self.optim)

    def standardise(self, embeddings: Tensor) -> Tensor:
        """Bring embeddings to about unit variance.

        Parameters
        ----------
        embeddings : Tensor of shape (n_batch, n_tokens, dim) or (n_batch, dim)
            True or decoded embeddings.

        Returns
        -------
        Tensor of shape (n_batch, n_tokens, dim)
            Standardised.
        """
        return (embeddings.view(-1, *self.mean.shape) - self.mean) / self.deviation

    def training_step(self, batch: Batch, batch_idx: int) -> Tensor:
        """Denoising loss of one batch.

        Parameters
        ----------
        batch : Batch
            As the DataModule makes it.
        batch_idx : int
            Not used.

        Returns
        -------
        Tensor
            Scalar.
        """
        with torch.no_grad():
            condition = self.decoder.train(self.noisy_condition)(batch["responses"]).condition
        clean = self.standardise(batch["targets"][self.decoder.target])
        loss = self.diffusion.loss(self.network, clean, self.standardise(condition))
        self.log("train/loss", loss, on_step=False, on_epoch=True, prog_bar=True,
                 batch_size=len(clean), sync_dist=True)  # fmt: skip
        return loss

    def decode(self, batch: Batch) -> Decoded:
        """Run the frozen decoder without dropout.

        Parameters
        ----------
        batch : Batch
            Repeat averages.

        Returns
        -------
        Decoded
            Condition tokens, projected tokens and latent.
        """
        with torch.no_grad():
            return self.decoder.eval()(batch["responses"])

    def sample(self, condition: Tensor, seeds: list[int]) -> Tensor:
        """Draw one embedding for each decoded one.

        Parameters
        ----------
        condition : Tensor of shape (n_batch, n_tokens, dim)
            Condition tokens.
        seeds : list of int of length n_batch
            Seed of each row.

        Returns
        -------
        Tensor of shape (n_batch, n_tokens, dim)
            In the units of the embedding.
        """
        noise = row_noise(self.mean.shape, seeds, self.device)
        generator = torch.Generator(self.device).manual_seed(self.seed)
        drawn = self.diffusion.sample(
            self.network, self.standardise(condition), noise, generator=generator, **self.sampling
        )
        return drawn * self.deviation + self.mean

    def best_sample(self, decoded: Decoded, batch: Batch) -> Tensor:
        """Draw several embeddings for each decoded one, and keep the most likely.

        Parameters
        ----------
        decoded : Decoded
            Output of `decode`.
        batch : Batch
            What was decoded.

        Returns
        -------
        Tensor of shape (n_batch, n_tokens, dim)
            The sample with the largest cosine to the projected tokens.
        """
        best = self.sample(decoded.condition, self.row_seeds(batch))
        closest = _cosine(best, decoded.tokens)
        for candidate in range(1, self.candidates):
            drawn = self.sample(decoded.condition, self.row_seeds(batch, candidate))
            cosine = _cosine(drawn, decoded.tokens)
            better = cosine > closest
            best = torch.where(better[:, None, None], drawn, best)
            closest = torch.maximum(closest, cosine)
        return best

    def row_seeds(self, batch: Batch, candidate: int = 0) -> list[int]:
        """Seed of each row, from subject and stimulus: the same in any batch.

        Parameters
        ----------
        batch : Batch
            The batch.
        candidate : int
            Number of the sample.

        Returns
        -------
        list of int of length n_batch
            Seeds.
        """
        order = sorted(self.build_context.n_features)
        return [
            int(np.random.SeedSequence(parts).generate_state(1)[0])
            for subject, rows in self.split_rows(batch)
            for row in batch["stimulus"][rows].tolist()
            for parts in [[self.seed, order.index(subject), row, candidate]]
        ]

    def validation_step(self, batch: Batch, batch_idx: int) -> None:
        """Denoising loss at fixed steps with fixed noise, and how close samples come.

        Parameters
        ----------
        batch : Batch
            Repeat averages.
        batch_idx : int
            Not used.
        """
        condition, seeds = self.decode(batch).condition, self.row_seeds(batch)
        target = batch["targets"][self.decoder.target].view_as(condition)
        clean, n = self.standardise(target), len(seeds)
        noise = row_noise(self.mean.shape, seeds, self.device)
        errors = []
        for share in _VALIDATION_TIMES:
            step = int(share * self.diffusion.n_steps)
            time = torch.full((n,), step, device=self.device)
            noised = self.diffusion.forward_process.add_noise(clean, noise, time)
            estimate = self.network(noised, time, self.standardise(condition))
            errors.append(F.mse_loss(estimate, clean))
        drawn = self.sample(condition, seeds)
        cosine = _cosine(self.standardise(drawn), clean)
        parts = self.split_rows(batch)
        self.validation_losses.add(
            parts[0][0],
            batch["stimulus"][0],
            n,
            {"loss": torch.stack(errors).mean(), "cosine": cosine.mean()},
        )
        for subject, rows in parts:
            self.retrieval.add(subject, batch["stimulus"][rows].tolist(), drawn[rows], target[rows])

    def on_validation_epoch_end(self) -> None:
        """Log the loss, and retrieval by samples among the validation stimuli."""
        for name, value in self.validation_losses.means().items():
            self.log(f"val/{name}", value, prog_bar=True, sync_dist=True)
        self.retrieval.gather()
        scores = self.retrieval.top1()
        self.retrieval.clear()
        mean = sum(scores.values()) / len(scores)
        self.log("val/top1", mean, prog_bar=True, sync_dist=True)

    def predict_step(self, batch: Batch, batch_idx: int) -> dict[str, Any]:
        """Decode repeat averages, and draw an embedding for each.

        Parameters
        ----------
        batch : Batch
            Repeat averages.
        batch_idx : int
            Not used.

        Returns
        -------
        dict
            As `DecodeTask.predict_step`, with ``prior_tokens`` besides.
        """
        decoded = self.decode(batch)
        arrays = {
            "tokens": decoded.tokens,
            "condition": decoded.condition,
            "prior_tokens": self.best_sample(decoded, batch),
        }
        if decoded.latent is not None:
            arrays["latent"] = decoded.latent
        return self.by_subject(batch, arrays)


def _cosine(first: Tensor, second: Tensor) -> Tensor:
    return F.cosine_similarity(first.flatten(1), second.flatten(1))
