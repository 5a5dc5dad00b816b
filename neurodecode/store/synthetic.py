"""Responses that an encoding model predicts to pictures a subject never saw, with its noise."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import h5py
import numpy as np

from neurodecode.files import atomic_path
from neurodecode.store.hdf5 import (
    FORMAT_VERSION,
    get_dataset,
    open_store,
    read_strings,
    write_strings,
)
from neurodecode.store.noise import noise_factor

__all__ = ["SyntheticResponses", "read_synthetic", "write_synthetic"]


@dataclass(frozen=True)
class SyntheticResponses:
    """What a subject would have answered, as far as an encoder knows.

    Parameters
    ----------
    subject : str
        Subject.
    split : str
        Digest of the division whose training part the encoder was fitted to
        (`neurodecode.splits.Fold.digest`).
    stimulus_id : list of str of length n_stimuli
        Pictures that the subject was not shown.
    responses : array of float16 of shape (n_stimuli, n_features)
        Predicted mean, in units of responses standardised by training trials.
    model_covariance : array of float32 of shape (n_features, n_features)
        Covariance of what the encoder leaves unexplained of the mean response.
    trial_covariance : array of float32 of shape (n_features, n_features)
        Covariance of the noise of single trials; zero where no stimulus was repeated, and then
        it is a part of `model_covariance`.
    """

    subject: str
    split: str
    stimulus_id: list[str]
    responses: np.ndarray
    model_covariance: np.ndarray
    trial_covariance: np.ndarray

    def noise_factor(self, n_averaged: int) -> np.ndarray:
        """Triangular matrix that turns white noise into that of an average.

        Parameters
        ----------
        n_averaged : int
            Trials that are averaged.

        Returns
        -------
        array of float32 of shape (n_features, n_features)
            Lower Cholesky factor of the covariance.
        """
        factor = noise_factor(self.model_covariance, self.trial_covariance, n_averaged)
        return factor.astype(np.float32)


def write_synthetic(path: str | Path, synthetic: SyntheticResponses) -> None:
    """Write the synthetic responses of one subject.

    Parameters
    ----------
    path : path-like
        File to write; complete or not at all.
    synthetic : SyntheticResponses
        What to store.
    """
    with atomic_path(path) as temporary, h5py.File(temporary, "w", libver="latest") as file:
        file.attrs.update(kind="synthetic", format_version=FORMAT_VERSION)
        file.attrs.update(subject=synthetic.subject, split=synthetic.split)
        write_strings(file, "stimulus_id", synthetic.stimulus_id)
        file["responses"] = synthetic.responses.astype(np.float16)
        file["model_covariance"] = synthetic.model_covariance.astype(np.float32)
        file["trial_covariance"] = synthetic.trial_covariance.astype(np.float32)


def read_synthetic(path: str | Path) -> SyntheticResponses:
    """Read the synthetic responses of one subject.

    Parameters
    ----------
    path : path-like
        File written by `write_synthetic`.

    Returns
    -------
    SyntheticResponses
        In memory.

    Raises
    ------
    DataError
        If the file is missing or broken.
    """
    arrays = ("responses", "model_covariance", "trial_covariance")
    with open_store(path, "synthetic") as file:
        return SyntheticResponses(
            subject=str(file.attrs["subject"]),
            split=str(file.attrs["split"]),
            stimulus_id=read_strings(get_dataset(file, "stimulus_id")),
            **{name: get_dataset(file, name)[:] for name in arrays},
        )
