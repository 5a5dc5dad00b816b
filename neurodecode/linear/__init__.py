"""Linear models of responses and stimuli, with scikit-learn's ``fit`` and ``predict``.

Everything that is estimated (means, scales, principal components, penalties, covariances) is
estimated from what is given to ``fit``, which has to be training data.
"""

from neurodecode.linear.alignment import FunctionalAlignment
from neurodecode.linear.classifier import category_classifier
from neurodecode.linear.feature_space import FeatureSpace
from neurodecode.linear.likelihood import (
    LikelihoodIdentifier,
    held_out_predictions,
    likelihood_matrix,
)
from neurodecode.linear.noise import ResidualNoise
from neurodecode.linear.ridge import RidgeDecoder, RidgeEncoder, fit_ridge
from neurodecode.linear.stacked_likelihood import StackedLikelihood
from neurodecode.linear.stacking import EncoderStack, stack_encoders
from neurodecode.linear.transfer import TransferEncoder
from neurodecode.linear.transfer_likelihood import TransferIdentifier
from neurodecode.linear.windows import EpochTimes, Window, growing_windows, sliding_windows

__all__ = [
    "EncoderStack",
    "EpochTimes",
    "FeatureSpace",
    "FunctionalAlignment",
    "LikelihoodIdentifier",
    "ResidualNoise",
    "RidgeDecoder",
    "RidgeEncoder",
    "StackedLikelihood",
    "TransferEncoder",
    "TransferIdentifier",
    "Window",
    "category_classifier",
    "fit_ridge",
    "growing_windows",
    "held_out_predictions",
    "likelihood_matrix",
    "sliding_windows",
    "stack_encoders",
]
