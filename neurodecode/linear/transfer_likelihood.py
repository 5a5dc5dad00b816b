"""Encoder likelihood of a new subject, whose trials are too few for a covariance of residuals."""

from __future__ import annotations

import numpy as np

from neurodecode.linear.likelihood import LikelihoodIdentifier
from neurodecode.linear.noise import ResidualNoise
from neurodecode.linear.spatial_noise import noise_correlation
from neurodecode.linear.transfer import TransferEncoder

__all__ = ["TransferIdentifier"]


class TransferIdentifier(LikelihoodIdentifier):
    r"""Identify stimuli by the likelihood of the response under a transferred encoder.

    The encoder knows how uncertain it is, so that its error and the noise of trials are told
    apart without repeats and without inner folds:

    .. math:: \Sigma(n) = \operatorname{diag}(v) +
        \operatorname{diag}(s) R \operatorname{diag}(s) / n

    with the encoder's expected squared error v, the standard deviation s of the noise, and how
    noise is correlated over voxels, R (`noise_correlation`).

    Parameters
    ----------
    encoder : TransferEncoder
        With the labels of voxels.
    positions : array of shape (n_voxels, n_dimensions), optional
        Where the new subject's voxels are.

    Attributes
    ----------
    encoder_ : TransferEncoder
        Fitted.
    noise_ : ResidualNoise
        The covariance.
    voxels_ : array of int
        All voxels.
    """

    def __init__(self, encoder: TransferEncoder, positions: np.ndarray | None = None) -> None:
        self.encoder = encoder
        self.positions = positions

    def fit(
        self,
        features: np.ndarray,
        responses: np.ndarray,
        n_averaged: np.ndarray | None = None,
        deviations: np.ndarray | None = None,
    ) -> TransferIdentifier:
        """Fit encoder and covariance on training stimuli.

        Parameters
        ----------
        features : array of shape (n_stimuli, n_known)
            Response of each known voxel to each stimulus.
        responses : array of shape (n_stimuli, n_voxels)
            Measured response to each, repeats averaged, standardised by training statistics.
        n_averaged : array of int of shape (n_stimuli,), optional
            Repeats averaged; one by default.
        deviations : array, optional
            Not used: few trials hardly repeat a stimulus.

        Returns
        -------
        TransferIdentifier
            Itself.
        """
        encoder = TransferEncoder(self.encoder.groups, self.encoder.known_groups)
        self.encoder_ = encoder.fit(features, responses)
        self.voxels_ = np.arange(responses.shape[1])
        counts = np.ones(len(responses)) if n_averaged is None else np.asarray(n_averaged)
        deviation = np.sqrt(encoder.noise_ / np.mean(1 / counts))
        correlation = noise_correlation(encoder.residuals_, self.positions)
        trial = deviation[:, None] * correlation * deviation
        # a voxel that never varies would make the matrix singular
        floor = 1e-6 * max(float(np.mean(encoder.variance_ + deviation**2)), 1e-12)
        self.noise_ = ResidualNoise.of_parts(np.diag(encoder.variance_ + floor), trial)
        return self
