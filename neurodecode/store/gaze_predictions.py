"""What a model of scanpaths says about test stimuli."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from neurodecode.errors import DataError
from neurodecode.files import atomic_path
from neurodecode.scanpaths import Scanpaths
from neurodecode.store.hdf5 import FORMAT_VERSION, get_dataset, open_store
from neurodecode.store.scanpaths import get_scanpaths, put_scanpaths

__all__ = ["GazePrediction", "read_gaze_prediction", "write_gaze_prediction"]


@dataclass(frozen=True)
class GazePrediction:
    """Predictions of one method for one data set.

    Parameters
    ----------
    method : str
        Stable name.
    scanpaths : Scanpaths
        Drawn scanpaths, one or more for each question (stimulus, task, target, caption).
    fold : array of int of shape (n_scanpaths,)
        In which fold each stimulus was test.
    human : array of int of shape (n_human,)
        Scanpaths of the data set whose fixations the density was asked for; none without density.
    fixations : mapping of str to array of shape (n_human_fixations,)
        For each of their fixations: ``log_density`` (nats per square pixel, given the fixations
        before it), ``nss`` and ``auc`` of that density.
    of_maps : mapping of str to array of shape (n_human,)
        For each of these scanpaths, of the density averaged over scanpaths that the model drew:
        ``auc_judd``, ``auc_shuffled``, ``cc``, ``sim``, ``kl``.
    maps : mapping of str to array of shape (rows, columns)
        Question (stimulus, task, target, caption, joined) -> log of that density.
    attrs : mapping
        Plain JSON values: how it was made.
    """

    method: str
    scanpaths: Scanpaths
    fold: np.ndarray
    human: np.ndarray = field(default_factory=lambda: np.zeros(0, np.int64))
    fixations: Mapping[str, np.ndarray] = field(default_factory=dict)
    of_maps: Mapping[str, np.ndarray] = field(default_factory=dict)
    maps: Mapping[str, np.ndarray] = field(default_factory=dict)
    attrs: Mapping[str, Any] = field(default_factory=dict)


def write_gaze_prediction(path: str | Path, prediction: GazePrediction) -> None:
    """Write predictions, complete or not at all.

    Parameters
    ----------
    path : path-like
        File to write.
    prediction : GazePrediction
        What to store.

    Raises
    ------
    DataError
        If there is no space for them.
    """
    with atomic_path(path) as temporary, h5py.File(temporary, "w", libver="latest") as file:
        file.attrs.update(
            kind="gaze predictions",
            format_version=FORMAT_VERSION,
            method=prediction.method,
            attrs=json.dumps(dict(prediction.attrs), sort_keys=True),
        )
        put_scanpaths(file.create_group("scanpaths"), prediction.scanpaths)
        file["fold"], file["human"] = prediction.fold, prediction.human
        for group in ("fixations", "of_maps"):
            for name, values in getattr(prediction, group).items():
                file[f"{group}/{name}"] = values
        maps = file.create_group("maps")
        for number, (name, values) in enumerate(sorted(prediction.maps.items())):
            item = maps.create_dataset(f"{number:05d}", data=values.astype(np.float32))
            item.attrs["question"] = name


def read_gaze_prediction(path: str | Path) -> GazePrediction:
    """Read predictions.

    Parameters
    ----------
    path : path-like
        File written by `write_gaze_prediction`.

    Returns
    -------
    GazePrediction
        The content.

    Raises
    ------
    DataError
        If the file is missing or broken.
    """
    with open_store(path, "gaze predictions") as file:
        if "scanpaths" not in file:
            raise DataError("no scanpaths", file=path, fix="run `neurodecode scanpath` again")
        return GazePrediction(
            method=str(file.attrs["method"]),
            scanpaths=get_scanpaths(file["scanpaths"]),
            fold=get_dataset(file, "fold")[...],
            human=get_dataset(file, "human")[...],
            fixations={name: item[...] for name, item in file.get("fixations", {}).items()},
            of_maps={name: item[...] for name, item in file.get("of_maps", {}).items()},
            maps={str(item.attrs["question"]): item[...] for item in file["maps"].values()},
            attrs=json.loads(file.attrs["attrs"]),
        )
