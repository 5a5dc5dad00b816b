"""Colours of the page and of its figures, each in a light and a dark variant."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

__all__ = ["ROLES", "SERIES", "Colour", "css_variables", "method_colours"]


@dataclass(frozen=True)
class Colour:
    """A colour with its counterpart on a dark page.

    Parameters
    ----------
    name : str
        Name of the CSS variable, without dashes in front.
    light, dark : str
        Hexadecimal colours, lower case.
    """

    name: str
    light: str
    dark: str


#: What is not data.
ROLES: Mapping[str, Colour] = {
    colour.name: colour
    for colour in (
        Colour("paper", "#fdfdfc", "#131417"),
        Colour("raised", "#f5f5f2", "#1c1e22"),
        Colour("rule", "#dddcd6", "#34373d"),
        Colour("ink", "#1b1c1f", "#e9e8e4"),
        Colour("muted", "#63656b", "#a3a5ab"),
        Colour("accent", "#0b5fa5", "#6db6f2"),
        Colour("hit", "#00806f", "#35c9b4"),
    )
}
#: Paul Tol's "vibrant" scheme (https://personal.sric.nl/~pault/, safe for colour blindness),
#: darker on paper and lighter on black where it needs contrast; the last is for controls.
SERIES: tuple[Colour, ...] = (
    Colour("series-blue", "#0077bb", "#4aa8e8"),
    Colour("series-orange", "#e2661f", "#f58a4b"),
    Colour("series-teal", "#009988", "#2ec4b2"),
    Colour("series-magenta", "#d92b6a", "#f2669a"),
    Colour("series-cyan", "#1b93c2", "#5cc8f0"),
    Colour("series-red", "#b02a10", "#e2674f"),
    Colour("series-grey", "#8b8d93", "#84868c"),
)
_CONTROL = SERIES[-1]
#: Methods that keep their colour from page to page, whatever else is compared with them.
_FIXED = {
    "decoder": 0,
    "guided": 0,
    "unguided": 1,
    "ridge": 1,
    "encoder_likelihood": 2,
    "prior": 3,
    "core": 3,
    "core_likelihood": 3,
    "ridge_pca": 5,
    "posterior": 4,
    "reconstruct": 0,
    "logistic": 4,
    "adapted": 0,
    "adapted_low_rank": 4,
    "adapted_likelihood": 4,
    "adapted_posterior": 5,
    "from_scratch": 3,
    "from_scratch_posterior": 3,
}


def method_colours(methods: Iterable[str], controls: Iterable[str] = ()) -> dict[str, Colour]:
    """Give each method its colour.

    Parameters
    ----------
    methods : iterable of str
        Names of the methods.
    controls : iterable of str
        Those among them that are controls; they are all grey.

    Returns
    -------
    dict of str to Colour
        Well-known methods have the same colour everywhere; the others take the free ones in
        alphabetical order, starting again when there are more methods than colours.
    """
    controls = set(controls)
    names = sorted(set(methods))
    colours = {name: _CONTROL for name in names if name in controls}
    for name in names:
        if name not in colours and name in _FIXED:
            colours[name] = SERIES[_FIXED[name]]
    used = set(colours.values())
    free = [colour for colour in SERIES[:-1] if colour not in used] or list(SERIES[:-1])
    rest = [name for name in names if name not in colours]
    return colours | {name: free[i % len(free)] for i, name in enumerate(rest)}


def css_variables(dark: bool) -> str:
    """Declare every colour as a CSS variable.

    Parameters
    ----------
    dark : bool
        Which variant.

    Returns
    -------
    str
        ``--ink:#1b1c1f;--muted:...``
    """
    colours = (*ROLES.values(), *SERIES)
    return "".join(f"--{c.name}:{c.dark if dark else c.light};" for c in colours)
