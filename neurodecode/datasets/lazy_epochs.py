"""Epochs in MNE's FIF files as recordings whose samples stay on disk until they are sliced."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from neurodecode.datasets.meeg import UNITS, opened
from neurodecode.datasets.sources import source
from neurodecode.errors import DataError
from neurodecode.preprocess.reading import legible
from neurodecode.recording import Recording

if TYPE_CHECKING:
    import mne
    import pandas as pd

__all__ = [
    "EpochsPart",
    "LazyEpochs",
    "epochs_part",
    "epochs_recording",
    "metadata_column",
    "open_epochs",
]


@dataclass(frozen=True)
class EpochsPart:
    """Some epochs of one file.

    Parameters
    ----------
    file : Path
        The file.
    epochs : mne.Epochs
        Opened, not loaded.
    picks : array of int
        Channels that are used.
    rows : array of int of shape (n_trials,)
        Which epochs of the file.
    """

    file: Path
    epochs: mne.BaseEpochs
    picks: np.ndarray
    rows: np.ndarray


class LazyEpochs:
    """Epochs of several files, read when they are sliced.

    Parameters
    ----------
    parts : sequence of EpochsPart
        With the same channels and times.
    """

    def __init__(self, parts: Sequence[EpochsPart]) -> None:
        self._parts = list(parts)
        self._starts = np.cumsum([0, *(len(part.rows) for part in parts)])
        first = parts[0]
        self.shape: tuple[int, ...] = (
            int(self._starts[-1]), len(first.picks), len(first.epochs.times)
        )  # fmt: skip

    def __getitem__(self, index: Any) -> np.ndarray:
        chosen = np.arange(self.shape[0])[index]
        flat = np.atleast_1d(chosen)
        out = np.empty((len(flat), *self.shape[1:]), dtype=np.float32)
        of_part = np.searchsorted(self._starts, flat, side="right") - 1
        for number in np.unique(of_part).tolist():
            here, part = of_part == number, self._parts[number]
            rows = part.rows[flat[here] - self._starts[number]]
            with legible(part.file):
                out[here] = part.epochs.get_data(
                    item=rows, picks=part.picks, copy=False, verbose="ERROR"
                )
        return out if chosen.ndim else out[0]


def open_epochs(file: Path, subject: str | None = None) -> mne.BaseEpochs:
    """Open a file of epochs that has metadata, without loading the samples.

    Parameters
    ----------
    file : Path
        FIF file; further parts of a split file lie beside it.
    subject : str, optional
        For the error message.

    Returns
    -------
    mne.BaseEpochs
        The epochs.

    Raises
    ------
    DataError
        If the file or a part of it is missing or unreadable, or has no metadata.
    """
    import mne

    epochs = opened(mne.read_epochs, file, preload=False)
    if epochs.metadata is None:
        raise DataError(
            "epochs have no metadata, so nobody knows what was shown",
            file=file,
            subject=subject,
            field="metadata",
            fix="set epochs.metadata to a table with one row an epoch and save them again",
        )
    return epochs


def metadata_column(table: pd.DataFrame, column: str, file: Path, subject: str) -> list[str]:
    """Take a column of an epochs' metadata as text.

    Parameters
    ----------
    table : pandas.DataFrame
        The metadata.
    column : str
        Its name.
    file : Path
        For the error message.
    subject : str
        For the error message.

    Returns
    -------
    list of str
        One value an epoch.

    Raises
    ------
    DataError
        If there is no such column.
    """
    if column not in table:
        raise DataError(
            f"metadata has no such column (found: {', '.join(map(str, table.columns[:12]))})",
            file=file,
            subject=subject,
            field=column,
            fix="name the column as an option of the reader",
        )
    return [str(value) for value in table[column]]


def epochs_recording(
    subject: str,
    parts: Sequence[EpochsPart],
    stimulus_id: np.ndarray,
    *,
    session: np.ndarray,
    run: np.ndarray,
    units: str = "",
    info: dict[str, Any] | None = None,
) -> Recording:
    """Make a recording of epochs that are read when they are sliced.

    Parameters
    ----------
    subject : str
        Whose.
    parts : sequence of EpochsPart
        One or more, with the same channels and times.
    stimulus_id : array of str of shape (n_trials,)
        What was shown.
    session, run : array of int of shape (n_trials,)
        Where.
    units : str
        Of the numbers; those of MNE (V, T, T/m) by default.
    info : dict, optional
        What else is known.

    Returns
    -------
    Recording
        With channel names, types and positions.

    Raises
    ------
    DataError
        If the files differ in channels or times.
    """
    import mne

    from neurodecode.preprocess.channels import channel_features

    first = parts[0]
    chosen = mne.pick_info(first.epochs.info, first.picks, verbose="ERROR")
    for part in parts[1:]:
        same = [part.epochs.ch_names[n] for n in part.picks] == chosen["ch_names"]
        if not same or not np.allclose(part.epochs.times, first.epochs.times):
            raise DataError(
                f"{'times' if same else 'channels'} differ from those of {first.file.name}",
                file=part.file,
                subject=subject,
                fix="save epochs of one subject with the same channels and times",
            )
    types = sorted(set(chosen.get_channel_types()))
    return Recording(
        subject=subject,
        modality="eeg" if types == ["eeg"] else "meg",
        responses=LazyEpochs(parts),
        stimulus_id=stimulus_id,
        session=session,
        run=run,
        features=channel_features(chosen),
        units=units or ", ".join(UNITS[kind] for kind in types),
        sfreq=float(chosen["sfreq"]),
        info={"tmin": float(first.epochs.tmin), "preprocess": {"published": True}, **(info or {})},
        sources=[source(part.file) for part in parts],
    )


def epochs_part(file: Path, epochs: mne.BaseEpochs, rows: np.ndarray) -> EpochsPart:
    """Take all MEG and EEG channels of some epochs.

    Parameters
    ----------
    file : Path
        The file.
    epochs : mne.BaseEpochs
        From `open_epochs`.
    rows : array of int
        Which epochs.

    Returns
    -------
    EpochsPart
        Of these.
    """
    from neurodecode.preprocess.channels import choose_channels

    return EpochsPart(file, epochs, choose_channels(epochs.info), rows)
