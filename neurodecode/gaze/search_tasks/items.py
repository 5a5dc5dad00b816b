"""What lies on the displays of the classic search tasks, drawn in black on white or shaded."""

from __future__ import annotations

import numpy as np
from PIL import Image, ImageDraw

__all__ = ["bar", "cross", "curve", "letter", "shaded_disc"]

#: Drawn so many times larger, and averaged down.
_FINE = 4


def _canvas(side: int) -> tuple[Image.Image, ImageDraw.ImageDraw, float]:
    image = Image.new("L", (side * _FINE, side * _FINE), 255)
    return image, ImageDraw.Draw(image), side * _FINE


def _finished(image: Image.Image, side: int) -> np.ndarray:
    return np.array(image.resize((side, side), Image.Resampling.BOX))


def bar(side: int, angle: float, length: float = 0.87, weight: float = 0.13) -> np.ndarray:
    """Draw a tilted bar.

    Parameters
    ----------
    side : int
        Side of the item in pixels.
    angle : float
        Degrees from vertical, clockwise.
    length, weight : float
        Of the bar, as shares of the side.

    Returns
    -------
    array of uint8 of shape (side, side)
        Grey values.
    """
    image, draw, full = _canvas(side)
    along = np.array([np.sin(np.radians(angle)), -np.cos(np.radians(angle))])
    across = np.array([-along[1], along[0]])
    corners = [
        tuple(full / 2 + full * (i * along * length / 2 + j * across * weight / 2))
        for i, j in ((1, 1), (1, -1), (-1, -1), (-1, 1))
    ]
    draw.polygon(corners, fill=0)
    return _finished(image, side)


def curve(side: int, bend: float, turn: int = 0, weight: float = 0.11) -> np.ndarray:
    """Draw a line that bends to one side.

    Parameters
    ----------
    side : int
        Side of the item in pixels.
    bend : float
        How far the middle is from the chord, as a share of its length; 0 is a straight line,
        below 0 the line bends to the left.
    turn : int
        Eighths by which it is turned from upright, counterclockwise.
    weight : float
        Of the line, as a share of the side.

    Returns
    -------
    array of uint8 of shape (side, side)
        Grey values.
    """
    image, draw, full = _canvas(side)
    t = np.linspace(-1, 1, 41)
    chord = 0.755 * full
    # a parabola is close to an arc where it bends this little; its middle is where the chord's is
    x = full / 2 + bend * chord * (0.5 - t**2)
    y = full / 2 + t * chord / 2
    draw.line(list(zip(x.tolist(), y.tolist(), strict=True)), fill=0, width=round(weight * full),
              joint="curve")  # fmt: skip
    if turn % 8:
        image = image.rotate(45 * turn, Image.Resampling.BICUBIC, fillcolor=255)
    return _finished(image, side)


def shaded_disc(side: int, angle: float, background: int = 27) -> np.ndarray:
    """Draw a disc that is lit from one side.

    Parameters
    ----------
    side : int
        Side of the item in pixels.
    angle : float
        Where the light comes from, in degrees from the top, clockwise.
    background : int
        Grey value around the disc.

    Returns
    -------
    array of uint8 of shape (side, side)
        Grey values, in the disc from black to white.
    """
    axis = (np.arange(side) + 0.5) / side * 2 - 1
    x, y = np.meshgrid(axis, axis)
    along = x * np.sin(np.radians(angle)) - y * np.cos(np.radians(angle))
    inside = x**2 + y**2 < 1
    return np.where(inside, 127.5 * (1 + along), background).clip(0, 255).astype(np.uint8)


def cross(side: int, whole: bool, turn: int) -> np.ndarray:
    """Draw a bar that another one crosses off its middle, or whose two halves miss each other.

    Parameters
    ----------
    side : int
        Side of the item in pixels.
    whole : bool
        Whether the crossing bar is in one piece.
    turn : int
        One of four ways to turn and flip it.

    Returns
    -------
    array of uint8 of shape (side, side)
        Grey values.
    """
    image, draw, full = _canvas(side)
    edge, weight, middle = 0.035 * full, 0.093 * full, full / 2
    draw.rectangle((middle - weight / 2, edge, middle + weight / 2, full - edge), fill=0)
    left = edge + 3.5 * weight
    right = left if whole else edge + 6.5 * weight
    draw.rectangle((edge, left - weight / 2, middle, left + weight / 2), fill=0)
    draw.rectangle((middle, right - weight / 2, full - edge, right + weight / 2), fill=0)
    drawn = _finished(image, side)
    return [drawn, drawn[::-1], drawn.T, drawn.T[:, ::-1]][turn % 4]


def letter(side: int, name: str, turn: int) -> np.ndarray:
    """Draw an L or a T in one of four orientations.

    Parameters
    ----------
    side : int
        Side of the item in pixels.
    name : {"L", "T"}
        Which.
    turn : int
        Quarters by which it is turned.

    Returns
    -------
    array of uint8 of shape (side, side)
        Grey values.
    """
    image, draw, full = _canvas(side)
    edge, weight = 0.035 * full, 0.093 * full
    stem = edge + weight / 2 if name == "L" else full / 2
    draw.rectangle((stem - weight / 2, edge, stem + weight / 2, full - edge), fill=0)
    draw.rectangle((edge, full - edge - weight, full - edge, full - edge), fill=0)
    return np.rot90(_finished(image, side), turn % 4)
