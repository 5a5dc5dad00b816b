"""Displays: a target among distractors in random cells of a grid."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from neurodecode.errors import ConfigError

__all__ = ["Condition", "Display", "Drawer", "make_display"]

#: Draws one item: its side in pixels, and a source of randomness.
Drawer = Callable[[int, np.random.Generator], np.ndarray]


@dataclass(frozen=True)
class Condition:
    """A target and its distractors.

    Parameters
    ----------
    name : str
        What the target is.
    target, distractor : callable
        Draw an item of each kind; both get the same number of the display, so that they can
        agree on what varies between displays.
    """

    name: str
    target: Drawer
    distractor: Drawer


@dataclass(frozen=True)
class Display:
    """One display.

    Parameters
    ----------
    image : array of uint8 of shape (side, side)
        Grey values.
    target : array of uint8 of shape (item, item)
        The target alone.
    box : tuple of int
        Left, top, width, height in pixels of the cell that the target is in.
    n_items : int
        Items.
    """

    image: np.ndarray
    target: np.ndarray
    box: tuple[int, int, int, int]
    n_items: int


def make_display(
    condition: Condition,
    n_items: int,
    rng: np.random.Generator,
    *,
    cells: int,
    cell: int,
    item: int,
    background: int = 255,
) -> Display:
    """Lay items out.

    Parameters
    ----------
    condition : Condition
        What they are.
    n_items : int
        How many, the target among them.
    rng : numpy.random.Generator
        Source of randomness.
    cells : int
        Cells a side.
    cell, item : int
        Sides of a cell and of an item in pixels; items are jittered within their cell.
    background : int
        Grey value between items.

    Returns
    -------
    Display
        The target is in a random one of the cells that were drawn.

    Raises
    ------
    ConfigError
        If there are more items than cells, or items that are larger than cells.
    """
    if not 1 <= n_items <= cells**2 or item > cell:
        raise ConfigError(f"{n_items} items of {item} pixels in {cells} x {cells} cells of {cell}")
    image = np.full((cells * cell, cells * cell), background, np.uint8)
    chosen = rng.permutation(cells**2)[:n_items]
    drawn = [condition.target(item, rng)]
    drawn += [condition.distractor(item, rng) for _ in range(n_items - 1)]
    for number, shape in zip(chosen, drawn, strict=True):
        left, top = (cell * int(v) + int(rng.integers(0, cell - item + 1))
                     for v in (number % cells, number // cells))  # fmt: skip
        image[top : top + item, left : left + item] = shape
    column, row = int(chosen[0] % cells), int(chosen[0] // cells)
    return Display(image, drawn[0], (column * cell, row * cell, cell, cell), n_items)


def one_of(values: Sequence[float], draw: Callable[[int, float], np.ndarray]) -> Drawer:
    """Draw with a random one of several values.

    Parameters
    ----------
    values : sequence of float
        To choose from.
    draw : callable
        Takes the side and the value.

    Returns
    -------
    callable
        A drawer.
    """
    return lambda side, rng: draw(side, values[int(rng.integers(len(values)))])
