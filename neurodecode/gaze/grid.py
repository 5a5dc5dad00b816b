"""Cells of a density over an image."""

from __future__ import annotations

import numpy as np

__all__ = ["cell_areas", "cell_of", "grid_shape", "normalise"]


def grid_shape(size: tuple[int, int], cell: int) -> tuple[int, int]:
    """Rows and columns of cells.

    Parameters
    ----------
    size : tuple of int
        Width and height in pixels.
    cell : int
        Side of a cell in pixels.

    Returns
    -------
    tuple of int
        Rows and columns.
    """
    return -(-size[1] // cell), -(-size[0] // cell)


def cell_areas(size: tuple[int, int], cell: int) -> np.ndarray:
    """Area of each cell that lies in the image.

    Parameters
    ----------
    size : tuple of int
        Width and height in pixels.
    cell : int
        Side of a cell in pixels.

    Returns
    -------
    array of shape (rows, columns)
        Square pixels; cells at the right and lower edge may be cut.
    """
    rows, columns = grid_shape(size, cell)
    across = np.minimum(cell, size[0] - cell * np.arange(columns))
    down = np.minimum(cell, size[1] - cell * np.arange(rows))
    return np.outer(down, across).astype(np.float64)


def cell_of(
    x: np.ndarray, y: np.ndarray, size: tuple[int, int], cell: int
) -> tuple[np.ndarray, np.ndarray]:
    """Cell in which each position lies; outside the image, the nearest cell.

    Parameters
    ----------
    x, y : array of shape (n,)
        Pixels.
    size : tuple of int
        Width and height in pixels.
    cell : int
        Side of a cell in pixels.

    Returns
    -------
    tuple of array of int of shape (n,)
        Row and column.
    """
    rows, columns = grid_shape(size, cell)
    row = np.floor(np.asarray(y) / cell).astype(np.int64)
    column = np.floor(np.asarray(x) / cell).astype(np.int64)
    return np.clip(row, 0, rows - 1), np.clip(column, 0, columns - 1)


def normalise(weights: np.ndarray, size: tuple[int, int], cell: int) -> np.ndarray:
    """Turn weights of cells into log densities.

    Parameters
    ----------
    weights : array of shape (..., rows, columns)
        Not negative, proportional to the probability per square pixel.
    size : tuple of int
        Width and height in pixels.
    cell : int
        Side of a cell in pixels.

    Returns
    -------
    array of shape (..., rows, columns)
        Natural log of the density per square pixel; minus infinity where the weight is 0.
    """
    mass = (weights * cell_areas(size, cell)).sum(axis=(-2, -1), keepdims=True)
    with np.errstate(divide="ignore"):
        return np.log(weights) - np.log(mass)
