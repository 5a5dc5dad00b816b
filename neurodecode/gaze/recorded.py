"""From the brain: which object did the eye go to? Saccades decoded from EEG."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np

from neurodecode.errors import DataError

__all__ = ["Recorded", "SaccadeDecoder", "read_recorded"]

#: Seconds around the onset of a fixation. What follows is already the next saccade's, in part.
_WINDOW, _BIN = (-0.1, 0.2), 0.02
_FIELDS = ("onset", "stimulus", "target", "number", "x", "y")
_PENALTIES = tuple(float(value) for value in np.logspace(0, 6, 7))


@dataclass(frozen=True)
class Recorded:
    """Fixations of one viewer with the EEG around their onsets.

    Parameters
    ----------
    viewer : str
        Who.
    stimulus, target : array of str of shape (n,)
        What was searched, for what.
    number : array of int of shape (n,)
        Place of the fixation in its scanpath, from 0.
    xy : array of shape (n, 2)
        Pixels.
    before : array of shape (n, 2)
        Last fixation; NaN for the first, where it is the middle of the picture.
    epochs : array of shape (n, n_features)
        Electrodes by bins of 20 ms, less the mean before the saccade, in microvolts.
    """

    viewer: str
    stimulus: np.ndarray
    target: np.ndarray
    number: np.ndarray
    xy: np.ndarray
    before: np.ndarray
    epochs: np.ndarray

    def select(self, rows: np.ndarray) -> Recorded:
        """Take some fixations.

        Parameters
        ----------
        rows : array of bool or int
            Which.

        Returns
        -------
        Recorded
            Theirs.
        """
        names = ("stimulus", "target", "number", "xy", "before", "epochs")
        return Recorded(self.viewer, *(getattr(self, name)[rows] for name in names))


def read_recorded(folder: str | Path) -> list[Recorded]:
    """Read the recordings beside a gaze data set.

    Parameters
    ----------
    folder : path-like
        ``sub-<viewer>_task-search_eeg.fif`` with ``..._fixations.tsv``.

    Returns
    -------
    list of Recorded
        By viewer.

    Raises
    ------
    DataError
        If a file is missing, or a column of the table.
    """
    files = sorted(Path(folder).glob("sub-*_task-search_eeg.fif"))
    if not files:
        raise DataError("no sub-*_task-search_eeg.fif", file=folder,
                        fix="run `neurodecode simulate --world gaze-eeg`")  # fmt: skip
    return [_read_viewer(path) for path in files]


def _read_viewer(path: Path) -> Recorded:
    import mne

    table = path.with_name(path.name.replace("_eeg.fif", "_fixations.tsv"))
    if not table.is_file():
        raise DataError("missing", file=table, fix="put the table of fixations beside the EEG")
    with open(table, newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file, delimiter="\t"))
    if not rows or (missing := [name for name in _FIELDS if name not in rows[0]]):
        raise DataError("not in the table", file=table, field=missing[0] if rows else "onset",
                        fix=f"it needs {', '.join(_FIELDS)}")  # fmt: skip
    column = {name: np.array([row[name] for row in rows]) for name in _FIELDS}
    xy = np.stack([column["x"], column["y"]], axis=1).astype(float)
    number = column["number"].astype(int)
    before = np.where(number[:, None] == 0, np.nan, np.roll(xy, 1, axis=0))
    raw = mne.io.read_raw_fif(path, preload=True, verbose="ERROR").pick("eeg")
    raw.filter(0.1, 40, verbose="ERROR")
    viewer = path.name.split("_")[0].removeprefix("sub-")
    epochs = _cut(raw.get_data(), raw.info["sfreq"], column["onset"].astype(float))
    return Recorded(viewer, column["stimulus"], column["target"], number, xy, before, epochs)


def _cut(wave: np.ndarray, sfreq: float, onset: np.ndarray) -> np.ndarray:
    width = round(_BIN * sfreq)
    bins = round((_WINDOW[1] - _WINDOW[0]) / _BIN)
    first = np.round((onset + _WINDOW[0]) * sfreq).astype(int)
    cut = np.stack([wave[:, start : start + bins * width] for start in first])
    cut = cut.reshape(len(cut), len(wave), bins, width).mean(axis=3) * 1e6
    rest = cut[:, :, : round((-_WINDOW[0] - 0.04) / _BIN)].mean(axis=2, keepdims=True)
    return (cut - rest).reshape(len(cut), -1).astype(np.float32)


class SaccadeDecoder:
    """Ridge regression from EEG to the saccade, with the covariance of its errors.

    The covariance is that of predictions for stimuli left out of training, so that a posterior
    does not trust the recording more than it deserves.
    """

    def fit(self, epochs: np.ndarray, saccades: np.ndarray, groups: Sequence[str]) -> Self:
        """Learn from training fixations.

        Parameters
        ----------
        epochs : array of shape (n, n_features)
            Of `Recorded`.
        saccades : array of shape (n, 2)
            Pixels to the right and down.
        groups : sequence of str of length n
            Stimulus of each.

        Returns
        -------
        SaccadeDecoder
            Itself.
        """
        from sklearn.linear_model import RidgeCV
        from sklearn.model_selection import GroupKFold, cross_val_predict
        from sklearn.pipeline import make_pipeline
        from sklearn.preprocessing import StandardScaler

        self.model = make_pipeline(StandardScaler(), RidgeCV(_PENALTIES))
        folds = GroupKFold(min(4, len(set(groups))))
        left_out = cross_val_predict(self.model, epochs, saccades, groups=groups, cv=folds)
        wrong = saccades - left_out
        self.covariance = wrong.T @ wrong / len(wrong)
        self.model.fit(epochs, saccades)
        return self

    def log_likelihood(self, epochs: np.ndarray, saccades: Sequence[np.ndarray]) -> list:
        """How well saccades to each object explain the recording.

        Parameters
        ----------
        epochs : array of shape (n, n_features)
            Recordings.
        saccades : sequence of array of shape (n_objects, 2)
            Ways to the objects, for each recording.

        Returns
        -------
        list of array of shape (n_objects,)
            Natural logarithm, up to a constant.
        """
        precision, decoded = np.linalg.inv(self.covariance), self.model.predict(epochs)
        result = []
        for found, ways in zip(decoded, saccades, strict=True):
            away = ways - found
            result.append(-0.5 * np.einsum("od,de,oe->o", away, precision, away))
        return result
