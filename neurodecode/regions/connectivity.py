"""Baselines: what a window's mean activity, or the correlation of its regions, tells."""

from __future__ import annotations

import numpy as np
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.pipeline import Pipeline, make_pipeline

from neurodecode.linear.classifier import category_classifier

__all__ = ["BASELINES", "DynamicConnectivity", "MeanActivity", "StaticConnectivity"]


class MeanActivity(TransformerMixin, BaseEstimator):
    """Mean of each region over the window."""

    def fit(self, series: np.ndarray, labels: np.ndarray | None = None) -> MeanActivity:
        """Nothing to learn.

        Parameters
        ----------
        series : array of shape (n, n_regions, n_volumes)
            Windows.
        labels : array, optional
            Not used.

        Returns
        -------
        MeanActivity
            Itself.
        """
        return self

    def transform(self, series: np.ndarray) -> np.ndarray:
        """Average.

        Parameters
        ----------
        series : array of shape (n, n_regions, n_volumes)
            Windows.

        Returns
        -------
        array of shape (n, n_regions)
            Means.
        """
        return series.mean(axis=2)


class StaticConnectivity(TransformerMixin, BaseEstimator):
    """Correlations between regions within the window (nilearn's `ConnectivityMeasure`).

    Covariances are shrunk (Ledoit and Wolf), as nilearn does: windows are shorter than regions
    are many.

    Parameters
    ----------
    kind : str
        ``correlation``, ``partial correlation`` or ``tangent``.
    """

    def __init__(self, kind: str = "correlation") -> None:
        self.kind = kind

    def fit(self, series: np.ndarray, labels: np.ndarray | None = None) -> StaticConnectivity:
        """Fit what the kind needs (``tangent``: a mean of the training windows).

        Parameters
        ----------
        series : array of shape (n, n_regions, n_volumes)
            Windows.
        labels : array, optional
            Not used.

        Returns
        -------
        StaticConnectivity
            Itself.
        """
        from nilearn.connectome import ConnectivityMeasure

        self.measure_ = ConnectivityMeasure(
            kind=self.kind, vectorize=True, discard_diagonal=True, standardize="zscore_sample"
        ).fit(_by_volume(series))
        return self

    def transform(self, series: np.ndarray) -> np.ndarray:
        """Correlate.

        Parameters
        ----------
        series : array of shape (n, n_regions, n_volumes)
            Windows.

        Returns
        -------
        array of shape (n, n_regions * (n_regions - 1) / 2)
            Upper triangles.
        """
        return np.asarray(self.measure_.transform(_by_volume(series)))


class DynamicConnectivity(TransformerMixin, BaseEstimator):
    """Correlations in a sliding part of the window: their mean and spread over parts.

    Parameters
    ----------
    n_volumes : int
        Length of a part.
    step : int
        Volumes from part to part.

    References
    ----------
    Hutchison R. M. et al. (2013), "Dynamic functional connectivity: promise, issues, and
    interpretations", NeuroImage 80.
    """

    def __init__(self, n_volumes: int = 6, step: int = 1) -> None:
        self.n_volumes, self.step = n_volumes, step

    def fit(self, series: np.ndarray, labels: np.ndarray | None = None) -> DynamicConnectivity:
        """Nothing to learn; see `StaticConnectivity.fit`.

        Parameters
        ----------
        series, labels : array
            As there.

        Returns
        -------
        DynamicConnectivity
            Itself.
        """
        self.part_ = min(self.n_volumes, series.shape[2])
        return self

    def transform(self, series: np.ndarray) -> np.ndarray:
        """Correlate part by part.

        Parameters
        ----------
        series : array of shape (n, n_regions, n_volumes)
            Windows.

        Returns
        -------
        array of shape (n, n_regions * (n_regions - 1))
            Means over parts, then standard deviations.
        """
        n_starts = range(0, series.shape[2] - self.part_ + 1, self.step)
        static = StaticConnectivity()
        parts = np.stack(
            [static.fit(part).transform(part)
             for part in (series[:, :, at : at + self.part_] for at in n_starts)]
        )  # fmt: skip
        return np.concatenate([parts.mean(axis=0), parts.std(axis=0)], axis=1)


def _by_volume(series: np.ndarray) -> list[np.ndarray]:
    return list(series.transpose(0, 2, 1).astype(np.float64))


def _classifier(features: BaseEstimator) -> Pipeline:
    return make_pipeline(features, *(step for _, step in category_classifier().steps))


#: Name of a baseline -> how to make its unfitted classifier of windows.
BASELINES = {
    "mean_activity": lambda: _classifier(MeanActivity()),
    "connectivity": lambda: _classifier(StaticConnectivity()),
    "dynamic_connectivity": lambda: _classifier(DynamicConnectivity()),
}
