"""Category-level retrieval is not image-level retrieval."""

from __future__ import annotations

import numpy as np
import pytest

from neurodecode.evaluation.category_retrieval import open_centres
from neurodecode.evaluation.identification import identification_scores, unit_rows
from neurodecode.evaluation.predictions import Evaluator
from neurodecode.recording import StimulusSet
from neurodecode.splits import Fold, Split, write_split
from neurodecode.store import EmbeddingStore, Prediction, write_predictions, write_stimuli
from neurodecode.store.predictions import read_predictions

KINDS = ["cat", "dog", "sun"]
N_TRAIN, N_TEST = 15, 9


@pytest.fixture
def world(tmp_path, rng):
    """Pictures of three kinds; an embedding says the kind in one value, the picture in others."""
    n = N_TRAIN + N_TEST
    ids, labels = [f"{k:02d}" for k in range(n)], [KINDS[k % 3] for k in range(n)]
    values = rng.normal(size=(n, 8)).astype(np.float32)
    values[np.arange(n), [KINDS.index(label) for label in labels]] += 6.0
    stores, embeddings = tmp_path / "stores", tmp_path / "embeddings"
    images = rng.integers(0, 255, (n, 5, 4, 3), dtype=np.uint8)
    write_stimuli(stores / "stimuli.h5", StimulusSet(ids, images, categories=labels))
    fold = Fold(tuple(ids[:12]), tuple(ids[12:N_TRAIN]), tuple(ids[N_TRAIN:]))
    write_split(stores / "splits.json", Split("kfold", "stimulus", (fold,)))
    store = EmbeddingStore.create(embeddings / "tower.h5", ids, {"pooled": (8,)})
    store.write(np.arange(n), {"pooled": values})
    return stores, embeddings, ids, labels, values


def evaluated(world, decoded, names, tmp_path):
    stores, embeddings, *_ = world
    each = Prediction("01", names, {"pooled": decoded})
    path = tmp_path / "out.h5"
    write_predictions(path, "net", [each], {"embedding": "tower", "target": "pooled"})
    done = Evaluator("tiny", stores, embeddings)(read_predictions(path))
    return {score.metric: score for score in done.scores}


def test_the_kind_may_be_found_without_the_picture(world, tmp_path):
    _, _, ids, _labels, values = world
    test = ids[N_TRAIN:]
    # another picture of the same kind
    decoded = values[[ids.index(name) - 3 for name in test]]
    found = evaluated(world, decoded, test, tmp_path)
    category, image = found["retrieval_category_top1"], found["retrieval_top1"]
    assert category.values.mean() == 1
    assert (category.n_candidates, category.chance) == (3, pytest.approx(1 / 3))
    assert image.values.mean() < 0.8
    assert image.n_candidates == N_TEST
    assert found["retrieval_category_top5"].chance == 1


def test_centres_by_hand_and_free_of_what_is_held_out(world):
    stores, embeddings, ids, _labels, values = world
    from neurodecode.store import read_stimuli

    store = EmbeddingStore(embeddings / "tower.h5")
    targets = lambda names: store.read("pooled", names)  # noqa: E731
    centres = open_centres(stores, read_stimuli(stores / "stimuli.h5"), store.path, targets)
    names, means = centres._centres(0)
    assert names == KINDS
    expected = [unit_rows(values[:12])[k::3].mean(axis=0) for k in range(3)]
    np.testing.assert_allclose(means, unit_rows(np.stack(expected)), atol=1e-6)
    # a kind that no training picture is of: nothing is said
    centres.categories[ids[-1]] = "moon"
    assert centres.scores(Prediction("01", ids[N_TRAIN:], {}), "net", values[N_TRAIN:]) == []


def test_single_trials_are_no_further_items(rng):
    names = ["a", "b", "c"]
    rows = ["a", "a", "b", "b", "b", "c"]
    scores = rng.normal(size=(6, 3))
    each = Prediction("01", rows, {}, names)
    found = {s.metric: s for s in identification_scores(each, "net", scores, names, both_ways=True)}
    top1 = found["retrieval_top1"]
    right = scores.argmax(axis=1) == [0, 0, 1, 1, 1, 2]
    np.testing.assert_allclose(
        top1.values, [right[:2].mean(), right[2:5].mean(), right[5]], atol=1e-9
    )
    assert top1.stimulus_id == names
    assert "retrieval_brain_top1" not in found
