"""The command line: one command for each step of a study, in the order they are used."""

from __future__ import annotations

import argparse
import importlib
import logging
import os
import sys
from collections.abc import Sequence

from neurodecode import __version__
from neurodecode.errors import NeurodecodeError, naming_full_disk

__all__ = ["main"]

#: Commands in the order in which a study uses them. The first four words of LightningCLI take
#: their own options, and are handed over unparsed.
COMMANDS = {
    "simulate": "write the bundled miniature world in the layout of a real data set",
    "locate": "find the real recordings in a folder and note where they are",
    "prepare": "read a data set: stores of responses and stimuli, checked splits",
    "align": "bring the responses of all subjects into one space",
    "embed": "embed the stimuli with an image or image-text model",
    "augment": "predict responses to pictures a subject never saw, for training decoders",
    "encoder": "fit linear encoders of pictures, to guide and to judge reconstructions",
    "fit": "train a model (LightningCLI: --config FILE, --print_config, ...)",
    "validate": "score a trained model on the validation set (LightningCLI)",
    "test": "run a trained model on the test set (LightningCLI)",
    "predict": "write a trained model's predictions (LightningCLI)",
    "adapt": "make a trained model fit for a subject it has never seen, after a few trials",
    "baseline": "fit a linear baseline and write its predictions",
    "timecourse": "decode MEG and EEG from windows of time: when is what known?",
    "routes": "attention maps of an encoder, beside occlusion and, if known, the truth",
    "attend": "decode who is listened to: prepare, fit, evaluate, follow",
    "states": "classify blocks from time series of regions: connectivity, or a pretrained encoder",
    "combine": "rank by several methods together, weighed on the validation set",
    "reconstruct": "turn decoded embeddings into pictures",
    "posterior": "reconstruct from a bank of pictures: their mean under an encoder's likelihood",
    "bank": "build and search large banks of pictures and captions",
    "caption": "give decoded embeddings or pictures the closest caption of those there are",
    "refine": "go over reconstructions with SDXL, told by a caption what they show",
    "scanpath": "predict where people look, and compare models with viewers",
    "evaluate": "compare predictions with the truth: metrics.json",
    "report": "put pictures, tables and figures on one HTML page",
    "export": "put a trained decoder into a folder that is loaded without data",
    "stream": "decode while the recording is made: Lab Streaming Layer in, decisions out",
    "bench": "measure time and memory of every attention mechanism on this machine",
}
LIGHTNING = ("fit", "validate", "test", "predict")


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line.

    Parameters
    ----------
    argv : sequence of str, optional
        Arguments without the program's name; ``sys.argv[1:]`` by default.

    Returns
    -------
    int
        Exit code: 0 on success, 2 for an error that the user can mend.
    """
    argv = list(sys.argv[1:] if argv is None else argv)
    quiet = "--quiet" in argv
    argv = [word for word in argv if word != "--quiet"]
    logging.basicConfig(
        level=logging.WARNING if quiet else logging.INFO, format="%(message)s", stream=sys.stderr
    )
    # model hubs are never asked unless the user says so
    os.environ.setdefault("HF_HUB_OFFLINE", "1")
    # waiting threads sleep instead of spinning: on a shared machine small models otherwise spend
    # most of their time in barriers (a decoder step took 1.5 s of CPU instead of .1 s)
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    try:
        # our own writers name their file; others' (checkpoints, logs) at least end in one line
        with naming_full_disk():
            _run(argv, quiet)
    except NeurodecodeError as error:
        message = " ".join(str(error).split())
        sys.stderr.write(f"neurodecode: error: {message}\n")
        return 2
    except BrokenPipeError:
        return 0
    except OSError as error:
        if error.filename is None:
            raise
        # the system refused a file: no permission, a folder in its place, ...
        sys.stderr.write(f"neurodecode: error: file {error.filename}: {error.strerror}\n")
        return 2
    return 0


def _run(argv: list[str], quiet: bool) -> None:
    if argv and argv[0] in LIGHTNING:
        from neurodecode.lightning_cli import run_lightning

        run_lightning(argv, quiet=quiet)
    else:
        _run_command(argv, quiet)


def _run_command(argv: list[str], quiet: bool) -> None:
    parser = argparse.ArgumentParser(
        prog="neurodecode",
        description="Decode what a person saw, looked at or listened to from brain recordings.",
        epilog="`neurodecode COMMAND --help` tells the options of a command.",
    )
    parser.add_argument("--version", action="version", version=f"neurodecode {__version__}")
    parser.add_argument("--quiet", action="store_true", help="no progress bars, warnings only")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    # only the command that runs is imported: start-up is part of speed
    wanted = next((word for word in argv if word in COMMANDS), None)
    module = None
    for name, text in COMMANDS.items():
        sub = commands.add_parser(name, help=text, description=text[0].upper() + text[1:] + ".")
        if name == wanted and name not in LIGHTNING:
            module = importlib.import_module(f"neurodecode.commands.{name}")
            module.add_arguments(sub)
    args = parser.parse_args(argv)
    args.quiet = quiet
    assert module is not None  # argparse has exited otherwise
    module.run(args)


if __name__ == "__main__":
    sys.exit(main())
