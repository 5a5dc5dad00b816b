"""`neurodecode report`: put pictures, tables and figures on one HTML page."""

from __future__ import annotations

import argparse
from pathlib import Path

__all__ = ["HELP", "add_arguments", "run"]

HELP = "put pictures, tables and figures on one HTML page"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options.

    Parameters
    ----------
    parser : argparse.ArgumentParser
        Parser of this command.
    """
    add = parser.add_argument
    add("--profile", required=True, help="name of the set of runs (mini, real)")
    add("--metrics", type=Path, required=True, metavar="FILE", help="metrics.json of `evaluate`")
    add("--tables", type=Path, metavar="DIR", help="its tables (default: tables/ beside metrics)")
    add("--stores", type=Path, nargs="*", default=[], metavar="DIR", help="one for each data set")
    add("--predictions", type=Path, nargs="*", default=[], metavar="FILE", help="files to list")
    add("--reconstructions", type=Path, nargs="*", default=[], metavar="FILE", help="with images")
    add("--routes", type=Path, nargs="*", default=[], metavar="DIR",
        help="folders of `neurodecode routes`: where encoders look")  # fmt: skip
    add("--mechanisms", type=Path, metavar="FILE",
        help="file of `neurodecode bench attention --brains`")  # fmt: skip
    add("--runs", type=Path, metavar="DIR", help="folder of the trainings, for their curves")
    add("--params", type=Path, metavar="FILE", help="parameter file of the pipeline")
    add("--out", type=Path, required=True, metavar="FILE", help="the page, e.g. index.html")
    add("--figures", type=Path, metavar="DIR", help="PNG figures (default: figures/ beside out)")


def run(args: argparse.Namespace) -> None:
    """Write the page and the figures.

    Parameters
    ----------
    args : argparse.Namespace
        Options of this command.

    Raises
    ------
    DataError
        If a file that was named is missing or broken.
    """
    from neurodecode.analysis.profile import Profile, open_stores
    from neurodecode.analysis.sources import open_predictions
    from neurodecode.errors import DataError
    from neurodecode.report.page import write_figures, write_page

    for path in (args.tables, args.runs, args.params):
        if path is not None and not path.exists():
            raise DataError("not found", file=path, fix="run the stage that makes it")
    profile = Profile(
        name=args.profile,
        metrics=args.metrics,
        tables=args.tables or args.metrics.parent / "tables",
        stores=open_stores(args.stores),
        predictions=open_predictions([*args.predictions, *args.reconstructions]),
        runs=args.runs,
        params=args.params,
        routes=tuple(args.routes),
        mechanisms=args.mechanisms,
    )
    write_page(profile, args.out)
    write_figures(profile, args.figures or args.out.parent / "figures")
