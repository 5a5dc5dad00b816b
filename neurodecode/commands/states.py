"""`neurodecode states`: which block a window of region time series was recorded in."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from neurodecode.errors import ConfigError

if TYPE_CHECKING:
    from neurodecode.regions.classify import Fitter
    from neurodecode.splits import Fold

__all__ = ["HELP", "add_arguments", "run"]

HELP = "classify blocks from time series of regions: connectivity, or a pretrained encoder"
#: Methods that need encoders; the last two only to build the same with random weights.
_ENCODED = ("probe", "finetune", "random_probe", "scratch")
METHODS = ("mean_activity", "connectivity", "dynamic_connectivity", *_ENCODED)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options.

    Parameters
    ----------
    parser : argparse.ArgumentParser
        Parser of this command.
    """
    add = parser.add_argument
    add("--stores", type=Path, required=True,
        help="folder of `neurodecode prepare` of a data set of region series")  # fmt: skip
    add("--method", choices=METHODS, required=True,
        help="baselines; probe: frozen pretrained encoder; finetune: trained on; random_probe and"
        " scratch: the same encoder from random weights")  # fmt: skip
    add("--encoders", type=Path, metavar="FOLDER",
        help="pretrained encoders: FOLDER/fold-0, fold-1, ... of `neurodecode fit`")  # fmt: skip
    add("--window", type=int, default=9, metavar="VOLUMES",
        help="length of a window (default: %(default)s)")  # fmt: skip
    add("--delay", type=int, default=0, metavar="VOLUMES",
        help="between the beginnings of block and window (default: %(default)s)")  # fmt: skip
    add("--share", type=float, default=1.0,
        help="share of the training labels that are used (default: all)")  # fmt: skip
    add("--head", choices=("by_region", "attentive"), default="by_region",
        help="what reads the encoder's tokens (default: %(default)s)")  # fmt: skip
    add("--side", choices=("test", "validation"), default="test",
        help="what is classified (default: %(default)s)")  # fmt: skip
    add("--steps", type=int, default=60, help="of the read-out (default: %(default)s)")
    add("--tuning-steps", type=int, default=15,
        help="of finetune and scratch, with the encoder (default: %(default)s)")  # fmt: skip
    add("--lr", type=float, default=1e-3, help="peak learning rate (default: %(default)g)")
    add("--seed", type=int, default=0, help="of labels, beginnings and dropout")
    add("--out", type=Path, required=True, help="file of predictions, .h5")


def run(args: argparse.Namespace) -> None:
    """Train and classify, fold by fold.

    Parameters
    ----------
    args : argparse.Namespace
        Options of this command.

    Raises
    ------
    NeurodecodeError
        If options, stores or encoders cannot be used, or an encoder knows the test runs.
    """
    from neurodecode.progress import progress_bar
    from neurodecode.regions.classify import classify_fold
    from neurodecode.regions.datamodule import open_series
    from neurodecode.regions.windows import check_unit, read_blocks
    from neurodecode.splits import read_split
    from neurodecode.store import write_predictions

    _check(args)
    split = read_split(args.stores / "splits.json")
    check_unit(split)
    blocks = {
        store.subject: read_blocks(store, args.window, args.delay)
        for store in open_series(args.stores)
    }
    found = []
    with progress_bar(f"states {args.method}", len(split.folds), quiet=args.quiet) as advance:
        for number, fold in enumerate(split.folds):
            fit = _fitter(args, fold, number)
            found += classify_fold(blocks, fold, number, fit, args.share, args.side, args.seed)
            advance(number + 1)
    write_predictions(args.out, _name(args), found, _attrs(args))


def _name(args: argparse.Namespace) -> str:
    """Name of the method in the tables, e.g. ``probe@25%``."""
    attentive = args.encoders is not None and args.head == "attentive"
    name = f"attentive_{args.method}" if attentive else args.method
    return name if args.share == 1 else f"{name}@{args.share:.0%}"


def _check(args: argparse.Namespace) -> None:
    if not 0 < args.share <= 1:
        raise ConfigError(f"--share is {args.share:g}; give a share above 0, up to 1")
    if (args.method in _ENCODED) != (args.encoders is not None):
        which = "needs" if args.method in _ENCODED else "takes no"
        raise ConfigError(f"--method {args.method} {which} --encoders")
    if min(args.window, args.steps, args.tuning_steps) < 1 or args.delay < 0:
        raise ConfigError("--window and steps must be positive, --delay not negative")


def _fitter(args: argparse.Namespace, fold: Fold, number: int) -> Fitter:
    """How a fold's classifier is fitted."""
    from neurodecode.regions.classify import baseline_fitter, encoder_fitter
    from neurodecode.regions.encoders import open_encoder
    from neurodecode.regions.probe import ProbeOptions

    if args.encoders is None:
        return baseline_fitter(args.method)
    encoder = open_encoder(
        args.encoders / f"fold-{number}",
        fold.digest,
        trained=args.method in ("probe", "finetune"),
        seed=args.seed,
    )
    options = ProbeOptions(
        frozen=args.method.endswith("probe"),
        n_steps=args.steps,
        n_tuning_steps=args.tuning_steps,
        lr=args.lr,
        head=args.head,
    )
    return encoder_fitter(encoder, options, args.seed)


def _attrs(args: argparse.Namespace) -> dict[str, Any]:
    settings: dict[str, Any] = {"window": args.window, "label_share": args.share}
    if args.encoders is not None:
        settings["head"] = args.head
    return {
        "task": "classification", "side": args.side, "selection_split": "validation",
        "seed": args.seed, "settings": settings,
    }  # fmt: skip
