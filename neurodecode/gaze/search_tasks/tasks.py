"""The six classic pairs of searches in which target and distractor change places."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from neurodecode.gaze.search_tasks.arrays import Condition, Display, Drawer, make_display, one_of
from neurodecode.gaze.search_tasks.items import bar, cross, curve, letter, shaded_disc

__all__ = ["SEARCH_TASKS", "SearchTask"]

_TURNS = (0, 1, 2, 3)
#: Orientations of the distractors of the heterogeneous arrays, in degrees; neither target's.
_MIXED = (-80.0, -60.0, -40.0, 20.0, 40.0, 60.0, 80.0)


@dataclass(frozen=True)
class SearchTask:
    """Two searches, one of which people find harder.

    Parameters
    ----------
    name : str
        Name.
    hard, easy : Condition
        By what people do: the steeper rise of the reaction time with the number of items is
        ``hard``.
    set_sizes : tuple of int
        Numbers of items.
    cells : int
        Cells a side.
    cell, item : float
        Sides in degrees.
    background : int
        Grey value.
    """

    name: str
    hard: Condition
    easy: Condition
    set_sizes: tuple[int, ...]
    cells: int
    cell: float
    item: float
    background: int = 255

    def display(
        self, condition: Condition, n_items: int, rng: np.random.Generator, ppd: float
    ) -> Display:
        """Make a display.

        Parameters
        ----------
        condition : Condition
            ``hard`` or ``easy``.
        n_items : int
            Items.
        rng : numpy.random.Generator
            Source of randomness.
        ppd : float
            Pixels per degree.

        Returns
        -------
        Display
            The display.
        """
        return make_display(
            condition, n_items, rng, cells=self.cells, cell=round(self.cell * ppd),
            item=round(self.item * ppd), background=self.background,
        )  # fmt: skip


def _bars(name: str, angle: float, others: tuple[float, ...]) -> Condition:
    return Condition(name, one_of((angle,), bar), one_of(others, bar))


def _lit(name: str, target: float) -> Condition:
    """Discs lit from one side among discs lit from the opposite one."""
    return Condition(
        name, one_of((target,), shaded_disc), one_of(((target + 180) % 360,), shaded_disc)
    )


def _crosses(whole: bool) -> Condition:
    return Condition(
        "cross" if whole else "non-cross",
        lambda side, rng: cross(side, whole, int(rng.integers(4))),
        lambda side, rng: cross(side, not whole, int(rng.integers(4))),
    )


def _letters(name: str, other: str) -> Condition:
    return Condition(
        name,
        lambda side, rng: letter(side, name, int(rng.integers(4))),
        lambda side, rng: letter(side, other, int(rng.integers(4))),
    )


def _curve(bend: float) -> Drawer:
    """White on black, in four orientations."""
    return lambda side, rng: 255 - curve(side, bend, 1 + int(rng.integers(4)))


def _curves(bent: bool) -> Condition:
    # an arc of 74 degrees
    lines, bends = _curve(0.0), _curve(0.169)
    return Condition("curve" if bent else "line", *((bends, lines) if bent else (lines, bends)))


#: Name -> task. Items, sizes and set sizes are those of Gupta et al. 2021 (without the displays of
#: one item in the tasks of orientation); which condition is the hard
#: one is what people did: Treisman and Gormican 1988, Wolfe et al. 1992 (curvature, orientation),
#: Kleffner and Ramachandran 1992 (lighting), Wolfe and DiMase 2003 (intersections).
SEARCH_TASKS: dict[str, SearchTask] = {
    task.name: task
    for task in (
        SearchTask("curvature", _curves(False), _curves(True), (8, 16, 32), 6, 1.88, 1.6,
                   background=0),
        SearchTask("lighting", _lit("left-right", 270.0), _lit("top-down", 0.0),
                   (1, 6, 12), 4, 1.65, 1.04, background=27),
        SearchTask("intersection", _crosses(True), _crosses(False), (3, 6, 9), 3, 6.8, 5.9),
        SearchTask("letters", _letters("L", "T"), _letters("T", "L"), (3, 6, 9), 3, 6.8, 5.9),
        SearchTask("orientation-homogeneous", _bars("vertical", 0.0, (20.0,)),
                   _bars("tilted", 20.0, (0.0,)), (4, 8, 12), 4, 2.8, 2.3),
        SearchTask("orientation-heterogeneous", _bars("tilted", -20.0, _MIXED),
                   _bars("vertical", 0.0, _MIXED), (4, 8, 12), 4, 2.8, 2.3),
    )
}  # fmt: skip
