"""Sequence score: in which order regions that people look at are visited."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from neurodecode.metrics.functional.scanpath.alignment import needleman_wunsch

__all__ = ["cluster_labels", "fixation_clusters", "semantic_labels", "sequence_score"]

#: A seed stops when a step is shorter than this share of the bandwidth, or after so many steps.
_STILL, _MOST_STEPS = 1e-3, 300


def fixation_clusters(fixations: np.ndarray, bandwidth: float) -> np.ndarray:
    """Find the regions of an image that viewers look at, by mean shift.

    What scikit-learn's `MeanShift` gives (a test compares), all seeds at once: a ceiling needs
    clusters for every viewer that is left out, and that class takes a second for each.

    Parameters
    ----------
    fixations : array of shape (n_fixations, 2)
        x, y in pixels of the viewers that may be known, never of the one who is scored.
    bandwidth : float
        Pixels. Published scores name none, and depend on it much (.27 for 15 px and .60 for 60 px
        on the same scanpaths): give it with every score.

    Returns
    -------
    array of shape (n_clusters, 2)
        Centres (Comaniciu and Meer 2002), those with most fixations first.
    """
    points = np.asarray(fixations, np.float64)
    moving, at = np.arange(len(points)), points.copy()
    for _ in range(_MOST_STEPS):
        near = _near(at[moving], points, bandwidth).astype(np.float64)
        means = near @ points / near.sum(axis=1, keepdims=True)
        far = np.hypot(*(means - at[moving]).T) > _STILL * bandwidth
        at[moving] = means
        moving = moving[far]
        if not moving.size:
            break
    # most fixations first, then by position, so that the result does not depend on rounding
    peaks = np.unique(at, axis=0)
    count = _near(peaks, points, bandwidth).sum(axis=1)
    peaks = peaks[np.lexsort((peaks[:, 1], peaks[:, 0], count))[::-1]]
    kept = np.ones(len(peaks), bool)
    for row in range(len(peaks)):
        if kept[row]:
            kept[row + 1 :] &= ~_near(peaks[row : row + 1], peaks[row + 1 :], bandwidth)[0]
    return peaks[kept]


def _near(left: np.ndarray, right: np.ndarray, bandwidth: float) -> np.ndarray:
    return ((left[:, None] - right[None]) ** 2).sum(axis=2) <= bandwidth**2


def cluster_labels(xy: np.ndarray, centres: np.ndarray) -> np.ndarray:
    """Nearest centre of each fixation.

    Parameters
    ----------
    xy : array of shape (n_fixations, 2 or more)
        Pixels.
    centres : array of shape (n_clusters, 2)
        Of `fixation_clusters`.

    Returns
    -------
    array of int of shape (n_fixations,)
        Index of the centre.
    """
    offset = np.asarray(xy, np.float64)[:, None, :2] - centres[None]
    return (offset**2).sum(axis=2).argmin(axis=1)


def semantic_labels(xy: np.ndarray, segmentation: np.ndarray) -> np.ndarray:
    """Label of what lies at each fixation.

    Parameters
    ----------
    xy : array of shape (n_fixations, 2 or more)
        Pixels; off the image, the nearest pixel counts.
    segmentation : array of int of shape (height, width)
        Label of each pixel.

    Returns
    -------
    array of int of shape (n_fixations,)
        Labels.
    """
    height, width = segmentation.shape
    pixel = np.floor(np.asarray(xy, np.float64)[:, :2]).astype(np.int64)
    return segmentation[np.clip(pixel[:, 1], 0, height - 1), np.clip(pixel[:, 0], 0, width - 1)]


def sequence_score(
    left: Sequence[np.ndarray], right: Sequence[np.ndarray], *, gap: float = 0.0
) -> np.ndarray:
    """Align label sequences of pairs of scanpaths.

    Yang et al. 2020 (CVPR, 193): labels of clusters give the sequence score; Yang et al. 2022
    (ECCV, 52): labels of a segmentation give the semantic sequence score.

    Parameters
    ----------
    left, right : sequence of n_pairs arrays of int of shape (n_fixations,)
        Of `cluster_labels` or `semantic_labels`, for one image of one set of labels.
    gap : float
        Gain of leaving out a fixation; 0 as published.

    Returns
    -------
    array of shape (n_pairs,)
        1 for equal sequences.
    """
    return needleman_wunsch(left, right, gap)
