"""Low-level likeness of true and reconstructed images: PixCorr and SSIM."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Literal

import torch
import torch.nn.functional as F
from torch import Tensor

from neurodecode.errors import DataError
from neurodecode.metrics.functional.arrays import ArrayLike, as_tensor

__all__ = ["PUBLISHED", "as_images", "pixcorr", "resize_images", "rgb_to_gray", "ssim"]

PUBLISHED_SIZE = 425
#: Options of `pixcorr` and `ssim` for what is printed in papers: torchvision before 0.17 shrank
#: tensors without a low-pass.
PUBLISHED: Mapping[str, Any] = {"size": PUBLISHED_SIZE, "via": 256, "antialias": False}


def as_images(images: ArrayLike) -> Tensor:
    """Take pictures in as channels-first floating point between 0 and 1.

    Parameters
    ----------
    images : array-like of shape (n_images, height, width, 3) or (n_images, 3, height, width)
        RGB, uint8 or floating point in [0, 1].

    Returns
    -------
    Tensor of shape (n_images, 3, height, width)
        float32 (float64 stays float64).

    Raises
    ------
    DataError
        If there is no colour axis or the range is not that of a picture.
    """
    pixels = as_tensor(images)
    if pixels.ndim != 4 or 3 not in (pixels.shape[1], pixels.shape[3]):
        raise DataError(
            f"shape {tuple(pixels.shape)} is not that of RGB images",
            field="images",
            fix="pass (n, height, width, 3) or (n, 3, height, width)",
        )
    if pixels.shape[1] != 3:
        pixels = pixels.permute(0, 3, 1, 2)
    if pixels.dtype == torch.uint8:
        return pixels.float() / 255
    if not pixels.is_floating_point() or (
        pixels.numel() and not (pixels.min() >= 0 and pixels.max() <= 1)
    ):
        raise DataError(
            "pixel values are neither uint8 nor within [0, 1]",
            field="images",
            fix="scale or clip the images first",
        )
    return pixels if pixels.dtype == torch.float64 else pixels.float()


def resize_images(images: Tensor, size: int, *, antialias: bool = True) -> Tensor:
    """Resize to a square, bilinearly.

    Parameters
    ----------
    images : Tensor of shape (n_images, n_channels, height, width)
        Floating point.
    size : int
        Side of the square in pixels. Unlike torchvision's ``Resize(size)``, which fixes the
        shorter side, so that images of different shapes can be compared; the same for squares.
    antialias : bool
        Low-pass before shrinking. Without effect when enlarging.

    Returns
    -------
    Tensor of shape (n_images, n_channels, size, size)
        Resized images.
    """
    if images.shape[-2:] == (size, size):
        return images
    shrinks = size < max(images.shape[-2:])
    return F.interpolate(
        images, (size, size), mode="bilinear", align_corners=False, antialias=antialias and shrinks
    )


def rgb_to_gray(images: Tensor) -> Tensor:
    """Luminance with the ITU-R BT.709 weights that scikit-image uses.

    Parameters
    ----------
    images : Tensor of shape (n_images, 3, height, width)
        RGB.

    Returns
    -------
    Tensor of shape (n_images, height, width)
        Gray values.
    """
    red, green, blue = images.unbind(dim=1)
    return 0.2125 * red + 0.7154 * green + 0.0721 * blue


def _pairwise(
    score: Callable[[Tensor, Tensor], Tensor],
    truth: ArrayLike,
    reconstruction: ArrayLike,
    size: int | None,
    antialias: bool,
    chunk: int,
    prepare: Callable[[Tensor], Tensor] = as_images,
    via: int | None = None,
) -> Tensor:
    truth, reconstruction = as_tensor(truth), as_tensor(reconstruction)
    if len(truth) != len(reconstruction):
        raise DataError(
            f"{len(truth)} images but {len(reconstruction)} reconstructions", field="images"
        )
    pieces = []
    for pair in zip(truth.split(chunk), reconstruction.split(chunk), strict=True):
        images = [prepare(part) for part in pair]
        for side in (via, size):
            if side is not None:
                images = [resize_images(part, side, antialias=antialias) for part in images]
        if images[0].shape != images[1].shape:
            raise DataError(
                f"images {tuple(images[0].shape)} but reconstructions {tuple(images[1].shape)}",
                field="images",
                fix="give a size to resize both to",
            )
        pieces.append(score(*images))
    return torch.cat(pieces)


def _correlation(truth: Tensor, reconstruction: Tensor) -> Tensor:
    (first, first_mean), (second, second_mean) = _centred(truth), _centred(reconstruction)
    # sums over half a million pixels lose the fifth digit in single precision
    product, first_squares, second_squares = (
        (x * y).sum(dim=1, dtype=torch.float64)
        for x, y in ((first, second), (first, first), (second, second))
    )
    r = (product / (first_squares * second_squares).sqrt()).clamp(-1, 1)
    uniform = _is_rounding(first_squares, first_mean, first)
    return r.masked_fill(uniform | _is_rounding(second_squares, second_mean, second), torch.nan)


def _centred(images: Tensor) -> tuple[Tensor, Tensor]:
    rows = images.flatten(1)
    mean = rows.mean(dim=1, keepdim=True, dtype=torch.float64)
    return rows - mean.to(rows.dtype), mean[:, 0]


def _is_rounding(squares: Tensor, mean: Tensor, rows: Tensor) -> Tensor:
    """Whether what is left of a picture is what resizing leaves of a uniform one."""
    return squares <= rows.shape[1] * (8 * torch.finfo(rows.dtype).eps * mean) ** 2


def pixcorr(
    truth: ArrayLike,
    reconstruction: ArrayLike,
    *,
    size: int | None = PUBLISHED_SIZE,
    via: int | None = None,
    antialias: bool = True,
    chunk: int = 4,
) -> Tensor:
    """Pearson correlation of the RGB pixel values of each pair of images.

    Parameters
    ----------
    truth, reconstruction : array-like of shape (n_images, height, width, 3)
        Or channels first; see `as_images`.
    size : int or None
        Side to which both are resized first. The size changes the score (.875 became .931 in
        one check), so it belongs to the definition: 425 is the published one.
    via : int or None
        Side to which both are resized even before that. The published scores are of pictures of
        256 pixels, without antialiasing (`PUBLISHED`).
    antialias : bool
        See `resize_images`.
    chunk : int
        Pairs handled at a time; few stay in the processor's cache.

    Returns
    -------
    Tensor of shape (n_images,)
        Between -1 and 1, chance 0 for unrelated images of the same mean; nan where either
        image is uniform.
    """
    return _pairwise(_correlation, truth, reconstruction, size, antialias, chunk, via=via)


def _window(kind: Literal["gaussian", "uniform"], like: Tensor) -> Tensor:
    if kind == "uniform":
        return like.new_full((7,), 1 / 7)
    offsets = torch.arange(-5, 6, dtype=like.dtype, device=like.device)
    weights = torch.exp(-(offsets**2) / (2 * 1.5**2))
    return weights / weights.sum()


def _local_mean(maps: Tensor, window: Tensor) -> Tensor:
    """Weighted means of windows inside each map, (n, h, w)."""
    # one depthwise convolution with the full window beats two separable ones on a CPU
    weights = torch.outer(window, window).expand(len(maps), 1, -1, -1)
    return F.conv2d(maps[None], weights, groups=len(maps))[0]


def _ssim_gray(
    first: Tensor,
    second: Tensor,
    window: Literal["gaussian", "uniform"],
    sample_covariance: bool,
) -> Tensor:
    weights = _window(window, first)
    if min(first.shape[-2:]) < len(weights):
        raise DataError(
            f"images of {tuple(first.shape[-2:])} pixels are smaller than the window of SSIM",
            field="images",
            fix=f"resize to at least {len(weights)} pixels",
        )
    maps = torch.cat([first, second, first**2, second**2, first * second])
    x, y, xx, yy, xy = _local_mean(maps, weights).split(len(first))
    n_pixels = len(weights) ** 2
    norm = n_pixels / (n_pixels - 1) if sample_covariance else 1.0
    var_x, var_y, cov = norm * (xx - x * x), norm * (yy - y * y), norm * (xy - x * y)
    c1, c2 = 0.01**2, 0.03**2
    similarity = (2 * x * y + c1) * (2 * cov + c2) / ((x**2 + y**2 + c1) * (var_x + var_y + c2))
    return similarity.double().mean(dim=(1, 2))


def ssim(
    truth: ArrayLike,
    reconstruction: ArrayLike,
    *,
    size: int | None = PUBLISHED_SIZE,
    via: int | None = None,
    antialias: bool = True,
    window: Literal["gaussian", "uniform"] = "gaussian",
    sample_covariance: bool = False,
    chunk: int = 4,
) -> Tensor:
    r"""Structural similarity of the gray versions of each pair of images.

    .. math:: \frac{(2\mu_x\mu_y + c_1)(2\sigma_{xy} + c_2)}
                   {(\mu_x^2 + \mu_y^2 + c_1)(\sigma_x^2 + \sigma_y^2 + c_2)}

    averaged over the pixels whose window lies inside the image, as scikit-image does
    (torchmetrics averages a padded border too and gives another number).

    Parameters
    ----------
    truth, reconstruction : array-like of shape (n_images, height, width, 3)
        Or channels first; see `as_images`.
    size : int or None
        Side to which both are resized first; 425 is the published one.
    via : int or None
        As for `pixcorr`.
    antialias : bool
        See `resize_images`.
    window : {"gaussian", "uniform"}
        Gaussian of 1.5 pixels cut at 11 x 11, or 7 x 7 uniform (scikit-image's default).
    sample_covariance : bool
        Divide local covariances by n - 1; the published scores do not.
    chunk : int
        Pairs handled at a time; few stay in the processor's cache.

    Returns
    -------
    Tensor of shape (n_images,)
        1 for identical images. Blurred and collapsed images score well: read it together with
        a high-level metric.

    Raises
    ------
    DataError
        If the images are smaller than the window.

    References
    ----------
    Wang et al. 2004.
    """

    def score(first: Tensor, second: Tensor) -> Tensor:
        """SSIM of one chunk of gray pairs."""
        return _ssim_gray(first[:, 0], second[:, 0], window, sample_covariance)

    def gray(images: Tensor) -> Tensor:
        """One gray channel, before resizing."""
        # resizing and graying are both linear: in this order there is a third to resize
        return rgb_to_gray(as_images(images))[:, None]

    return _pairwise(score, truth, reconstruction, size, antialias, chunk, gray, via)
