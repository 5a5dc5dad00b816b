"""`neurodecode attend evaluate`: scores of attention decoders against who was attended."""

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
    add("--profile", required=True, help="name of the set of runs")
    add("--stores", type=Path, required=True, nargs="+", metavar="DIR",
        help="stores that hold who was attended")  # fmt: skip
    add("--scores", type=Path, required=True, nargs="+", metavar="FILE", help="of `attend fit`")
    add("--out", type=Path, required=True, help="folder; gets metrics.json and tables/")


def run(args: argparse.Namespace) -> None:
    """Write records and tables.

    Parameters
    ----------
    args : argparse.Namespace
        Options of this step.

    Raises
    ------
    NeurodecodeError
        If a file is missing or belongs to other stores.
    """
    import pandas as pd

    from neurodecode import __version__
    from neurodecode.errors import DataError, about
    from neurodecode.evaluation.auditory.differences import attention_differences, credits_of
    from neurodecode.evaluation.auditory.outcomes import Outcomes, read_truth
    from neurodecode.evaluation.auditory.records import attention_records
    from neurodecode.evaluation.items import write_table
    from neurodecode.metrics.records import write_records
    from neurodecode.store.attention import read_attention, read_patterns
    from neurodecode.store.auditory import read_folder

    truths = {read_folder(folder)[0].dataset: folder for folder in args.stores}
    labels = {name: read_truth(folder) for name, folder in truths.items()}
    records, windows, posteriors, patterns, credit = [], [], [], [], []
    for path in args.scores:
        attrs, scores = read_attention(path)
        if attrs["dataset"] not in labels:
            raise DataError(
                f"scores of {attrs['dataset']}, for which no stores are given", file=path,
                fix="name its folder with --stores",
            )  # fmt: skip
        with about(file=path):
            outcomes = Outcomes(attrs, scores, labels[attrs["dataset"]])
        records += attention_records(outcomes, args.profile, __version__)
        credit.append(credits_of(outcomes))
        told = {name: attrs[name] for name in ("dataset", "method", "training", "leak", "channels")}
        windows.append(outcomes.windows().assign(**told))
        posteriors.append(outcomes.posteriors().assign(**told))
        shown = read_patterns(path)
        if shown is not None:
            table = pd.DataFrame(shown.values, index=list(shown.channels), columns=shown.lags_s)
            table = table.rename_axis("channel").reset_index()
            patterns.append(table.melt("channel", var_name="lag_s").assign(**told))
    differences = [attention_differences(credit)]
    tables = {
        "windows": windows, "posteriors": posteriors, "patterns": patterns,
        "differences": differences,
    }  # fmt: skip
    for name, parts in tables.items():
        parts = [part for part in parts if len(part)]
        if parts:
            table = pd.concat(parts, ignore_index=True)
            write_table(args.out / "tables" / f"attention_{name}.csv", table)
    write_records(args.out / "metrics.json", records)
