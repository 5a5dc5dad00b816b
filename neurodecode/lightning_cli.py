"""LightningCLI as `neurodecode fit | validate | test | predict`."""

from __future__ import annotations

import logging
import re
import warnings
from pathlib import Path
from typing import Any

from jsonargparse import ArgumentError, set_parsing_settings
from lightning.pytorch import LightningModule, Trainer
from lightning.pytorch.cli import LightningArgumentParser, LightningCLI, SaveConfigCallback

from neurodecode.context import BuildContext
from neurodecode.errors import ConfigError, NeurodecodeError
from neurodecode.files import atomic_path
from neurodecode.loaders.responses import Side

__all__ = ["ConfigWriter", "DecodingCLI", "run_lightning"]

_TELLING = re.compile(
    r"not accept|Parser key|No module|Problem|no attribute|Expected a(?!.*NoneType)|, line \d+"
)
#: What the processes of a distributed run say when one of them is gone.
_LOST = re.compile(r"third_party/gloo|[Cc]onnection (reset|closed) by peer|NCCL.*remote process")


class ConfigWriter(SaveConfigCallback):
    """Notes the configuration beside the logs; Lightning's own may leave half of it."""

    def setup(self, trainer: Trainer, pl_module: LightningModule, stage: str) -> None:
        """Write ``config.yaml``, complete or not at all.

        Parameters
        ----------
        trainer : Trainer
            Knows the folder.
        pl_module : LightningModule
            Not used.
        stage : str
            Not used.
        """
        folder = trainer.log_dir  # is asked of all devices, so all have to come by here
        if trainer.is_global_zero and folder is not None and not self.already_saved:
            with atomic_path(Path(folder) / self.config_filename) as temporary:
                self.parser.save(self.config, temporary, skip_none=False, multifile=self.multifile)
        self.already_saved = True


class DecodingCLI(LightningCLI):
    """LightningCLI that hands sizes read from the data to the model.

    A DataModule with a ``context`` property (`neurodecode.context.BuildContext`) and a model
    with a ``context`` argument are linked: no size is typed twice.
    """

    def add_arguments_to_parser(self, parser: LightningArgumentParser) -> None:
        """Link the build context, and let a configuration say what follows training.

        Parameters
        ----------
        parser : LightningArgumentParser
            Parser of one sub-command.
        """
        parser.link_arguments("data.context", "model.init_args.context", apply_on="instantiate")
        parser.add_argument(
            "--then_predict", type=list[Side], default=[],
            help="sides (test, validation, train) that `fit` predicts with the best checkpoint"
            " when it is through; the other sub-commands pass over it",
        )  # fmt: skip

    def after_fit(self) -> None:
        """Predict as the configuration asks; to start the program again would take longer.

        Raises
        ------
        ConfigError
            If there is no best checkpoint to predict with.
        """
        sides = self.config[self.config.subcommand].then_predict
        if sides and not getattr(self.trainer.checkpoint_callback, "best_model_path", ""):
            raise ConfigError(
                "--then_predict needs the best checkpoint, and none was saved: add a"
                " ModelCheckpoint, and validate at least once (trainer.max_epochs,"
                " trainer.check_val_every_n_epoch)"
            )
        for side in sides:
            self.datamodule.predict_on = side
            self.trainer.predict(
                self.model, datamodule=self.datamodule, ckpt_path="best",
                return_predictions=False, weights_only=True,
            )  # fmt: skip

    def _parse_ckpt_path(self) -> None:
        """Take the model's settings from the checkpoint, but for those on the command line.

        Lightning would put the checkpoint's over the command line's, so that another guidance at
        prediction would be ignored without a word.
        """
        chosen = self.config[self.config.subcommand]
        path = chosen.get("ckpt_path")
        if not path or not Path(path).is_file():
            return
        from neurodecode.tasks.checkpoints import read_checkpoint

        saved = dict(read_checkpoint(path).get("hyper_parameters", {}))
        saved.pop("_instantiator", None)
        class_path = saved.pop("_class_path", None)
        if class_path is None:
            return
        for word in self._words:
            if word.startswith("--model."):
                _forget(saved, word.removeprefix("--model.").partition("=")[0].split("."))
        model = {"class_path": class_path, "dict_kwargs": saved}
        self.config = self.parser.parse_object(
            {self.config.subcommand: {"model": model}}, self.config
        )

    def parse_arguments(self, parser: LightningArgumentParser, args: Any) -> None:
        """Parse, and look at the checkpoint before anything is read or built for it.

        Parameters
        ----------
        parser : LightningArgumentParser
            Parser of all sub-commands.
        args : list of str
            Words of the command line.

        Raises
        ------
        WeightsError
            If the checkpoint is missing, or is not one that is safe to load.
        """
        self._words = list(args)
        super().parse_arguments(parser, args)
        chosen = self.config[self.config.subcommand]
        # `neurodecode fit` writes nothing but tensors and plain values; what needs more to be
        # loaded may run code, and Lightning would let it for an address on the web
        chosen.weights_only = True
        _check_checkpoint(chosen.get("ckpt_path"))


