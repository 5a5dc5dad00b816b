"""Pictures as data URIs."""

from __future__ import annotations

import base64
import io
from collections.abc import Sequence
from typing import Any

import numpy as np
from PIL import Image

__all__ = ["Picture", "movie_uri", "picture_uri", "to_pixels"]

#: Bytes of a PNG beyond which a picture is taken for a photograph; scenes of 64 pixels have 8000.
_LARGE = 14_000
#: What the template shows: source and text for those who cannot see it.
Picture = dict[str, str]


def to_pixels(image: np.ndarray) -> np.ndarray:
    """Bring a picture to 8-bit RGB.

    Parameters
    ----------
    image : array of shape (height, width, 3)
        uint8, or floating point in 0..1 (clipped).

    Returns
    -------
    array of uint8 of shape (height, width, 3)
        The pixels.
    """
    if image.dtype == np.uint8:
        return image
    return np.rint(np.clip(image, 0, 1) * 255).astype(np.uint8)


def picture_uri(image: np.ndarray, largest: int = 160) -> str:
    """Encode a picture for an ``img``.

    Parameters
    ----------
    image : array of shape (height, width, 3)
        uint8, or floating point in 0..1.
    largest : int
        Longer side in pixels beyond which it is made smaller.

    Returns
    -------
    str
        Data URI: PNG, every pixel as it is; JPEG for photographs, whose PNG would be large.
    """
    picture = Image.fromarray(to_pixels(image))
    if max(picture.size) > largest:
        picture.thumbnail((largest, largest), Image.Resampling.LANCZOS)
    kind, content = "png", _encoded(picture, "PNG", optimize=True)
    if len(content) > _LARGE:
        kind, content = "jpeg", _encoded(picture, "JPEG", quality=88, optimize=True)
    return f"data:image/{kind};base64," + base64.b64encode(content).decode("ascii")


def movie_uri(images: Sequence[np.ndarray], largest: int = 160, frame_ms: int = 180) -> str:
    """Encode pictures as an animation that runs for ever.

    Parameters
    ----------
    images : sequence of array of shape (height, width, 3)
        Frames, uint8 or floating point in 0..1; the last stays for a second.
    largest : int
        Longer side in pixels beyond which frames are made smaller.
    frame_ms : int
        How long a frame stays.

    Returns
    -------
    str
        Data URI of a WebP.
    """
    frames = [Image.fromarray(to_pixels(image)) for image in images]
    for frame in frames:
        frame.thumbnail((largest, largest), Image.Resampling.LANCZOS)
    durations = [frame_ms] * (len(frames) - 1) + [1000]
    content = _encoded(
        frames[0], "WEBP", save_all=True, append_images=frames[1:], duration=durations, loop=0,
        quality=85,
    )  # fmt: skip
    return "data:image/webp;base64," + base64.b64encode(content).decode("ascii")


def _encoded(picture: Image.Image, kind: str, **options: Any) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, kind, **options)
    return buffer.getvalue()
