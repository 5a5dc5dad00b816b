"""A few random training trials: which, and what else changes."""

from __future__ import annotations

import numpy as np
import pytest

from neurodecode.errors import ConfigError
from neurodecode.loaders import ResponseDataModule
from neurodecode.loaders.draw import TrialDraw
from neurodecode.loaders.scaler import TrialScaler
from neurodecode.loaders.table import TrialTable
from neurodecode.splits import read_split

TRIALS = np.arange(3, 60, 2)


def trials_of(data, side, subject):
    return sorted(t for group in data.rows(side)[subject].trials for t in group)


def test_draws_are_nested_and_follow_the_seed():
    few, more = (TrialDraw(n, 5)(TRIALS, "a") for n in (11, 20))
    assert len(set(few)) == 11
    assert set(few) < set(more) < set(TRIALS)
    assert (np.diff(more) > 0).all()
    np.testing.assert_array_equal(TrialDraw(11, 5)(TRIALS, "b"), few)
    assert set(TrialDraw(11, 6)(TRIALS, "a")) != set(few)
    np.testing.assert_array_equal(TrialDraw()(TRIALS, "a"), TRIALS)


def test_impossible_draws_are_refused():
    with pytest.raises(ConfigError, match="trials is 9; give 10 or more"):
        TrialDraw(9)
    with pytest.raises(ConfigError, match=r"subject a has 29 training trials, 30 are asked for"):
        TrialDraw(30)(TRIALS, "a")


def test_only_training_has_fewer_trials(world):
    everything = ResponseDataModule(**world.data)
    few = ResponseDataModule(**world.data, trials=23, trials_seed=4)
    for subject in everything.stores:
        drawn = trials_of(few, "train", subject)
        assert len(drawn) == 23
        assert set(drawn) < set(trials_of(everything, "train", subject))
        for side in ("validation", "test"):
            assert few.rows(side)[subject] == everything.rows(side)[subject]
    seen = {row.trials for batch in few.train_dataloader().sampler for row in batch.rows}
    drawn = {t for subject in few.stores for t in trials_of(few, "train", subject)}
    assert {trial for trials in seen for trial in trials} <= drawn


def test_statistics_are_those_of_the_drawn_trials(world):
    few = ResponseDataModule(**world.data, trials=23, trials_seed=4)
    store = few.stores["c"]
    expected = TrialScaler.fit(store, trials_of(few, "train", "c"))
    found = few._subjects["c"].scaler
    np.testing.assert_array_equal(found.mean, expected.mean)
    np.testing.assert_array_equal(found.scale, expected.scale)


def test_table_and_data_module_draw_the_same(world):
    few = ResponseDataModule(**world.data, trials=23, trials_seed=4)
    split = read_split(world.root / "stores" / "splits.json")
    table = TrialTable.load(few.stores["b"], split, 0, ("train",), TrialDraw(23, 4))
    assert table.sides["train"].tolist() == trials_of(few, "train", "b")
    whole = TrialTable.load(few.stores["b"], split, 0, ("train",))
    assert table.sides["test"].tolist() == whole.sides["test"].tolist()
