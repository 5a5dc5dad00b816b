"""Encoding: how well are the responses to new pictures predicted?"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.stats import false_discovery_control

from neurodecode.errors import DataError
from neurodecode.evaluation.units import LOWEST_CEILING, Units
from neurodecode.evaluation.whole import WholeScore
from neurodecode.metrics.functional import algonauts2023, normalised_r
from neurodecode.store import Prediction

__all__ = ["FDR", "FEWEST", "UnitScores", "encoding_scores", "unit_scores"]

#: Stimuli that a correlation needs: with two it is 1 or -1.
FEWEST = 3
#: Rate of false discoveries among the units that are called significant.
FDR = 0.05
_N_BOOT = 1000
_N_PERMUTATIONS = 1000


@dataclass(frozen=True)
class UnitScores:
    """How well each unit of a subject and fold is predicted.

    Parameters
    ----------
    r, r2 : array of shape (n_units,)
        Correlation, and share of explained variance. NaN for constant units.
    p, q : array of shape (n_units,)
        One-sided p value of the correlation, from permuted stimuli, and the smallest rate of
        false discoveries at which the unit is one (Benjamini & Hochberg 1995). NaN for constant
        units.
    resampled : dict of str to array of shape (n_boot, n_units)
        ``pearson_r`` and ``r2`` of resampled stimuli.
    n : int
        Test stimuli.
    """

    r: np.ndarray
    r2: np.ndarray
    p: np.ndarray
    q: np.ndarray
    resampled: dict[str, np.ndarray]
    n: int


def unit_scores(
    prediction: Prediction,
    test: Sequence[str],
    n_boot: int = _N_BOOT,
    n_permutations: int = _N_PERMUTATIONS,
) -> UnitScores:
    """Correlate predicted and measured responses of each unit over the test stimuli.

    Parameters
    ----------
    prediction : Prediction
        ``responses`` (predicted) and ``measured`` of shape (n_stimuli, n_units), of any stimuli.
    test : sequence of str
        Stimuli on the test side of the fold, of all subjects; nothing else is looked at.
    n_boot : int
        Resamples of the stimuli.
    n_permutations : int
        Of the stimuli, the same for all units.

    Returns
    -------
    UnitScores
        Of all units.

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
    constant = (np.ptp(predicted, axis=0) == 0) | (np.ptp(measured, axis=0) == 0)
    # subjects of a fold who met equally many stimuli, as a rule the same ones, are resampled alike
    rng = np.random.default_rng(prediction.fold)
    counts = rng.multinomial(len(rows), np.full(len(rows), 1 / len(rows)), size=n_boot)
    once = _scores(predicted, measured, np.ones((1, len(rows))))
    resampled = _scores(predicted, measured, counts)
    for each in (once, resampled):
        for values in each.values():
            values[:, constant] = np.nan
    p = _p_values(predicted, measured, once["pearson_r"][0], n_permutations, rng)
    return UnitScores(once["pearson_r"][0], once["r2"][0], p, _q_values(p), resampled, len(rows))


def encoding_scores(
    prediction: Prediction, method: str, scores: UnitScores, units: Units | None = None
) -> list[WholeScore]:
    """Summarise units: medians over all of them, and over those of each region.

    Parameters
    ----------
    prediction : Prediction
        Of one subject and fold.
    method : str
        Name of the encoder.
    scores : UnitScores
        Of the same subject and fold.
    units : Units, optional
        Their regions and ceilings.

    Returns
    -------
    list of WholeScore
        ``pearson_r``, ``r2``, ``significant_units`` (share of units at a rate of false
        discoveries of .05) and, where ceilings are known, ``pearson_r_ceiling_normalised``
        (median over units of which at least .05 can be explained) and ``algonauts2023`` (median
        over all units, their mean as extra key ``mean_over_units`` and the units without any
        ceiling as ``n_without_ceiling``), with ``part`` "" for all units and the name for a
        region, and the number of units as extra key ``n_units``. Units whose predicted or
        measured responses are constant are left out of the medians and counted as
        ``n_constant``; where all are, the value is nan and has no interval.
    """
    units = units or Units()
    found = []
    for part, members in units.parts().items():
        known = np.isfinite(scores.r[members])
        extra = {"n_units": int(known.sum()), "n_constant": int((~known).sum())}
        values: dict[str, tuple[np.ndarray, np.ndarray | None]] = {
            "pearson_r": (scores.r[members], scores.resampled["pearson_r"][:, members]),
            "r2": (scores.r2[members], scores.resampled["r2"][:, members]),
            "significant_units": ((scores.q[members] <= FDR).astype(float), None),
        }
        if units.ceiling is not None:
            ceiling = units.ceiling[members]
            kept = ceiling >= LOWEST_CEILING
            values["pearson_r_ceiling_normalised"] = tuple(
                normalised_r(each[..., kept], ceiling[kept]) for each in values["pearson_r"]
            )
            values["algonauts2023"] = tuple(
                algonauts2023(each, ceiling) for each in values["pearson_r"]
            )
        for metric, (once, resampled) in values.items():
            share = metric == "significant_units"
            value = (once.mean() if known.any() else np.nan) if share else _median(once[None])[0]
            spread, more = None, {}
            if metric == "algonauts2023" and np.isfinite(value):
                # the challenge's choice of mean or median is not known for certain
                more = {"mean_over_units": float(np.nanmean(once)),
                        "n_without_ceiling": int((units.ceiling[members] == 0).sum())}  # fmt: skip
            if resampled is not None and np.isfinite(value):
                spread = _median(resampled)
            found.append(
                WholeScore(
                    subject=prediction.subject,
                    task="encoding",
                    method=method,
                    metric=metric,
                    fold=prediction.fold,
                    value=float(value),
                    n=scores.n,
                    n_averaged=prediction.n_averaged,
                    chance=None if share else 0.0,
                    resampled=spread,
                    part=part,
                    extra=extra | more,
                )
            )
    return found


def _median(values: np.ndarray) -> np.ndarray:
    """Median over units of each row; nan where there are none."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # rows without any number
        return np.nanmedian(values, axis=1)


def _scores(
    predicted: np.ndarray, measured: np.ndarray, counts: np.ndarray
) -> dict[str, np.ndarray]:
    """Scores (n_rows, n_units) for each row of `counts`, how often each stimulus is taken."""
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
    return {"pearson_r": r, "r2": r2}


def _p_values(
    predicted: np.ndarray,
    measured: np.ndarray,
    r: np.ndarray,
    n_permutations: int,
    rng: np.random.Generator,
) -> np.ndarray:
    """Share of permutations that correlate at least as much, the true order among them."""
    centred = [each - each.mean(axis=0) for each in (predicted, measured)]
    with np.errstate(divide="ignore", invalid="ignore"):
        predicted, measured = (each / np.linalg.norm(each, axis=0) for each in centred)
    above = np.ones(len(r))
    for _ in range(n_permutations):
        order = rng.permutation(len(measured))
        above += np.einsum("su,su->u", predicted[order], measured) >= r - 1e-12
    return np.where(np.isfinite(r), above / (n_permutations + 1), np.nan)


def _q_values(p: np.ndarray) -> np.ndarray:
    known = np.isfinite(p)
    q = np.full_like(p, np.nan)
    if known.any():
        q[known] = false_discovery_control(p[known])
    return q
