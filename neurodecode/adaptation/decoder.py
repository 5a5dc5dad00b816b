"""A decoder for a subject that it was not trained on."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

from neurodecode.adaptation.known import KnownSubjects
from neurodecode.adaptation.likelihood import NewSubject
from neurodecode.adaptation.plan import AdaptationPlan
from neurodecode.adaptation.run import TrainedRun
from neurodecode.adaptation.start import start_adapter
from neurodecode.errors import ConfigError
from neurodecode.loaders import ResponseDataModule
from neurodecode.nn.decoder import BrainDecoder
from neurodecode.nn.low_rank import add_low_rank
from neurodecode.store.synthetic import SyntheticResponses, write_synthetic
from neurodecode.tasks.checkpoints import CONTEXT_KEY, build_task, check_context, load_task
from neurodecode.tasks.decode import DecodeTask

__all__ = ["DecoderAdaptation"]

_ADAPTERS = "decoder.adapters."


class DecoderAdaptation:
    """Data and model for training a decoder on a few trials of a new subject.

    Parameters
    ----------
    run : TrainedRun
        Of a `DecodeTask`.
    plan : AdaptationPlan
        Whom to adapt to, and how.
    folder : Path
        Where synthetic responses lie for a moment.

    Attributes
    ----------
    subject : NewSubject
        Encoder of the new subject, once built.
    """

    subject: NewSubject

    def __init__(self, run: TrainedRun, plan: AdaptationPlan, folder: Path) -> None:
        self.run, self.plan, self.folder = run, plan, folder
        self.trained_data: ResponseDataModule = run.data(synthetic=None)

    def build(self) -> tuple[DecodeTask, ResponseDataModule]:
        """Make model and data.

        Returns
        -------
        DecodeTask
            Ready to be trained: what is not, is frozen.
        ResponseDataModule
            The new subject alone, with the plan's trials.

        Raises
        ------
        ConfigError
            If the run knows the subject already, or was trained on targets of other shapes.
        """
        plan, run = self.plan, self.run
        bare = self._data(None)
        context = bare.context
        if context.n_times:
            raise ConfigError(
                f"subject {plan.subject} has a time axis, which `neurodecode adapt` does not take;"
                " train with data.leave_out and an adapter that subjects share"
            )
        # the sizes that do not depend on the subject
        check_context({**run.content[CONTEXT_KEY], "n_features": dict(context.n_features)}, context)
        task = build_task(run.checkpoint, run.content, DecodeTask, context)
        task.optim |= {"lr": plan.lr, "weight_decay": plan.weight_decay}
        target = task.decoder.target
        known = None if plan.from_scratch else KnownSubjects(self.trained_data, target)
        self.subject = NewSubject(bare, plan, target, known)
        trains_on_synthetic = run.data_arguments.get("synthetic") is not None
        if known is None and not trains_on_synthetic:
            return task, bare
        synthetic = self.subject.synthetic()
        if known is not None:
            self._transfer(task, known, synthetic)
        if not trains_on_synthetic:
            return task, bare
        # through a file, as for every other training, so that its checks hold here too
        with TemporaryDirectory(dir=self.folder) as folder:
            write_synthetic(Path(folder) / f"sub-{plan.subject}.h5", synthetic)
            return task, self._data(Path(folder))

    def _data(self, synthetic: Path | None) -> ResponseDataModule:
        return self.run.data(
            subjects=[self.plan.subject],
            trials=self.plan.draw.label,
            trials_seed=self.plan.draw.seed,
            predict_on=self.plan.side,
            synthetic=synthetic,
        )

    def _transfer(
        self, task: DecodeTask, known: KnownSubjects, synthetic: SyntheticResponses
    ) -> None:
        """Take trunk and heads from the run and freeze them; start the adapter."""
        trained = load_task(self.run.checkpoint, DecodeTask, self.trained_data.context)
        shared = {
            name: value
            for name, value in trained.state_dict().items()
            if not name.startswith(_ADAPTERS)
        }
        task.load_state_dict(shared, strict=False)
        start_adapter(task.decoder, trained.decoder, known, synthetic, self.trained_data.repeats)
        freeze_shared(task.decoder, self.plan.rank)


def freeze_shared(decoder: BrainDecoder, rank: int) -> None:
    """Freeze all but the adapters.

    Parameters
    ----------
    decoder : BrainDecoder
        Changed in place.
    rank : int
        If not 0, linear layers of trunk and heads get an update of this rank that is trained.
    """
    for name, part in decoder.named_children():
        if name == "adapters":
            continue
        if rank:
            add_low_rank(part, rank)
        else:
            part.requires_grad_(False)
