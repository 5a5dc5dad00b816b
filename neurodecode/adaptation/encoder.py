"""An encoder for a subject that it was not trained on."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path

import numpy as np
import torch
from lightning.pytorch.callbacks import Callback

from neurodecode.adaptation.plan import AdaptationPlan
from neurodecode.adaptation.run import TrainedRun
from neurodecode.adaptation.training import fit_plan, new_trainer
from neurodecode.errors import ConfigError
from neurodecode.linear import TransferEncoder
from neurodecode.loaders.encoding import EncodingDataModule
from neurodecode.loaders.table import TrialTable
from neurodecode.store import Prediction
from neurodecode.tasks.baselines import LinearOptions, identify_predicted
from neurodecode.tasks.checkpoints import (
    CONTEXT_KEY,
    build_task,
    check_context,
    load_task,
    plain_context,
)
from neurodecode.tasks.encode import EncodeTask, standardise_images

__all__ = ["EncoderAdaptation"]

_AT_ONCE = 128


class EncoderAdaptation:
    """Identify stimuli by an encoder with a new readout on the core of a run.

    The readout is linear in the features of the frozen core. Its prior (`TransferEncoder`) is
    what the neurons of the known subjects read out, and, with the same weight in total, any
    feature of the core.

    Parameters
    ----------
    run : TrainedRun
        Of an `EncodeTask`.
    plan : AdaptationPlan
        Whom to adapt to, and how.
    folder : Path
        Where a training from scratch leaves its checkpoint.

    Raises
    ------
    ConfigError
        If an update of the core is asked for, or the run saw pictures of another size.
    """

    def __init__(self, run: TrainedRun, plan: AdaptationPlan, folder: Path) -> None:
        if plan.rank:
            raise ConfigError("--rank updates decoders; the core of an encoder stays as it is")
        self.run, self.plan, self.folder = run, plan, folder
        self.data: EncodingDataModule = run.data(
            subjects=[plan.subject], trials=plan.draw.label, trials_seed=plan.draw.seed
        )
        saved = run.content[CONTEXT_KEY]
        # what is particular to subjects is the new one's, all else that of the trained core
        here = plain_context(self.data.context)
        own = {name: here[name] for name in ("n_features", "regions")}
        check_context({**saved, **own}, self.data.context)

    def identify(self, *, quiet: bool = False) -> Prediction:
        """Fit or train the encoder, and judge every candidate by its likelihood.

        Parameters
        ----------
        quiet : bool
            No progress bar.

        Returns
        -------
        Prediction
            As from `identify_predicted`: how noise is correlated comes from the given trials,
            its size from the validation set.
        """
        predicted = self._trained(quiet) if self.plan.from_scratch else self._transferred()
        options = LinearOptions(seed=self.plan.seed, side=self.plan.side, draw=self.plan.draw)
        data = self.data
        return identify_predicted(
            data.stores[self.plan.subject], data.split, data.fold, [predicted], None, options
        )

    def _transferred(self) -> Prediction:
        """What the known core with a new readout predicts for all stimuli of the subject."""
        store = self.data.stores[self.plan.subject]
        table = TrialTable.load(store, self.data.split, self.data.fold, ("train",), self.plan.draw)
        average = table.average("train")
        ids = sorted(set(store.stimulus_id))
        row = {name: number for number, name in enumerate(ids)}
        known, core = self._features(ids)
        features = np.concatenate([known, core], axis=1)
        groups = ["neurons"] * known.shape[1] + ["core"] * core.shape[1]
        encoder = TransferEncoder(["neurons"] * store.n_features, groups)
        encoder.fit(features[[row[name] for name in average.stimulus_id]], average.responses)
        return Prediction(
            subject=store.subject,
            stimulus_id=ids,
            arrays={"responses": encoder.predict(features)},
            fold=self.data.fold,
        )

    @cached_property
    def _known(self) -> EncodeTask:
        return load_task(self.run.checkpoint, EncodeTask, self.run.data().context)

    @torch.no_grad()
    def _features(self, ids: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
        """Responses of the known neurons, and features of the core scaled to their variance."""
        encoder = self._known.encoder
        rows = {name: number for number, name in enumerate(self.data.stimuli)}
        index = np.array([rows[name] for name in ids])
        known, core = [], []
        for start in range(0, len(ids), _AT_ONCE):
            images = self.data.bank.read("image", index[start : start + _AT_ONCE])
            maps = encoder.core(standardise_images(images))
            known.append(torch.cat([readout(maps) for readout in encoder.readouts], dim=1))
            core.append(maps.flatten(1))
        neurons, features = (torch.cat(each).numpy() for each in (known, core))
        neurons, features = (each - each.mean(axis=0) for each in (neurons, features))
        return neurons, features * np.sqrt(neurons.var() / max(float(features.var()), 1e-12))

    def _trained(self, quiet: bool) -> Prediction:
        """What an encoder of the same parts predicts that was trained on the given trials."""
        run, plan, data = self.run, self.plan, self.data
        task = build_task(run.checkpoint, run.content, EncodeTask, data.context)
        task.optim |= {"lr": plan.lr, "weight_decay": plan.weight_decay}
        best = fit_plan(
            task, data, run, plan, self.folder, monitor="val/r", quiet=quiet,
            callbacks=self._averaging(),
        )  # fmt: skip
        trained = load_task(best, EncodeTask, data.context)
        trainer = new_trainer(run, self.folder, quiet=quiet, logger=False)
        batches = trainer.predict(trained, datamodule=data)
        parts = [batch[plan.subject] for batch in batches or []]
        rows = torch.cat([part["stimulus"] for part in parts]).tolist()
        return Prediction(
            subject=plan.subject,
            stimulus_id=[data.stimuli[row] for row in rows],
            arrays={"responses": torch.cat([part["responses"] for part in parts]).numpy()},
            fold=data.fold,
        )

    def _averaging(self) -> list[Callback]:
        """Average the weights as the run did."""
        from neurodecode.tasks.encode_callbacks import AveragedWeights

        wanted = f"{AveragedWeights.__module__}.{AveragedWeights.__name__}"
        callbacks = (self.run.config.get("trainer") or {}).get("callbacks") or []
        return [
            AveragedWeights(**each.get("init_args", {}))
            for each in callbacks
            if each.get("class_path") == wanted
        ]
