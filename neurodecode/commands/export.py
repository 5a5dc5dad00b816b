"""`neurodecode export`: a trained decoder as a folder to keep, pass on or upload."""

from __future__ import annotations

import argparse
from pathlib import Path

__all__ = ["HELP", "add_arguments", "run"]

HELP = "put a trained decoder into a folder that is loaded without data"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options.

    Parameters
    ----------
    parser : argparse.ArgumentParser
        Parser of this command.
    """
    parser.add_argument("--checkpoint", type=Path, required=True, help="checkpoint of a decoder")
    parser.add_argument(
        "--out",
        type=Path,
        required=True,
        help="folder: model.safetensors, config.json, README.md",
    )
    parser.add_argument(
        "--config", type=Path, help="config.yaml of the training; by default beside the checkpoint"
    )
    parser.add_argument("--metrics", type=Path, help="metrics.json with its scores, for the card")
    parser.add_argument("--method", default="decoder", help="its name in metrics.json")


def run(args: argparse.Namespace) -> None:
    """Export the decoder.

    Parameters
    ----------
    args : argparse.Namespace
        Options of this command.

    Raises
    ------
    NeurodecodeError
        If checkpoint, configuration or scores are missing, broken or do not belong together.
    """
    from neurodecode.pretrained.checkpoint import from_checkpoint

    from_checkpoint(args.checkpoint, args.config, args.metrics, args.method).save(args.out)
