"""Classifiers of event-related potentials; everything they fit, they fit to what `fit` is given."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin, TransformerMixin
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import LeaveOneGroupOut
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler

__all__ = ["ErpEnsemble", "WindowMeans", "select_by_groups", "windowed_lda", "xdawn_tangent"]


class WindowMeans(TransformerMixin, BaseEstimator):
    """Mean of each channel in consecutive windows.

    Parameters
    ----------
    start, stop : int
        Samples of the epoch that are used, `stop` excluded.
    width : int
        Samples in a window; what does not fill one at the end is left out.
    """

    def __init__(self, start: int, stop: int, width: int) -> None:
        self.start, self.stop, self.width = start, stop, width

    def fit(self, epochs: np.ndarray, labels: np.ndarray | None = None) -> WindowMeans:
        """Fit nothing.

        Parameters
        ----------
        epochs : array of shape (n_trials, n_channels, n_times)
            Epochs.
        labels : array of shape (n_trials,), optional
            Not used.

        Returns
        -------
        WindowMeans
            Itself.
        """
        self.n_features_in_ = epochs.shape[1]
        return self

    def transform(self, epochs: np.ndarray) -> np.ndarray:
        """Average.

        Parameters
        ----------
        epochs : array of shape (n_trials, n_channels, n_times)
            Epochs.

        Returns
        -------
        array of shape (n_trials, n_channels * n_windows)
            Means.
        """
        part = epochs[:, :, self.start : self.stop]
        n_windows = part.shape[2] // self.width
        part = part[:, :, : n_windows * self.width]
        return part.reshape(*part.shape[:2], n_windows, self.width).mean(3).reshape(len(part), -1)


def xdawn_tangent(n_filters: int = 2, penalty: float = 100.0) -> Pipeline:
    """Make a classifier of xDAWN covariances in tangent space.

    Spatial filters and prototypes of each class are found, an epoch is described by the
    covariance of prototypes and filtered signal, the covariances are mapped to the tangent space
    at their Riemannian mean, and logistic regression tells the classes apart.

    Parameters
    ----------
    n_filters : int
        xDAWN filters of each class.
    penalty : float
        Of the squared weights; 1 is scikit-learn's default.

    Returns
    -------
    Pipeline
        Unfitted.

    References
    ----------
    Barachant A. (2014), "MEG decoding using Riemannian geometry and unsupervised classification";
    Rivet B. et al. (2009), IEEE TBME 56 (xDAWN).
    """
    from pyriemann.estimation import XdawnCovariances
    from pyriemann.tangentspace import TangentSpace

    return make_pipeline(
        XdawnCovariances(n_filters, estimator="lwf"),
        TangentSpace(metric="riemann"),
        StandardScaler(),
        LogisticRegression(C=1 / penalty, max_iter=2000),
    )


def windowed_lda(start: int, stop: int, width: int) -> Pipeline:
    """Make a linear discriminant of window means, with Ledoit-Wolf shrinkage.

    Parameters
    ----------
    start, stop, width : int
        See `WindowMeans`.

    Returns
    -------
    Pipeline
        Unfitted.

    References
    ----------
    Blankertz B. et al. (2011), "Single-trial analysis and classification of ERP components",
    NeuroImage 56.
    """
    return make_pipeline(
        WindowMeans(start, stop, width),
        LinearDiscriminantAnalysis(solver="lsqr", shrinkage="auto"),
    )


class ErpEnsemble(ClassifierMixin, BaseEstimator):
    """Sum of the decision values of several classifiers of two classes, each of unit spread.

    Parameters
    ----------
    members : sequence of Pipeline
        Unfitted classifiers with `decision_function`.
    """

    def __init__(self, members: Sequence[Pipeline]) -> None:
        self.members = members

    def fit(self, epochs: np.ndarray, labels: np.ndarray) -> ErpEnsemble:
        """Fit all members.

        Parameters
        ----------
        epochs : array of shape (n_trials, n_channels, n_times)
            Training epochs.
        labels : array of shape (n_trials,)
            Two classes.

        Returns
        -------
        ErpEnsemble
            Itself.
        """
        from sklearn.base import clone

        self.classes_ = np.unique(labels)
        self.members_ = [clone(member).fit(epochs, labels) for member in self.members]
        values = [member.decision_function(epochs) for member in self.members_]
        self.spread_ = [max(float(each.std()), 1e-12) for each in values]
        return self

    def decision_function(self, epochs: np.ndarray) -> np.ndarray:
        """Add up the members' values.

        Parameters
        ----------
        epochs : array of shape (n_trials, n_channels, n_times)
            Epochs.

        Returns
        -------
        array of shape (n_trials,)
            Positive for the second class; in training standard deviations, averaged.
        """
        values = zip(self.members_, self.spread_, strict=True)
        return np.mean([each.decision_function(epochs) / spread for each, spread in values], axis=0)

    def predict(self, epochs: np.ndarray) -> np.ndarray:
        """Name the class of each epoch.

        Parameters
        ----------
        epochs : array of shape (n_trials, n_channels, n_times)
            Epochs.

        Returns
        -------
        array of shape (n_trials,)
            Labels.
        """
        return self.classes_[(self.decision_function(epochs) > 0).astype(int)]


def select_by_groups(
    candidates: Sequence[BaseEstimator],
    epochs: np.ndarray,
    labels: np.ndarray,
    groups: np.ndarray,
) -> tuple[BaseEstimator, list[float]]:
    """Choose a classifier by leaving out one group of the training trials at a time.

    Parameters
    ----------
    candidates : sequence of estimator
        Unfitted classifiers of two classes.
    epochs : array of shape (n_trials, n_channels, n_times)
        Training epochs.
    labels : array of shape (n_trials,)
        Their classes.
    groups : array of shape (n_trials,)
        Run of each; two or more.

    Returns
    -------
    best : estimator
        Unfitted; of equals the first.
    scores : list of float
        AUC of each candidate, within groups and averaged over them.
    """
    from sklearn.base import clone

    if len(candidates) == 1:
        return candidates[0], []
    positive = labels == np.unique(labels)[-1]
    scores = []
    for candidate in candidates:
        areas = []
        for fit, held_out in LeaveOneGroupOut().split(epochs, labels, groups):
            values = (
                clone(candidate).fit(epochs[fit], labels[fit]).decision_function(epochs[held_out])
            )
            areas.append(roc_auc_score(positive[held_out], values))
        scores.append(float(np.mean(areas)))
    return candidates[int(np.argmax(scores))], scores
