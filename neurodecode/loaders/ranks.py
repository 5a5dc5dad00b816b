"""The processes of a distributed run: which one this is, and what all of them have."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeVar

import torch.distributed as dist
from torch.utils.data import Dataset, DistributedSampler

__all__ = ["BlockSampler", "gathered", "rank_and_world"]

T = TypeVar("T")


def rank_and_world() -> tuple[int, int]:
    """Number of this process, and how many there are.

    Returns
    -------
    rank, world : int
        0 and 1 outside of a distributed run.
    """
    if dist.is_available() and dist.is_initialized():
        return dist.get_rank(), dist.get_world_size()
    return 0, 1


def gathered(value: T) -> list[T]:
    """Bring together what every process has.

    Parameters
    ----------
    value : object
        Of this process; sent by pickle between processes of the same run, never from outside.

    Returns
    -------
    list of object
        One entry a process, in order; only `value` outside of a distributed run.
    """
    _, world = rank_and_world()
    if world == 1:
        return [value]
    parts: list[T] = [value] * world
    dist.all_gather_object(parts, value)
    return parts


class BlockSampler(DistributedSampler):
    """Deal whole batches to the processes in turn, so that batches are those of one process.

    Lightning's own sampler deals single rows; a loss that contrasts the rows of a batch would
    then depend on how many processes there are. Every process draws equally many batches (those
    without a last one repeat the first of all), because distributed modules wait for each other;
    whoever joins the results drops what comes twice.

    Parameters
    ----------
    rows : Dataset
        What is sampled.
    batch_size : int
        Rows of a batch.

    Notes
    -----
    It is a `DistributedSampler` in name so that Lightning leaves it in place; the rank is looked
    up when an epoch begins.
    """

    def __init__(self, rows: Dataset, batch_size: int) -> None:
        # the parent's constructor wants the rank now; here it is known when an epoch begins
        self.n_rows, self.batch_size = len(rows), batch_size  # type: ignore[arg-type]

    def _blocks(self) -> list[range]:
        rank, world = rank_and_world()
        starts = range(0, self.n_rows, self.batch_size)
        blocks = [range(s, min(s + self.batch_size, self.n_rows)) for s in starts]
        missing = -len(blocks) % world
        # in front: the last batch may be short, and must stay the last of its process
        return (blocks[:1] * missing + blocks)[rank::world]

    def __len__(self) -> int:
        return sum(len(block) for block in self._blocks())

    def set_epoch(self, epoch: int) -> None:
        """Do nothing: the order is always the same.

        Parameters
        ----------
        epoch : int
            Not used.
        """

    def __iter__(self) -> Iterator[int]:
        for block in self._blocks():
            yield from block
