"""Search by top-down modulation, winner-take-all and inhibition of return."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional as F
from torchvision.transforms.v2.functional import gaussian_blur

from neurodecode.errors import DataError
from neurodecode.nn.scanpath.search_tower import SearchTower

__all__ = ["Found", "VisualSearch", "attention_map", "retina"]

#: Kernel side and standard deviation of the centre and the surround, in cells of the map.
_CENTRE, _SURROUND, _ROUNDS = (3, 1.0), (5, 3.0), 3
#: Sides of pictures are brought to a multiple of this by padding, for four or five poolings.
_MULTIPLE = 32


class Found(NamedTuple):
    """Fixations of searches.

    Parameters
    ----------
    xy : Tensor of shape (n, n_fixations, 2)
        x and y in pixels, without the start in the middle; NaN after the target was found.
    n_fixations : Tensor of int of shape (n,)
        Fixations of each search.
    found : Tensor of bool of shape (n,)
        Whether the last one was on the target.
    """

    xy: Tensor
    n_fixations: Tensor
    found: Tensor


def retina(images: Tensor, at: Tensor, size: int, background: float) -> Tensor:
    """Bring what is looked at to the middle.

    Parameters
    ----------
    images : Tensor of shape (n, channels, height, width)
        Pictures.
    at : Tensor of int of shape (n, 2)
        Column and row of each fixation.
    size : int
        Side of the retina, even, at least twice that of the pictures to keep everything in view.
    background : float
        Value beyond the picture.

    Returns
    -------
    Tensor of shape (n, channels, size, size)
        The fixated pixel is at ``size / 2``.
    """
    padded = F.pad(images, (size // 2,) * 4, value=background)
    parts = [
        image[:, row : row + size, column : column + size]
        for image, (column, row) in zip(padded, at.tolist(), strict=True)
    ]
    return torch.stack(parts)


def attention_map(seen: Sequence[Tensor], wanted: Sequence[Tensor]) -> Tensor:
    """Compare what is seen with what is wanted at every place and depth.

    The target's features are the kernel of a convolution over those of the picture. Each depth's
    map goes from 0 to 1, is weighted by its largest value before that, and joins the others;
    differences of Gaussians then sharpen the sum.

    Parameters
    ----------
    seen, wanted : sequence of Tensor of shape (n, channels, ...)
        Outputs of a `SearchTower` for pictures and targets.

    Returns
    -------
    Tensor of shape (n, rows, columns)
        Not negative, on the grid of the first depth.

    References
    ----------
    Gupta et al. 2021 (eccNET); Zhang et al. 2018 (IVSN).
    """
    maps, weights = [], []
    for picture, target in zip(seen, wanted, strict=True):
        n, channels, *grid = picture.shape
        high, wide = (side - 1 for side in target.shape[-2:])
        # the same size as before, also for kernels with an even side
        around = (wide // 2, wide - wide // 2, high // 2, high - high // 2)
        flat = F.pad(picture, around).reshape(1, n * channels, grid[0] + high, grid[1] + wide)
        match = F.conv2d(flat, target, groups=n)[0]
        low, high = match.amin((1, 2), keepdim=True), match.amax((1, 2), keepdim=True)
        scaled = (match - low) / (high - low).clamp(min=1e-9)
        shape = seen[0].shape[-2:]
        maps.append(F.interpolate(scaled[:, None], shape, mode="bilinear")[:, 0])
        weights.append(high)
    total = torch.stack(weights).clamp(min=0)
    joined = (torch.stack(maps) * total / total.sum(0).clamp(min=1e-9)).sum(0)
    for _ in range(_ROUNDS):
        centre, surround = (
            gaussian_blur(joined[:, None], [side, side], [sigma, sigma])[:, 0]
            for side, sigma in (_CENTRE, _SURROUND)
        )
        joined = joined + centre - surround
    return joined - joined.amin((1, 2), keepdim=True)


@dataclass(frozen=True)
class VisualSearch:
    """Search until the target is under the fovea.

    Parameters
    ----------
    seeing : SearchTower
        For the picture, with pooling by eccentricity.
    wanting : SearchTower
        For the target, the same stages with ordinary pooling.
    inhibited : int
        Side in pixels of the square around a fixation that is not looked at again.
    background : float
        Value beyond the picture, as the tower takes it.
    """

    seeing: SearchTower
    wanting: SearchTower
    inhibited: int
    background: float = 1.0

    @torch.no_grad()
    def __call__(
        self, images: Tensor, targets: Tensor, boxes: Tensor | None, n_fixations: int
    ) -> Found:
        """Search.

        Parameters
        ----------
        images : Tensor of shape (n, 3, height, width)
            Pictures, as the tower takes them.
        targets : Tensor of shape (n, 3, side, side)
            What is looked for.
        boxes : Tensor of shape (n, 4) or None
            Left, top, width and height of the target in pixels: to look into it is to find it.
            None: nothing is ever found.
        n_fixations : int
            Most fixations.

        Returns
        -------
        Found
            The searches.

        Raises
        ------
        DataError
            If the target is smaller than one cell of the tower's last map.
        """
        n, _, height, width = images.shape
        least = 2 ** len(self.wanting.stages) if isinstance(self.wanting, SearchTower) else 1
        if min(targets.shape[-2:]) < least:
            found = " x ".join(map(str, targets.shape[-2:]))
            raise DataError(f"{found} pixels, the tower's poolings leave nothing of it",
                            field="target", fix=f"scale it to {least} or more")  # fmt: skip
        size = -(-2 * max(height, width) // _MULTIPLE) * _MULTIPLE
        wanted = self.wanting(targets)
        at = torch.tensor([[width // 2, height // 2]]).repeat(n, 1)
        free = torch.ones(n, height, width)
        xy = torch.full((n, n_fixations, 2), torch.nan)
        running, found = torch.ones(n, dtype=torch.bool), torch.zeros(n, dtype=torch.bool)
        for step in range(n_fixations):
            rows = running.nonzero()[:, 0]
            seen = self.seeing(retina(images[rows], at[rows], size, self.background))
            pull = attention_map(seen, [each[rows] for each in wanted])
            where = self._winners(pull, at[rows], free[rows], size)
            at[rows], xy[rows, step] = where, where + 0.5
            for row in rows.tolist():
                _inhibit(free[row], at[row], self.inhibited)
            if boxes is not None:
                found[rows] = _inside(where + 0.5, boxes[rows])
                running = running & ~found
            if not running.any():
                break
        return Found(xy, xy[..., 0].isfinite().sum(1), found)

    def _winners(self, pull: Tensor, at: Tensor, free: Tensor, size: int) -> Tensor:
        """Where each map is highest in its picture, column and row."""
        height, width = free.shape[1:]
        fine = F.interpolate(pull[:, None], (size, size), mode="bilinear")[:, 0]
        # of retinal coordinates, those of the picture: the fixated pixel is in the middle
        parts = [
            each[size // 2 - row : size // 2 - row + height,
                 size // 2 - column : size // 2 - column + width]
            for each, (column, row) in zip(fine, at.tolist(), strict=True)
        ]  # fmt: skip
        # what was looked at is worse than the worst place
        best = (torch.stack(parts) + 1e-6).mul(free).flatten(1).argmax(1)
        return torch.stack([best % width, best // width], dim=1)


def _inhibit(free: Tensor, at: Tensor, side: int) -> None:
    column, row = at.tolist()
    free[max(0, row - side // 2) : row + side // 2 + 1,
         max(0, column - side // 2) : column + side // 2 + 1] = 0  # fmt: skip


def _inside(xy: Tensor, boxes: Tensor) -> Tensor:
    low, high = boxes[:, :2], boxes[:, :2] + boxes[:, 2:]
    return ((xy >= low) & (xy < high)).all(1)
