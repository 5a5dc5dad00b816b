"""Encoding: how well are the responses to new pictures predicted?"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from neurodecode.errors import DataError
from neurodecode.evaluation.whole import WholeScore
from neurodecode.store import Prediction

__all__ = ["FEWEST", "encoding_scores"]

#: Stimuli that a correlation needs: with two it is 1 or -1.
FEWEST = 3
_N_BOOT = 1000


def encoding_scores(
    prediction: Prediction, method: str, test: Sequence[str], n_boot: int = _N_BOOT
) -> list[WholeScore]:
    """Correlation and explained variance of each unit over the test stimuli, median over units.

    Parameters
    ----------
    prediction : Prediction
        ``responses`` (predicted) and ``measured`` of shape (n_stimuli, n_units), of any stimuli.
    method : str
        Name of the encoder.
    test : sequence of str
        Stimuli on the test side of the fold, of all subjects; nothing else is looked at.
    n_boot : int
        Resamples of the stimuli.

    Returns
    -------
    list of WholeScore
        ``pearson_r`` and ``r2``, with the number of units as extra key ``n_units``. Units whose
        predicted or measured responses are constant are left out of the median and counted as
        ``n_constant``; if all are, the value is nan and has no interval.

    Raises
    ------
    DataError
        If fewer than three test stimuli were predicted.
    """
    rows = np.flatnonzero(np.isin(np.array(prediction.stimulus_id), np.array(list(test))))
    if len(rows) < FEWEST:
        raise DataError(
            f"{len(rows)} test stimuli of fold {prediction.fold} are predicted; a correlation"
            " needs three",
            subject=prediction.subject,
            field="stimulus_id",
            fix="predict again with the split that is there now",
        )
    predicted, measured = (
        np.asarray(prediction.array(name), dtype=np.float64)[rows]
        for name in ("responses", "measured")
    )
    varies = (np.ptp(predicted, axis=0) > 0) & (np.ptp(measured, axis=0) > 0)
    predicted, measured = predicted[:, varies], measured[:, varies]
    once = np.ones((1, len(rows)))
    # subjects of a fold who met equally many stimuli, as a rule the same ones, are resampled alike
    counts = np.random.default_rng(prediction.fold).multinomial(
        len(rows), np.full(len(rows), 1 / len(rows)), size=n_boot
    )
    value, spread = {}, {}
    if varies.any():
        value, spread = (_medians(predicted, measured, weights) for weights in (once, counts))
    extra = {"n_units": int(varies.sum()), "n_constant": int((~varies).sum())}
    return [
        WholeScore(
            subject=prediction.subject,
            task="encoding",
            method=method,
            metric=metric,
            fold=prediction.fold,
            value=float(value[metric][0]) if value else np.nan,
            n=len(rows),
            n_averaged=prediction.n_averaged,
            chance=0.0,
            resampled=spread.get(metric),
            extra=extra,
        )
        for metric in ("pearson_r", "r2")
    ]


def _medians(
    predicted: np.ndarray, measured: np.ndarray, counts: np.ndarray
) -> dict[str, np.ndarray]:
    """Medians over units for each row of `counts`, how often each stimulus is taken."""
    weights = counts / counts.sum(axis=1, keepdims=True)
    missed = weights @ (measured - predicted) ** 2
    # centred first: differences of squares would lose digits
    predicted = predicted - predicted.mean(axis=0)
    measured = measured - measured.mean(axis=0)
    mean_p, mean_m = weights @ predicted, weights @ measured
    var_p = weights @ predicted**2 - mean_p**2
    var_m = weights @ measured**2 - mean_m**2
    cov = weights @ (predicted * measured) - mean_p * mean_m
    with np.errstate(divide="ignore", invalid="ignore"):
        # resampled responses of a unit may all be the same one
        r = np.where((var_p > 0) & (var_m > 0), cov / np.sqrt(var_p * var_m), np.nan)
        r2 = np.where(var_m > 0, 1 - missed / var_m, np.nan)
    return {"pearson_r": np.nanmedian(r, axis=1), "r2": np.nanmedian(r2, axis=1)}
