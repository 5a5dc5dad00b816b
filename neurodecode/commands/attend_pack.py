"""`neurodecode attend pack`: trained speaker encoder and extractor into one folder of weights."""

from __future__ import annotations

import argparse
from pathlib import Path


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options.

    Parameters
    ----------
    parser : argparse.ArgumentParser
        Parser of this step.
    """
    add = parser.add_argument
    add("--speaker", type=Path, required=True, metavar="CKPT", help="speaker encoder, of `fit`")
    add("--extractor", type=Path, required=True, metavar="CKPT", help="extractor, of `fit`")
    add("--out", type=Path, required=True, help="folder; gets safetensors, configs, checksums")


def run(args: argparse.Namespace) -> None:
    """Write the folder.

    Parameters
    ----------
    args : argparse.Namespace
        Options of this step.

    Raises
    ------
    NeurodecodeError
        If a checkpoint cannot be used, or the two were not trained together.
    """
    from neurodecode.errors import WeightsError
    from neurodecode.hearing.weights import load_encoder, load_extractor, write_bundle

    encoder, extractor = load_encoder(args.speaker), load_extractor(args.extractor)
    if encoder.dim != extractor.options["dim"]:
        raise WeightsError(
            f"file {args.extractor}: made for embeddings of {extractor.options['dim']}, the speaker"
            f" encoder gives {encoder.dim}; train it with --data.speaker={args.speaker}"
        )
    write_bundle(args.out, encoder, extractor)
