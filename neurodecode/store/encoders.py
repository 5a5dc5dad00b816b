"""A linear encoding model of one subject: features of a picture to responses, with its noise."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from neurodecode.errors import DataError
from neurodecode.files import atomic_path
from neurodecode.store.hdf5 import FORMAT_VERSION, get_dataset, open_store
from neurodecode.store.noise import noise_factor

__all__ = ["LinearEncoder", "encoder_path", "read_encoder", "write_encoder"]

_NAMES = ("subject", "split", "embedder", "target")
_ARRAYS = ("weights", "intercept", "model_covariance", "trial_covariance")


@dataclass(frozen=True)
class LinearEncoder:
    """What a subject answers to a picture, on average, and how far single answers scatter.

    Parameters
    ----------
    subject : str
        Subject.
    split : str
        Digest of the division whose training part the encoder was fitted to
        (`neurodecode.splits.Fold.digest`).
    embedder : str
        Embedder whose features it takes.
    target : str
        Which of the embedder's arrays.
    features : mapping
        Provenance of the features: model, weights, checksum.
    weights : array of float32 of shape (n_features, n_voxels)
        Of the flattened features.
    intercept : array of float32 of shape (n_voxels,)
        Responses are in units of responses standardised by training trials.
    model_covariance : array of float32 of shape (n_voxels, n_voxels)
        Covariance of what the encoder leaves unexplained of the mean response.
    trial_covariance : array of float32 of shape (n_voxels, n_voxels)
        Covariance of the noise of single trials; zero where no stimulus was repeated, and then
        it is a part of `model_covariance`.
    """

    subject: str
    split: str
    embedder: str
    target: str
    features: Mapping[str, Any]
    weights: np.ndarray
    intercept: np.ndarray
    model_covariance: np.ndarray
    trial_covariance: np.ndarray

    def predict(self, features: np.ndarray) -> np.ndarray:
        """Predict mean responses.

        Parameters
        ----------
        features : array of shape (n, ...)
            Features of pictures; flattened.

        Returns
        -------
        array of float32 of shape (n, n_voxels)
            Standardised responses.
        """
        return features.reshape(len(features), -1) @ self.weights + self.intercept

    def noise_factor(self, n_averaged: float) -> np.ndarray:
        """Triangular factor of the residual covariance, see `neurodecode.store.noise`.

        Parameters
        ----------
        n_averaged : float
            Trials that were averaged.

        Returns
        -------
        array of float64 of shape (n_voxels, n_voxels)
            Lower Cholesky factor.
        """
        return noise_factor(self.model_covariance, self.trial_covariance, n_averaged)


def encoder_path(folder: str | Path, subject: str) -> Path:
    """Where the encoder of a subject lies in a folder of encoders.

    Parameters
    ----------
    folder : path-like
        Written by `neurodecode encoder`.
    subject : str
        Subject.

    Returns
    -------
    Path
        HDF5 file.
    """
    return Path(folder) / f"sub-{subject}.h5"


def write_encoder(path: str | Path, encoder: LinearEncoder) -> None:
    """Write an encoder, complete or not at all.

    Parameters
    ----------
    path : path-like
        File to write.
    encoder : LinearEncoder
        What to store.
    """
    with atomic_path(path) as temporary, h5py.File(temporary, "w", libver="latest") as file:
        file.attrs.update(kind="encoder", format_version=FORMAT_VERSION)
        file.attrs.update({name: getattr(encoder, name) for name in _NAMES})
        file.attrs["features"] = json.dumps(dict(encoder.features), sort_keys=True)
        for name in _ARRAYS:
            file[name] = np.asarray(getattr(encoder, name), dtype=np.float32)


def read_encoder(path: str | Path) -> LinearEncoder:
    """Read an encoder.

    Parameters
    ----------
    path : path-like
        File written by `write_encoder`.

    Returns
    -------
    LinearEncoder
        In memory.

    Raises
    ------
    DataError
        If the file is missing or broken, or its arrays do not fit each other.
    """
    with open_store(path, "encoder") as file:
        encoder = LinearEncoder(
            **{name: str(file.attrs[name]) for name in _NAMES},
            features=json.loads(file.attrs["features"]),
            **{name: get_dataset(file, name)[:] for name in _ARRAYS},
        )
    n_voxels = encoder.weights.shape[-1]
    square = (n_voxels, n_voxels)
    wanted = {"intercept": (n_voxels,), "model_covariance": square, "trial_covariance": square}
    for name, shape in wanted.items():
        if (found := getattr(encoder, name).shape) != shape:
            raise DataError(
                f"shape {found}, wanted {shape}",
                file=path,
                field=name,
                fix="run `neurodecode encoder` again",
            )
    return encoder
