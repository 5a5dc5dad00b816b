"""Densities from fixations: counts in cells, smoothed by a Gaussian."""

from __future__ import annotations

import numpy as np

from neurodecode.gaze.grid import cell_areas, cell_of, grid_shape

__all__ = ["counts", "smooth"]


def counts(x: np.ndarray, y: np.ndarray, size: tuple[int, int], cell: int) -> np.ndarray:
    """Number of fixations in each cell.

    Parameters
    ----------
    x, y : array of shape (n_fixations,)
        Pixels; outside the image the nearest cell counts.
    size : tuple of int
        Width and height in pixels.
    cell : int
        Side of a cell in pixels.

    Returns
    -------
    array of shape (rows, columns)
        Counts.
    """
    rows, columns = grid_shape(size, cell)
    row, column = cell_of(x, y, size, cell)
    flat = np.bincount(row * columns + column, minlength=rows * columns)
    return flat.reshape(rows, columns).astype(np.float64)


def smooth(number: np.ndarray, size: tuple[int, int], cell: int, sigma: float) -> np.ndarray:
    """Kernel density estimate from counts.

    Mass that the kernel puts outside the image is cut off, and the rest scaled to 1.

    Parameters
    ----------
    number : array of shape (rows, columns)
        Counts, not all 0.
    size : tuple of int
        Width and height in pixels.
    cell : int
        Side of a cell in pixels.
    sigma : float
        Deviation of the kernel in pixels.

    Returns
    -------
    array of shape (rows, columns)
        Probability per square pixel.
    """
    from scipy.ndimage import gaussian_filter

    areas = cell_areas(size, cell)
    density = gaussian_filter(number, sigma / cell, mode="constant") / areas
    # the filter's kernel ends at four deviations; nothing is impossible
    density += 1e-12 * density.max()
    return density / (density * areas).sum()
