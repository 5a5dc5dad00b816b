"""Learning curves: how many trials a method was given, in the words of command line and files."""

from __future__ import annotations

from dataclasses import replace

from neurodecode.errors import ConfigError
from neurodecode.loaders.draw import TrialDraw
from neurodecode.splits import Split
from neurodecode.store import Prediction, ResponseStore

__all__ = ["counted", "trial_draw"]


def trial_draw(text: str, seed: int) -> TrialDraw:
    """Understand ``--trials``.

    Parameters
    ----------
    text : str
        A number, or ``all``.
    seed : int
        Of the draw.

    Returns
    -------
    TrialDraw
        What it stands for.

    Raises
    ------
    ConfigError
        If it is neither, or too small a number.
    """
    if text == "all":
        return TrialDraw(None, seed)
    if not text.isdecimal():
        raise ConfigError(f"--trials is {text!r}; give a number, or `all`")
    return TrialDraw(int(text), seed)


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
