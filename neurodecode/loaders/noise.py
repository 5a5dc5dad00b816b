"""Noise normalisation of time series: channels and samples made independent and equally noisy."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch

from neurodecode.errors import DataError
from neurodecode.preprocess.whitening import inverse_square_root
from neurodecode.store import ResponseStore

__all__ = ["NoiseNormaliser", "Whitening"]

#: Over channels alone (a network learns temporal filters anyhow), or over time as well.
Whitening = Literal["space", "both"]

#: Trials the covariances are estimated from: each brings as many samples as it is long.
_MAX_TRIALS = 2048
#: Share of white noise in both covariances. What filters took away has no variance, and its
#: inverse would be nothing but rounding.
_FLOOR = 0.01


@dataclass(frozen=True)
class NoiseNormaliser:
    r"""Whiten the noise of trials over channels and over time.

    Noise is what a trial does not share with other trials of its stimulus. Its covariance is taken
    as a product of one over channels and one over time,

    .. math:: \mathrm{cov}(x_{ct}, x_{c't'}) = S_{cc'} T_{tt'}, \qquad
              \hat x = S^{-1/2}\, x\, T^{-1/2},

    with symmetric roots, so that whitened channels stay where they are on the head and whitened
    samples where they are in time.

    Parameters
    ----------
    space : array of float32 of shape (n_channels, n_channels)
        Inverse root of the covariance over channels.
    time : array of float32 of shape (n_times, n_times) or None
        Inverse root of that over time; None leaves time alone.

    References
    ----------
    Guggenmos, Sterzer and Cichy 2018 (multivariate noise normalisation, over channels);
    Huizenga et al. 2002 (covariance of MEG and EEG as a product of space and time).
    """

    space: np.ndarray
    time: np.ndarray | None = None

    @classmethod
    def fit(
        cls,
        store: ResponseStore,
        trials: np.ndarray,
        standardise: Callable[[np.ndarray, np.ndarray], np.ndarray],
        over: Whitening = "both",
    ) -> NoiseNormaliser:
        """Estimate the covariances.

        Parameters
        ----------
        store : ResponseStore
            Time series of one subject.
        trials : array of int of shape (n_trials,)
            Training trials. Of more than 2048, as many are taken, whole stimuli at a time.
        standardise : callable
            ``(epochs, sessions) -> epochs``, applied before.
        over : {"space", "both"}
            What is whitened.

        Returns
        -------
        NoiseNormaliser
            Of this subject.

        Raises
        ------
        DataError
            If trials have no time axis.
        """
        if len(store.shape) != 3:
            raise DataError(
                f"{store.modality} responses without a time axis cannot be whitened",
                file=store.path,
                subject=store.subject,
                field="whiten",
                fix="leave --whiten out, it is for MEG and EEG",
            )
        trials = _some(np.asarray(trials), store.stimulus_id)
        epochs = standardise(store.read(trials), store.session[trials])
        noise = torch.from_numpy(_noise(epochs, store.stimulus_id[trials]))
        n, n_channels, n_times = noise.shape
        by_channel = noise.transpose(0, 1).reshape(n_channels, n * n_times)
        space = _root(by_channel @ by_channel.T / (n * n_times))
        if over == "space":
            return cls(space)
        white = torch.einsum("dc,nct->ndt", torch.from_numpy(space), noise)
        by_time = white.reshape(n * n_channels, n_times)
        return cls(space, _root(by_time.T @ by_time / (n * n_channels)))

    def apply(self, epochs: np.ndarray) -> np.ndarray:
        """Whiten trials.

        Parameters
        ----------
        epochs : array of float32 of shape (n_trials, n_channels, n_times)
            Standardised trials, or averages of some.

        Returns
        -------
        array of float32 of the same shape
            In units of the noise of single trials.
        """
        # torch's product: the threads of numpy's BLAS spin after each call (loaders.synthetic)
        values = torch.from_numpy(np.ascontiguousarray(epochs))
        if self.time is not None:
            values = values @ torch.from_numpy(self.time)
        return (torch.from_numpy(self.space) @ values).numpy()


def _some(trials: np.ndarray, stimulus_id: np.ndarray) -> np.ndarray:
    """Every n-th stimulus with all of its trials, so that no more are taken than needed."""
    names, index = np.unique(stimulus_id[trials], return_inverse=True)
    step = max(1, int(np.ceil(len(trials) / _MAX_TRIALS)))
    return trials[np.isin(index, np.arange(0, len(names), step))]


def _noise(epochs: np.ndarray, stimulus_id: np.ndarray) -> np.ndarray:
    """Trials less the mean of their stimulus, at the size of the noise of single trials."""
    _, index, counts = np.unique(stimulus_id, return_inverse=True, return_counts=True)
    repeated = counts[index] > 1
    if not repeated.any():
        # nothing is known but that the response to a stimulus is small beside the noise
        return epochs - epochs.mean(axis=0)
    sums = np.zeros((len(counts), *epochs.shape[1:]), dtype=np.float32)
    np.add.at(sums, index, epochs)
    n = counts[index][:, None, None]
    noise = (epochs - sums[index] / n) * np.sqrt(n / np.maximum(n - 1, 1))
    return noise[repeated].astype(np.float32)


def _root(covariance: torch.Tensor) -> np.ndarray:
    """Inverse root of a covariance with a share of white noise."""
    values = covariance.double().numpy()
    size = np.trace(values) / len(values)
    return inverse_square_root(values + _FLOOR * size * np.eye(len(values))).astype(np.float32)
