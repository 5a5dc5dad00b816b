"""`neurodecode augment`: predict responses to pictures that a subject never saw."""

from __future__ import annotations

import argparse
from pathlib import Path

from neurodecode.commands.encoder_options import add_encoder_options, read_features
from neurodecode.commands.stores import add_fold, add_stores, read_fold, store_paths

HELP = "predict responses to pictures a subject never saw, for training decoders"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options.

    Parameters
    ----------
    parser : argparse.ArgumentParser
        Parser of this command.
    """
    add_stores(parser, splits="splits.json; one that divides stimuli")
    add_fold(parser)
    parser.add_argument(
        "--embeddings", type=Path, nargs="+", required=True, metavar="FILE",
        help="embedding stores: the features of the encoder, also of unshown pictures",
    )  # fmt: skip
    add_encoder_options(parser)


def run(args: argparse.Namespace) -> None:
    """Fit an encoder to every subject and write what it predicts.

    Parameters
    ----------
    args : argparse.Namespace
        Options of this command.

    Raises
    ------
    ConfigError
        If the fold does not exist or the split divides runs.
    DataError
        If a store is missing or does not fit the split.
    """
    from joblib import Parallel, delayed

    from neurodecode.folders import atomic_folder
    from neurodecode.progress import progress_bar
    from neurodecode.store import ResponseStore
    from neurodecode.store.synthetic import write_synthetic
    from neurodecode.tasks.augment import synthesise

    split, features = read_fold(args), read_features(args, args.embeddings)
    pool = split.pool(args.fold, features.stores[0].ids)
    # as decoders read them: spike counts are counts here, not their square roots
    stores = [ResponseStore(path) for path in store_paths(args.stores, [])]
    jobs = [
        delayed(synthesise)(
            store, split, args.fold, features, pool, n_components=args.components, seed=args.seed
        )
        for store in stores
    ]
    parallel = Parallel(n_jobs=args.jobs, return_as="generator")
    with (
        atomic_folder(args.out) as folder,
        progress_bar("encoding unseen pictures", len(jobs), quiet=args.quiet) as advance,
    ):
        for done, synthetic in enumerate(parallel(jobs), start=1):
            write_synthetic(folder / f"sub-{synthetic.subject}.h5", synthetic)
            advance(done)
