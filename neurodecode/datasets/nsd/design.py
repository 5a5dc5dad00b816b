"""NSD's experimental design: which image each trial showed, and when."""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from neurodecode.datasets.nsd.paths import NsdPaths
from neurodecode.datasets.tables import read_table
from neurodecode.errors import DataError

__all__ = ["N_RUNS", "TRIALS_PER_SESSION", "Design", "read_design", "run_lengths"]

TRIALS_PER_SESSION, N_RUNS = 750, 12


@dataclass(frozen=True)
class Design:
    """All trials planned for one subject, in order; sessions may be missing on disk.

    Parameters
    ----------
    image : array of int of shape (n_trials,)
        Row of each trial's picture in ``imgBrick`` (0-based).
    session, run : array of int of shape (n_trials,)
        Both 1-based.
    shared : array of int
        Rows of the pictures shown to every subject.
    """

    image: np.ndarray
    session: np.ndarray
    run: np.ndarray
    shared: np.ndarray


def run_lengths(n_trials: int) -> np.ndarray:
    """Trials in each of the 12 runs of a session.

    Parameters
    ----------
    n_trials : int
        Trials in the session.

    Returns
    -------
    array of int of shape (12,)
        63 in odd and 62 in even runs for NSD's 750 trials; as even as possible otherwise, odd
        runs first.
    """
    base, extra = divmod(n_trials, N_RUNS)
    order = np.argsort(np.arange(N_RUNS) % 2, kind="stable")
    lengths = np.full(N_RUNS, base)
    lengths[order[:extra]] += 1
    return lengths


def read_design(paths: NsdPaths, subject: str) -> Design:
    """Read the design of one subject.

    `nsd_expdesign.mat` says what was shown. Where there is a `responses.tsv`, it says in which
    session and run; it must agree about what was shown. Without it a session is 750 trials in
    12 runs, as in NSD.

    Parameters
    ----------
    paths : NsdPaths
        Where the files are.
    subject : str
        Two digits.

    Returns
    -------
    Design
        The trials.

    Raises
    ------
    DataError
        If a file is missing or broken, or the two disagree.
    """
    file = paths.design
    mat = _load_mat(file, ("masterordering", "subjectim", "sharedix"))
    order = mat["masterordering"].ravel().astype(np.int64)
    images = np.atleast_2d(mat["subjectim"]).astype(np.int64)
    if int(subject) > len(images):
        raise DataError(
            f"{len(images)} subjects in the design", file=file, subject=subject, field="subjectim"
        )
    # ids are 1-based in the .mat file: 10k id -> 73k id -> row of imgBrick
    if order.size and not (order.min() >= 1 and order.max() <= images.shape[1]):
        raise DataError("10k id out of range", file=file, field="masterordering")
    rows = images[int(subject) - 1, order - 1] - 1
    shared = mat["sharedix"].ravel().astype(np.int64) - 1
    behaviour = paths.behaviour(subject)
    if not behaviour.is_file():
        number = np.arange(len(rows))
        within = np.repeat(np.arange(N_RUNS), run_lengths(TRIALS_PER_SESSION)) + 1
        session = number // TRIALS_PER_SESSION + 1
        return Design(rows, session, within[number % TRIALS_PER_SESSION], shared)
    table = _read_behaviour(behaviour)
    n = min(len(rows), len(table["73KID"]))
    differ = np.flatnonzero(table["73KID"][:n] - 1 != rows[:n])
    if len(table["73KID"]) > len(rows) or len(differ):
        where = f"trial {differ[0] + 1}" if len(differ) else f"{len(table['73KID'])} trials"
        raise DataError(
            f"does not agree with {file.name} ({where})",
            file=behaviour,
            subject=subject,
            field="73KID",
            fix="take both files from the same release",
        )
    return Design(rows[:n], table["SESSION"], table["RUN"], shared)


def _read_behaviour(path: Path) -> dict[str, np.ndarray]:
    table = read_table(path, ("SESSION", "RUN", "73KID"), sep="\t")
    try:
        return {name: np.array(values, dtype=float).astype(int) for name, values in table.items()}
    except ValueError as error:
        raise DataError(f"not a number ({error})", file=path, fix="download it again") from error


def _load_mat(path: Path, keys: tuple[str, ...]) -> dict[str, np.ndarray]:
    from scipy.io import loadmat
    from scipy.io.matlab import MatReadError

    if not path.is_file():
        raise DataError("file is missing", file=path, fix="download it (nsddata/experiments/nsd)")
    try:
        content = loadmat(path)
    except NotImplementedError as error:
        raise DataError(
            "MATLAB 7.3 file, NSD's is version 5", file=path, fix="download it again"
        ) from error
    except (MatReadError, ValueError, TypeError, OSError, EOFError, zlib.error, struct.error) as e:
        raise DataError(
            "file is truncated or is not a MATLAB file", file=path, fix="download it again"
        ) from e
    for key in keys:
        if key not in content:
            raise DataError("entry is missing", file=path, field=key, fix="download it again")
    return content
