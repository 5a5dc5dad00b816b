"""One HDF5 file a subject, laid out for reading random trials fast."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from neurodecode.files import atomic_path
from neurodecode.recording import Recording
from neurodecode.store.hdf5 import (
    FORMAT_VERSION,
    get_dataset,
    open_store,
    read_strings,
    write_strings,
)

__all__ = ["ResponseStore"]

_BLOCK_BYTES = 64 << 20


class ResponseStore:
    """Responses of one subject on disk.

    The file is opened at the first read, in whichever process reads: a store can be handed
    to DataLoader workers. One trial is one uncompressed chunk, which is fetched whole and
    without HDF5's chunk cache, so that memory does not grow with the number of trials read.

    Parameters
    ----------
    path : path-like
        File written by `write`.

    Raises
    ------
    DataError
        If the file is missing, truncated, or from another format version.

    Examples
    --------
    >>> store = ResponseStore("data/stores/mini-fmri/sub-01.h5")  # doctest: +SKIP
    >>> store.read([12, 7]).shape  # doctest: +SKIP
    (2, 731)
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        self._file: h5py.File | None = None
        with open_store(self.path, "responses") as file:
            dataset = get_dataset(file, "responses")
            self.shape: tuple[int, ...] = dataset.shape
            self.dtype = dataset.dtype
            self.subject = str(file.attrs["subject"])
            self.dataset = str(file.attrs["dataset"])
            self.modality = str(file.attrs["modality"])
            self.units = str(file.attrs["units"])
            self.n_averaged = int(file.attrs["n_averaged"])
            self.sfreq = float(file.attrs["sfreq"]) if "sfreq" in file.attrs else None
            self.info: dict[str, Any] = json.loads(file.attrs["info"])
            self.sources: list[dict[str, str]] = json.loads(file.attrs["sources"])
            self.stimulus_id = np.array(read_strings(get_dataset(file, "stimulus_id")))
            self.session = get_dataset(file, "session")[:]
            self.run = get_dataset(file, "run")[:]

    @property
    def n_trials(self) -> int:
        """Number of trials."""
        return self.shape[0]

    @property
    def n_features(self) -> int:
        """Number of voxels, channels or neurons."""
        return self.shape[1]

    def read(self, trials: Sequence[int] | np.ndarray) -> np.ndarray:
        """Read trials in the order given.

        Parameters
        ----------
        trials : sequence of int of length n
            Trial numbers, in any order, repeats allowed.

        Returns
        -------
        array of shape (n, n_features) or (n, n_channels, n_times)
            Responses in the type of the file (float16 or float32).

        Raises
        ------
        IndexError
            If a trial number is out of range.
        """
        if self._file is None:
            self._file = open_store(self.path, "responses")
        dataset_id = self._file["responses"].id
        trials = np.asarray(trials, dtype=np.int64)
        if trials.size and not (trials.min() >= 0 and trials.max() < self.n_trials):
            raise IndexError(f"trial out of range 0..{self.n_trials - 1} in {self.path}")
        out = np.empty((len(trials), *self.shape[1:]), self.dtype)
        rest = (0,) * (len(self.shape) - 1)
        rows = out.reshape(len(trials), -1).view(np.uint8)
        for row, trial in enumerate(trials.tolist()):
            dataset_id.read_direct_chunk((trial, *rest), out=rows[row])
        return out

    def blocks(self) -> Iterator[tuple[slice, np.ndarray]]:
        """Go through all trials in blocks of about 64 MB.

        Yields
        ------
        slice, array of shape (n_block, n_features) or (n_block, n_channels, n_times)
            Which trials, and their responses.
        """
        per_trial = int(np.prod(self.shape[1:])) * self.dtype.itemsize
        step = max(1, _BLOCK_BYTES // max(per_trial, 1))
        for start in range(0, self.n_trials, step):
            stop = min(start + step, self.n_trials)
            yield slice(start, stop), self.read(np.arange(start, stop))

    def feature(self, name: str) -> np.ndarray:
        """What is known about each feature.

        Parameters
        ----------
        name : str
            ``roi``, ``xyz``, ``ncsnr``, ... as the reader of the data set provides.

        Returns
        -------
        array of shape (n_features, ...)
            The values.

        Raises
        ------
        DataError
            If the store has no such entry.
        """
        with open_store(self.path, "responses") as file:
            dataset = get_dataset(file, f"features/{name}")
            if h5py.check_string_dtype(dataset.dtype):
                return np.array(read_strings(dataset))
            return dataset[:]

    def feature_names(self) -> list[str]:
        """Names accepted by `feature`.

        Returns
        -------
        list of str
            Sorted names.
        """
        with open_store(self.path, "responses") as file:
            return sorted(file["features"])

    def close(self) -> None:
        """Close the file; the next read opens it again."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def __getstate__(self) -> dict[str, Any]:
        # an open HDF5 handle must not travel to another process
        return {**self.__dict__, "_file": None}

    @classmethod
    def write(
        cls,
        path: str | Path,
        recording: Recording,
        *,
        dataset: str,
        dtype: str = "float32",
        keep: np.ndarray | None = None,
        progress: Callable[[int], None] | None = None,
    ) -> ResponseStore:
        """Copy a recording into a store, block by block.

        Parameters
        ----------
        path : path-like
            File to write; complete or not at all.
        recording : Recording
            What to store. Its responses are read in slices.
        dataset : str
            Registry name of the data set.
        dtype : {"float32", "float16"}
            Type on disk.
        keep : array of bool of shape (n_features,), optional
            Features to keep.
        progress : callable, optional
            Called with the number of trials written so far.

        Returns
        -------
        ResponseStore
            The store, ready for reading.
        """
        if keep is None:
            keep = np.ones(recording.n_features, dtype=bool)
        shape = (recording.n_trials, int(keep.sum()), *recording.responses.shape[2:])
        with atomic_path(path) as temporary, h5py.File(temporary, "w", libver="latest") as file:
            _write_metadata(file, recording, dataset, keep)
            target = file.create_dataset(
                "responses", shape, dtype=dtype, chunks=(1, *shape[1:]), fillvalue=None
            )
            step = max(1, _BLOCK_BYTES // (4 * max(int(np.prod(shape[1:])), 1)))
            for start in range(0, shape[0], step):
                stop = min(start + step, shape[0])
                target[start:stop] = recording.responses[start:stop][:, keep]
                if progress is not None:
                    progress(stop)
        return cls(path)


def _write_metadata(file: h5py.File, recording: Recording, dataset: str, keep: np.ndarray) -> None:
    file.attrs.update(
        kind="responses",
        format_version=FORMAT_VERSION,
        subject=recording.subject,
        dataset=dataset,
        modality=recording.modality,
        units=recording.units,
        n_averaged=recording.n_averaged,
        info=json.dumps(dict(recording.info)),
        sources=json.dumps([vars(source) for source in recording.sources]),
    )
    if recording.sfreq is not None:
        file.attrs["sfreq"] = recording.sfreq
    write_strings(file, "stimulus_id", list(recording.stimulus_id))
    file["session"] = np.asarray(recording.session, dtype=np.int32)
    file["run"] = np.asarray(recording.run, dtype=np.int32)
    features = file.create_group("features")
    for name, values in recording.features.items():
        selected = np.asarray(values)[keep]
        if selected.dtype.kind in "UO":
            write_strings(features, name, list(selected))
        else:
            features[name] = selected
