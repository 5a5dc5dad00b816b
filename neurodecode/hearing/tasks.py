"""Training of speaker encoder and extractor by LightningCLI."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils import clip_grad_norm_
from torch.optim import Optimizer

from neurodecode.context import BuildContext
from neurodecode.hearing.encoder import SpeakerEncoder
from neurodecode.hearing.extractor import TalkerExtractor
from neurodecode.hearing.weights import OPTIONS_KEY, load_extractor
from neurodecode.metrics.functional import si_sdr
from neurodecode.tasks.base import DecodingModule
from neurodecode.tasks.optim import adamw_one_cycle

__all__ = ["ExtractorTask", "SpeakerTask"]


class _Task(DecodingModule):
    """What both trainings have in common: AdamW, one cycle, clipped gradients."""

    def __init__(
        self, context: BuildContext, lr: float, weight_decay: float, warmup: float, max_norm: float
    ) -> None:
        super().__init__(context)
        self.n_steps: int | None = None
        self.optim = {"lr": lr, "weight_decay": weight_decay, "warmup": warmup}
        self.max_norm = max_norm

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Add how the network is built, so that the checkpoint alone is enough to load it."""
        super().on_save_checkpoint(checkpoint)
        checkpoint[OPTIONS_KEY] = dict(self.network.options)

    def configure_optimizers(self) -> dict[str, Any]:
        """AdamW under a one-cycle learning rate."""
        steps = self.n_steps or int(self.trainer.estimated_stepping_batches)
        return adamw_one_cycle(self, steps, **self.optim)

    def on_before_optimizer_step(self, optimizer: Optimizer) -> None:
        """Clip the gradients."""
        clip_grad_norm_(self.parameters(), self.max_norm)


class SpeakerTask(_Task):
    """Tell training talkers apart, with a margin (ArcFace, Deng et al. 2019, equation 3).

    Parameters
    ----------
    context : BuildContext
        Linked from `VoiceData`.
    network : SpeakerEncoder
        What is trained.
    scale, margin : float
        Of cosines, and in rad.
    lr, weight_decay, warmup, max_norm : float
        Peak rate, decay, share of rising steps, and norm to which gradients are cut.
    """

    def __init__(
        self,
        context: BuildContext,
        network: SpeakerEncoder | None = None,
        scale: float = 20.0,
        margin: float = 0.2,
        lr: float = 3e-3,
        weight_decay: float = 1e-3,
        warmup: float = 0.2,
        max_norm: float = 5.0,
    ) -> None:
        super().__init__(context, lr, weight_decay, warmup, max_norm)
        self.network = network or SpeakerEncoder()
        self.scale, self.margin = scale, margin
        self.centres = nn.Parameter(torch.randn(*context.targets["talkers"], self.network.dim))

    def training_step(self, batch: tuple[Tensor, Tensor], batch_idx: int) -> Tensor:
        """Cross-entropy over talkers; the right one is asked for a larger angle."""
        sound, talker = batch
        cosine = self.network(sound) @ F.normalize(self.centres, dim=-1).T
        angle = cosine.clamp(-1 + 1e-6, 1 - 1e-6).acos()
        wider = (angle + self.margin * F.one_hot(talker, len(self.centres))).clamp(max=torch.pi)
        loss = F.cross_entropy(self.scale * wider.cos(), talker)
        self.log("train/loss", loss, on_step=False, on_epoch=True, batch_size=len(sound),
                 prog_bar=True)  # fmt: skip
        return loss

    def validation_step(self, batch: tuple[Tensor, Tensor], batch_idx: int) -> None:
        """Share of pairs of clips where another clip of the talker is closer than one of others."""
        sound, talker = batch
        embedded = self.network(sound)
        cosine = embedded @ embedded.T
        same = talker[:, None] == talker[None]
        own = same & ~torch.eye(len(same), dtype=torch.bool, device=same.device)
        inside, outside = cosine[own], cosine[~same]
        rank = torch.searchsorted(outside.sort().values, inside)
        self.log("val/auc", rank.float().mean() / len(outside), batch_size=len(sound),
                 prog_bar=True)  # fmt: skip


class ExtractorTask(_Task):
    """Take the talker that the embedding names out of the mixture.

    The loss is negative SI-SDR (Le Roux et al. 2019) of both ears as one signal: one scale for
    both, so that the difference of levels between the ears counts.

    Parameters
    ----------
    context : BuildContext
        Linked from `SceneData`.
    network : TalkerExtractor, optional
        What is trained.
    start : Path, optional
        Checkpoint or folder whose extractor training goes on from, under a new cycle of the rate.
    cycle : int, optional
        Steps of the whole cycle of the rate, where training ends before it does.
    lr, weight_decay, warmup, max_norm : float
        See `SpeakerTask`.
    """

    def __init__(
        self,
        context: BuildContext,
        network: TalkerExtractor | None = None,
        start: Path | None = None,
        cycle: int | None = None,
        lr: float = 3e-3,
        weight_decay: float = 1e-4,
        warmup: float = 0.1,
        max_norm: float = 5.0,
    ) -> None:
        super().__init__(context, lr, weight_decay, warmup, max_norm)
        self.n_steps = cycle
        if start is not None:
            network = load_extractor(start).train().requires_grad_(True)
        self.network = network or TalkerExtractor(dim=context.targets["embedding"][0])

    def training_step(self, batch: dict[str, Tensor], batch_idx: int) -> Tensor:
        """Negative SI-SDR of both ears as one signal, in dB, of either talker of each scene."""
        found, target, _ = self._extract(batch)
        loss = -si_sdr(found.flatten(1), target.flatten(1)).mean()
        self.log("train/si_sdr", -loss, on_step=False, on_epoch=True, batch_size=len(found),
                 prog_bar=True)  # fmt: skip
        return loss

    def validation_step(self, batch: dict[str, Tensor], batch_idx: int) -> None:
        """SI-SDR improvement of unheard talkers, mean over ears, in dB."""
        found, target, mixture = self._extract(batch)
        gain = si_sdr(found, target) - si_sdr(mixture, target)
        self.log("val/si_sdr_improvement", gain.mean(), batch_size=len(found), prog_bar=True)

    def _extract(self, batch: dict[str, Tensor]) -> tuple[Tensor, Tensor, Tensor]:
        """What was found, what should have been, and the mixture, (2 * n_scenes, 2, n) each."""
        found = self.network(batch["mixture"], batch["embedding"].flatten(0, 1))
        target = self.network.delayed(batch["target"]).flatten(0, 1)
        return found, target, self.network.delayed(batch["mixture"]).repeat_interleave(2, 0)
