"""Controls of a reconstruction: what its scores are without the brain, or with a wrong one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from neurodecode.errors import DataError
from neurodecode.store import Prediction
from neurodecode.tasks.reconstruct import row_seed

__all__ = ["derange", "for_everybody", "without_response"]


def derange(prediction: Prediction, seed: int = 0) -> Prediction:
    """Give every stimulus the prediction made from the response to another one.

    Parameters
    ----------
    prediction : Prediction
        Predictions of one subject and fold.
    seed : int
        Seed of the order.

    Returns
    -------
    Prediction
        The same stimuli with all arrays permuted along one cycle, so that none stays in place.

    Raises
    ------
    DataError
        If there is only one stimulus.
    """
    n = len(prediction.stimulus_id)
    if n < 2:
        raise DataError("one stimulus cannot be shuffled", subject=prediction.subject)
    rng = np.random.default_rng(row_seed(seed, prediction.subject, prediction.fold))
    cycle = rng.permutation(n)
    source = np.empty(n, dtype=np.int64)
    source[cycle] = np.roll(cycle, 1)
    arrays = {name: values[source] for name, values in prediction.arrays.items()}
    return replace(prediction, arrays=arrays)


def without_response(predictions: Sequence[Prediction], tokens: str) -> Prediction:
    """Take away all that was decoded: what is drawn then is the generator's prior.

    Without a brain there are no subjects: every stimulus gets one picture.

    Parameters
    ----------
    predictions : sequence of Prediction
        Predictions of all subjects and folds.
    tokens : str
        Array that the generator is given.

    Returns
    -------
    Prediction
        Each stimulus once, of no subject. Its tokens are zero, the null condition of
        classifier-free guidance, and there is nothing else to start from. With the seeds of the
        stimuli, pictures differ.

    Raises
    ------
    DataError
        If a prediction lacks the array.
    """
    shapes = {each.array(tokens).shape[1:] for each in predictions}
    stimuli = list(dict.fromkeys(name for each in predictions for name in each.stimulus_id))
    nothing = np.zeros((len(stimuli), *shapes.pop()), dtype=np.float32)
    return Prediction(subject="", stimulus_id=stimuli, arrays={tokens: nothing})


def for_everybody(drawn: Prediction, predictions: Sequence[Prediction]) -> list[Prediction]:
    """Hand the pictures that know no brain to all subjects and folds.

    Parameters
    ----------
    drawn : Prediction
        Pictures of `without_response`.
    predictions : sequence of Prediction
        What it was given.

    Returns
    -------
    list of Prediction
        In the order of `predictions`, with the arrays of `drawn`.
    """
    row = {name: number for number, name in enumerate(drawn.stimulus_id)}
    shared = []
    for each in predictions:
        rows = [row[name] for name in each.stimulus_id]
        arrays = {name: values[rows] for name, values in drawn.arrays.items()}
        shared.append(replace(each, arrays=arrays, candidate_id=()))
    return shared
