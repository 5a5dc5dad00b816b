"""Batches in which every subject has the same number of rows, reproducible and resumable."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from torch.utils.data import DataLoader, DistributedSampler

from neurodecode.errors import ConfigError
from neurodecode.loaders.ranks import rank_and_world
from neurodecode.loaders.rows import BatchPlan, Row, SubjectRows, SyntheticRow

__all__ = ["BalancedSampler", "Extras", "ResumableLoader"]

_SYNTHETIC, _NEGATIVES = 1, 2  # streams of random numbers beside that of the measured trials


@dataclass(frozen=True)
class Extras:
    """What a batch holds besides measured trials.

    Parameters
    ----------
    n_pictures : sequence of int
        How many pictures each subject has synthetic responses to; empty for none.
    share : float
        Share of every subject's rows that is synthetic, from 0 to below 1.
    bank : sequence of int
        Rows of the target bank that may be negatives.
    n_negatives : int
        How many of them are drawn for each batch.

    Raises
    ------
    ConfigError
        If the share is out of range, or there are not enough negatives.
    """

    n_pictures: Sequence[int] = ()
    share: float = 0.0
    bank: Sequence[int] = ()
    n_negatives: int = 0

    def __post_init__(self) -> None:
        if not 0 <= self.share < 1:
            raise ConfigError(f"synthetic_share is {self.share}; give a share from 0 to below 1")
        if not 0 <= self.n_negatives <= len(self.bank):
            raise ConfigError(
                f"negatives is {self.n_negatives}; training may use {len(self.bank)} pictures"
            )

    def count(self, share: int) -> int:
        """How many of a subject's rows in a batch are synthetic."""
        return min(round(self.share * share), share - 1) if len(self.n_pictures) else 0


