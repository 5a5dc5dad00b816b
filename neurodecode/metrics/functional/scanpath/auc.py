"""Area under the ROC curve of a map for fixated against other pixels, in its variants."""

from __future__ import annotations

import numpy as np
from scipy.stats import rankdata

__all__ = ["auc", "auc_judd", "auc_placements", "auc_shuffled"]


def auc_placements(
    saliency: np.ndarray, row: np.ndarray, column: np.ndarray, negatives: np.ndarray | None = None
) -> np.ndarray:
    """Share of negatives that lie below each fixation; ties count half.

    Parameters
    ----------
    saliency : array of shape (height, width), or (n_fixations, height, width)
        Map, or one for each fixation (conditional AUC).
    row, column : array of int of shape (n_fixations,)
        Pixel or cell of each fixation.
    negatives : array of shape (n_negatives,), optional
        Values that fixations are compared with; all pixels of the map by default.

    Returns
    -------
    array of shape (n_fixations,)
        Their mean is the area under the curve (Mann-Whitney).
    """
    if saliency.ndim == 3:
        value = saliency[np.arange(len(row)), row, column][:, None]
        every = saliency.reshape(len(row), -1)
        return ((every < value).mean(axis=1) + (every <= value).mean(axis=1)) / 2
    positive = saliency[row, column]
    others = np.sort(saliency.ravel() if negatives is None else np.asarray(negatives))
    below = np.searchsorted(others, positive, "left")
    not_above = np.searchsorted(others, positive, "right")
    return (below + not_above) / (2 * len(others))


def auc(
    saliency: np.ndarray, row: np.ndarray, column: np.ndarray, *, unfixated: bool = False
) -> float:
    """AUC of fixations against pixels.

    Parameters
    ----------
    saliency : array of shape (height, width)
        Map.
    row, column : array of int of shape (n_fixations,)
        Pixel of each fixation.
    unfixated : bool
        Compare each fixated pixel, once, with pixels that nobody fixated; otherwise every
        fixation with all pixels (pysaliency's default).

    Returns
    -------
    float
        .5 for a uniform map.
    """
    if not unfixated:
        return float(auc_placements(saliency, row, column).mean())
    fixated = np.zeros(saliency.shape, bool)
    fixated[row, column] = True
    return float(auc_placements(saliency, *np.nonzero(fixated), saliency[~fixated]).mean())


def auc_judd(
    saliency: np.ndarray, row: np.ndarray, column: np.ndarray, *, seed: int | None = None
) -> float:
    """AUC with a threshold at each fixated pixel, as of the MIT saliency benchmark.

    Judd, Durand and Torralba 2012 (MIT-CSAIL-TR-2012-001). Fixated pixels count once; at the
    threshold of the i-th highest of n, i - 1 of the pixels not below it are taken for hits. On
    maps with many equal values this is not an area under a curve (constant blocks give .35 where
    chance is .5), which is why the benchmark breaks ties by a little noise.

    Parameters
    ----------
    saliency : array of shape (height, width)
        Map.
    row, column : array of int of shape (n_fixations,)
        Pixel of each fixation.
    seed : int, optional
        Of the noise that breaks ties; without it there is none.

    Returns
    -------
    float
        About .5 for a map that knows nothing, if ties are broken.
    """
    if seed is not None:
        noise = np.random.default_rng(seed).random(saliency.shape)
        saliency = saliency + 1e-7 * (np.abs(saliency).max() or 1) * noise
    fixated = np.zeros(saliency.shape, bool)
    fixated[row, column] = True
    threshold = np.sort(saliency[fixated])[::-1]
    n, n_pixels = len(threshold), saliency.size
    order = np.arange(1, n + 1)
    above = n_pixels - np.searchsorted(np.sort(saliency.ravel()), threshold, "left")
    hits = np.concatenate([[0], order / n, [1]])
    false = np.concatenate([[0], (above - order + 1) / (n_pixels - n), [1]])
    return float(np.trapezoid(hits, false))


def auc_shuffled(
    saliency: np.ndarray,
    row: np.ndarray,
    column: np.ndarray,
    other_row: np.ndarray,
    other_column: np.ndarray,
) -> float:
    """AUC of fixations against fixations on other images (sAUC).

    Tatler, Baddeley and Gilchrist 2005 (Vision Research 45, 643): what a map knows beyond where
    people look in any image.

    Parameters
    ----------
    saliency : array of shape (height, width)
        Map.
    row, column : array of int of shape (n_fixations,)
        Pixel of each fixation.
    other_row, other_column : array of int of shape (n_others,)
        Pixels that were fixated on other images.

    Returns
    -------
    float
        .5 for a map that knows the centre bias alone.
    """
    negatives = saliency[other_row, other_column]
    values = np.concatenate([saliency[row, column], negatives])
    n = len(row)
    above = rankdata(values)[:n].sum() - n * (n + 1) / 2
    return float(above / (n * len(negatives)))
