from __future__ import annotations

import pytest
import torch

from neurodecode.errors import ConfigError
from neurodecode.loaders import sampler as sampling
from neurodecode.loaders.rows import SubjectRows, group_by_stimulus
from neurodecode.loaders.sampler import BalancedSampler, Extras, ResumableLoader

BANK = range(100, 190)
EXTRAS = Extras(n_pictures=[31, 19], share=0.5, bank=BANK, n_negatives=7)


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
    batches = [batch.rows for batch in sampler]
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
    seen = [row.trials[0] // 3 for batch in sampler for row in batch.rows if row.subject == 0]
    assert sorted(seen) == list(range(16))


@pytest.mark.parametrize("extras", [None, EXTRAS])
def test_order_follows_from_seed_and_epoch(extras):
    first, same, other = (
        BalancedSampler(subjects(17, 9), 6, seed=s, extras=extras) for s in (1, 1, 2)
    )
    one = list(first)
    assert one == list(same) == list(same)
    assert one != list(other)
    first.set_epoch(3)
    assert one != list(first)


@pytest.mark.parametrize(("extras", "n_batches"), [(None, 3), (EXTRAS, 9)])
def test_ranks_share_the_batches(monkeypatch, extras, n_batches):
    sampler = BalancedSampler(subjects(17, 9), batch_size=6, extras=extras)
    alone = list(sampler)
    parts = []
    for rank in range(2):
        monkeypatch.setattr(sampling, "rank_and_world", lambda r=rank: (r, 2))
        parts.append(list(sampler))
        assert len(parts[-1]) == len(sampler) == n_batches
    together = [batch for pair in zip(*parts, strict=True) for batch in pair]
    assert together[: len(alone)] == alone
    noise = [row.seed for batch in together for row in batch.synthetic]
    assert len(set(noise)) == len(noise)


def test_too_small_a_batch_says_what_to_change():
    with pytest.raises(ConfigError, match=r"batch_size 2 .*number of subjects \(3\)"):
        BalancedSampler(subjects(5, 5, 5), batch_size=2)


@pytest.mark.parametrize(
    ("share", "measured", "synthetic"), [(0.0, 8, 0), (0.25, 6, 2), (0.5, 4, 4), (0.99, 1, 7)]
)
def test_synthetic_rows_take_their_share_of_every_subject(share, measured, synthetic):
    extras = Extras(n_pictures=[31, 19, 7], share=share)
    sampler = BalancedSampler(subjects(17, 11, 9), batch_size=25, extras=extras)
    batches = list(sampler)
    assert len(batches) == len(sampler) == -(-17 // measured)
    for batch in batches:
        assert [row.subject for row in batch.rows] == sorted([0, 1, 2] * measured)
        assert [row.subject for row in batch.synthetic] == sorted([0, 1, 2] * synthetic)
        for subject, n_pictures in enumerate(extras.n_pictures):
            pictures = [row.picture for row in batch.synthetic if row.subject == subject]
            assert len(set(pictures)) == synthetic
            assert set(pictures) <= set(range(n_pictures))


def test_a_subject_with_few_synthetic_pictures_gives_what_it_has():
    extras = Extras(n_pictures=[31, 3], share=0.5)
    for batch in BalancedSampler(subjects(17, 9), batch_size=16, extras=extras):
        assert [row.subject for row in batch.synthetic] == [0] * 4 + [1] * 3


def test_extras_leave_the_measured_trials_and_each_other_alone():
    def draw(**extras) -> list:
        return list(BalancedSampler(subjects(17, 9), 6, seed=3, extras=Extras(**extras)))

    plain, negatives = draw(), draw(bank=BANK, n_negatives=7)
    assert [batch.rows for batch in negatives] == [batch.rows for batch in plain]
    alone = draw(n_pictures=[31, 19], share=0.5)
    both = draw(n_pictures=[31, 19], share=0.5, bank=BANK, n_negatives=7)
    assert [batch.synthetic for batch in both] == [batch.synthetic for batch in alone]
    assert [batch.negatives for batch in both[:6]] == [batch.negatives for batch in negatives]


def test_negatives_are_drawn_anew_for_every_batch_from_the_bank():
    drawn = [tuple(batch.negatives) for batch in BalancedSampler(subjects(17, 9), 6, extras=EXTRAS)]
    assert all(len(set(batch)) == 7 for batch in drawn)
    assert set().union(*drawn) <= set(BANK)
    assert len(set(drawn)) == len(drawn)


@pytest.mark.parametrize(
    ("extras", "message"),
    [
        ({"share": 1.0}, "synthetic_share is 1.0; give a share from 0 to below 1"),
        ({"share": -0.1}, "synthetic_share is -0.1"),
        ({"bank": range(7), "n_negatives": 8}, "negatives is 8; training may use 7 pictures"),
        ({"bank": range(7), "n_negatives": -1}, "negatives is -1"),
    ],
)
def test_impossible_extras_are_refused(extras, message):
    with pytest.raises(ConfigError, match=message):
        Extras(**extras)


@pytest.mark.parametrize("extras", [None, EXTRAS])
@pytest.mark.parametrize("n_workers", [0, 2])
def test_loader_goes_on_in_the_middle_of_an_epoch(n_workers, extras):
    def loader() -> ResumableLoader:
        sampler = BalancedSampler(subjects(17, 9), batch_size=6, seed=5, extras=extras)
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