def _forget(saved: dict[str, Any], names: list[str]) -> None:
    """Drop one setting; ``init_args`` may be left out of its name, as on the command line."""
    head, *rest = names
    if head in ("init_args", "dict_kwargs") and head not in saved and rest:
        return _forget(saved, rest)
    if head not in saved and isinstance(saved.get("init_args"), dict):
        return _forget(saved["init_args"], names)
    if not rest:
        saved.pop(head, None)
    elif isinstance(saved.get(head), dict):
        _forget(saved[head], rest)
    return None


def _check_checkpoint(path: str | None) -> None:
    # words like `best` and addresses are Lightning's business; so are folders (sharded training)
    if path is None or path in ("best", "last", "hpc") or re.match(r"\w+:", path):
        return
    if not Path(path).is_dir():
        from neurodecode.tasks.checkpoints import read_checkpoint

        read_checkpoint(path)


def run_lightning(argv: list[str], *, quiet: bool = False) -> None:
    """Run one LightningCLI sub-command.

    Parameters
    ----------
    argv : list of str
        Sub-command and its options.
    quiet : bool
        No progress bar and no model summary.

    Raises
    ------
    ConfigError
        If a configuration has an unknown key or a value of the wrong type.
    WeightsError
        If the checkpoint is missing, or is not one that is safe to load.
    """
    if quiet:
        argv = [
            *argv,
            "--trainer.enable_progress_bar=false",
            "--trainer.enable_model_summary=false",
        ]
        for name in ("lightning.pytorch", "lightning.fabric"):
            logging.getLogger(name).setLevel(logging.WARNING)
    fitting = argv[:1] == ["fit"]
    if not fitting:
        # the logger would delete what the training wrote to its folder
        argv = [*argv, "--trainer.logger=false"]
    # CPU runs of a small model on purpose: these hints would be noise on every run
    warnings.filterwarnings("ignore", message=".*does not have many workers.*")
    warnings.filterwarnings("ignore", message=".*GPU available but not used.*")
    warnings.filterwarnings("ignore", message=".*args parameter is intended to run.*")
    # else jsonargparse spreads the dataclass over options and asks for its fields before linking
    set_parsing_settings(subclasses_enabled=[BuildContext])
    try:
        DecodingCLI(
            subclass_mode_model=True,
            subclass_mode_data=True,
            save_config_callback=ConfigWriter if fitting else None,
            seed_everything_default=0,
            parser_kwargs={"exit_on_error": False},
            args=argv,
        )
    except Exception as error:
        # jsonargparse wraps what a DataModule or a model raises: show the error itself
        if (ours := _own_error(error)) is not None:
            raise ours from error
        if isinstance(error, ArgumentError):
            raise ConfigError(_one_line(str(error), argv)) from error
        if isinstance(error, RuntimeError) and _LOST.search(str(error)):
            raise NeurodecodeError(
                "another process of this run ended, see its message above; go on from the last"
                " checkpoint: --ckpt_path FOLDER/last.ckpt"
            ) from error
        raise


def _own_error(error: BaseException | None) -> NeurodecodeError | None:
    """First error of ours in the chain of causes."""
    while error is not None:
        if isinstance(error, NeurodecodeError):
            return error
        error = error.__cause__ or error.__context__
    return None


def _one_line(message: str, argv: list[str]) -> str:
    """Cut jsonargparse's paragraphs down to the sentence that names the key."""
    configs = [argv[i + 1] for i, word in enumerate(argv[:-1]) if word == "--config"]
    lines = [re.sub(r"^[\s\-:>]+", "", line) for line in message.splitlines() if line.strip()]
    # of a wrong part of a model, jsonargparse lists every form it would have taken: keep the cause
    telling = [line for line in lines if _TELLING.search(line)]
    where = f"file {', '.join(configs)}: " if configs else ""
    text = " ".join(telling or lines)[:400]
    return f"{where}{text}; see `neurodecode {argv[0]} --print_config`"