class BalancedSampler(DistributedSampler):
    """Draw batches with an equal share of rows for every subject.

    An epoch goes once through the stimuli of the subject who saw most; subjects with fewer
    begin again in a new order. A stimulus is never twice in the share of one subject. Each
    time, its response is the average of `repeats` random trials. The order follows from seed
    and epoch alone.

    Parameters
    ----------
    subjects : sequence of SubjectRows
        Training rows of every subject.
    batch_size : int
        Rows a batch over all subjects, on each device; rounded down to a multiple of the
        number of subjects.
    repeats : int
        How many trials of a stimulus are averaged; all, if there are fewer.
    seed : int
        Seed of all draws.
    extras : Extras, optional
        Synthetic trials, which take a part of every subject's rows, and negatives.

    Raises
    ------
    ConfigError
        If the batch has fewer rows than there are subjects.

    Notes
    -----
    It is a `DistributedSampler` in name so that Lightning leaves it in place; the rank is
    looked up when an epoch begins, and each rank takes every n-th batch.
    """

    def __init__(
        self,
        subjects: Sequence[SubjectRows],
        batch_size: int,
        repeats: int = 1,
        seed: int = 0,
        extras: Extras | None = None,
    ) -> None:
        # the parent's constructor wants the rank now; here it is known when an epoch begins
        self.subjects = list(subjects)
        # a subject without rows is one that is left out
        n_subjects = sum(1 for rows in self.subjects if len(rows))
        self.share = batch_size // max(n_subjects, 1)
        if self.share < 1:
            raise ConfigError(
                f"batch_size {batch_size} is smaller than the number of subjects"
                f" ({n_subjects}); raise data.batch_size or choose data.subjects"
            )
        self.extras = extras or Extras()
        self.n_synthetic = self.extras.count(self.share)
        self.share -= self.n_synthetic
        self.repeats, self.seed = repeats, seed
        self.epoch, self.first = 0, 0

    def __len__(self) -> int:
        longest = max(len(rows) for rows in self.subjects)
        return math.ceil(longest / self.share / rank_and_world()[1])

    def set_epoch(self, epoch: int) -> None:
        """Choose the epoch to draw next.

        Parameters
        ----------
        epoch : int
            From 0.
        """
        if epoch != self.epoch:
            self.epoch, self.first = epoch, 0

    def start_at(self, epoch: int, batch: int) -> None:
        """Begin within an epoch, as if the batches before had been drawn.

        Parameters
        ----------
        epoch : int
            From 0.
        batch : int
            First batch to draw.
        """
        self.epoch, self.first = epoch, batch

    def __iter__(self) -> Iterator[BatchPlan]:
        rank, world = rank_and_world()
        n_batches = len(self) * world
        shares = [self._epoch_rows(number, n_batches) for number in range(len(self.subjects))]
        first, self.first = self.first, 0
        for batch in range(first, len(self)):
            number = batch * world + rank
            rows = [row for rows in shares for row in rows[number]]
            yield BatchPlan(rows, self._synthetic(number), self._negatives(number))

    def _synthetic(self, batch: int) -> list[SyntheticRow]:
        rng = np.random.default_rng([self.seed, self.epoch, batch, _SYNTHETIC])
        rows = []
        for subject, n_pictures in enumerate(self.extras.n_pictures):
            n = min(self.n_synthetic, n_pictures)
            pictures = rng.choice(n_pictures, n, replace=False).tolist()
            seeds = rng.integers(2**63, size=n).tolist()
            rows += [SyntheticRow(subject, *pair) for pair in zip(pictures, seeds, strict=True)]
        return rows

    def _negatives(self, batch: int) -> list[int]:
        if not self.extras.n_negatives:
            return []
        rng = np.random.default_rng([self.seed, self.epoch, batch, _NEGATIVES])
        return rng.choice(self.extras.bank, self.extras.n_negatives, replace=False).tolist()

    def _epoch_rows(self, subject: int, n_batches: int) -> list[list[Row]]:
        """Rows of one subject for all batches of the epoch."""
        rng = np.random.default_rng([self.seed, self.epoch, subject])
        rows = self.subjects[subject]
        share = min(self.share, len(rows))
        batches: list[list[Row]] = []
        order = rng.permutation(len(rows)).tolist()
        while len(batches) < n_batches:
            if len(order) < share:
                # top up with a new pass, without what is still to come
                left = set(order)
                order += [i for i in rng.permutation(len(rows)).tolist() if i not in left]
            batch, order = order[:share], order[share:]
            batches.append([Row(subject, self._draw(rng, rows.trials[i])) for i in batch])
        return batches

    def _draw(self, rng: np.random.Generator, trials: tuple[int, ...]) -> tuple[int, ...]:
        if len(trials) <= self.repeats:
            return trials
        return tuple(sorted(rng.choice(trials, self.repeats, replace=False).tolist()))


class ResumableLoader(DataLoader):
    """DataLoader over a `BalancedSampler` that can go on in the middle of an epoch.

    Lightning saves and restores it through ``state_dict`` and ``load_state_dict``.
    """

    sampler: BalancedSampler
    _taken: int = 0

    def __iter__(self) -> Iterator:
        self._taken = self.sampler.first
        for batch in super().__iter__():
            self._taken += 1
            yield batch

    def state_dict(self) -> dict[str, int]:
        """Where training stands.

        Returns
        -------
        dict of str to int
            Epoch, batches each process took of it, and the number of processes.
        """
        return {
            "epoch": self.sampler.epoch,
            "batch": self._taken,
            "world": rank_and_world()[1],
            "finished": int(self._taken >= len(self.sampler)),
        }

    def load_state_dict(self, state: dict[str, int]) -> None:
        """Go on where `state_dict` was taken.

        Parameters
        ----------
        state : dict of str to int
            From `state_dict`.

        Raises
        ------
        ConfigError
            If an epoch was left in the middle by another number of processes.
        """
        world = rank_and_world()[1]
        # checkpoints from before these entries were written by a single process
        before = state.get("world", 1)
        if state.get("finished", state["batch"] >= len(self.sampler)):
            self.sampler.start_at(state["epoch"] + 1, 0)
        elif before == world or not state["batch"]:
            self.sampler.start_at(state["epoch"], state["batch"])
        else:
            raise ConfigError(
                f"the checkpoint was written in the middle of an epoch by {before} processes, here"
                f" are {world}; go on with {before} (trainer.devices x trainer.num_nodes), or from"
                " a checkpoint of the end of an epoch"
            )
