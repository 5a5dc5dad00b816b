"""The gradient of an encoder's likelihood: picture, predicted response, measured response."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from neurodecode.embed.differentiable import PixelFeatures, pixel_features
from neurodecode.errors import DataError, about
from neurodecode.loaders.counts import open_responses
from neurodecode.splits import Split
from neurodecode.store import Prediction
from neurodecode.store.encoders import LinearEncoder, encoder_path, read_encoder
from neurodecode.tasks.measured import held_out_responses, rows_of

__all__ = ["EncoderGuide", "GuideBook"]


class EncoderGuide:
    r"""Log-likelihood of measured responses, given pictures, under a linear encoder.

    .. math:: \log p(y|x) = -\tfrac12 \| L_n^{-1} (y - W f(x) - b) \|^2 + const

    with differentiable features f of the picture and :math:`L_n L_n^T` the covariance of what the
    encoder leaves unexplained of a response averaged over n trials (Naselaris et al. 2009,
    equation 3): a residual counts as much as the encoder can be trusted in its direction.

    Parameters
    ----------
    features : PixelFeatures
        Those the encoder was fitted to.
    encoder : LinearEncoder
        Fitted to training trials.
    measured : array of shape (n_responses, n_voxels)
        Responses, standardised by training trials.
    n_averaged : array of int of shape (n_responses,)
        Trials that were averaged into each.

    Raises
    ------
    DataError
        If the responses do not have the encoder's voxels.
    """

    def __init__(
        self,
        features: PixelFeatures,
        encoder: LinearEncoder,
        measured: np.ndarray,
        n_averaged: np.ndarray,
    ) -> None:
        n_voxels = encoder.weights.shape[1]
        if measured.shape[1] != n_voxels:
            raise DataError(
                f"{measured.shape[1]} voxels, the encoder has {n_voxels}",
                subject=encoder.subject,
                field="responses",
                fix="fit the encoder again with `neurodecode encoder`",
            )
        self.features = features
        counts, self._kind = np.unique(n_averaged, return_inverse=True)
        identity = np.eye(n_voxels)
        whiteners = [np.linalg.solve(encoder.noise_factor(count), identity) for count in counts]
        # whitened once: weights for each number of repeats that occurs, responses for each row
        self._weights = torch.stack([_single(encoder.weights @ each.T) for each in whiteners])
        offset = measured.astype(np.float64) - encoder.intercept
        rows = [whiteners[kind] @ row for kind, row in zip(self._kind, offset, strict=True)]
        self._measured = _single(np.stack(rows))

    def __call__(self, pixels: Tensor, rows: np.ndarray) -> Tensor:
        """Compute the log-likelihood of one response under each picture.

        Parameters
        ----------
        pixels : Tensor of shape (n, 3, height, width)
            RGB on the scale 0 to 1.
        rows : array of int of shape (n,)
            Response that each picture is to explain.

        Returns
        -------
        Tensor of shape (n,)
            In nats, up to a constant of each response.
        """
        features = self.features(pixels).flatten(1)
        kinds = self._kind[rows]
        values = features.new_zeros(len(rows))
        for kind in np.unique(kinds):
            own = np.flatnonzero(kinds == kind)
            residuals = self._measured[rows[own]] - features[own] @ self._weights[kind]
            values[own] = -residuals.square().sum(dim=1) / 2
        return values


class GuideBook:
    """Guides of all subjects of a data set.

    Parameters
    ----------
    encoders : Path
        Folder of linear encoders, all on the same features.
    stores : Path
        Folder with the responses of the subjects.
    split : Split
        How the data are divided.

    Raises
    ------
    ConfigError
        If the encoders' features have no gradient.
    DataError
        If there is no encoder in the folder.
    """

    def __init__(self, encoders: Path, stores: Path, split: Split) -> None:
        self.encoders, self.stores, self.split = encoders, stores, split
        files = sorted(encoders.glob("sub-*.h5"))
        if not files:
            raise DataError("no sub-*.h5 found", file=encoders, fix="run `neurodecode encoder`")
        self.embedder = read_encoder(files[0]).embedder
        self._features = pixel_features(self.embedder)

    def guide(self, prediction: Prediction) -> EncoderGuide:
        """Make the guide of one subject and fold.

        Parameters
        ----------
        prediction : Prediction
            Its rows are those of the guide.

        Returns
        -------
        EncoderGuide
            With the measured responses to the stimuli of the prediction.

        Raises
        ------
        DataError
            If files are missing or do not belong together.
        LeakError
            If the encoder was fitted to another division of the data.
        """
        path = encoder_path(self.encoders, prediction.subject)
        with about(file=path):
            encoder = read_encoder(path)
            self._check(encoder)
            store = open_responses(encoder_path(self.stores, prediction.subject))
            known = held_out_responses(store, self.split, prediction.fold, encoder)
            measured = rows_of(known, prediction.stimulus_id, prediction.subject)
            return EncoderGuide(self._features, encoder, measured.responses, measured.n_averaged)

    def _check(self, encoder: LinearEncoder) -> None:
        own = (self.embedder, self._features.target)
        if (encoder.embedder, encoder.target) != own:
            raise DataError(
                f"takes {encoder.target} of {encoder.embedder}, the guide has {own[1]} of {own[0]}",
                subject=encoder.subject,
                field="embedder",
                fix="fit all subjects with one `neurodecode encoder`",
            )


def _single(values: np.ndarray) -> Tensor:
    return torch.from_numpy(np.ascontiguousarray(values, dtype=np.float32))
