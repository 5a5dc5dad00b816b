"""What routes where: attention maps of an encoder, what occlusion says of them, and the truth."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from neurodecode.errors import DataError
from neurodecode.metrics.functional import row_correlation
from neurodecode.nn.encoders import RoutingEncoder

__all__ = [
    "Routes", "chance_in_field", "distance_to_fields", "field_places", "find_routes", "peak_places",
]  # fmt: skip

_BATCH = 16
#: Side of the grey square over a patch, in patches: features of neighbours overlap.
_OCCLUDER = 1.5


@dataclass(frozen=True)
class Routes:
    """Where the queries of one subject look, and which patches their units need.

    Parameters
    ----------
    subject : str
        Whose.
    queries : list of str of length n_queries
        Their names: regions, or numbers of units.
    maps : array of shape (n_queries, grid_height, grid_width)
        Attention, averaged over heads and pictures; sums to 1.
    examples : array of shape (n_examples, n_queries, grid_height, grid_width)
        The same for the first pictures alone.
    saliency : array of shape (n_queries, grid_height, grid_width)
        Root mean square change of the predicted responses of a query's units when a patch is
        covered with grey, over units and pictures.
    """

    subject: str
    queries: list[str]
    maps: np.ndarray
    examples: np.ndarray
    saliency: np.ndarray

    def agreement(self) -> np.ndarray:
        """Correlate attention with saliency over patches.

        Returns
        -------
        array of shape (n_queries,)
            Pearson's r; NaN where one of the two is the same everywhere. Attention is at best
            half an explanation (Jain & Wallace 2019): a patch may be looked at and not matter.
        """
        flat = (each.reshape(len(each), -1) for each in (self.maps, self.saliency))
        return np.asarray(row_correlation(*flat))


@torch.inference_mode()
def find_routes(
    encoder: RoutingEncoder,
    images: Tensor,
    subject: str,
    n_examples: int = 6,
    advance: Callable[[int], None] = lambda n: None,
) -> Routes:
    """Average the maps of a subject's queries over pictures, and occlude patch after patch.

    Parameters
    ----------
    encoder : RoutingEncoder
        Trained, in evaluation mode.
    images : Tensor of shape (n_images, 3, height, width)
        Pictures as the encoder is given them (`standardise_images`).
    subject : str
        Whose queries.
    n_examples : int
        Pictures whose own maps are kept.
    advance : callable
        Told how many of the pictures are done.

    Returns
    -------
    Routes
        Of this subject.

    Raises
    ------
    DataError
        If there are no pictures.
    """
    if not len(images):
        raise DataError("no pictures", subject=subject, fix="give some")
    readout = encoder.readouts[encoder.subjects.index(subject)]
    grid = encoder.shape[1:]
    of_unit = readout.query_of_unit
    n_queries = len(readout.names)
    total, squares, kept = torch.zeros(n_queries, *grid), torch.zeros(len(of_unit), *grid), []
    for start in range(0, len(images), _BATCH):
        batch = images[start : start + _BATCH]
        maps = encoder.maps({subject: batch})[subject].float()
        total += maps.sum(0)
        kept.append(maps[: max(0, n_examples - start)])
        whole = encoder({subject: batch})[subject]
        for row, column, covered in _occluded(batch, grid):
            change = encoder({subject: covered})[subject] - whole
            squares[:, row, column] += change.float().square().sum(0)
        advance(start + len(batch))
    # mean over units of a query, then pictures
    mean = torch.zeros(n_queries, *grid).index_add_(0, of_unit, squares)
    mean /= torch.bincount(of_unit, minlength=n_queries).view(-1, 1, 1)
    return Routes(
        subject=subject,
        queries=list(readout.names),
        maps=(total / len(images)).numpy(),
        examples=torch.cat(kept).numpy(),
        saliency=(mean / len(images)).sqrt().numpy(),
    )


def _occluded(images: Tensor, grid: tuple[int, int]) -> Iterator[tuple[int, int, Tensor]]:
    """Pictures with a grey square over each patch in turn; grey is the picture's own mean."""
    height, width = images.shape[2:]
    grey = images.mean(dim=(2, 3), keepdim=True)
    tall, wide = height / grid[0], width / grid[1]
    for row in range(grid[0]):
        for column in range(grid[1]):
            middle = ((row + 0.5) * tall, (column + 0.5) * wide)
            top, left = (
                max(0, round(each - size * _OCCLUDER / 2))
                for each, size in zip(middle, (tall, wide), strict=True)
            )
            bottom, right = (
                round(each + size * _OCCLUDER / 2)
                for each, size in zip(middle, (tall, wide), strict=True)
            )
            covered = images.clone()
            covered[:, :, top:bottom, left:right] = grey
            yield row, column, covered


def field_places(x: np.ndarray, y: np.ndarray, grid: tuple[int, int], degrees: float) -> np.ndarray:
    """Places of receptive fields on the grid of patches.

    Parameters
    ----------
    x, y : array of shape (n,)
        Centres, to the right and up from fixation, in degrees of visual angle.
    grid : (int, int)
        Rows and columns of patches.
    degrees : float
        Width and height of the picture.

    Returns
    -------
    array of float of shape (n, 2)
        Row and column, 0 in the middle of the first patch. Fields beyond the picture are put
        on its edge, where a map that ends there can be right.
    """
    rows = (0.5 - np.asarray(y) / degrees) * grid[0] - 0.5
    columns = (0.5 + np.asarray(x) / degrees) * grid[1] - 0.5
    return np.stack(
        [np.clip(rows, -0.5, grid[0] - 0.5), np.clip(columns, -0.5, grid[1] - 0.5)], axis=1
    )


def peak_places(maps: np.ndarray) -> np.ndarray:
    """Where each map is highest.

    Parameters
    ----------
    maps : array of shape (n, grid_height, grid_width)
        Attention.

    Returns
    -------
    array of int of shape (n, 2)
        Row and column.
    """
    return np.stack(np.unravel_index(maps.reshape(len(maps), -1).argmax(1), maps.shape[1:]), 1)


def distance_to_fields(maps: np.ndarray, places: np.ndarray) -> np.ndarray:
    """How far the peak of each map is from where the field is.

    Parameters
    ----------
    maps : array of shape (n, grid_height, grid_width)
        Attention.
    places : array of shape (n, 2)
        From `field_places`.

    Returns
    -------
    array of shape (n,)
        The larger of the distances along rows and columns, in patches.
    """
    return np.abs(peak_places(maps) - places).max(axis=1)


def chance_in_field(peaks: np.ndarray, places: np.ndarray, within: float = 1.0) -> float:
    """Share of peaks in the field of a query drawn at random from the same ones.

    It is what maps score that are as often at each place as these, and know nothing of whose
    query they are: the expected share when fields are permuted.

    Parameters
    ----------
    peaks : array of shape (n, 2)
        Rows and columns of the peaks.
    places : array of shape (n, 2)
        Of the fields.
    within : float
        Largest distance, as `distance_to_fields` measures it.

    Returns
    -------
    float
        Between 0 and 1; nan without queries.
    """
    if not len(peaks):
        return float("nan")
    apart = np.abs(np.asarray(peaks)[:, None] - np.asarray(places)[None]).max(axis=2)
    return float((apart <= within).mean())
