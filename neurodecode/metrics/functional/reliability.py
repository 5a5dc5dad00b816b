"""How much of a response can be explained at all: noise ceilings and what they normalise.

A noise ceiling is a share of VARIANCE. Divide r by its square root, and r squared by itself.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from neurodecode.errors import DataError

__all__ = [
    "algonauts2023",
    "mixed_repeats_inverse",
    "ncsnr",
    "noise_ceiling",
    "noise_variance",
    "normalised_r",
    "normalised_r2",
    "repeat_correlation",
    "spearman_brown",
]


def _divide(numerator: np.ndarray, denominator: np.ndarray) -> np.ndarray:
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(numerator, dtype=np.float64) / denominator


def noise_variance(responses: np.ndarray, stimulus: np.ndarray) -> np.ndarray:
    """Variance between repeats of the same stimulus, pooled over stimuli.

    Parameters
    ----------
    responses : array of shape (n_trials, n_voxels)
        Single trials.
    stimulus : array of shape (n_trials,)
        Stimulus of each trial; stimuli may have different numbers of repeats.

    Returns
    -------
    array of float64 of shape (n_voxels,)
        Squared deviations from the mean of each stimulus over their degrees of freedom. With
        equal repeats the mean over stimuli of the sample variance.

    Raises
    ------
    DataError
        If no stimulus was repeated.
    """
    groups, index, counts = np.unique(stimulus, return_inverse=True, return_counts=True)
    n_free = len(stimulus) - len(groups)
    if n_free < 1:
        raise DataError(
            "no stimulus was shown twice", field="stimulus", fix="use a set with repeats"
        )
    order = np.argsort(index, kind="stable")
    ordered = np.asarray(responses)[order].astype(np.float64)
    starts = np.concatenate([[0], np.cumsum(counts)[:-1]])
    means = np.add.reduceat(ordered, starts, axis=0) / counts[:, None]
    ordered -= means[index[order]]
    return np.einsum("tv,tv->v", ordered, ordered) / n_free


def ncsnr(
    responses: np.ndarray,
    stimulus: np.ndarray,
    *,
    ddof: int = 0,
    total_variance: float | None = None,
    chunk: int = 512,
) -> np.ndarray:
    """Noise-ceiling signal-to-noise ratio of NSD: sd of the signal over sd of the noise.

    Parameters
    ----------
    responses : array of shape (n_trials, n_voxels)
        Single trials.
    stimulus : array of shape (n_trials,)
        Stimulus of each trial.
    ddof : {0, 1}
        Of the total variance: 0 in GLMsingle's Python example, 1 in its MATLAB example. The
        two differ by some percent for few images.
    total_variance : float, optional
        Known total variance, 1 for betas that were z-scored in each session as NSD does.
    chunk : int
        Voxels handled at a time. Used for memory reasons.

    Returns
    -------
    array of float64 of shape (n_voxels,)
        Not negative; 0 where the noise exceeds the total. nan for voxels without variance.

    References
    ----------
    Allen et al. 2022.
    """
    responses = np.asarray(responses)
    pieces = []
    for start in range(0, responses.shape[1], chunk):
        voxels = responses[:, start : start + chunk].astype(np.float64)
        noise = noise_variance(voxels, stimulus)
        total = voxels.var(axis=0, ddof=ddof) if total_variance is None else total_variance
        signal = np.maximum(total - noise, 0)
        ratio = np.divide(signal, noise, out=np.full_like(noise, np.inf), where=noise > 0)
        pieces.append(np.sqrt(np.where((signal == 0) & (noise == 0), np.nan, ratio)))
    return np.concatenate(pieces) if pieces else np.empty(0)


def mixed_repeats_inverse(n_stimuli: Mapping[int, int]) -> float:
    """Average 1/n over test stimuli that have different numbers of repeats.

    Parameters
    ----------
    n_stimuli : mapping of int to int
        Number of stimuli for each number of averaged repeats, e.g. ``{3: 515, 2: 200, 1: 285}``.

    Returns
    -------
    float
        Takes the place of ``1 / n_averaged`` in `noise_ceiling`.
    """
    return sum(count / n for n, count in n_stimuli.items()) / sum(n_stimuli.values())


def noise_ceiling(
    ratio: np.ndarray, n_averaged: float = 1.0, *, inverse: float | None = None
) -> np.ndarray:
    """Share of the variance of averaged responses that a perfect model would explain.

    Parameters
    ----------
    ratio : array of shape (n_voxels,)
        From `ncsnr`.
    n_averaged : float
        Repeats averaged into each response that is predicted.
    inverse : float, optional
        Used instead of ``1 / n_averaged``; see `mixed_repeats_inverse`.

    Returns
    -------
    array of shape (n_voxels,)
        ``ncsnr^2 / (ncsnr^2 + 1/n)``, between 0 and 1. NSD prints it in percent.

    References
    ----------
    Allen et al. 2022.
    """
    squared = np.asarray(ratio, dtype=np.float64) ** 2
    inverse = 1 / n_averaged if inverse is None else inverse
    return 1 / (1 + _divide(np.full_like(squared, inverse), squared))


def normalised_r(r: np.ndarray, ceiling: np.ndarray) -> np.ndarray:
    """Correlation over the square root of the noise ceiling.

    Parameters
    ----------
    r : array of shape (n_voxels,)
        Correlation of prediction and averaged response.
    ceiling : array of shape (n_voxels,)
        From `noise_ceiling`, for the same average; a fraction, not percent.

    Returns
    -------
    array of shape (n_voxels,)
        Infinite where the ceiling is 0: leave such voxels out beforehand, by a threshold set
        without looking at the model.
    """
    return _divide(r, np.sqrt(ceiling))


def normalised_r2(r: np.ndarray, ceiling: np.ndarray) -> np.ndarray:
    """Squared correlation over the noise ceiling.

    Parameters
    ----------
    r : array of shape (n_voxels,)
        Correlation of prediction and averaged response. Its sign is lost.
    ceiling : array of shape (n_voxels,)
        From `noise_ceiling`; a fraction, not percent.

    Returns
    -------
    array of shape (n_voxels,)
        Infinite where the ceiling is 0.
    """
    return _divide(np.asarray(r, dtype=np.float64) ** 2, ceiling)


def algonauts2023(r: np.ndarray, ceiling: np.ndarray) -> np.ndarray:
    """Noise-normalised score of the Algonauts 2023 challenge, for each vertex.

    Parameters
    ----------
    r : array of shape (n_vertices,)
        Correlation of prediction and response.
    ceiling : array of shape (n_vertices,)
        Noise ceiling as a fraction.

    Returns
    -------
    array of shape (n_vertices,)
        ``min(max(r, 0)^2 / ceiling, 1)``. A vertex with no ceiling and any positive r scores
        1, so report the mean and the median over vertices, and how many have no ceiling.

    References
    ----------
    Gifford et al. 2023.
    """
    ceiling = np.asarray(ceiling, dtype=np.float64)
    positive = np.maximum(np.asarray(r, dtype=np.float64), 0)
    return np.minimum(positive**2 / np.where(ceiling == 0, 1e-14, ceiling), 1)


def spearman_brown(r: np.ndarray, factor: float = 2, *, clip: bool = True) -> np.ndarray:
    """Reliability of a test `factor` times as long.

    Parameters
    ----------
    r : array
        Correlation of two halves (factor 2), or of single repeats (factor n for n averaged).
        Average over splits before or after, and say which: the two differ.
    factor : float
        Lengthening.
    clip : bool
        Take negative correlations as 0; the formula runs away for them.

    Returns
    -------
    array
        ``k r / (1 + (k - 1) r)``.

    References
    ----------
    Spearman 1910; Brown 1910.
    """
    r = np.asarray(r, dtype=np.float64)
    r = np.maximum(r, 0) if clip else r
    return _divide(factor * r, 1 + (factor - 1) * r)


def repeat_correlation(betas: np.ndarray) -> np.ndarray:
    """Correlation over stimuli between two repeats, averaged over all pairs of repeats.

    Parameters
    ----------
    betas : array of shape (n_repeats, n_stimuli, n_voxels)
        Responses to the same stimuli in the same order.

    Returns
    -------
    array of float64 of shape (n_voxels,)
        Mean pairwise Pearson correlation; nan for voxels constant in a repeat.
    """
    betas = np.asarray(betas, dtype=np.float64)
    n_repeats = len(betas)
    if n_repeats < 2:
        raise DataError(f"{n_repeats} repeat", field="betas", fix="use stimuli shown twice")
    centred = betas - betas.mean(axis=1, keepdims=True)
    unit = _divide(centred, np.sqrt((centred**2).sum(axis=1, keepdims=True)))
    # the sum over pairs is half of (sum of vectors)^2 minus the squares, which are 1 each
    squared_sum = (unit.sum(axis=0) ** 2).sum(axis=0)
    return (squared_sum - n_repeats) / (n_repeats * (n_repeats - 1))
