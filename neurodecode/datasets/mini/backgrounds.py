"""The eight textured backgrounds of the miniature world."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

RGB = tuple[int, int, int]


def _gradient(size: int, top: RGB, bottom: RGB) -> Image.Image:
    ramp = np.linspace(0.0, 1.0, size)[:, None, None]
    rows = (1 - ramp) * np.array(top) + ramp * np.array(bottom)
    return Image.fromarray(np.broadcast_to(rows, (size, size, 3)).astype(np.uint8))


def _speckle(
    image: Image.Image, rng: np.random.Generator, grain: int, amount: float
) -> Image.Image:
    """Add grey noise of `grain` cells a side and `amount` grey levels."""
    side = image.size[0]
    cells = rng.normal(0.0, amount, (grain, grain)).astype(np.float32)
    noise = np.asarray(Image.fromarray(cells).resize((side, side), Image.Resampling.BICUBIC))
    values = np.asarray(image, dtype=np.float32) + noise[..., None]
    return Image.fromarray(values.clip(0, 255).astype(np.uint8))


def _sky(size: int, rng: np.random.Generator) -> Image.Image:
    image = _gradient(size, (92, 164, 232), (196, 228, 250))
    clouds = Image.new("L", (size, size), 0)
    draw = ImageDraw.Draw(clouds)
    for _ in range(3):
        x, y = rng.uniform(0, size), rng.uniform(0, 0.6 * size)
        for dx in (-0.09, 0.0, 0.1):
            r = size * rng.uniform(0.05, 0.1)
            cx = x + dx * size
            draw.ellipse((cx - 1.4 * r, y - 0.7 * r, cx + 1.4 * r, y + 0.7 * r), fill=230)
    clouds = clouds.filter(ImageFilter.GaussianBlur(size / 60))
    image.paste((255, 255, 255), mask=clouds)
    return image


def _grass(size: int, rng: np.random.Generator) -> Image.Image:
    image = _speckle(_gradient(size, (142, 190, 84), (88, 146, 52)), rng, 9, 7.0)
    draw = ImageDraw.Draw(image)
    for _ in range(90):
        x, y = rng.uniform(0, size, 2)
        height, lean = size * rng.uniform(0.04, 0.08), size * rng.uniform(-0.02, 0.02)
        shade = tuple(int(v) for v in np.array((64, 122, 40)) + rng.uniform(-16, 40))
        draw.line((x, y, x + lean, y - height), fill=shade, width=max(1, size // 80))
    return image


def _sand(size: int, rng: np.random.Generator) -> Image.Image:
    image = _gradient(size, (240, 220, 168), (222, 190, 126))
    draw = ImageDraw.Draw(image)
    phase = rng.uniform(0, 2 * np.pi)
    xs = np.linspace(0, size, 33)
    for k in range(7):
        ys = size * (k + 0.5) / 7 + size * 0.018 * np.sin(6 * np.pi * xs / size + phase + k)
        draw.line(list(zip(xs.tolist(), ys.tolist(), strict=True)), fill=(206, 170, 108),
                  width=max(1, size // 70))  # fmt: skip
    return _speckle(image, rng, 40, 6.0)


def _water(size: int, rng: np.random.Generator) -> Image.Image:
    image = _gradient(size, (40, 150, 176), (16, 84, 126))
    draw = ImageDraw.Draw(image)
    for _ in range(26):
        x, y = rng.uniform(-0.1, 1.0) * size, rng.uniform(0, 1) * size
        w, h = size * rng.uniform(0.08, 0.16), size * 0.04
        draw.arc((x, y, x + w, y + h), 180, 360, fill=(132, 212, 222), width=max(1, size // 64))
    return image


def _night(size: int, rng: np.random.Generator) -> Image.Image:
    image = _gradient(size, (14, 16, 44), (48, 42, 92))
    draw = ImageDraw.Draw(image)
    for _ in range(34):
        x, y = rng.uniform(0, size, 2)
        r = size * rng.uniform(0.006, 0.013)
        draw.ellipse((x - r, y - r, x + r, y + r), fill=(250, 246, 214))
    return image


def _bricks(size: int, rng: np.random.Generator) -> Image.Image:
    image = Image.new("RGB", (size, size), (206, 190, 176))
    draw = ImageDraw.Draw(image)
    height, width, gap = size / 8, size / 4, size / 90
    shift = rng.uniform(0, width)
    for row in range(8):
        start = -width + (shift + row % 2 * width / 2) % width - width
        for column in range(7):
            x, y = start + column * width, row * height
            tone = np.array((168, 92, 72)) + rng.uniform(-14, 14)
            draw.rectangle((x + gap, y + gap, x + width - gap, y + height - gap),
                           fill=tuple(int(v) for v in tone))  # fmt: skip
    return image


def _stripes(size: int, rng: np.random.Generator) -> Image.Image:
    y, x = np.mgrid[:size, :size] / size
    phase = rng.uniform(0, 1)
    bands = ((x + y) * 5 + phase) % 1.0 < 0.5
    colours = np.array([(214, 206, 224), (120, 116, 138)], dtype=np.uint8)
    return Image.fromarray(colours[bands.astype(int)])


def _snow(size: int, rng: np.random.Generator) -> Image.Image:
    image = _gradient(size, (196, 208, 222), (240, 246, 252))
    draw = ImageDraw.Draw(image)
    for _ in range(46):
        x, y = rng.uniform(0, size, 2)
        r = size * rng.uniform(0.01, 0.022)
        draw.ellipse((x - r, y - r, x + r, y + r), fill=(255, 255, 255))
    return image


_PAINTERS: dict[str, Callable[[int, np.random.Generator], Image.Image]] = {
    "sky": _sky, "grass": _grass, "sand": _sand, "water": _water, "night": _night,
    "bricks": _bricks, "stripes": _stripes, "snow": _snow,
}  # fmt: skip


def paint_background(name: str, size: int, seed: int) -> Image.Image:
    """Paint one background.

    Parameters
    ----------
    name : str
        One of `neurodecode.datasets.mini.scenes.BACKGROUNDS`.
    size : int
        Side of the square image in pixels.
    seed : int
        Seed of the texture.

    Returns
    -------
    Image.Image
        RGB image of (size, size) pixels.
    """
    return _PAINTERS[name](size, np.random.default_rng(seed))
