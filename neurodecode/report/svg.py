"""Matplotlib figures that follow the page from light to dark."""

from __future__ import annotations

import base64
import io
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import matplotlib
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure

from neurodecode.files import atomic_path
from neurodecode.report.theme import ROLES, SERIES, css_variables

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["bare_axes", "drawing", "new_figure", "save_png", "svg_uri"]

_STYLE = {
    "font.family": ["DejaVu Sans"],
    "font.size": 9.5,
    "axes.titlesize": 10.5,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.titlepad": 9.0,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.linewidth": 0.8,
    "axes.edgecolor": ROLES["muted"].light,
    "axes.labelcolor": ROLES["muted"].light,
    "axes.titlecolor": ROLES["ink"].light,
    "text.color": ROLES["ink"].light,
    "xtick.color": ROLES["muted"].light,
    "ytick.color": ROLES["muted"].light,
    "figure.facecolor": "none",
    "axes.facecolor": "none",
    "savefig.facecolor": "none",
    # text stays text: it is searchable, and takes the reader's own font
    "svg.fonttype": "none",
    # names of clip paths would be random otherwise
    "svg.hashsalt": "neurodecode",
}
_FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Liberation Sans', 'DejaVu Sans', sans-serif"


@contextmanager
def drawing() -> Iterator[None]:
    """Draw in the style of the page, and leave matplotlib's settings as they were."""
    with matplotlib.rc_context(_STYLE):
        yield


def new_figure(width: float, height: float) -> Figure:
    """Make a figure that belongs to no window and to no global list of figures.

    Parameters
    ----------
    width, height : float
        Size in CSS pixels.

    Returns
    -------
    Figure
        Empty, with constrained layout.
    """
    return Figure(figsize=(width / 96, height / 96), dpi=96, layout="constrained")


def bare_axes(axes: Axes) -> None:
    """Take all lines and ticks off.

    Parameters
    ----------
    axes : Axes
        For pictures and matrices.
    """
    axes.set_xticks([])
    axes.set_yticks([])
    for spine in axes.spines.values():
        spine.set_visible(False)


def svg_uri(figure: Figure) -> str:
    """Render a figure as SVG.

    Parameters
    ----------
    figure : Figure
        Drawn in the light colours of `neurodecode.report.theme`.

    Returns
    -------
    str
        Data URI for an ``img``: the drawing cannot run scripts or touch the page, yet takes the
        dark colours where the reader prefers them. The same figure gives the same text.
    """
    buffer = io.BytesIO()
    FigureCanvasSVG(figure).print_svg(buffer, metadata={"Date": None, "Creator": None})
    text = buffer.getvalue().decode("utf-8")
    for colour in (*ROLES.values(), *SERIES):
        text = text.replace(colour.light, f"var(--{colour.name})")
    text = re.sub(r"font(-family)?: ([^;\"]*?)'DejaVu Sans'[^;\"]*", rf"font\1: \2{_FONT}", text)
    style = (
        f"<style>svg{{{css_variables(dark=False)}}}"
        f"@media (prefers-color-scheme:dark){{svg{{{css_variables(dark=True)}}}}}</style>"
    )
    start = text.index("<svg")
    opened = text.index(">", start) + 1
    text = text[start:opened] + style + text[opened:]
    return "data:image/svg+xml;base64," + base64.b64encode(text.encode()).decode("ascii")


def save_png(figure: Figure, path: str | Path) -> None:
    """Save a figure at twice the size of the screen, on white.

    Parameters
    ----------
    figure : Figure
        What to save.
    path : path-like
        PNG file; its folder is made.
    """
    FigureCanvasAgg(figure)
    with atomic_path(path) as temporary:
        figure.savefig(
            temporary,
            dpi=192,
            facecolor="white",
            metadata={"Software": None, "Creation Time": None},
        )
