"""Where mechanisms of attention are compared, and with which options."""

from __future__ import annotations

from typing import Any, Literal

__all__ = ["PATCHES", "QUERIES", "UNPLACED", "Among", "fair_options", "reason_against"]

PATCHES, QUERIES = "patches", "queries"
#: Patches attend to one another, or queries of units or regions attend to the patches.
Among = Literal["patches", "queries"]

_GRID = "needs the place of a query among the patches; queries of units have none"
#: Mechanism -> why learned queries cannot attend by it.
UNPLACED = {
    "axial": _GRID,
    "neighbourhood_1d": _GRID,
    "neighbourhood_2d": _GRID,
    "bilevel": "neighbouring queries share what they choose; queries of units have no order",
    "lightning": "forgets with the distance along a line; queries of units have no place on it",
}


def reason_against(name: str, among: Among) -> str | None:
    """Say why a mechanism cannot be compared there.

    Parameters
    ----------
    name : str
        Mechanism.
    among : {"patches", "queries"}
        Where.

    Returns
    -------
    str or None
        The reason; None if it can.
    """
    return UNPLACED.get(name) if among == QUERIES else None


def fair_options(name: str, side: int) -> dict[str, Any]:
    """Options with which mechanisms that choose look at half of the patches, or about.

    With the defaults, made for long sequences, they would see all patches of a small picture.

    Parameters
    ----------
    name : str
        Mechanism.
    side : int
        Patches along each side of the picture.

    Returns
    -------
    dict
        Options; none for mechanisms that look at everything.
    """
    half = max(1, side * side // 2)
    near = max(1, round(0.7 * side))
    return {
        "sparse": {"keep": half},
        "dynamic_mask": {"keep": half},
        "bilevel": {"region": side, "keep": max(1, side // 2)},
        "neighbourhood_1d": {"window": half},
        "neighbourhood_2d": {"window": near - 1 + near % 2},
        "routing": {"n_clusters": 4, "window": half},
    }.get(name, {})
