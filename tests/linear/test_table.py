from __future__ import annotations

import numpy as np
import pytest

from neurodecode.errors import DataError
from neurodecode.loaders.counts import CountStore, open_responses
from neurodecode.loaders.table import TrialTable
from neurodecode.recording import Recording
from neurodecode.splits import Fold, Split
from neurodecode.store import ResponseStore

SPLIT = Split("kfold", "stimulus", (Fold(("a", "b", "c"), ("d",), ("e", "f")),))


def make_store(path, responses, stimulus, session, modality="fmri"):
    recording = Recording(
        subject="7", modality=modality, responses=responses, stimulus_id=np.array(list(stimulus)),
        session=np.array(session), run=np.ones(len(stimulus), int),
    )  # fmt: skip
    return ResponseStore.write(path, recording, dataset="tiny")


@pytest.fixture
def store(tmp_path, rng):
    stimulus = list("aabbccddeef") * 3
    session = [1] * 16 + [2] * 17
    responses = rng.normal(size=(33, 5)) * np.array(session)[:, None] + 9
    return make_store(tmp_path / "sub-7.h5", responses.astype(np.float32), stimulus, session)


def test_each_session_is_standardised_by_its_training_trials(store):
    table = TrialTable.load(store, SPLIT, 0)
    for number in (1, 2):
        known = [i for i in range(33) if store.session[i] == number and store.stimulus_id[i] < "e"]
        np.testing.assert_allclose(table.responses[known].mean(axis=0), 0, atol=1e-5)
        np.testing.assert_allclose(table.responses[known].std(axis=0, ddof=1), 1, atol=1e-5)


def test_test_trials_change_nothing_else(store, tmp_path, rng):
    changed = store.read(range(33)).copy()
    changed[store.stimulus_id >= "e"] += 100
    other = make_store(tmp_path / "other.h5", changed, store.stimulus_id, store.session)
    before, after = (TrialTable.load(each, SPLIT, 0) for each in (store, other))
    keep = before.trials("train", "validation")
    np.testing.assert_array_equal(before.responses[keep], after.responses[keep])
    with pytest.raises(ValueError, match="never"):
        TrialTable.load(store, SPLIT, 0, ("train", "test"))


def test_averages_and_deviations(store):
    table = TrialTable.load(store, SPLIT, 0)
    averages = table.average("train", "validation")
    assert averages.stimulus_id.tolist() == ["a", "b", "c", "d"]
    assert averages.n_averaged.tolist() == [6, 6, 6, 6]
    rows = store.stimulus_id == "c"
    np.testing.assert_allclose(averages.responses[2], table.responses[rows].mean(axis=0), rtol=1e-5)
    deviations = table.deviations("train", "validation")
    spread = [table.responses[store.stimulus_id == s].var(axis=0, ddof=1) for s in "abcd"]
    np.testing.assert_allclose(np.square(deviations).mean(axis=0), np.mean(spread, axis=0),
                               rtol=1e-4)  # fmt: skip


def test_trials_of_some_stimuli_are_kept_from_the_noise(store):
    table = TrialTable.load(store, SPLIT, 0)
    all_of_them = table.deviations("train", "validation")
    kept = np.isin(table.stimulus_id[table.trials("train", "validation")], ["a", "c"])
    found = table.deviations("train", "validation", without=["d", "b", "e"])
    assert found.shape == (12, 5)
    np.testing.assert_array_equal(found, all_of_them[kept])


def test_a_stimulus_shown_once_has_no_deviation(tmp_path, rng):
    store = make_store(tmp_path / "sub-7.h5", rng.normal(size=(6, 3)), "abcdef", [1] * 6)
    assert TrialTable.load(store, SPLIT, 0).deviations("train").shape == (0, 3)


def test_counts_are_read_as_square_roots(tmp_path, rng):
    counts = rng.poisson(5, size=(6, 3)).astype(np.float32)
    store = make_store(tmp_path / "sub-7.h5", counts, "abcdef", [1] * 6, "spikes")
    opened = open_responses(store.path)
    assert isinstance(opened, CountStore)
    np.testing.assert_allclose(opened.read([4, 1]), np.sqrt(counts[[4, 1]]))
    assert type(open_responses(make_store(tmp_path / "sub-8.h5", counts, "abcdef", [1] * 6).path)
                ) is ResponseStore  # fmt: skip


def test_fold_without_test_trials_is_refused(store):
    split = Split("kfold", "stimulus", (Fold(("a", "b", "c", "e", "f"), ("d",), ("zz",)),))
    with pytest.raises(DataError, match=r"subject 7.*no test trials"):
        TrialTable.load(store, split, 0)
