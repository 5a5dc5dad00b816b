"""Fixations and densities drawn on pictures, and curves of what was found."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from matplotlib import colormaps
from matplotlib.figure import Figure
from PIL import Image, ImageDraw, ImageFont

from neurodecode.report.svg import new_figure
from neurodecode.report.theme import ROLES, Colour
from neurodecode.scanpaths import Scanpath

__all__ = ["draw_density", "draw_scanpath", "found_figure"]

_WIDTH, _SHARP = 240, 2
_LINE, _FILL, _INK = (255, 255, 255), (27, 28, 31), (255, 255, 255)


def _enlarged(image: np.ndarray, width: int) -> Image.Image:
    height = round(image.shape[0] * width / image.shape[1])
    return Image.fromarray(image).resize((width, height), Image.Resampling.LANCZOS)


def draw_scanpath(
    image: np.ndarray, scanpath: Scanpath, colour: Colour | None = None
) -> np.ndarray:
    """Draw numbered fixations, joined by saccades, on a picture.

    Parameters
    ----------
    image : array of shape (height, width, 3), uint8
        The stimulus, at any size.
    scanpath : Scanpath
        In pixels of the stimulus at its own size. The area of a disc is the duration.
    colour : Colour, optional
        Of the discs.

    Returns
    -------
    array of shape (height, 240, 3), uint8
        The drawing.
    """
    fill = _FILL if colour is None else tuple(bytes.fromhex(colour.light[1:]))
    canvas = _enlarged(image, _WIDTH * _SHARP)
    # a little darker, so that discs and lines stand out
    canvas = Image.blend(canvas, Image.new("RGB", canvas.size, (25, 27, 32)), 0.25)
    draw = ImageDraw.Draw(canvas)
    xy = scanpath.xy / scanpath.size * canvas.size
    places = [tuple(map(float, place)) for place in xy]
    if len(places) > 1:
        draw.line(places, fill=_LINE, width=2 * _SHARP, joint="curve")
    duration = np.nan_to_num(scanpath.duration.astype(float), nan=220.0)
    font = ImageFont.load_default(size=8.5 * _SHARP)
    for number, (place, ms) in enumerate(zip(places, duration), start=1):
        radius = _SHARP * float(np.clip(8 * np.sqrt(ms / 220), 6, 13))
        box = [place[0] - radius, place[1] - radius, place[0] + radius, place[1] + radius]
        draw.ellipse(box, fill=fill, outline=_LINE, width=_SHARP)
        draw.text(place, str(number), fill=_INK, font=font, anchor="mm")
    small = canvas.resize((_WIDTH, round(canvas.height / _SHARP)), Image.Resampling.LANCZOS)
    return np.asarray(small)


def draw_density(image: np.ndarray, log_density: np.ndarray) -> np.ndarray:
    """Lay a density over a grey picture.

    Parameters
    ----------
    image : array of shape (height, width, 3), uint8
        The stimulus, at any size.
    log_density : array of shape (rows, columns)
        Natural log of the density in cells.

    Returns
    -------
    array of shape (height, 240, 3), uint8
        The drawing: from dark (nothing) to bright (the maximum of this density).
    """
    picture = np.asarray(_enlarged(image, _WIDTH).convert("L"), np.float64)[..., None] / 255
    density = np.exp(log_density - log_density.max())
    raised = Image.fromarray((255 * density).astype(np.uint8))
    raised = raised.resize(picture.shape[1::-1], Image.Resampling.BILINEAR)
    value = np.asarray(raised, np.float64) / 255
    colour = colormaps["magma"](value)[..., :3]
    opacity = (0.45 + 0.4 * value)[..., None]
    return (255 * ((1 - opacity) * picture + opacity * colour)).round().astype(np.uint8)


def found_figure(
    curves: pd.DataFrame,
    methods: Sequence[str],
    labels: Mapping[str, str],
    colours: Mapping[str, Colour],
    human: str,
) -> Figure:
    """Draw the share of targets found by each fixation.

    Parameters
    ----------
    curves : DataFrame
        ``method``, ``fixation``, ``found``, ``ci_low``, ``ci_high``.
    methods : sequence of str
        In the order of the legend.
    labels, colours : mapping
        Of each method.
    human : str
        The method that stands for people; only its interval is drawn as a band.

    Returns
    -------
    Figure
        The curves.
    """
    figure = new_figure(700, 300)
    axes = figure.subplots()
    for method in methods:
        own = curves[curves["method"] == method].sort_values("fixation")
        if not len(own):
            continue
        people = method == human
        colour = ROLES["ink"].light if people else colours[method].light
        if people:
            axes.fill_between(
                own["fixation"], own["ci_low"], own["ci_high"], color=colour, alpha=0.15, lw=0
            )
        axes.plot(
            own["fixation"], own["found"], color=colour, linewidth=2.4 if people else 1.6,
            label=labels[method],
        )  # fmt: skip
    axes.set_xlabel("fixation")
    axes.set_ylabel("targets found")
    axes.set_ylim(0, 1)
    axes.grid(axis="y", color=ROLES["rule"].light, linewidth=0.7)
    axes.set_axisbelow(True)
    # beside the curves, which may lie anywhere
    axes.legend(
        frameon=False, fontsize=9, labelcolor="linecolor", handlelength=1.2,
        loc="upper left", bbox_to_anchor=(1.01, 1.02), borderaxespad=0.0,
    )  # fmt: skip
    return figure
