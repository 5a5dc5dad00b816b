"""Features of what stands out: contrasts of light, colour and edges at several scales."""

from __future__ import annotations

import numpy as np
from PIL import Image
from scipy.ndimage import gaussian_filter, gaussian_gradient_magnitude

__all__ = ["CHANNELS", "conspicuity"]

#: Standard deviations of the centres, in thirds of a cell; surrounds are three times as wide.
_SCALES = (1.0, 2.0, 4.0, 8.0)
_PER_CELL = 6
_FLOOR = 1e-3
#: Values of each cell.
CHANNELS = len(_SCALES) * 5 + 6


def conspicuity(image: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    """Describe the cells of a picture.

    Contrast of a centre with its surround in light, red against green and blue against yellow
    (as in Itti, Koch and Niebur 1998), edges, and likeness to the hue of skin, at four scales;
    light and the two colours at two. Each channel is standardised within the picture: what
    stands out does so among its surroundings.

    Parameters
    ----------
    image : array of uint8 of shape (height, width, 3)
        RGB.
    shape : (int, int)
        Rows and columns of the cells.

    Returns
    -------
    array of float32 of shape (rows, columns, 26)
        Features.
    """
    rows, columns = shape
    small = Image.fromarray(image).resize(
        (columns * _PER_CELL, rows * _PER_CELL), Image.Resampling.BOX
    )
    red, green, blue = np.moveaxis(np.asarray(small, np.float32) / 255, 2, 0)
    light = (red + green + blue) / 3
    colours = (light, (red - green) / (light + 0.1), (blue - (red + green) / 2) / (light + 0.1))
    skin = _skin(red, green, blue)
    maps = []
    for scale in _SCALES:
        sigma = scale * _PER_CELL / 6
        for plane in colours:
            contrast = gaussian_filter(plane, sigma) - gaussian_filter(plane, 3 * sigma)
            maps.append(np.log(_FLOOR + gaussian_filter(contrast**2, 2 * sigma)))
        edges = gaussian_gradient_magnitude(light, sigma)
        maps.append(np.log(_FLOOR + gaussian_filter(edges, 2 * sigma)))
        maps.append(gaussian_filter(skin, 2 * sigma))
    maps += [gaussian_filter(plane, sigma) for sigma in (3.0, 12.0) for plane in colours]
    cells = np.stack(maps).reshape(len(maps), rows, _PER_CELL, columns, _PER_CELL).mean((2, 4))
    centred = cells - cells.mean((1, 2), keepdims=True)
    spread = centred.std((1, 2), keepdims=True)
    # a channel without any contrast (a grey picture) stays zero
    return np.moveaxis(centred / np.maximum(spread, 1e-4), 0, 2).astype(np.float32)


def _skin(red: np.ndarray, green: np.ndarray, blue: np.ndarray) -> np.ndarray:
    """Closeness to the hues that skin of all shades has in common (Hsu et al. 2002, roughly)."""
    total = red + green + blue + 1e-3
    distance = ((red / total - 0.43) / 0.06) ** 2 + ((green / total - 0.32) / 0.03) ** 2
    return np.exp(-distance / 2) * (total > 0.4)
