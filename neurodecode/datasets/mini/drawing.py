"""How the objects of the miniature world are drawn.

Every drawer works in the unit square: x and y from -1 to 1, y downwards, scaled by a `Pen` to
the pixels of a transparent layer. The colours of an object follow from its one named colour.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw

RGB = tuple[int, int, int]
Point = tuple[float, float]
INK: RGB = (38, 32, 40)
CREAM: RGB = (255, 244, 206)


def mix(first: RGB, second: RGB, weight: float) -> RGB:
    """Blend two colours, `weight` being the share of the second."""
    pairs = zip(first, second, strict=True)
    return tuple(round(a + weight * (b - a)) for a, b in pairs)  # type: ignore[return-value]


@dataclass
class Pen:
    """Draws in unit coordinates on a square transparent layer.

    Parameters
    ----------
    draw : ImageDraw.ImageDraw
        Target of the strokes.
    side : int
        Side of the layer in pixels.
    half : float
        Pixels that one unit of length takes.
    colour : tuple of int
        RGB of the object.
    """

    draw: ImageDraw.ImageDraw
    side: int
    half: float
    colour: RGB

    @property
    def dark(self) -> RGB:
        """The colour in shade."""
        return mix(self.colour, INK, 0.38)

    @property
    def light(self) -> RGB:
        """The colour in light."""
        return mix(self.colour, (255, 255, 255), 0.5)

    def _px(self, points: Sequence[Point]) -> list[Point]:
        mid = self.side / 2
        return [(mid + x * self.half, mid + y * self.half) for x, y in points]

    def _width(self, width: float) -> int:
        return max(1, round(width * self.half))

    def polygon(self, points: Sequence[Point], fill: RGB, line: float = 0.07) -> None:
        """Fill a polygon and ink its edge."""
        pixels = self._px(points)
        self.draw.polygon(pixels, fill=fill)
        if line:
            closed = [*pixels, pixels[0], pixels[1]]
            self.draw.line(closed, fill=INK, width=self._width(line), joint="curve")

    def ellipse(self, x: float, y: float, rx: float, ry: float, fill: RGB | None,
                line: float = 0.07) -> None:  # fmt: skip
        """Fill an ellipse given by centre and radii and ink its edge."""
        (box,) = [sum(self._px([(x - rx, y - ry), (x + rx, y + ry)]), ())]
        ink = INK if line else None
        self.draw.ellipse(box, fill=fill, outline=ink, width=self._width(line) if line else 1)

    def stroke(self, points: Sequence[Point], colour: RGB = INK, line: float = 0.09) -> None:
        """Draw an open line."""
        self.draw.line(self._px(points), fill=colour, width=self._width(line), joint="curve")

    def arc(self, x: float, y: float, r: float, start: float, end: float,
            line: float = 0.09, colour: RGB = INK) -> None:  # fmt: skip
        """Draw an arc between two angles in degrees, clockwise from three o'clock."""
        box = sum(self._px([(x - r, y - r), (x + r, y + r)]), ())
        self.draw.arc(box, start, end, fill=colour, width=self._width(line))


def _ring(n: int, radius: float, phase: float, x: float = 0.0, y: float = 0.0) -> list[Point]:
    angles = phase + 2 * np.pi * np.arange(n) / n
    return [(x + radius * float(np.sin(a)), y - radius * float(np.cos(a))) for a in angles]


def _ball(pen: Pen) -> None:
    pen.ellipse(0, 0, 0.94, 0.94, pen.colour)
    pen.ellipse(0, 0, 0.40, 0.90, pen.light, line=0.06)
    pen.ellipse(0, 0, 0.94, 0.94, None)
    pen.ellipse(0, -0.86, 0.16, 0.10, pen.dark, line=0)


def _box(pen: Pen) -> None:
    pen.polygon([(-0.92, -0.38), (0.42, -0.38), (0.42, 0.94), (-0.92, 0.94)], pen.colour)
    pen.polygon([(-0.92, -0.38), (-0.42, -0.92), (0.92, -0.92), (0.42, -0.38)], pen.light)
    pen.polygon([(0.42, -0.38), (0.92, -0.92), (0.92, 0.40), (0.42, 0.94)], pen.dark)
    pen.stroke([(-0.25, -0.38), (-0.25, 0.94)], INK, 0.12)
    pen.stroke([(-0.25, -0.38), (0.25, -0.92)], INK, 0.10)


