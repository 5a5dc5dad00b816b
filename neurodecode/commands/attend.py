"""`neurodecode attend`: who is listened to, from brain recordings of two or more talkers."""

from __future__ import annotations

import argparse
import importlib

HELP = "decode who is listened to: prepare, fit, evaluate, stream, follow"

#: Steps in the order of a study, and the module of each.
STEPS = {
    "prepare": "read a listening experiment: brain and sound at one rate",
    "fit": "train a decoder fold by fold, and score what was held out",
    "evaluate": "compare the scores with who was attended: metrics.json",
    "stream": "decide who is listened to while it is recorded",
    "extract": "take whoever is attended out of what both ears hear: WAV in, WAV out",
    "hear": "how well unheard talkers are extracted from mixtures: metrics.json",
    "steer": "the whole way: a decoder's posterior steers the extraction: metrics.json",
    "describe": "what the attended voice is like, and which transcript is its",
    "pack": "trained speaker encoder and extractor into one folder of weights",
    "follow": "how sensors follow the envelope: transfer functions, coherence, lags",
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options.

    Parameters
    ----------
    parser : argparse.ArgumentParser
        Parser of this command.
    """
    steps = parser.add_subparsers(dest="step", metavar="STEP", required=True)
    for name, text in STEPS.items():
        sub = steps.add_parser(name, help=text, description=text[0].upper() + text[1:] + ".")
        importlib.import_module(f"neurodecode.commands.attend_{name}").add_arguments(sub)


def run(args: argparse.Namespace) -> None:
    """Run one step.

    Parameters
    ----------
    args : argparse.Namespace
        Options of this command.

    Raises
    ------
    NeurodecodeError
        If recordings, stores or options cannot be used.
    """
    importlib.import_module(f"neurodecode.commands.attend_{args.step}").run(args)
