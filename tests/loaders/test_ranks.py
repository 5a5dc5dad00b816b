"""Batches dealt to processes, and training that goes on with other numbers of them."""

from __future__ import annotations

import pytest
import torch
from torch.utils.data import DataLoader, TensorDataset

from neurodecode.errors import ConfigError
from neurodecode.loaders import ranks
from neurodecode.loaders import sampler as sampling
from neurodecode.loaders.ranks import BlockSampler, gathered, rank_and_world
from neurodecode.loaders.rows import SubjectRows
from neurodecode.loaders.sampler import BalancedSampler, ResumableLoader


def batches(n_rows: int, batch_size: int) -> list[list[int]]:
    data = TensorDataset(torch.arange(n_rows))
    loader = DataLoader(data, batch_size, sampler=BlockSampler(data, batch_size))
    assert len(loader.sampler) == sum(len(batch[0]) for batch in loader)
    return [batch[0].tolist() for batch in loader]


@pytest.mark.parametrize(("n_rows", "world"), [(27, 1), (27, 2), (27, 3), (28, 2), (3, 2), (9, 4)])
def test_processes_share_whole_batches_and_draw_equally_many(monkeypatch, n_rows, world):
    alone = batches(n_rows, 4)
    assert [row for batch in alone for row in batch] == list(range(n_rows))
    dealt = []
    for rank in range(world):
        monkeypatch.setattr(ranks, "rank_and_world", lambda r=rank: (r, world))
        dealt.append(batches(n_rows, 4))
    assert len({len(own) for own in dealt}) == 1
    together = sorted(batch for own in dealt for batch in own)
    # every batch of one process once, and the first again where the others have one more
    assert [b for i, b in enumerate(together) if b not in together[:i]] == alone
    assert len(together) - len(alone) == together.count(alone[0]) - 1 < world


def test_alone_there_is_nothing_to_gather():
    assert rank_and_world() == (0, 1)
    assert gathered({"a": 7}) == [{"a": 7}]


def loader() -> ResumableLoader:
    rows = SubjectRows(
        tuple(f"s{k}" for k in range(17)), tuple((2 * k, 2 * k + 1) for k in range(17))
    )
    sampler = BalancedSampler([rows], batch_size=3)  # six batches
    return ResumableLoader(list(range(99)), sampler=sampler, batch_size=None)


@pytest.mark.parametrize(("before", "after"), [(1, 2), (2, 1), (2, 4), (4, 3)])
def test_from_the_end_of_an_epoch_other_numbers_of_processes_may_go_on(monkeypatch, before, after):
    monkeypatch.setattr(sampling, "rank_and_world", lambda: (0, before))
    first = loader()
    first.sampler.set_epoch(3)
    first._taken = len(first.sampler)
    state = first.state_dict()
    monkeypatch.setattr(sampling, "rank_and_world", lambda: (0, after))
    second = loader()
    second.load_state_dict(state)
    assert (second.sampler.epoch, second.sampler.first) == (4, 0)


def test_in_the_middle_of_an_epoch_the_number_of_processes_is_kept(monkeypatch):
    monkeypatch.setattr(sampling, "rank_and_world", lambda: (1, 2))
    first = loader()
    first._taken = 2
    state = first.state_dict()
    second = loader()
    second.load_state_dict(state)
    assert (second.sampler.epoch, second.sampler.first) == (0, 2)
    monkeypatch.setattr(sampling, "rank_and_world", lambda: (0, 1))
    with pytest.raises(ConfigError, match=r"in the middle of an epoch by 2 processes, here are 1"):
        loader().load_state_dict(state)
    # a checkpoint from before processes were noted is one of a single process
    loader().load_state_dict({"epoch": 1, "batch": 5})
