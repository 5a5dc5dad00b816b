"""Learning curves: how many trials a method was given, in files of predictions."""

from __future__ import annotations

from dataclasses import replace

from neurodecode.loaders.draw import TrialDraw
from neurodecode.splits import Split
from neurodecode.store import Prediction, ResponseStore

__all__ = ["counted"]


def counted(
    prediction: Prediction, store: ResponseStore, split: Split, draw: TrialDraw
) -> Prediction:
    """Note how many trials the method was given.

    Parameters
    ----------
    prediction : Prediction
        Of one subject and fold.
    store : ResponseStore
        Responses of the subject.
    split : Split
        The checked split.
    draw : TrialDraw
        Which of its trials.

    Returns
    -------
    Prediction
        The same, with ``n_trials``.
    """
    train = split.trials(prediction.fold, store)["train"]
    return replace(prediction, n_trials=len(draw(train, store.subject)))
