"""Stretches of region time series: runs, and the windows of labelled blocks."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from neurodecode.errors import ConfigError, DataError
from neurodecode.splits import Split, run_keys
from neurodecode.store import ResponseStore

__all__ = ["Blocks", "read_blocks", "read_runs"]

#: Label of volumes in which nothing was shown or done.
REST = "rest"


@dataclass(frozen=True)
class Blocks:
    """One window for each block of one label.

    Parameters
    ----------
    series : array of float32 of shape (n_blocks, n_regions, n_volumes)
        Windows.
    label : array of str of shape (n_blocks,)
        What was shown or done.
    run : array of str of shape (n_blocks,)
        Run of each, as `run_keys` names it.
    """

    series: np.ndarray
    label: np.ndarray
    run: np.ndarray

    def of(self, runs: tuple[str, ...]) -> Blocks:
        """Take the blocks of some runs.

        Parameters
        ----------
        runs : tuple of str
            Which, as a fold lists them.

        Returns
        -------
        Blocks
            In the same order.
        """
        return self.rows(np.flatnonzero(np.isin(self.run, runs)))

    def rows(self, rows: np.ndarray) -> Blocks:
        """Take some blocks.

        Parameters
        ----------
        rows : array of int
            Which.

        Returns
        -------
        Blocks
            In this order.
        """
        return Blocks(self.series[rows], self.label[rows], self.run[rows])


def read_runs(store: ResponseStore, keys: tuple[str, ...] | None = None) -> dict[str, np.ndarray]:
    """Read whole runs.

    Parameters
    ----------
    store : ResponseStore
        Volumes as trials, of a reader of region series.
    keys : tuple of str, optional
        Which runs; all by default. No other is read.

    Returns
    -------
    dict of str to array of float32 of shape (n_regions, n_volumes)
        By run; those that the subject has.
    """
    names = run_keys(store.session, store.run)
    wanted = [name for name in dict.fromkeys(names.tolist()) if keys is None or name in keys]
    return {name: store.read(np.flatnonzero(names == name)).astype(np.float32).T for name in wanted}


def read_blocks(store: ResponseStore, n_volumes: int, delay: int = 0) -> Blocks:
    """Cut a window out of the time series for each block.

    Windows begin `delay` volumes after the block does and stay within its run; they may reach
    into the rest that follows, never into another block.

    Parameters
    ----------
    store : ResponseStore
        Volumes as trials; ``rest`` belongs to no block.
    n_volumes : int
        Length of the windows.
    delay : int
        Volumes between the beginnings of block and window (the response is late).

    Returns
    -------
    Blocks
        In the order of time.

    Raises
    ------
    ConfigError
        If a window would reach into another block or past the end of its run.
    DataError
        If there is no block.
    """
    label, runs = store.stimulus_id, run_keys(store.session, store.run)
    changed = (label[1:] != label[:-1]) | (runs[1:] != runs[:-1])
    edges = [0, *(np.flatnonzero(changed) + 1).tolist(), len(label)]
    starts = [begin for begin, _ in pairwise(edges) if label[begin] != REST]
    if not starts:
        raise DataError("no block: every volume is rest", file=store.path, subject=store.subject,
                        field="stimulus_id")  # fmt: skip
    windows = []
    for begin in starts:
        rows = np.arange(begin + delay, begin + delay + n_volumes)
        if rows[-1] >= len(label) or not _is_clear(rows, begin, label, runs):
            raise ConfigError(
                f"windows of {n_volumes} volumes, {delay} late, reach from {label[begin]} in"
                f" {runs[begin]} into what follows; give a shorter --window or --delay"
            )
        windows.append(store.read(rows).astype(np.float32).T)
    return Blocks(np.stack(windows), label[starts], runs[starts])


def _is_clear(rows: np.ndarray, begin: int, label: np.ndarray, runs: np.ndarray) -> bool:
    own = (label[rows] == label[begin]) | (label[rows] == REST)
    return bool(own.all() and (runs[rows] == runs[begin]).all())


def label_share(blocks: Blocks, share: float, rng: np.random.Generator) -> Blocks:
    """Keep a share of the labels, evenly over classes.

    Parameters
    ----------
    blocks : Blocks
        Of the training side.
    share : float
        Above 0, at most 1; at least one block of each class is kept.
    rng : numpy.random.Generator
        Chooses them.

    Returns
    -------
    Blocks
        In the same order.
    """
    kept = [
        rng.permutation(np.flatnonzero(blocks.label == name))[
            : max(1, round(share * (blocks.label == name).sum()))
        ]
        for name in np.unique(blocks.label)
    ]
    return blocks.rows(np.sort(np.concatenate(kept)))


def check_unit(split: Split) -> None:
    """Refuse a split that does not hold out whole runs.

    Parameters
    ----------
    split : Split
        Of the stores.

    Raises
    ------
    ConfigError
        If volumes of one run could be on two sides.
    """
    if split.unit != "run":
        raise ConfigError(
            f"split {split.scheme} divides by {split.unit}; time series are divided by run:"
            " prepare with --scheme leave-one-run-out"
        )
