"""`neurodecode timecourse`: decode from each window of a trial by itself."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from neurodecode.commands.stores import add_stores, store_paths
from neurodecode.errors import ConfigError

if TYPE_CHECKING:
    from neurodecode.tasks.baselines import Features
    from neurodecode.tasks.timecourse import WindowPlan

HELP = "decode MEG and EEG from windows of time: when is what known?"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options.

    Parameters
    ----------
    parser : argparse.ArgumentParser
        Parser of this command.
    """
    add = parser.add_argument
    add_stores(parser)
    add("--embeddings", type=Path, nargs="+", required=True, metavar="FILE",
        help="embedding stores that hold the targets")  # fmt: skip
    add("--target", nargs="+", default=["tokens"], metavar="NAME",
        help="arrays to decode: a low-level one (latent, energy) and a high-level one (tokens,"
        " pooled), say (default: tokens)")  # fmt: skip
    add(
        "--growing",
        action="store_true",
        help="windows from --from to later and later ends, instead of windows of one width",
    )
    add("--window", type=float, default=50.0, metavar="MS",
        help="width of a window in ms (default: %(default)g)")  # fmt: skip
    add("--step", type=float, default=20.0, metavar="MS",
        help="distance of two windows in ms (default: %(default)g)")  # fmt: skip
    add(
        "--from",
        dest="low",
        type=float,
        metavar="S",
        help="earliest sample, in s after stimulus onset (default: the first of the trial)",
    )
    add("--to", dest="high", type=float, metavar="S", help="latest sample (default: the last)")
    add(
        "--generalise",
        action="store_true",
        help="also decode every window by the model of every other one",
    )
    add(
        "--decoded",
        action="store_true",
        help="also store what is decoded itself, to draw it: `reconstruct --first N`",
    )
    add(
        "--components",
        type=int,
        default=50,
        help="principal components of each target, fitted in the fold (default: %(default)s)",
    )
    add(
        "--whitening",
        type=float,
        default=0.0,
        help="power of its standard deviation by which a component is divided",
    )
    add("--repeats", type=int, metavar="K",
        help="average K repeats of a stimulus at a time where it is decoded, 1 for single trials"
        " (default: all there are)")  # fmt: skip
    add("--folds", type=int, nargs="+", default=[], help="which folds (default: all)")
    add("--subjects", nargs="+", default=[], help="which subjects (default: all in the folder)")
    add("--jobs", type=int, default=-1, help="processes (default: one for each core)")
    add("--seed", type=int, default=0, help="of the inner folds")
    add("--name", default="ridge", help="name under which the scores appear (default: ridge)")
    add("--out", type=Path, required=True,
        help="folder; gets sliding-TARGET.h5 or growing-TARGET.h5 of each target")  # fmt: skip


def run(args: argparse.Namespace) -> None:
    """Decode all windows of all subjects and folds.

    Parameters
    ----------
    args : argparse.Namespace
        Options of this command.

    Raises
    ------
    ConfigError
        If the options do not fit together, or no window fits.
    DataError
        If a store is missing, has no time axis or does not fit the split.
    """
    from joblib import Parallel, delayed

    from neurodecode.commands.baseline import ridge_target
    from neurodecode.progress import progress_bar
    from neurodecode.splits import read_split
    from neurodecode.store import EmbeddingStore, ResponseStore, write_predictions
    from neurodecode.tasks.baselines import LinearOptions
    from neurodecode.tasks.timecourse import decode_windows, epoch_times

    plan, split = _plan(args), read_split(args.splits)
    if unknown := [fold for fold in args.folds if not 0 <= fold < len(split.folds)]:
        raise ConfigError(f"--folds {unknown[0]} does not exist; there are {len(split.folds)}")
    stores = [ResponseStore(path) for path in store_paths(args.stores, args.subjects)]
    for store in stores:
        plan.windows(epoch_times(store))
    files = [EmbeddingStore(path) for path in args.embeddings]
    targets = [ridge_target(files, name) for name in args.target]
    options = LinearOptions(args.components, args.whitening, seed=args.seed, repeats=args.repeats)
    jobs = [
        delayed(decode_windows)(store, split, fold, targets, plan, options)
        for store in stores
        for fold in args.folds or range(len(split.folds))
    ]
    parts = []
    with progress_bar("timecourse", len(jobs), quiet=args.quiet) as advance:
        for part in Parallel(n_jobs=args.jobs, return_as="generator")(jobs):
            parts.append(part)
            advance(len(parts))
    kind = "growing" if plan.growing else "sliding"
    for number, target in enumerate(targets):
        write_predictions(
            args.out / f"{kind}-{target.target}.h5",
            args.name,
            [each for part in parts for each in part[number]],
            _attrs(args, target, kind, stores[0].dataset),
        )


def _plan(args: argparse.Namespace) -> WindowPlan:
    from neurodecode.tasks.timecourse import WindowPlan

    if len(set(args.target)) < len(args.target):
        raise ConfigError(f"--target {' '.join(args.target)}: name each only once")
    if args.growing and args.generalise:
        raise ConfigError("--generalise needs windows of one width: leave --growing out")
    for option in ("window", "step", "components", "repeats"):
        value = getattr(args, option)
        if value is not None and value <= 0:
            raise ConfigError(f"--{option} is {value:g}; give a positive number")
    limits = None
    if args.low is not None or args.high is not None:
        low = float("-inf") if args.low is None else args.low
        high = float("inf") if args.high is None else args.high
        if low >= high:
            raise ConfigError(f"--from {low:g} is not before --to {high:g}")
        limits = (max(low, -1e6), min(high, 1e6))
    return WindowPlan(
        args.growing, args.window / 1000, args.step / 1000, limits, args.generalise, args.decoded
    )


def _attrs(args: argparse.Namespace, target: Features, kind: str, dataset: str) -> dict[str, Any]:
    store = target.stores[0]
    made_by = store.attrs.get("embedder")
    return {
        "task": "identification",
        "side": "test",
        "dataset": dataset,
        "selection_split": "train",
        "transductive": False,
        "seed": args.seed,
        "embedding": store.path.stem,
        "embedding_fingerprint": store.fingerprint,
        "target": target.target,
        "scale": "cosine",
        "windows": kind,
        # `reconstruct` gives it to no generator of another embedding
        **({"embedding_model": made_by} if made_by else {}),
    }
