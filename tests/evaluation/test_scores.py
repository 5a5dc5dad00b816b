from __future__ import annotations

import numpy as np
import pytest

from neurodecode.errors import DataError
from neurodecode.evaluation.candidates import candidate_table
from neurodecode.evaluation.classification import accuracy_scores, confusion_table
from neurodecode.evaluation.identification import (
    identification_scores,
    score_matrix,
)
from neurodecode.evaluation.items import items_frame
from neurodecode.evaluation.summary import summarise_items
from neurodecode.store import Prediction

IDS = list("abcdefghi")
#: Queries c, a, b among candidates a..d. By hand: c is second, a first, b tied first with d.
SCORES = np.array([[0.9, 0.1, 0.5, 0.3], [0.8, 0.2, 0.1, 0.0], [0.1, 0.7, 0.2, 0.7]])
QUERIES, CANDIDATES = ["c", "a", "b"], ["a", "b", "c", "d"]


def by_metric(scores):
    return {score.metric: score.values.tolist() for score in scores}


def test_scores_of_a_case_worked_by_hand():
    prediction = Prediction("01", QUERIES, {"scores": SCORES}, CANDIDATES)
    found = by_metric(identification_scores(prediction, "m", SCORES, CANDIDATES, both_ways=True))
    assert found["retrieval_top1"] == [0, 1, 0.5]
    assert found["retrieval_top5"] == [1, 1, 1]
    assert found["median_rank"] == [2, 1, 1.5]
    np.testing.assert_allclose(found["two_way"], [2 / 3, 1, 2.5 / 3])
    # three responses for four pictures: there is no response for d to be found
    assert "retrieval_brain_top1" not in found


def test_both_ways_pairs_each_picture_with_its_own_response():
    # rows c, a, b; columns a, b, c: the response of b is closest to every picture
    scores = np.array([[0.1, 0.2, 0.5], [0.4, 0.3, 0.1], [0.9, 0.8, 0.7]])
    prediction = Prediction("01", QUERIES, {}, ["a", "b", "c"])
    found = by_metric(identification_scores(prediction, "m", scores, list("abc"), both_ways=True))
    assert found["retrieval_top1"] == [1, 1, 0]
    assert found["retrieval_brain_top1"] == [0, 0, 1]


def test_cosine_of_flattened_embeddings(rng):
    truth = dict(zip(IDS, rng.normal(size=(9, 7, 8)), strict=True))
    queries = ["d", "h", "b"]
    # decoded embeddings are right up to their length
    decoded = np.stack(
        [truth[name] * scale for name, scale in zip(queries, (3, 0.1, 7), strict=True)]
    )
    prediction = Prediction("01", queries, {"tokens": decoded})
    scores, names = score_matrix(
        prediction, "tokens", lambda ids: np.stack([truth[name] for name in ids])
    )
    assert names == ["b", "d", "h"]
    assert [names[column] for column in scores.argmax(axis=1)] == queries
    np.testing.assert_allclose(scores.max(axis=1), 1)


def test_decoders_call_what_they_retrieve_tokens_whatever_its_target(rng):
    truth = dict(zip(IDS, rng.normal(size=(9, 7)), strict=True))
    decoded = np.stack([truth["d"], truth["h"]])

    def read(ids):
        return np.stack([truth[name] for name in ids])

    for arrays in ({"tokens": decoded}, {"joint": decoded, "tokens": decoded[::-1]}):
        scores, names = score_matrix(Prediction("01", ["d", "h"], arrays), "joint", read)
        assert [names[column] for column in scores.argmax(axis=1)] == ["d", "h"]


def test_collapsed_prediction_scores_chance():
    prediction = Prediction("01", IDS, {}, IDS)
    scores = np.tile(np.linspace(0, 1, 9), (9, 1))
    found = by_metric(identification_scores(prediction, "m", scores, IDS, both_ways=True))
    assert np.mean(found["retrieval_top1"]) == pytest.approx(1 / 9)
    assert np.mean(found["two_way"]) == pytest.approx(0.5)
    assert np.mean(found["retrieval_brain_top1"]) == pytest.approx(1 / 9)


def test_a_test_stimulus_must_be_a_candidate():
    prediction = Prediction("01", ["a", "z"], {}, ["a", "b"])
    with pytest.raises(DataError, match="1 test stimuli are not among the candidates, first: z"):
        identification_scores(prediction, "m", np.zeros((2, 2)), ["a", "b"], both_ways=False)


def test_prediction_without_anything_to_score():
    with pytest.raises(DataError, match="subject 01, field arrays"):
        score_matrix(Prediction("01", ["a"], {"latent": np.zeros((1, 4))}), "tokens", None)


def test_candidate_table_lists_the_best_five(rng):
    scores = rng.normal(size=(1, 9))
    table = candidate_table(Prediction("01", ["c"], {}), scores, IDS, {"dataset": "x"})
    best = [IDS[i] for i in np.argsort(-scores[0])]
    assert table.loc[0, "top5"].split() == best[:5]
    assert table.loc[0, "rank"] == best.index("c") + 1


def test_accuracy_and_confusion():
    scores = np.array([[3, 1, 0], [0, 2, 1], [5, 0, 1]])
    prediction = Prediction(
        "1", ["face", "house", "house"], {"scores": scores}, ["face", "house", "cat"]
    )
    assert accuracy_scores(prediction, "logistic").values.tolist() == [1, 1, 0]
    table = confusion_table([prediction, prediction], "logistic", "haxby2001")
    counts = {(row.true, row.predicted): row.count for row in table.itertuples(index=False)}
    assert {
        key: int(table.loc[(table.true == key[0]) & (table.predicted == key[1]), "count"].iloc[0])
        for key in counts
    } == {
        ("face", "face"): 2,
        ("house", "face"): 2,
        ("house", "house"): 2,
    }


def test_records_of_subjects_and_their_mean():
    scores = []
    for subject, values in {"01": [1, 0, 0], "02": [1, 1, 0]}.items():
        prediction = Prediction(subject, QUERIES, {}, CANDIDATES, n_averaged=3)
        found = identification_scores(prediction, "m", SCORES, CANDIDATES, both_ways=False)
        top1 = next(score for score in found if score.metric == "retrieval_top1")
        scores.append(type(top1)(**{**vars(top1), "values": np.array(values, dtype=float)}))
    records = summarise_items(
        items_frame(scores, "mini-fmri"),
        "mini",
        {("identification", "m", ""): {"selection_split": "validation", "seed": 3}},
    )
    values = {record.subject: record.value for record in records}
    assert values == {
        "01": pytest.approx(1 / 3),
        "02": pytest.approx(2 / 3),
        "mean": pytest.approx(0.5),
    }
    mean = next(record for record in records if record.subject == "mean")
    assert (mean.n, mean.n_candidates, mean.n_averaged, mean.chance) == (6, 4, 3, 0.25)
    assert mean.selection_split == "validation"
    assert mean.ci_low <= mean.value <= mean.ci_high
