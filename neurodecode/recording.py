"""What every data-set reader yields: recordings of subjects, and the stimuli they met."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np

from neurodecode.errors import DataError

__all__ = ["LazyArray", "Recording", "Source", "StimulusSet", "content_id"]


class LazyArray(Protocol):
    """Anything that is read in slices: a numpy array, an HDF5 data set, a NIfTI proxy."""

    shape: tuple[int, ...]

    def __getitem__(self, index: Any) -> np.ndarray:
        """Read the selected trials."""


@dataclass(frozen=True)
class Source:
    """A file the numbers came from.

    Parameters
    ----------
    file : str
        Path as given by the user.
    sha256 : str
        Checksum of its content, or an empty string for files too large to be worth it.
    """

    file: str
    sha256: str = ""


def content_id(image: np.ndarray) -> str:
    """Name a picture by its pixels, so that one picture under two names is one stimulus.

    Parameters
    ----------
    image : array of uint8
        Pixels; the shape is part of the identity.

    Returns
    -------
    str
        32 hexadecimal digits (BLAKE2b, 128 bit).
    """
    image = np.ascontiguousarray(image)
    digest = hashlib.blake2b(repr((image.shape, image.dtype.str)).encode(), digest_size=16)
    digest.update(image.data)
    return digest.hexdigest()


@dataclass(frozen=True)
class Recording:
    """Responses of one subject, with everything needed to interpret them.

    Parameters
    ----------
    subject : str
        Name of the subject inside its data set.
    modality : str
        ``fmri``, ``meg``, ``eeg``, ``ieeg`` or ``spikes``.
    responses : LazyArray of shape (n_trials, n_features) or (n_trials, n_channels, n_times)
        Read in slices of trials; nothing is loaded before.
    stimulus_id : array of shape (n_trials,)
        Content hash of the stimulus of each trial.
    session, run : array of shape (n_trials,)
        Where each trial was recorded.
    features : mapping of str to array of shape (n_features, ...)
        What is known about each feature: ``roi`` labels, ``xyz`` voxel indices, ``ncsnr``.
    units : str
        Unit of the responses ("percent signal change", "uV", "spikes").
    sfreq : float or None
        Sampling rate in Hz of time-resolved responses.
    n_averaged : int
        How many repeats were already averaged into each trial by the publisher.
    info : mapping
        Anything else worth keeping as plain JSON values, e.g. the affine of the volume.
    sources : sequence of Source
        The files the numbers came from.
    """

    subject: str
    modality: str
    responses: LazyArray
    stimulus_id: np.ndarray
    session: np.ndarray
    run: np.ndarray
    features: Mapping[str, np.ndarray] = field(default_factory=dict)
    units: str = ""
    sfreq: float | None = None
    n_averaged: int = 1
    info: Mapping[str, Any] = field(default_factory=dict)
    sources: Sequence[Source] = ()

    def __post_init__(self) -> None:
        n_trials, n_features = self.responses.shape[:2]
        for name in ("stimulus_id", "session", "run"):
            if len(getattr(self, name)) != n_trials:
                raise DataError(
                    f"{len(getattr(self, name))} entries for {n_trials} trials",
                    subject=self.subject,
                    field=name,
                    fix="check that design and responses belong together",
                )
        for name, values in self.features.items():
            if len(values) != n_features:
                raise DataError(
                    f"{len(values)} entries for {n_features} features",
                    subject=self.subject,
                    field=name,
                    fix="check that mask and responses belong together",
                )

    @property
    def n_trials(self) -> int:
        """Number of trials."""
        return self.responses.shape[0]

    @property
    def n_features(self) -> int:
        """Number of voxels, channels or neurons."""
        return self.responses.shape[1]


class _SomeImages:
    """Rows of a lazy array."""

    def __init__(self, images: LazyArray, rows: np.ndarray) -> None:
        self._images, self._rows = images, rows
        self.shape = (len(rows), *images.shape[1:])

    def __getitem__(self, index: Any) -> np.ndarray:
        return self._images[self._rows[index]]


@dataclass(frozen=True)
class StimulusSet:
    """The pictures of a data set, each once.

    Parameters
    ----------
    ids : sequence of str
        Content hash of each picture; unique.
    images : LazyArray of uint8 of shape (n_stimuli, height, width, 3)
        RGB pixels.
    captions : sequence of sequence of str, optional
        Zero or more captions for each picture.
    categories : sequence of str, optional
        Main category of each picture.
    boxes : sequence of sequence of mapping, optional
        For each picture the objects: ``{"category": str, "bbox": [x, y, width, height]}`` in
        pixels.
    names : sequence of str, optional
        What the publisher calls each picture; for people, never for joining.
    """

    ids: Sequence[str]
    images: LazyArray
    captions: Sequence[Sequence[str]] | None = None
    categories: Sequence[str] | None = None
    boxes: Sequence[Sequence[Mapping[str, Any]]] | None = None
    names: Sequence[str] | None = None

    def __post_init__(self) -> None:
        if len(set(self.ids)) != len(self.ids):
            raise DataError(
                "the same picture is listed twice", field="ids", fix="merge stimuli by content"
            )
        for name in ("images", "captions", "categories", "boxes", "names"):
            values = getattr(self, name)
            count = (
                None if values is None else (values.shape[0] if name == "images" else len(values))
            )
            if count is not None and count != len(self.ids):
                raise DataError(f"{count} entries for {len(self.ids)} stimuli", field=name)

    def __len__(self) -> int:
        return len(self.ids)

    def select(self, ids: Sequence[str]) -> StimulusSet:
        """Take some of the stimuli; pixels are still read when they are asked for.

        Parameters
        ----------
        ids : sequence of str of length n
            Stimulus ids.

        Returns
        -------
        StimulusSet
            Of n stimuli, in this order.

        Raises
        ------
        DataError
            If a stimulus id has no image.
        """
        rows = self.rows(ids)
        lists = {
            name: None if values is None else [values[row] for row in rows.tolist()]
            for name, values in vars(self).items()
            if name not in ("ids", "images")
        }
        return StimulusSet(ids=list(ids), images=_SomeImages(self.images, rows), **lists)

    def rows(self, ids: Sequence[str]) -> np.ndarray:
        """Row of each id.

        Parameters
        ----------
        ids : sequence of str of length n
            Stimulus ids.

        Returns
        -------
        array of int of shape (n,)
            Row numbers into `images`.

        Raises
        ------
        DataError
            If a stimulus id has no image.
        """
        lookup = {stimulus: row for row, stimulus in enumerate(self.ids)}
        missing = [stimulus for stimulus in ids if stimulus not in lookup]
        if missing:
            raise DataError(
                f"{len(set(missing))} stimulus ids without an image, first: {missing[0]}",
                field="stimulus_id",
                fix="check that stimuli and responses belong to the same data set",
            )
        return np.array([lookup[stimulus] for stimulus in ids], dtype=np.int64)
