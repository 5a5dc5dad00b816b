"""Likeness of captions: BLEU and ROUGE-L, as image captioning reports them."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

import numpy as np

__all__ = ["bleu", "bleu_counts", "count_grams", "rouge_l", "words_of"]

_MAX_N = 4
_WORD = re.compile(r"[\w]+(?:['-][\w]+)*")

Gram = tuple[str, ...]


def words_of(caption: str) -> list[str]:
    """Cut a caption into words: lower case, without punctuation.

    Parameters
    ----------
    caption : str
        Plain text.

    Returns
    -------
    list of str
        Words. COCO's evaluation uses the Penn Treebank tokeniser, a Java program, and drops
        punctuation; plain captions come out alike.
    """
    return _WORD.findall(caption.lower())


def count_grams(words: Sequence[str], n: int) -> Counter[Gram]:
    """Count the n-grams of a caption.

    Parameters
    ----------
    words : sequence of str
        From `words_of`.
    n : int
        Length of the n-grams.

    Returns
    -------
    Counter
        How often each occurs.
    """
    return Counter(tuple(words[start : start + n]) for start in range(len(words) - n + 1))


def bleu_counts(
    candidates: Sequence[str], references: Sequence[Sequence[str]], max_n: int = _MAX_N
) -> np.ndarray:
    """Count what BLEU is made of, for each caption.

    Parameters
    ----------
    candidates : sequence of str of length n
        Captions to be judged.
    references : sequence of sequence of str of length n
        True captions of each item, one or more.
    max_n : int
        Longest n-gram.

    Returns
    -------
    array of float64 of shape (n, 2 * max_n + 2)
        Matched n-grams for n = 1 ... max_n (no more often than in one reference), n-grams there
        are, words of the caption, words of the reference closest in length (the shorter of two).
        BLEU is a function of their sums, so it can be resampled without counting again.
    """
    rows = np.zeros((len(candidates), 2 * max_n + 2))
    for row, candidate, truths in zip(rows, candidates, references, strict=True):
        words, true_words = words_of(candidate), [words_of(truth) for truth in truths]
        for n in range(1, max_n + 1):
            own, most = count_grams(words, n), Counter[Gram]()
            for truth in true_words:
                most |= count_grams(truth, n)
            row[n - 1], row[max_n + n - 1] = (own & most).total(), own.total()
        lengths = [len(truth) for truth in true_words]
        row[-2:] = len(words), min(lengths, key=lambda length: (abs(length - len(words)), length))
    return rows


def bleu(counts: np.ndarray, n: int = _MAX_N) -> np.ndarray:
    r"""BLEU of a corpus from its counts, without smoothing.

    .. math:: \min\big(1, e^{1 - r/c}\big) \Big(\prod_{k=1}^n p_k\Big)^{1/n}

    Parameters
    ----------
    counts : array of shape (..., 2 * max_n + 2)
        Sums over items of `bleu_counts`.
    n : int
        Longest n-gram that counts.

    Returns
    -------
    array of shape (...)
        Between 0 and 1.

    References
    ----------
    Papineni et al. 2002.
    """
    counts = np.asarray(counts, dtype=np.float64)
    max_n = counts.shape[-1] // 2 - 1
    matched, total = counts[..., :n], counts[..., max_n : max_n + n]
    own, true = counts[..., -2], counts[..., -1]
    with np.errstate(divide="ignore", invalid="ignore"):
        precision = np.exp(np.log(matched / total).mean(axis=-1))
        brevity = np.exp(np.minimum(0, 1 - true / own))
    return np.where((matched > 0).all(axis=-1) & (own > 0), precision * brevity, 0.0)


def _longest_common(one: Sequence[str], other: Sequence[str]) -> int:
    """Length of the longest common subsequence."""
    before = [0] * (len(other) + 1)
    for word in one:
        row = [0]
        for column, second in enumerate(other):
            row.append(before[column] + 1 if word == second else max(before[column + 1], row[-1]))
        before = row
    return before[-1]


def rouge_l(
    candidates: Sequence[str], references: Sequence[Sequence[str]], beta: float = 1.2
) -> np.ndarray:
    r"""F-measure of the longest common subsequence, for each caption.

    .. math:: \frac{(1 + \beta^2) P R}{R + \beta^2 P}

    Parameters
    ----------
    candidates : sequence of str of length n
        Captions to be judged.
    references : sequence of sequence of str of length n
        True captions of each item.
    beta : float
        Weight of recall; 1.2 in COCO's evaluation, 1 elsewhere.

    Returns
    -------
    array of float64 of shape (n,)
        Between 0 and 1; precision and recall are each the best over references.

    References
    ----------
    Lin 2004.
    """
    scores = []
    for candidate, truths in zip(candidates, references, strict=True):
        words, true_words = words_of(candidate), [words_of(truth) for truth in truths]
        common = [_longest_common(words, truth) for truth in true_words]
        recall = max(c / max(len(t), 1) for c, t in zip(common, true_words, strict=True))
        precision = max(common) / max(len(words), 1)
        weighed = recall + beta**2 * precision
        scores.append((1 + beta**2) * precision * recall / weighed if weighed else 0.0)
    return np.array(scores)
