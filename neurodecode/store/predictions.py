"""What a method says about each test stimulus, in one format for every method."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from neurodecode.errors import DataError
from neurodecode.files import atomic_path
from neurodecode.folders import reserve
from neurodecode.store.hdf5 import FORMAT_VERSION, open_store, read_strings, write_strings

__all__ = ["Prediction", "read_predictions", "read_window", "write_predictions"]


@dataclass(frozen=True)
class Prediction:
    """Predictions of one method for one subject and one fold.

    Parameters
    ----------
    subject : str
        Subject.
    stimulus_id : sequence of str of length n
        Stimulus of each row.
    arrays : mapping of str to array of shape (n, ...)
        ``tokens`` (decoded embedding), ``latent``, ``images`` (reconstructions), ``responses``
        (predicted), or ``scores`` of shape (n, n_candidates): how well each candidate
        explains each response.
    candidate_id : sequence of str of length n_candidates
        Columns of ``scores``.
    n_averaged : float
        How many repeats the responses were averaged over (mean over stimuli).
    fold : int
        Which fold of the split.
    n_trials : int or None
        How many training trials of the subject the method saw, where that is what is varied.
    window : tuple of float or None
        First and last time of what was decoded, in seconds after the onset of the stimulus, where
        decoding was resolved in time.
    """

    subject: str
    stimulus_id: Sequence[str]
    arrays: Mapping[str, np.ndarray]
    candidate_id: Sequence[str] = ()
    n_averaged: float = 1.0
    fold: int = 0
    n_trials: int | None = None
    window: tuple[float, float] | None = None

    def array(self, name: str) -> np.ndarray:
        """Get an array that has to be there.

        Parameters
        ----------
        name : str
            ``images``, ``scores``, ...

        Returns
        -------
        array of shape (n, ...)
            The values.

        Raises
        ------
        DataError
            If there is no such array; the known ones are listed.
        """
        if name not in self.arrays:
            raise DataError(
                f"no array {name!r} (found: {', '.join(sorted(self.arrays)) or 'none'})",
                subject=self.subject,
                field="arrays",
                fix="run the stage that writes the predictions again",
            )
        return self.arrays[name]


@dataclass(frozen=True)
class PredictionFile:
    """Content of a file of predictions.

    Parameters
    ----------
    method : str
        Stable name of the method (``ridge``, ``encoder_likelihood``, ``decoder``, ...).
    predictions : list of Prediction
        One for each subject and fold.
    attrs : mapping
        How they were made: ``selection_split``, ``transductive``, ``seed``, ...
    """

    method: str
    predictions: list[Prediction] = field(default_factory=list)
    attrs: Mapping[str, Any] = field(default_factory=dict)


def write_predictions(
    path: str | Path,
    method: str,
    predictions: Sequence[Prediction],
    attrs: Mapping[str, Any] | None = None,
) -> None:
    """Write predictions, complete or not at all.

    Parameters
    ----------
    path : path-like
        File to write.
    method : str
        Stable name of the method.
    predictions : sequence of Prediction
        One for each subject and fold.
    attrs : mapping, optional
        Plain JSON values that every MetricRecord must repeat.

    Raises
    ------
    DataError
        If there is no space for them.
    """
    arrays = [values for each in predictions for values in each.arrays.values()]
    with atomic_path(path) as temporary:
        reserve(temporary.parent, sum(np.asarray(values).nbytes for values in arrays))
        with h5py.File(temporary, "w", libver="latest") as file:
            file.attrs.update(
                kind="predictions",
                format_version=FORMAT_VERSION,
                method=method,
                attrs=json.dumps(dict(attrs or {}), sort_keys=True),
            )
            for number, prediction in enumerate(predictions):
                _write_prediction(file.create_group(f"{number:04d}"), prediction)


def _write_prediction(group: h5py.Group, prediction: Prediction) -> None:
    group.attrs.update(
        subject=prediction.subject, n_averaged=prediction.n_averaged, fold=prediction.fold
    )
    if prediction.n_trials is not None:
        group.attrs["n_trials"] = prediction.n_trials
    if prediction.window is not None:
        group.attrs["t_start_s"], group.attrs["t_stop_s"] = prediction.window
    write_strings(group, "stimulus_id", list(prediction.stimulus_id))
    write_strings(group, "candidate_id", list(prediction.candidate_id))
    arrays = group.create_group("arrays")
    for name, values in prediction.arrays.items():
        arrays[name] = values


def read_predictions(path: str | Path) -> PredictionFile:
    """Read predictions.

    Parameters
    ----------
    path : path-like
        File written by `write_predictions`.

    Returns
    -------
    PredictionFile
        Method, predictions and how they were made.

    Raises
    ------
    DataError
        If the file is missing or broken.
    """
    with open_store(path, "predictions") as file:
        predictions = [
            Prediction(
                subject=str(group.attrs["subject"]),
                stimulus_id=read_strings(group["stimulus_id"]),
                arrays={name: item[...] for name, item in group["arrays"].items()},
                candidate_id=read_strings(group["candidate_id"]),
                n_averaged=float(group.attrs["n_averaged"]),
                fold=int(group.attrs["fold"]),
                n_trials=int(group.attrs["n_trials"]) if "n_trials" in group.attrs else None,
                window=read_window(group),
            )
            for _, group in sorted(file.items())
        ]
        return PredictionFile(
            str(file.attrs["method"]), predictions, json.loads(file.attrs["attrs"])
        )


def read_window(group: h5py.Group) -> tuple[float, float] | None:
    """Read of which window of time a prediction is.

    Parameters
    ----------
    group : h5py.Group
        One prediction of a file.

    Returns
    -------
    tuple of float or None
        First and last time in seconds, see `Prediction`.
    """
    if "t_start_s" not in group.attrs:
        return None
    return float(group.attrs["t_start_s"]), float(group.attrs["t_stop_s"])
