"""Tokens on a line or a grid: where they are, and who their neighbours are."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from neurodecode.errors import ConfigError
from neurodecode.nn.attention.visibility import Visibility
from neurodecode.nn.attention.words import Coordinates

__all__ = ["grid_of", "line_of", "neighbours", "raster"]


def line_of(seen: Visibility, where: Coordinates) -> tuple[Tensor, tuple[int]]:
    """Places of queries on the line of keys.

    Parameters
    ----------
    seen : Visibility
        Lengths and causality.
    where : tuple of Tensor or None
        Given coordinates, of a grid in reading order; else queries are spread evenly over the
        keys, or end with them when causal.

    Returns
    -------
    Tensor of int of shape (n_queries, 1)
        Index of the key where each query is.
    tuple of int
        Number of keys.

    Raises
    ------
    ConfigError
        If keys are not a whole grid in reading order.
    """
    if where is not None:
        places, shape = grid_of(seen, where, where[1].shape[1])
        line = places.new_zeros(len(places), 1)
        for place, length in zip(places.unbind(1), shape, strict=True):
            line = line * length + place[:, None]
        return line, (seen.n_keys,)
    if seen.causal:
        return seen.last_key()[:, None].clamp(min=0), (seen.n_keys,)
    steps = torch.arange(seen.n_queries, device=seen.device)
    return (2 * steps + 1)[:, None] * seen.n_keys // (2 * seen.n_queries), (seen.n_keys,)


def grid_of(seen: Visibility, where: Coordinates, n_axes: int) -> tuple[Tensor, tuple[int, ...]]:
    """Places of queries on the grid of keys.

    Parameters
    ----------
    seen : Visibility
        Lengths.
    where : tuple of Tensor or None
        Given coordinates; else both must be the same square grid.
    n_axes : int
        1 for a line, 2 for an image.

    Returns
    -------
    Tensor of int of shape (n_queries, n_axes)
        Coordinates of the queries.
    tuple of int
        Shape of the grid.

    Raises
    ------
    ConfigError
        If keys are not a whole grid in reading order, or queries lie off it.
    """
    if where is None:
        side = round(seen.n_keys ** (1 / n_axes))
        if side**n_axes != seen.n_keys or seen.n_queries != seen.n_keys:
            raise ConfigError(
                f"{seen.n_queries} queries and {seen.n_keys} keys are not one square grid:"
                " give attention their positions"
            )
        shape = (side,) * n_axes
        return raster(shape, seen.device), shape
    queries, keys = (each.long() for each in where)
    if keys.shape[1] != n_axes:
        raise ConfigError(f"this attention needs positions on {n_axes} axes, not {keys.shape[1]}")
    shape = tuple((keys.amax(0) + 1).tolist())
    whole = math.prod(shape) == len(keys) and torch.equal(keys, raster(shape, keys.device))
    if not whole:
        raise ConfigError(
            f"positions of {len(keys)} keys are not a whole grid in reading order"
            f" (largest coordinates + 1: {shape})"
        )
    limits = torch.tensor(shape, device=queries.device)
    if bool(((queries < 0) | (queries >= limits)).any()):
        raise ConfigError(f"positions of queries lie off the grid {shape} of the keys")
    return queries, shape


def raster(shape: tuple[int, ...], device: torch.device) -> Tensor:
    """Coordinates of a grid in reading order.

    Parameters
    ----------
    shape : tuple of int
        Length of each axis.
    device : torch.device
        Where to put them.

    Returns
    -------
    Tensor of int of shape (n_places, n_axes)
        Coordinates.
    """
    axes = [torch.arange(n, device=device) for n in shape]
    return torch.stack(torch.meshgrid(*axes, indexing="ij"), dim=-1).flatten(0, -2)


def neighbours(
    places: Tensor,
    shape: tuple[int, ...],
    window: int,
    stride: int = 1,
    dilation: int = 1,
    past: bool = False,
) -> tuple[Tensor, Tensor]:
    """List the keys in the window of each query.

    Parameters
    ----------
    places : Tensor of int of shape (n_queries, n_axes)
        Where the queries are.
    shape : tuple of int
        Grid of the keys.
    window : int
        Keys along each axis; at a border the window moves inwards, so that it stays full.
    stride : int
        Neighbours in groups of this many share one window.
    dilation : int
        Step between keys of a window.
    past : bool
        The window ends at the query instead of lying around it.

    Returns
    -------
    index : Tensor of int of shape (n_queries, n_neighbours)
        Keys in reading order.
    valid : Tensor of bool of the same shape
        False for entries beyond a border.
    """
    index = places.new_zeros(len(places), 1)
    valid = torch.ones_like(index, dtype=torch.bool)
    for place, length in zip(places.unbind(1), shape, strict=True):
        along, inside = _along(place, length, window, stride, dilation, past)
        index = (index[:, :, None] * length + along[:, None, :]).flatten(1)
        valid = (valid[:, :, None] & inside[:, None, :]).flatten(1)
    return index, valid


def _along(
    place: Tensor, length: int, window: int, stride: int, dilation: int, past: bool
) -> tuple[Tensor, Tensor]:
    """Windows on one axis: coordinates (n_queries, window), and which of them exist."""
    steps = torch.arange(min(window, -(-length // dilation)), device=place.device)
    if past:
        along = place[:, None] - dilation * steps.flip(0)
        return along.clamp(min=0), along >= 0
    # keys of one window share the query's remainder; of those there are `count`
    rest, number = place % dilation, place // dilation
    count = (length - 1 - rest) // dilation + 1
    leader = torch.minimum(number // stride * stride + stride // 2, count - 1)
    first = torch.minimum(leader - len(steps) // 2, count - len(steps)).clamp(min=0)
    along = (first[:, None] + steps) * dilation + rest[:, None]
    return along.clamp(max=length - 1), along < length
