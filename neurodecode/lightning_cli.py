"""LightningCLI as `neurodecode fit | validate | test | predict`."""

from __future__ import annotations

import logging
import re
import warnings

from jsonargparse import ArgumentError, set_parsing_settings
from lightning.pytorch.cli import LightningArgumentParser, LightningCLI, SaveConfigCallback

from neurodecode.context import BuildContext
from neurodecode.errors import ConfigError, NeurodecodeError

__all__ = ["DecodingCLI", "run_lightning"]


class DecodingCLI(LightningCLI):
    """LightningCLI that hands sizes read from the data to the model.

    A DataModule with a ``context`` property (`neurodecode.context.BuildContext`) and a model
    with a ``context`` argument are linked: no size is typed twice.
    """

    def add_arguments_to_parser(self, parser: LightningArgumentParser) -> None:
        """Link the build context.

        Parameters
        ----------
        parser : LightningArgumentParser
            Parser of one sub-command.
        """
        parser.link_arguments("data.context", "model.init_args.context", apply_on="instantiate")


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
            save_config_callback=SaveConfigCallback if fitting else None,
            save_config_kwargs={"overwrite": True},
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
    telling = [
        line for line in lines if re.search(r"not accept|Parser key|No module|Problem", line)
    ]
    where = f"file {', '.join(configs)}: " if configs else ""
    text = " ".join(telling or lines)[:400]
    return f"{where}{text}; see `neurodecode {argv[0]} --print_config`"