def _star(pen: Pen) -> None:
    outer, inner = _ring(5, 1.0, 0.0, y=0.08), _ring(5, 0.43, np.pi / 5, y=0.08)
    pen.polygon([p for pair in zip(outer, inner, strict=True) for p in pair], pen.colour, 0.08)
    pen.ellipse(-0.12, -0.12, 0.16, 0.16, pen.light, line=0)


def _house(pen: Pen) -> None:
    pen.polygon([(0.42, -0.9), (0.66, -0.9), (0.66, -0.3), (0.42, -0.3)], pen.dark)
    pen.polygon([(-0.76, -0.14), (0.76, -0.14), (0.76, 0.94), (-0.76, 0.94)], pen.colour)
    pen.polygon([(-0.96, -0.10), (0.0, -0.94), (0.96, -0.10)], pen.dark)
    pen.polygon([(-0.18, 0.36), (0.18, 0.36), (0.18, 0.94), (-0.18, 0.94)], INK, 0)
    for x in (-0.48, 0.48):
        pen.polygon([(x - 0.16, 0.1), (x + 0.16, 0.1), (x + 0.16, 0.42), (x - 0.16, 0.42)],
                    CREAM, 0.06)  # fmt: skip


def _tree(pen: Pen) -> None:
    pen.polygon([(-0.14, 0.5), (0.14, 0.5), (0.17, 0.95), (-0.17, 0.95)], (112, 72, 40))
    for top, bottom, width in ((0.0, 0.62, 0.84), (-0.5, 0.18, 0.66), (-0.96, -0.28, 0.46)):
        pen.polygon([(-width, bottom), (0, top - 0.1), (width, bottom)], pen.colour)
        pen.polygon([(0.05, bottom - 0.06), (0.0, top), (width * 0.8, bottom - 0.06)], pen.dark, 0)


def _car(pen: Pen) -> None:
    pen.polygon([(-0.58, 0.0), (-0.36, -0.52), (0.34, -0.52), (0.64, 0.0)], pen.dark)
    pen.polygon([(-0.40, -0.04), (-0.27, -0.40), (-0.06, -0.40), (-0.06, -0.04)],
                (206, 232, 246), 0.05)  # fmt: skip
    pen.polygon([(0.06, -0.04), (0.06, -0.40), (0.26, -0.40), (0.44, -0.04)],
                (206, 232, 246), 0.05)  # fmt: skip
    pen.polygon([(-0.95, 0.08), (-0.84, -0.04), (0.74, -0.04), (0.95, 0.12), (0.95, 0.42),
                 (-0.95, 0.42)], pen.colour)  # fmt: skip
    pen.ellipse(0.84, 0.18, 0.08, 0.08, CREAM, 0.04)
    for x in (-0.52, 0.52):
        pen.ellipse(x, 0.42, 0.27, 0.27, INK, 0)
        pen.ellipse(x, 0.42, 0.12, 0.12, (196, 196, 200), 0)


def _boat(pen: Pen) -> None:
    pen.stroke([(0.0, -0.95), (0.0, 0.45)], (92, 60, 36), 0.11)
    pen.polygon([(0.09, -0.86), (0.84, 0.30), (0.09, 0.30)], (252, 250, 240))
    pen.polygon([(-0.09, -0.64), (-0.70, 0.30), (-0.09, 0.30)], pen.light)
    pen.polygon([(-0.98, 0.44), (0.98, 0.44), (0.64, 0.92), (-0.62, 0.92)], pen.colour)
    pen.polygon([(-0.86, 0.60), (0.86, 0.60), (0.80, 0.70), (-0.80, 0.70)], pen.dark, 0)


def _fish(pen: Pen) -> None:
    pen.polygon([(0.38, 0.0), (0.96, -0.52), (0.84, 0.0), (0.96, 0.52)], pen.dark)
    pen.polygon([(-0.30, -0.40), (0.0, -0.74), (0.32, -0.32)], pen.dark)
    pen.ellipse(-0.20, 0.0, 0.76, 0.50, pen.colour)
    pen.polygon([(-0.12, 0.06), (0.24, -0.08), (0.20, 0.28)], pen.light, 0.05)
    pen.arc(-0.72, 0.0, 0.44, -50, 50, 0.06)
    pen.ellipse(-0.62, -0.12, 0.13, 0.13, (255, 255, 255), 0.04)
    pen.ellipse(-0.65, -0.12, 0.06, 0.06, INK, 0)


