"""What attention decoders say of each test trial: scores of windows, before anybody sees labels."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from neurodecode.errors import DataError
from neurodecode.files import atomic_path
from neurodecode.store.hdf5 import FORMAT_VERSION, open_store

__all__ = ["Patterns", "TrialScores", "read_attention", "read_patterns", "write_attention"]

_KIND, _ARRAYS = "attention", ("whole", "null", "log_likelihood")


@dataclass(frozen=True)
class TrialScores:
    """Scores of one test trial (or block of one).

    Parameters
    ----------
    subject, trial, source, fold : str
        Whose, which, of which whole trial, and of which division.
    start_s, seconds : float
        Where in the whole trial, and how long.
    windows : mapping of float to array of shape (n_windows, n_candidates)
        By length of the window in s; windows lie end to end.
    mismatch : mapping of float to array of shape (n_candidates, n_windows, n_windows)
        Scores of the brain of one window (row) with the sound of another (column).
    whole : array of shape (n_candidates,), optional
        Score of the whole trial.
    null : array of shape (n_candidates, n_shifts), optional
        The same with sound that is shifted against the brain.
    log_likelihood : array of shape (n_windows, n_candidates), optional
        Of short windows, for decisions over time.
    chosen : mapping
        What training chose.
    """

    subject: str
    trial: str
    source: str
    fold: str
    start_s: float
    seconds: float
    windows: Mapping[float, np.ndarray] = field(default_factory=dict)
    mismatch: Mapping[float, np.ndarray] = field(default_factory=dict)
    whole: np.ndarray | None = None
    null: np.ndarray | None = None
    log_likelihood: np.ndarray | None = None
    chosen: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Patterns:
    """How what a decoder rebuilds shows in the channels, mean over folds.

    Parameters
    ----------
    values : array of shape (n_channels, n_lags)
        Haufe patterns of the first feature, of unit norm in each fold.
    channels : tuple of str of length n_channels
        Names.
    lags_s : tuple of float of length n_lags
        Of the brain behind the sound.
    """

    values: np.ndarray
    channels: tuple[str, ...]
    lags_s: tuple[float, ...]


def write_attention(
    path: str | Path,
    attrs: Mapping[str, Any],
    scores: Iterable[TrialScores],
    patterns: Patterns | None = None,
) -> None:
    """Write the scores of a method.

    Parameters
    ----------
    path : path-like
        Target; complete or not at all.
    attrs : mapping
        Plain values: method, dataset, scheme, leak, seed, ...
    scores : iterable of TrialScores
        One for each test trial.
    patterns : Patterns, optional
        Of decoders that rebuild sound.
    """
    with atomic_path(path) as temporary, h5py.File(temporary, "w") as file:
        n = 0
        for n, each in enumerate(scores, start=1):
            group = file.create_group(f"trials/{n:06d}")
            words = ("subject", "trial", "source", "fold", "start_s", "seconds", "chosen")
            plain = {name: getattr(each, name) for name in words} | {"chosen": dict(each.chosen)}
            group.attrs["about"] = json.dumps(plain)
            for name in ("windows", "mismatch"):
                for seconds, values in getattr(each, name).items():
                    group.create_dataset(f"{name}/{seconds:g}", data=values)
            for name in _ARRAYS:
                if getattr(each, name) is not None:
                    group.create_dataset(name, data=getattr(each, name))
        if not n:
            raise DataError("no trial was scored", file=path)
        if patterns is not None:
            file.create_dataset("patterns", data=patterns.values)
            plain = {"channels": list(patterns.channels), "lags_s": list(patterns.lags_s)}
            file["patterns"].attrs["about"] = json.dumps(plain)
        file.attrs.update(kind=_KIND, format_version=FORMAT_VERSION, about=json.dumps(dict(attrs)))


def read_attention(path: str | Path) -> tuple[dict[str, Any], list[TrialScores]]:
    """Read the scores of a method.

    Parameters
    ----------
    path : path-like
        Written by `write_attention`.

    Returns
    -------
    attrs : dict
        Plain values.
    scores : list of TrialScores
        One for each test trial.
    """
    with open_store(path, _KIND) as file:
        attrs = json.loads(file.attrs["about"])
        return attrs, [_read(group) for group in file["trials"].values()]


def _read(group: h5py.Group) -> TrialScores:
    parts = {
        name: {float(key): values[:] for key, values in group[name].items()}
        for name in ("windows", "mismatch")
        if name in group
    }
    parts |= {name: group[name][:] for name in _ARRAYS if name in group}
    return TrialScores(**json.loads(group.attrs["about"]), **parts)


def read_patterns(path: str | Path) -> Patterns | None:
    """Read the patterns of a method.

    Parameters
    ----------
    path : path-like
        Written by `write_attention`.

    Returns
    -------
    Patterns or None
        None if it has none.
    """
    with open_store(path, _KIND) as file:
        if "patterns" not in file:
            return None
        about = json.loads(file["patterns"].attrs["about"])
        return Patterns(file["patterns"][:], tuple(about["channels"]), tuple(about["lags_s"]))
