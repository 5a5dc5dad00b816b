"""One subject and one fold of the classifiers of epochs: stores in, predictions out."""

from __future__ import annotations

import numpy as np
from sklearn.base import BaseEstimator

from neurodecode.errors import DataError
from neurodecode.linear.erp import ErpEnsemble, select_by_groups, windowed_lda, xdawn_tangent
from neurodecode.splits import Split, run_keys
from neurodecode.store import Prediction, ResponseStore
from neurodecode.tasks.baselines import LinearOptions

__all__ = ["classify_epochs"]

#: Seconds after onset that the discriminants look at, and the width of their windows.
_FROM, _TO, _WIDTH = 0.05, 0.6, 0.047


def classify_epochs(
    store: ResponseStore, split: Split, fold: int, method: str, options: LinearOptions
) -> Prediction:
    """Tell two categories apart by event-related potentials.

    Spatial filters, covariance mean, scaler and classifier are fitted to the training side of the
    fold; among the candidates of a method one is chosen by leaving out training runs in turn.

    Parameters
    ----------
    store : ResponseStore
        Epochs of the subject.
    split : Split
        The checked split.
    fold : int
        Which fold.
    method : {"xdawn_tangent", "erp_ensemble"}
        `xdawn_tangent` with two filters, or ensembles of it with windowed discriminants.
    options : LinearOptions
        Which side is predicted.

    Returns
    -------
    Prediction
        One row a test trial; ``scores`` are log-probabilities up to the scale of the decision
        values.

    Raises
    ------
    DataError
        If the store holds no epochs, a side no trials, or there are not two categories.
    """
    if len(store.shape) != 3 or store.sfreq is None:
        raise DataError(
            f"responses have shape {store.shape}; {method} needs (n_trials, n_channels, n_times)",
            file=store.path,
            subject=store.subject,
            field="--method",
            fix="use --method logistic",
        )
    sides = split.trials(fold, store)
    fit = np.sort(np.concatenate([sides[side] for side in options.fit_sides]))
    test = sides[options.side]
    labels = np.asarray(store.stimulus_id).astype(str)
    _check(store, fold, labels[fit], labels[test])
    epochs = store.read(fit).astype(np.float64)
    # volts are so small that shrinkage towards the identity would be all there is
    scale = epochs.std() or 1.0
    runs = run_keys(store.session[fit], store.run[fit])
    model, _ = select_by_groups(_candidates(store, method), epochs / scale, labels[fit], runs)
    model.fit(epochs / scale, labels[fit])
    margin = model.decision_function(store.read(test).astype(np.float64) / scale)
    store.close()
    scores = np.stack([-np.logaddexp(0, margin), -np.logaddexp(0, -margin)], axis=1)
    return Prediction(
        subject=store.subject,
        stimulus_id=labels[test].tolist(),
        arrays={"scores": scores.astype(np.float32)},
        candidate_id=[str(name) for name in model.classes_],
        n_averaged=float(store.n_averaged),
        fold=fold,
    )


def _candidates(store: ResponseStore, method: str) -> list[BaseEstimator]:
    if method == "xdawn_tangent":
        return [xdawn_tangent(min(2, store.n_features))]
    assert store.sfreq is not None
    tmin = float(store.info.get("tmin", 0.0))
    first, last = (max(0, round((at - tmin) * store.sfreq)) for at in (_FROM, _TO))
    width = max(1, round(_WIDTH * store.sfreq))
    windows = windowed_lda(first, min(last, store.shape[2]), width)
    most = min(2, store.n_features)
    return [
        ErpEnsemble([*(xdawn_tangent(n, penalty) for n in filters), windows])
        for filters in ((1,), (1, most))
        for penalty in (30.0, 100.0, 300.0)
    ]


def _check(store: ResponseStore, fold: int, fit: np.ndarray, test: np.ndarray) -> None:
    known = sorted(set(fit.tolist()))
    if len(known) != 2 or not set(test.tolist()) <= set(known) or not len(test):
        raise DataError(
            f"fold {fold} has {len(known)} categories in training"
            f" ({', '.join(known[:4])}) and {len(test)} trials to test",
            subject=store.subject,
            field="stimulus_id",
            fix="these methods tell two categories apart, and need both in training",
        )
