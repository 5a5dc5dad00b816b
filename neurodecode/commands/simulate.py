"""``neurodecode simulate``: write the bundled miniature world in NSD's layout."""

from __future__ import annotations

import argparse
import logging
import os

HELP = "write the bundled miniature fMRI world in the layout of the Natural Scenes Dataset"

_LOG = logging.getLogger(__name__)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options.

    Parameters
    ----------
    parser : argparse.ArgumentParser
        Parser of this command.
    """
    add = parser.add_argument
    add("--out", required=True, help="folder to write, e.g. data/raw/mini-fmri")
    add("--subjects", type=int, default=4, help="number of subjects")
    add("--images-per-subject", type=int, default=900, help="pictures only one subject sees")
    add("--shared", type=int, default=100, help="pictures all subjects see: the test set")
    add("--unshown", type=int, default=0,
        help="further pictures that nobody sees (default: none)")  # fmt: skip
    add("--repeats", type=int, default=3, help="how often each picture is shown")
    add("--image-size", type=int, default=64, help="side of the pictures in pixels")
    add("--seed", type=int, default=0, help="seed of everything")
    add("--jobs", type=int, default=min(4, os.cpu_count() or 1), help="processes")


def run(args: argparse.Namespace) -> None:
    """Run the command.

    Parameters
    ----------
    args : argparse.Namespace
        Parsed options.

    Raises
    ------
    NeurodecodeError
        If the world cannot be written; nothing is written then.
    """
    from neurodecode.datasets.mini.plan import MiniOptions
    from neurodecode.datasets.mini.simulate import simulate

    options = MiniOptions(
        n_subjects=args.subjects,
        images_per_subject=args.images_per_subject,
        shared=args.shared,
        repeats=args.repeats,
        seed=args.seed,
        image_size=args.image_size,
        unshown=args.unshown,
    )
    out = simulate(args.out, options, n_jobs=args.jobs, quiet=args.quiet)
    _LOG.info("wrote %s", out)
