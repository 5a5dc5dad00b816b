"""Accuracy against scikit-learn."""

from __future__ import annotations

import pytest
from sklearn.dummy import DummyClassifier
from sklearn.metrics import accuracy_score, balanced_accuracy_score

from neurodecode.metrics.functional import accuracy, balanced_accuracy, majority_chance


def test_against_sklearn(rng):
    observed = rng.choice(4, p=[0.5, 0.3, 0.1, 0.1], size=89)
    predicted = rng.integers(4, size=89)
    assert accuracy(predicted, observed).mean() == pytest.approx(
        accuracy_score(observed, predicted)
    )
    want = balanced_accuracy_score(observed, predicted)
    assert balanced_accuracy(predicted, observed) == pytest.approx(want)
    dummy = DummyClassifier().fit(observed, observed)
    assert majority_chance(observed) == pytest.approx(dummy.score(observed, observed))


def test_unequal_numbers_are_refused():
    with pytest.raises(ValueError, match="3 predictions for 2"):
        accuracy([1, 2, 3], [1, 2])
