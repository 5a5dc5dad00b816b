"""Prepared listening experiments: one HDF5 file a subject, read in slices."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from neurodecode.auditory_trials import AuditoryTrial
from neurodecode.errors import DataError
from neurodecode.files import atomic_path
from neurodecode.store.hdf5 import FORMAT_VERSION, get_dataset, open_store

__all__ = ["AuditoryStore", "read_folder", "write_auditory"]

_KIND = "auditory"
_NAMES = ("sound", "story", "talker", "direction", "channels")
_WORDS = ("session", "condition")


class _Slices:
    """A data set that is opened for each read."""

    def __init__(self, path: Path, key: str, shape: tuple[int, ...]) -> None:
        self.path, self.key, self.shape = path, key, shape

    def __getitem__(self, index: Any) -> np.ndarray:
        with open_store(self.path, _KIND) as file:
            return get_dataset(file, self.key)[index]


def write_auditory(
    path: str | Path, dataset: str, trials: Iterable[AuditoryTrial], about: dict[str, Any]
) -> int:
    """Write the trials of one subject.

    Parameters
    ----------
    path : path-like
        Target; complete or not at all.
    dataset : str
        Name of the data set.
    trials : iterable of AuditoryTrial
        Of one subject; taken one after the other.
    about : dict
        Plain values that say how they were prepared.

    Returns
    -------
    int
        Trials written.

    Raises
    ------
    DataError
        If there is no trial or two have one name.
    """
    seen: list[str] = []
    with atomic_path(path) as temporary, h5py.File(temporary, "w") as file:
        for trial in trials:
            if trial.trial in seen:
                raise DataError(f"trial {trial.trial} occurs twice", subject=trial.subject)
            _write_trial(file.create_group(f"trials/{len(seen):05d}"), trial)
            file.attrs["subject"] = trial.subject
            seen.append(trial.trial)
        if not seen:
            raise DataError("no trial", file=path)
        file.attrs.update(
            kind=_KIND, format_version=FORMAT_VERSION, dataset=dataset, about=json.dumps(about)
        )
    return len(seen)


def _write_trial(group: h5py.Group, trial: AuditoryTrial) -> None:
    group.create_dataset("eeg", data=np.asarray(trial.eeg[:], dtype=np.float32))
    group.create_dataset("candidates", data=np.asarray(trial.candidates[:], dtype=np.float32))
    group.create_dataset("attended", data=np.asarray(trial.attended, dtype=np.int16))
    if trial.gaze is not None:
        group.create_dataset("gaze", data=np.asarray(trial.gaze, dtype=np.float32))
    plain = {name: list(getattr(trial, name)) for name in _NAMES}
    plain |= {name: getattr(trial, name) for name in _WORDS}
    plain |= {"trial": trial.trial, "sfreq": trial.sfreq, "info": dict(trial.info)}
    group.attrs["about"] = json.dumps(plain)


class AuditoryStore:
    """Trials of one subject.

    Parameters
    ----------
    path : path-like
        Written by `write_auditory`.

    Raises
    ------
    DataError
        If it is no such file.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        with open_store(self.path, _KIND) as file:
            self.dataset = str(file.attrs["dataset"])
            self.subject = str(file.attrs["subject"])
            self.about: dict[str, Any] = json.loads(file.attrs["about"])

    def trials(self) -> list[AuditoryTrial]:
        """Open the trials; brain and sound are read when they are asked for.

        Returns
        -------
        list of AuditoryTrial
            In the order of the recording.
        """
        with open_store(self.path, _KIND) as file:
            return [self._trial(group) for group in file["trials"].values()]

    def _trial(self, group: h5py.Group) -> AuditoryTrial:
        plain = json.loads(group.attrs["about"])
        lazy = {
            name: _Slices(self.path, f"{group.name}/{name}", group[name].shape)
            for name in ("eeg", "candidates")
        }
        return AuditoryTrial(
            subject=self.subject,
            trial=plain["trial"],
            attended=group["attended"][:],
            gaze=group["gaze"][:] if "gaze" in group else None,
            sfreq=plain["sfreq"],
            info=plain["info"],
            **lazy,
            **{name: tuple(plain[name]) for name in _NAMES},
            **{name: plain[name] for name in _WORDS},
        )


def read_folder(folder: str | Path, subjects: Sequence[str] = ()) -> list[AuditoryStore]:
    """Open the stores of a folder.

    Parameters
    ----------
    folder : path-like
        With ``sub-*.h5``.
    subjects : sequence of str
        Only these; all by default.

    Returns
    -------
    list of AuditoryStore
        By subject.

    Raises
    ------
    DataError
        If there is none, or one that was asked for is missing.
    """
    stores = [AuditoryStore(path) for path in sorted(Path(folder).glob("sub-*.h5"))]
    known = [store.subject for store in stores]
    missing = [subject for subject in subjects if subject not in known]
    if missing or not stores:
        raise DataError(
            f"no store of {missing[0]}" if missing else "no stores",
            file=folder,
            fix="run `neurodecode attend prepare`",
        )
    return [store for store in stores if not subjects or store.subject in subjects]
