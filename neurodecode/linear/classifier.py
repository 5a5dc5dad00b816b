"""Which category was seen, for data sets without pictures."""

from __future__ import annotations

from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler

__all__ = ["category_classifier"]


def category_classifier(penalty: float = 1.0) -> Pipeline:
    """Make a multinomial logistic regression on features standardised inside the fold.

    Parameters
    ----------
    penalty : float
        Strength of the squared penalty on the weights; 1 is the usual choice for standardised
        features.

    Returns
    -------
    Pipeline
        Unfitted; ``predict_log_proba`` gives the score of each class in ``classes_``.
    """
    return make_pipeline(StandardScaler(), LogisticRegression(C=1 / penalty, max_iter=2000))
