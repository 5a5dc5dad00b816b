"""`neurodecode augment`: predict responses to pictures that a subject never saw."""

from __future__ import annotations

import argparse
from pathlib import Path

from neurodecode.errors import ConfigError

HELP = "predict responses to pictures a subject never saw, for training decoders"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options.

    Parameters
    ----------
    parser : argparse.ArgumentParser
        Parser of this command.
    """
    add = parser.add_argument
    add("--stores", type=Path, required=True, help="folder with sub-*.h5")
    add("--splits", type=Path, required=True, help="splits.json; one that divides stimuli")
    add("--fold", type=int, default=0, help="which fold (default: %(default)s)")
    add("--embeddings", type=Path, nargs="+", required=True, metavar="FILE",
        help="embedding stores: the features of the encoder, also of unshown pictures")  # fmt: skip
    add("--target", default="tokens", help="array of the embedding stores (default: %(default)s)")
    add("--components", type=int, default=200,
        help="principal components of the features (default: %(default)s)")  # fmt: skip
    add("--jobs", type=int, default=-1, help="processes (default: one for each core)")
    add("--seed", type=int, default=0, help="of the encoder's inner folds")
    add("--out", type=Path, required=True, help="folder to write, one file a subject")


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

    from neurodecode.commands.baseline import check_target, store_paths
    from neurodecode.folders import atomic_folder
    from neurodecode.progress import progress_bar
    from neurodecode.splits import read_split
    from neurodecode.store import EmbeddingStore, ResponseStore
    from neurodecode.store.synthetic import write_synthetic
    from neurodecode.tasks.augment import synthesise
    from neurodecode.tasks.baselines import Features

    if args.components < 1:
        raise ConfigError(f"--components is {args.components}; give a positive number")
    split = read_split(args.splits)
    if not 0 <= args.fold < len(split.folds):
        raise ConfigError(f"--fold {args.fold} does not exist; there are {len(split.folds)}")
    features = Features([EmbeddingStore(path) for path in args.embeddings], args.target)
    check_target(features)
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
