"""fMRI time series: cleaning within runs, and one response for each block."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

__all__ = ["Blocks", "block_means", "clean_runs"]


@dataclass(frozen=True)
class Blocks:
    """Responses to blocks of equal stimulation.

    Parameters
    ----------
    responses : array of shape (n_blocks, n_voxels)
        Mean over the volumes of each block.
    label : array of str of shape (n_blocks,)
        What was shown.
    run : array of int of shape (n_blocks,)
        Run of each block.
    n_volumes : array of int of shape (n_blocks,)
        Volumes in each block.
    """

    responses: np.ndarray
    label: np.ndarray
    run: np.ndarray
    n_volumes: np.ndarray


def clean_runs(volumes: np.ndarray, run: np.ndarray) -> np.ndarray:
    """Remove a linear trend from each run and z-score each voxel within it.

    Both use the volumes of the one run only, so that nothing of one run reaches another and a
    split by run stays clean.

    Parameters
    ----------
    volumes : array of shape (n_volumes, n_voxels)
        Time series.
    run : array of int of shape (n_volumes,)
        Run of each volume.

    Returns
    -------
    array of float32 of shape (n_volumes, n_voxels)
        Cleaned time series, without unit.
    """
    from nilearn.signal import clean

    return clean(
        volumes.astype(np.float64), runs=run, detrend=True, standardize="zscore_sample"
    ).astype(np.float32)


def block_means(
    volumes: np.ndarray, label: np.ndarray, run: np.ndarray, *, rest: str = "rest"
) -> Blocks:
    """Average the volumes of each block.

    A block is a stretch of volumes with one label in one run. The labels are taken as the
    publisher gives them; they are not shifted for the haemodynamic delay.

    Parameters
    ----------
    volumes : array of shape (n_volumes, n_voxels)
        Time series.
    label : array of str of shape (n_volumes,)
        What was shown at each volume.
    run : array of int of shape (n_volumes,)
        Run of each volume.
    rest : str
        Label of volumes that belong to no block.

    Returns
    -------
    Blocks
        In the order of time.
    """
    changed = (label[1:] != label[:-1]) | (run[1:] != run[:-1])
    edges = np.concatenate([[0], np.flatnonzero(changed) + 1, [len(label)]])
    spans = [(start, stop) for start, stop in pairwise(edges) if label[start] != rest]
    starts = np.array([start for start, _ in spans], dtype=np.int64)
    means = [volumes[start:stop].mean(axis=0) for start, stop in spans]
    return Blocks(
        responses=np.array(means, dtype=np.float32).reshape(len(spans), volumes.shape[1]),
        label=label[starts],
        run=run[starts],
        n_volumes=np.array([stop - start for start, stop in spans], dtype=np.int64),
    )
