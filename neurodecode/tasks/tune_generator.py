"""Training a generator to draw from what a decoder makes of responses."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from neurodecode.context import BuildContext
from neurodecode.generate.denoiser import normalise_tokens
from neurodecode.loaders.dataset import Batch
from neurodecode.nn.decoder import BrainDecoder
from neurodecode.tasks.checkpoints import load_task
from neurodecode.tasks.decode import DecodeTask
from neurodecode.tasks.pretrain_generator import PretrainGenerator

__all__ = ["TuneGenerator"]


class TuneGenerator(PretrainGenerator):
    """Go on training a generator with the condition tokens of a trained decoder.

    A decoder's errors have a shape: what the responses tell well survives, the rest is
    shrunk. A generator that was trained on true tokens looks at details that decoded tokens do
    not have; here it learns which of them to trust. The decoder stays as it is.

    Parameters
    ----------
    context : BuildContext
        Sizes of the data, linked from the DataModule.
    decoder_checkpoint : str
        Checkpoint of a `DecodeTask`.
    start_from : str
        Folder of the bundle whose generator goes on.
    latent : str
        Target that holds the latents of the pictures.
    true_share : float
        Share of the samples that see true tokens.
    drop, snr_cap, lr, weight_decay, warmup
        See `PretrainGenerator`.
    """

    def __init__(
        self,
        context: BuildContext,
        decoder_checkpoint: str,
        start_from: str,
        latent: str = "latent",
        true_share: float = 0.2,
        drop: float = 0.1,
        snr_cap: float = 5.0,
        lr: float = 4e-4,
        weight_decay: float = 0.01,
        warmup: int = 50,
    ) -> None:
        super().__init__(
            drop=drop,
            channel=False,
            snr_cap=snr_cap,
            lr=lr,
            weight_decay=weight_decay,
            warmup=warmup,
            start_from=start_from,
        )
        decoder: BrainDecoder = load_task(Path(decoder_checkpoint), DecodeTask, context).decoder
        # frozen and kept out of the module tree: not saved again, not trained
        self._frozen = (decoder.requires_grad_(False).eval(),)
        self.latent, self.true_share = latent, true_share

    @property
    def decoder(self) -> BrainDecoder:
        """The frozen decoder, on the device of the generator."""
        return self._frozen[0].to(self.device)

    def _decoded(self, batch: Batch) -> Tensor:
        with torch.no_grad(), torch.autocast(self.device.type, enabled=False):
            return self.decoder.eval()(batch["responses"]).condition

    def training_step(self, batch: Batch, batch_idx: int) -> Tensor:  # type: ignore[override]
        """Denoise latents at random steps of the schedule, given decoded tokens."""
        latents, n = batch["targets"][self.latent], len(batch["stimulus"])
        chance = torch.rand(2, n, 1, 1, device=self.device)
        true = chance[0] < self.true_share
        tokens = torch.where(true, batch["targets"][self.decoder.target], self._decoded(batch))
        tokens = normalise_tokens(tokens) * (chance[1] >= self.hparams["drop"])
        steps = torch.randint(0, 1000, (n,), device=self.device)
        loss = self._loss(latents, tokens, torch.randn_like(latents), steps)
        self.log("train/loss", loss, prog_bar=True, batch_size=n)
        return loss

    def validation_step(self, batch: Batch, batch_idx: int) -> None:  # type: ignore[override]
        """Loss of validation stimuli with the same noise and steps each time."""
        found: dict[str, Any] = {
            "tokens": self._decoded(batch),
            "latents": batch["targets"][self.latent],
        }
        super().validation_step(found, batch_idx)
