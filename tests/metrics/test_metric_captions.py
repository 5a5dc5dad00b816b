"""BLEU, ROUGE-L and CIDEr-D against other implementations and cases worked by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest
from torchmetrics.functional.text import bleu_score
from torchmetrics.functional.text.rouge import rouge_score

from neurodecode.metrics.functional import bleu, bleu_counts, cider, rouge_l, words_of

CAPTIONS = [
    "a red boat on the sea at night",
    "two dogs run over the wet grass",
    "a man",
    "a plate of food on a wooden table",
    "a green car in front of a small house",
]
TRUTHS = [
    ["a red sailing boat on the dark sea", "there is a boat on the sea at night"],
    ["two brown dogs run over the grass", "dogs play in a wet field", "two dogs run"],
    ["a man rides a horse", "man on a horse"],
    ["a plate of food on a table", "some food on a wooden table", "lunch"],
    ["a blue bus parked in a street", "the bus is in front of a house"],
]

#: pycocoevalcap 1.2 on these words: Cider().compute_score, Rouge().compute_score.
COCO_CIDER = [4.73928240982, 3.12668997175, 2.00427190687, 4.4516860175, 1.85790250921]
COCO_ROUGE = [0.814885496183, 0.936061381074, 0.530434782609, 0.944690265487, 0.594541910331]


def test_words_lose_case_and_punctuation():
    assert words_of("A dog's ball, (red) - on\nthe T-shirt.") == [
        "a", "dog's", "ball", "red", "on", "the", "t-shirt",
    ]  # fmt: skip
    assert words_of(" ...") == []


@pytest.mark.parametrize("n", [1, 2, 3, 4])
def test_bleu_against_torchmetrics(n):
    want = float(bleu_score(CAPTIONS, TRUTHS, n_gram=n))
    assert 0 < want < 1
    assert bleu(bleu_counts(CAPTIONS, TRUTHS).sum(axis=0), n) == pytest.approx(want, abs=1e-6)


def test_bleu_of_resamples_is_that_of_the_resampled_corpus():
    rows = np.array([[0, 0, 3], [1, 3, 3]])
    counts = bleu_counts(CAPTIONS, TRUTHS)
    want = [
        float(bleu_score([CAPTIONS[i] for i in row], [TRUTHS[i] for i in row], n_gram=2))
        for row in rows
    ]
    np.testing.assert_allclose(bleu(counts[rows].sum(axis=1), 2), want, atol=1e-6)


def test_bleu_worked_by_hand():
    # 2 of 3 words and 1 of 2 pairs; three words against five: exp(1 - 5/3)
    counts = bleu_counts(["the cat flew"], [["the cat sat over there"]]).sum(axis=0)
    penalty = math.exp(1 - 5 / 3)
    assert bleu(counts, 1) == pytest.approx(2 / 3 * penalty)
    assert bleu(counts, 2) == pytest.approx(math.sqrt(2 / 3 * 1 / 2) * penalty)
    assert bleu(counts, 3) == 0
    # a word counts no more often than in one reference
    assert bleu(bleu_counts(["the the the"], [["the", "the the"]])[0], 1) == pytest.approx(2 / 3)


@pytest.mark.parametrize("truth", range(5))
def test_rouge_against_torchmetrics(truth):
    for reference in TRUTHS[truth]:
        want = rouge_score(CAPTIONS[truth], reference, rouge_keys="rougeL")["rougeL_fmeasure"]
        got = rouge_l([CAPTIONS[truth]], [[reference]], beta=1)
        assert got.tolist() == pytest.approx([float(want)])


def test_rouge_takes_the_best_precision_and_recall():
    # precision 2/3 (first), recall 2/2 (second), beta 1.2
    got = rouge_l(["the red cat"], [["the black cat sat down", "red cat"]])
    assert got.tolist() == pytest.approx([(1 + 1.44) * (2 / 3) / (1 + 1.44 * 2 / 3)])
    assert rouge_l(["dogs"], [["the cat"]]).tolist() == [0]


def test_cider_and_rouge_against_cocos_evaluation():
    np.testing.assert_allclose(cider(CAPTIONS, TRUTHS), COCO_CIDER, rtol=1e-9)
    np.testing.assert_allclose(rouge_l(CAPTIONS, TRUTHS), COCO_ROUGE, rtol=1e-9)


def test_cider_worked_by_hand():
    # words of both items weigh nothing, those of one item log 2; one n-gram length of four each
    # "a cat" = "a cat": unigram cosine 1 (cat), bigram cosine 1, no longer n-grams
    assert cider(["a cat", "a dog"], [["a cat"], ["a dog"]]).tolist() == pytest.approx([5, 5])
    assert cider(["a cat", "a cat"], [["a cat"], ["a dog"]]).tolist() == pytest.approx([5, 0])
    # a single item has no rare words
    assert cider(["a cat"], [["a cat"]]).tolist() == [0]


@pytest.mark.parametrize("score", [rouge_l, cider])
def test_empty_and_perfect_captions(score):
    truths = [each[:1] for each in TRUTHS]
    perfect = score([each[0] for each in truths], truths)
    np.testing.assert_allclose(perfect, np.full(5, 1.0 if score is rouge_l else 10.0))
    assert score([""] * 5, truths).tolist() == [0] * 5
    assert bleu(bleu_counts([""] * 5, truths).sum(axis=0)) == 0
