"""How well a density says where people look."""

from __future__ import annotations

import numpy as np

__all__ = [
    "correlation",
    "information_gain",
    "kl_divergence",
    "log_likelihood",
    "nss",
    "similarity",
]


def log_likelihood(log_density: np.ndarray, row: np.ndarray, column: np.ndarray) -> np.ndarray:
    """Log density at each fixation.

    Parameters
    ----------
    log_density : array of shape (height, width), or (n_fixations, height, width)
        Natural log, one for all fixations or one for each.
    row, column : array of int of shape (n_fixations,)
        Pixel or cell of each fixation.

    Returns
    -------
    array of shape (n_fixations,)
        Nats.
    """
    if log_density.ndim == 2:
        return log_density[row, column]
    return log_density[np.arange(len(row)), row, column]


def information_gain(log_likelihood: np.ndarray, baseline: np.ndarray) -> np.ndarray:
    """Bits per fixation that a model knows more than another.

    Kümmerer, Wallis and Bethge 2015 (PNAS 112, 16054). The densities are used as they are: scaling
    them to a range first, as some published code does, gives another number.

    Parameters
    ----------
    log_likelihood, baseline : array of shape (n_fixations,)
        Nats, both per pixel or both per cell of one grid.

    Returns
    -------
    array of shape (n_fixations,)
        Bits.
    """
    return (np.asarray(log_likelihood) - np.asarray(baseline)) / np.log(2)


def nss(saliency: np.ndarray, row: np.ndarray, column: np.ndarray) -> np.ndarray:
    """Normalised scanpath saliency: the map at each fixation, in standard deviations.

    Peters, Iyer, Itti and Koch 2005 (Vision Research 45, 2397).

    Parameters
    ----------
    saliency : array of shape (height, width), or (n_fixations, height, width)
        Map, or one for each fixation.
    row, column : array of int of shape (n_fixations,)
        Pixel or cell of each fixation; a pixel that was fixated twice counts twice.

    Returns
    -------
    array of shape (n_fixations,)
        Above the mean of the map in its (population) standard deviations; 0 for a uniform map.
    """
    mean = saliency.mean(axis=(-2, -1))
    deviation = saliency.std(axis=(-2, -1))
    # a uniform map may have a deviation of rounding errors
    flat = deviation <= 1e-12 * np.abs(mean)
    value = log_likelihood(saliency, row, column)
    return np.where(flat, 0.0, (value - mean) / np.where(flat, 1, deviation))


def correlation(left: np.ndarray, right: np.ndarray) -> float:
    """Correlation of two maps over pixels (CC).

    Parameters
    ----------
    left, right : array of shape (height, width)
        Maps.

    Returns
    -------
    float
        Pearson's r; nan for a uniform map.
    """
    # the deviation of a uniform map may be a rounding error
    if any(each.std() <= 1e-12 * np.abs(each.mean()) for each in (left, right)):
        return float("nan")
    a, b = left - left.mean(), right - right.mean()
    return float((a * b).sum() / np.sqrt((a**2).sum() * (b**2).sum()))


def similarity(left: np.ndarray, right: np.ndarray) -> float:
    """Mass that two densities share (SIM, histogram intersection).

    Parameters
    ----------
    left, right : array of shape (height, width)
        Not negative; each is divided by its sum.

    Returns
    -------
    float
        1 for equal densities, 0 without overlap.
    """
    return float(np.minimum(left / left.sum(), right / right.sum()).sum())


def kl_divergence(truth: np.ndarray, model: np.ndarray) -> float:
    """Kullback-Leibler divergence of a model's density from the true one (KL).

    Parameters
    ----------
    truth, model : array of shape (height, width)
        Not negative; each is divided by its sum.

    Returns
    -------
    float
        Nats; infinite where the model has no mass and the truth has.
    """
    p, q = truth / truth.sum(), model / model.sum()
    some = p > 0
    with np.errstate(divide="ignore"):
        return float((p[some] * (np.log(p[some]) - np.log(q[some]))).sum())
