"""Training the decoder: responses -> embedding tokens and a low-level latent."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

from torch import Tensor, nn

from neurodecode.context import BuildContext
from neurodecode.errors import ConfigError
from neurodecode.loaders.dataset import Batch
from neurodecode.losses import Mixup, mix_responses
from neurodecode.nn.decoder import BrainDecoder, Decoded
from neurodecode.tasks.base import DecodingModule
from neurodecode.tasks.objectives import Objective, Step, with_main
from neurodecode.tasks.optim import adamw_one_cycle
from neurodecode.tasks.phases import Phases
from neurodecode.tasks.validation import LossLog, RetrievalLog

__all__ = ["DecodeTask"]


class DecodeTask(DecodingModule):
    """Contrastive training of a decoder over all subjects.

    For the first part of the epochs trials are mixed within subjects and contrasted by
    BiMixCo, then SoftCLIP takes over with a temperature that moves along half a cosine. All
    losses of the first phase see mixed targets for mixed responses; the published code shows
    its regression losses the unmixed target of a mixed response.

    Parameters
    ----------
    context : BuildContext
        Sizes of the data, linked from the DataModule.
    decoder : callable
        Makes the network from the context.
    contrastive_weight : float
        On the contrastive loss of the projected tokens.
    token_weight : float
        On the squared error of the condition tokens, averaged over all elements.
    latent_weight : float
        On the absolute error of the low-level latent; .5 in MindEye2.
    objectives : sequence of Objective
        Further terms of the loss.
    mixup_share : float
        Share of the epochs in the first phase.
    mixup_temperature : float
        Temperature of BiMixCo.
    temperature : tuple of float
        First and last temperature of SoftCLIP.
    lr, weight_decay, warmup : float
        Peak learning rate, weight decay of matrices, and share of steps in which the rate
        rises.
    compile : bool
        Train with the decoder compiled by ``torch.compile``.

    Raises
    ------
    ConfigError
        If the decoder or the data lack what an objective needs.

    References
    ----------
    Scotti et al. 2023 and 2024 (MindEye, MindEye2).
    """

    def __init__(
        self,
        context: BuildContext,
        decoder: Callable[[BuildContext], nn.Module] = BrainDecoder,
        contrastive_weight: float = 1.0,
        token_weight: float = 0.0,
        latent_weight: float = 0.5,
        objectives: Sequence[Objective] = (),
        mixup_share: float = 0.33,
        mixup_temperature: float = 0.006,
        temperature: tuple[float, float] = (0.004, 0.0075),
        lr: float = 3e-4,
        weight_decay: float = 1e-2,
        warmup: float = 0.05,
        compile: bool = False,
    ) -> None:
        super().__init__(context)
        self.save_hyperparameters(ignore=["context"])
        self.decoder = decoder(context)
        self.compile_decoder = compile
        self.objectives = with_main(contrastive_weight, token_weight, latent_weight, objectives)
        for objective in self.objectives:
            objective.check(self.decoder, context)
        self.objective_weights = nn.ModuleDict(
            {each.name: each.module for each in self.objectives if each.module is not None}
        )
        self.phases = Phases(mixup_share, mixup_temperature, temperature)
        self.optim = {"lr": lr, "weight_decay": weight_decay, "warmup": warmup}
        self.retrieval, self.validation_losses = RetrievalLog(), LossLog()

    def forward(self, responses: dict[str, Tensor]) -> Decoded:
        """Decode responses.

        Parameters
        ----------
        responses : dict of str to Tensor of shape (n_trials, n_features[, n_times])
            Standardised responses by subject.

        Returns
        -------
        Decoded
            Condition tokens, projected tokens and latent.
        """
        return self.decoder(responses)

    def setup(self, stage: str) -> None:
        """See that every training picture has what the objectives need; compile the decoder.

        Parameters
        ----------
        stage : str
            Only ``fit`` does anything.

        Raises
        ------
        ConfigError
            If a training picture lacks a target.
        """
        if stage != "fit":
            return
        self._check_left_out(self.trainer.datamodule.left_out)
        complete = self.trainer.datamodule.bank.complete
        for objective in self.objectives:
            for target in objective.targets(self.decoder):
                if target not in complete:
                    raise ConfigError(
                        f"some training pictures have no {target!r}, which the objective"
                        f" {objective.name} needs; embed all of them, or leave out"
                        " data.synthetic and data.negatives"
                    )
        if self.compile_decoder:
            self.decoder.compile()

    def _check_left_out(self, subjects: Collection[str]) -> None:
        """Refuse to leave out a subject whose adapter has weights that nobody would train."""
        for subject in sorted(subjects):
            if any(True for _ in self.decoder.adapters.of(subject).parameters()):
                raise ConfigError(
                    f"data.leave_out names {subject}, whose adapter has weights of its own that"
                    " nothing would train; choose an adapter that subjects share (ConvAdapter with"
                    " subject_layer: false, NICEAdapter, ...)"
                )

    def configure_optimizers(self) -> dict[str, Any]:
        """AdamW under a one-cycle learning rate."""
        steps = int(self.trainer.estimated_stepping_batches)
        trained = nn.ModuleList([self.decoder, self.objective_weights])
        return adamw_one_cycle(trained, steps, **self.optim)

    def training_step(self, batch: Batch, batch_idx: int) -> Tensor:
        """Loss of one batch.

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
        mixing, temperature = self.phases.at(self.current_epoch, self.n_epochs)
        mixup: Mixup | None = None
        responses = batch["responses"]
        if mixing:
            responses, mixup = mix_responses(responses)
        targets = batch["targets"]
        known = self._known_latents(targets, mixup)
        if known is not None:
            # unshown pictures may lack a latent; the low level is learned from the others
            decoded = self.decoder(responses, known)
        else:
            decoded = self(responses)
        losses = self.losses(
            decoded, targets, temperature, mixup, batch.get("negatives"), known, responses
        )
        n = len(batch["stimulus"])
        for name, value in losses.items():
            self.log(f"train/{name}", value, on_step=False, on_epoch=True, batch_size=n,
                     prog_bar=name == "loss", sync_dist=True)  # fmt: skip
        return losses["loss"]

    def _known_latents(self, targets: dict[str, Tensor], mixup: Mixup | None) -> Tensor | None:
        """Rows with a latent, after mixing; None if all have one."""
        if self.decoder.low_level is None:
            return None
        latents = targets[self.decoder.latent]
        known = (latents if mixup is None else mixup.mix(latents)).flatten(1).isfinite().all(dim=1)
        return None if known.all() else known

    def losses(
        self,
        decoded: Decoded,
        targets: dict[str, Tensor],
        temperature: float,
        mixup: Mixup | None = None,
        negatives: dict[str, Tensor] | None = None,
        known: Tensor | None = None,
        responses: Mapping[str, Tensor] | None = None,
    ) -> dict[str, Tensor]:
        """Weighted sum of the losses, and each of them.

        Parameters
        ----------
        decoded : Decoded
            Output of the decoder.
        targets : dict of str to Tensor of shape (n_batch, ...)
            True embeddings.
        temperature : float
            Of the contrastive loss.
        mixup : Mixup, optional
            How the responses were mixed.
        negatives : dict of str to Tensor of shape (n_negatives, ...), optional
            Embeddings of other stimuli to tell the true one from.
        known : Tensor of bool of shape (n_batch,), optional
            Rows that `decoded` has a latent for; all by default.
        responses : mapping of str to Tensor of shape (n_trials, n_features), optional
            What was decoded, for objectives that go back to it.

        Returns
        -------
        dict of str to Tensor
            ``loss`` and its parts.
        """
        step = Step(
            self.decoder, decoded, targets, temperature, responses or {}, mixup, negatives or {},
            known,
        )  # fmt: skip
        parts: dict[str, Tensor] = {}
        total: Tensor | float = 0.0
        for objective in self.objectives:
            value = objective(step)
            if value is not None:
                parts[objective.name] = value
                total = total + objective.weight_at(step) * value
        if decoded.latent is not None and not len(decoded.latent):
            # other processes wait for the gradient of every part of the network
            total = total + 0 * decoded.latent.sum()
        return {"loss": total, **parts}

    def validation_step(self, batch: Batch, batch_idx: int) -> None:
        """Keep the decoded embeddings; log the losses at the last temperature.

        Parameters
        ----------
        batch : Batch
            Repeat averages.
        batch_idx : int
            Not used.
        """
        decoded = self(batch["responses"])
        losses = self.losses(
            decoded, batch["targets"], self.phases.temperature[1], responses=batch["responses"]
        )
        target = batch["targets"][self.decoder.target]
        parts = self.split_rows(batch)
        stimulus = batch["stimulus"]
        self.validation_losses.add(parts[0][0], stimulus[0], len(stimulus), losses)
        for subject, rows in parts:
            self.retrieval.add(
                subject, batch["stimulus"][rows].tolist(), decoded.tokens[rows], target[rows]
            )

    def on_validation_epoch_end(self) -> None:
        """Log the losses, and how often the true stimulus is found among the validation ones."""
        for name, value in self.validation_losses.means().items():
            self.log(f"val/{name}", value, sync_dist=True)
        self.retrieval.gather()
        scores, pairs = self.retrieval.top1(), self.retrieval.two_way()
        self.retrieval.clear()
        for subject, score in scores.items():
            self.log(f"val/top1_{subject}", score, sync_dist=True)
        mean = sum(scores.values()) / len(scores)
        self.log("val/top1", mean, prog_bar=True, sync_dist=True)
        self.log("val/two_way", sum(pairs.values()) / len(pairs), sync_dist=True)

    def predict_step(self, batch: Batch, batch_idx: int) -> dict[str, Any]:
        """Decode repeat averages.

        Parameters
        ----------
        batch : Batch
            Repeat averages.
        batch_idx : int
            Not used.

        Returns
        -------
        dict
            For each subject: ``stimulus``, ``n_averaged``, and the arrays ``tokens``,
            ``condition`` and ``latent``.
        """
        decoded = self(batch["responses"])
        arrays = {"tokens": decoded.tokens, "condition": decoded.condition}
        if decoded.latent is not None:
            arrays["latent"] = decoded.latent
        return self.by_subject(batch, arrays)
