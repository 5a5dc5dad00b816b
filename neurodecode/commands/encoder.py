"""`neurodecode encoder`: fit linear encoders that can be applied to any picture."""

from __future__ import annotations

import argparse
from pathlib import Path

from neurodecode.commands.encoder_options import add_encoder_options, read_features
from neurodecode.commands.stores import add_fold, add_stores, read_fold, store_paths

HELP = "fit linear encoders of pictures, to guide and to judge reconstructions"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options.

    Parameters
    ----------
    parser : argparse.ArgumentParser
        Parser of this command.
    """
    add_stores(parser)
    add_fold(parser)
    parser.add_argument(
        "--embeddings", type=Path, required=True, metavar="FILE",
        help="embedding store of the stimuli: the features of the encoder",
    )  # fmt: skip
    add_encoder_options(parser)


def run(args: argparse.Namespace) -> None:
    """Fit an encoder to the training trials of every subject.

    Parameters
    ----------
    args : argparse.Namespace
        Options of this command.

    Raises
    ------
    ConfigError
        If the fold does not exist.
    DataError
        If a store is missing or does not fit the split.
    """
    from joblib import Parallel, delayed

    from neurodecode.folders import atomic_folder
    from neurodecode.loaders.counts import open_responses
    from neurodecode.progress import progress_bar
    from neurodecode.store.encoders import encoder_path, write_encoder
    from neurodecode.tasks.linear_encoder import fit_linear_encoder

    split, features = read_fold(args), read_features(args, [args.embeddings])
    jobs = [
        delayed(fit_linear_encoder)(
            open_responses(path), split, args.fold, features,
            n_components=args.components, seed=args.seed,
        )
        for path in store_paths(args.stores, [])
    ]  # fmt: skip
    parallel = Parallel(n_jobs=args.jobs, return_as="generator")
    with (
        atomic_folder(args.out) as folder,
        progress_bar("fitting encoders", len(jobs), quiet=args.quiet) as advance,
    ):
        for done, encoder in enumerate(parallel(jobs), start=1):
            write_encoder(encoder_path(folder, encoder.subject), encoder)
            advance(done)
