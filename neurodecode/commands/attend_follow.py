"""`neurodecode attend follow`: how sensors follow the envelope, against surrogates."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from neurodecode.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pandas as pd

    from neurodecode.store.auditory import AuditoryStore

#: Bands in Hz.
BANDS = {"delta": (0.5, 4.0), "theta": (4.0, 8.0), "alpha": (8.0, 13.0), "beta": (13.0, 30.0)}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options.

    Parameters
    ----------
    parser : argparse.ArgumentParser
        Parser of this step.
    """
    add = parser.add_argument
    add("--stores", type=Path, required=True, help="folder of `attend prepare`")
    add("--segment", type=float, default=4.0, metavar="S",
        help="windows of the spectra (default: %(default)g)")  # fmt: skip
    add("--method", choices=("H1", "H2", "Hv"), default="H1",
        help="noise is in the sensors, the envelope, or both (default: H1)")  # fmt: skip
    add("--longest-lag", type=float, default=0.5, metavar="S",
        help="of the lagged correlation (default: %(default)g)")  # fmt: skip
    add("--shifts", type=int, default=99, help="surrogates (default: %(default)s)")
    add("--seed", type=int, default=0, help="of the shifts")
    add("--out", type=Path, required=True, help="folder; gets following.csv, maps.png")


def run(args: argparse.Namespace) -> None:
    """Write table and maps.

    Parameters
    ----------
    args : argparse.Namespace
        Options of this step.

    Raises
    ------
    NeurodecodeError
        If a store cannot be read, or trials are too short for the segments.
    """
    import pandas as pd

    from neurodecode.evaluation.items import write_table
    from neurodecode.store.auditory import read_folder

    if args.shifts < 19:
        raise ConfigError(f"--shifts {args.shifts}: fewer than 19 allow no p of .05")
    table = pd.concat(
        [part for store in read_folder(args.stores) for part in _subject(store, args)],
        ignore_index=True,
    )
    write_table(args.out / "following.csv", table)
    from neurodecode.report.figures.topography import save_maps

    save_maps(table, args.out / "maps.png")


def _subject(store: AuditoryStore, args: argparse.Namespace) -> Iterator[pd.DataFrame]:
    """One row for each band and channel."""
    import numpy as np

    from neurodecode.auditory.following_table import following_table

    trials = store.trials()
    recipe = store.about
    high = recipe.get("high_hz") or trials[0].sfreq / 2
    low = recipe.get("low_hz") or 0.0
    bands = {
        name: (max(a, low), min(b, high)) for name, (a, b) in BANDS.items() if a < high and b > low
    }
    yield following_table(
        trials,
        bands,
        segment_s=args.segment,
        method=args.method,
        longest_lag_s=args.longest_lag,
        n_shifts=args.shifts,
        rng=np.random.default_rng(args.seed),
    ).assign(dataset=store.dataset)
