"""`neurodecode encoder`: fit linear encoders that can be applied to any picture."""

from __future__ import annotations

import argparse
from pathlib import Path

from neurodecode.errors import ConfigError

HELP = "fit linear encoders of pictures, to guide and to judge reconstructions"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options.

    Parameters
    ----------
    parser : argparse.ArgumentParser
        Parser of this command.
    """
    add = parser.add_argument
    add("--stores", type=Path, required=True, help="folder with sub-*.h5")
    add("--splits", type=Path, required=True, help="splits.json")
    add("--fold", type=int, default=0, help="which fold (default: %(default)s)")
    add("--embeddings", type=Path, required=True, metavar="FILE",
        help="embedding store of the stimuli: the features of the encoder")  # fmt: skip
    add("--target", default="tokens", help="array of the embedding store (default: %(default)s)")
    add("--components", type=int, default=200,
        help="principal components of the features (default: %(default)s)")  # fmt: skip
    add("--jobs", type=int, default=-1, help="processes (default: one for each core)")
    add("--seed", type=int, default=0, help="of the encoder's inner folds")
    add("--out", type=Path, required=True, help="folder to write, one file a subject")


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

    from neurodecode.commands.baseline import check_target, store_paths
    from neurodecode.folders import atomic_folder
    from neurodecode.loaders.counts import open_responses
    from neurodecode.progress import progress_bar
    from neurodecode.splits import read_split
    from neurodecode.store import EmbeddingStore
    from neurodecode.store.encoders import encoder_path, write_encoder
    from neurodecode.tasks.baselines import Features
    from neurodecode.tasks.linear_encoder import fit_linear_encoder

    if args.components < 1:
        raise ConfigError(f"--components is {args.components}; give a positive number")
    split = read_split(args.splits)
    if not 0 <= args.fold < len(split.folds):
        raise ConfigError(f"--fold {args.fold} does not exist; there are {len(split.folds)}")
    features = Features([EmbeddingStore(args.embeddings)], args.target)
    check_target(features)
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