def _cup(pen: Pen) -> None:
    pen.ellipse(0.52, 0.12, 0.42, 0.42, pen.dark)
    pen.ellipse(0.52, 0.12, 0.20, 0.22, mix(INK, (255, 255, 255), 0.85), 0.07)
    pen.polygon([(-0.84, -0.62), (0.52, -0.62), (0.40, 0.92), (-0.72, 0.92)], pen.colour)
    pen.ellipse(-0.16, -0.62, 0.68, 0.20, pen.light)
    pen.ellipse(-0.16, -0.58, 0.52, 0.12, (88, 52, 28), 0)
    pen.polygon([(-0.62, -0.2), (-0.48, -0.18), (-0.44, 0.64), (-0.55, 0.64)], pen.light, 0)


def _flower(pen: Pen) -> None:
    pen.stroke([(0.0, 0.0), (0.04, 0.96)], (38, 110, 46), 0.14)
    pen.polygon([(0.03, 0.78), (0.24, 0.46), (0.62, 0.46), (0.40, 0.76)], (66, 150, 66), 0.05)
    pen.polygon([(0.03, 0.90), (-0.22, 0.58), (-0.58, 0.60), (-0.36, 0.88)], (66, 150, 66), 0.05)
    for x, y in _ring(6, 0.42, 0.0, y=-0.28):
        pen.ellipse(x, y, 0.29, 0.29, pen.colour)
    pen.ellipse(0, -0.28, 0.26, 0.26, (122, 72, 22), 0.05)


def _face(pen: Pen) -> None:
    for x in (-0.86, 0.86):
        pen.ellipse(x, 0.0, 0.14, 0.22, pen.dark)
    pen.ellipse(0, 0, 0.82, 0.94, pen.colour)
    for x in (-0.32, 0.32):
        pen.ellipse(x, -0.22, 0.20, 0.22, (255, 255, 255), 0.04)
        pen.ellipse(x + 0.03, -0.18, 0.10, 0.12, INK, 0)
        pen.stroke([(x - 0.2, -0.54), (x + 0.2, -0.56)], INK, 0.09)
    pen.stroke([(0.0, -0.06), (0.08, 0.16), (-0.04, 0.18)], INK, 0.06)
    pen.arc(0, 0.22, 0.42, 25, 155, 0.13)


def _umbrella(pen: Pen) -> None:
    pen.stroke([(0.0, -0.9), (0.0, 0.72)], (70, 54, 50), 0.11)
    pen.arc(0.19, 0.70, 0.245, 0, 180, 0.11, (70, 54, 50))
    rim = [(0.98 * float(np.cos(t)), 0.06 - 0.92 * float(np.sin(t)))
           for t in np.linspace(np.pi, 0, 25)]  # fmt: skip
    scallops = [(0.98 - i * 0.49 / 6 * 1.0, 0.06 - 0.14 * float(np.sin(np.pi * (i % 6) / 6)))
                for i in range(1, 24)]  # fmt: skip
    pen.polygon([*rim, *scallops], pen.colour)
    inner = [(0.47 * float(np.cos(t)), 0.06 - 0.90 * float(np.sin(t)))
             for t in np.linspace(np.pi, 0, 17)]  # fmt: skip
    pen.polygon([*inner, (0.24, -0.06), (0, 0.04), (-0.24, -0.06)], pen.light, 0.05)


DRAWERS: dict[str, Callable[[Pen], None]] = {
    "ball": _ball, "box": _box, "star": _star, "house": _house, "tree": _tree, "car": _car,
    "boat": _boat, "fish": _fish, "cup": _cup, "flower": _flower, "face": _face,
    "umbrella": _umbrella,
}  # fmt: skip
"""One drawer a category."""


def draw_object(category: str, colour: RGB, side: float, margin: float = 0.12) -> Image.Image:
    """Draw one object on a transparent square layer.

    Parameters
    ----------
    category : str
        A key of `DRAWERS`.
    colour : tuple of int
        RGB of the object.
    side : float
        Side in pixels of the square the object fills.
    margin : float
        Transparent border on each side, as a fraction of `side`, room for the shadow.

    Returns
    -------
    Image.Image
        RGBA layer, its centre the object's centre.
    """
    pixels = 2 * round(side * (0.5 + margin))
    layer = Image.new("RGBA", (pixels, pixels), (0, 0, 0, 0))
    DRAWERS[category](Pen(ImageDraw.Draw(layer), pixels, side / 2, colour))
    return layer
