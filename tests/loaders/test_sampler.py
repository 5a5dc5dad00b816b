from __future__ import annotations

import pytest
import torch

from neurodecode.errors import ConfigError
from neurodecode.loaders.rows import SubjectRows, group_by_stimulus
from neurodecode.loaders.sampler import BalancedSampler, ResumableLoader


def subjects(*counts: int) -> list[SubjectRows]:
    return [
        SubjectRows(
            tuple(f"s{i}" for i in range(n)), tuple((3 * i, 3 * i + 1, 3 * i + 2) for i in range(n))
        )
        for n in counts
    ]


def test_repeats_are_grouped_by_stimulus():
    rows = group_by_stimulus([5, 0, 2, 3], ["b", "x", "a", "b", "x", "a"])
    assert rows == SubjectRows(("a", "b"), ((2, 5), (0, 3)))


@pytest.mark.parametrize("repeats", [1, 2, 7])
def test_every_batch_holds_every_subject_in_equal_share(repeats):
    sampler = BalancedSampler(subjects(17, 11, 9), batch_size=14, repeats=repeats)
    batches = list(sampler)
    assert len(batches) == len(sampler) == 5
    for batch in batches:
        assert [row.subject for row in batch] == [0] * 4 + [1] * 4 + [2] * 4
        for subject in range(3):
            stimuli = [row.trials[0] // 3 for row in batch if row.subject == subject]
            assert len(set(stimuli)) == 4
        assert all(len(row.trials) == min(repeats, 3) for row in batch)
        assert all(len({trial // 3 for trial in row.trials}) == 1 for row in batch)


def test_an_epoch_goes_once_through_the_stimuli_of_the_longest_subject():
    sampler = BalancedSampler(subjects(16, 11), batch_size=8)
    seen = [row.trials[0] // 3 for batch in sampler for row in batch if row.subject == 0]
    assert sorted(seen) == list(range(16))


def test_order_follows_from_seed_and_epoch():
    first, same, other = (BalancedSampler(subjects(17, 9), 6, seed=s) for s in (1, 1, 2))
    one = list(first)
    assert one == list(same) == list(same)
    assert one != list(other)
    first.set_epoch(3)
    assert one != list(first)


def test_ranks_share_the_batches(monkeypatch):
    sampler = BalancedSampler(subjects(17, 9), batch_size=6)
    alone = list(sampler)
    parts = []
    for rank in range(2):
        monkeypatch.setattr(BalancedSampler, "_rank_and_world", staticmethod(lambda r=rank: (r, 2)))
        parts.append(list(sampler))
        assert len(parts[-1]) == len(sampler) == 3
    together = [batch for pair in zip(*parts, strict=True) for batch in pair]
    assert together[: len(alone)] == alone


def test_too_small_a_batch_says_what_to_change():
    with pytest.raises(ConfigError, match=r"batch_size 2 .*number of subjects \(3\)"):
        BalancedSampler(subjects(5, 5, 5), batch_size=2)


@pytest.mark.parametrize("n_workers", [0, 2])
def test_loader_goes_on_in_the_middle_of_an_epoch(n_workers):
    def loader() -> ResumableLoader:
        sampler = BalancedSampler(subjects(17, 9), batch_size=6, seed=5)
        return ResumableLoader(Echo(), sampler=sampler, batch_size=None, num_workers=n_workers)

    whole = loader()
    whole.sampler.set_epoch(2)
    expected = list(whole)
    part = loader()
    part.sampler.set_epoch(2)
    iterator = iter(part)
    taken = [next(iterator) for _ in range(2)]
    resumed = loader()
    resumed.load_state_dict(part.state_dict())
    resumed.sampler.set_epoch(2)
    assert taken + list(resumed) == expected
    following = loader()
    following.load_state_dict(resumed.state_dict())
    whole.sampler.set_epoch(3)
    assert list(following) == list(whole)


class Echo(torch.utils.data.Dataset):
    def __getitem__(self, rows):
        return rows
