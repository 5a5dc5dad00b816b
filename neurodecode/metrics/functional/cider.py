"""CIDEr-D: likeness of captions that weighs rare words most."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np

from neurodecode.metrics.functional.captions import count_grams, words_of

__all__ = ["cider"]

_MAX_N = 4

Gram = tuple[str, ...]


def cider(
    candidates: Sequence[str], references: Sequence[Sequence[str]], *, sigma: float = 6.0
) -> np.ndarray:
    r"""CIDEr-D: agreement of n-grams weighed by how few images they are used for.

    For each n = 1 ... 4 the cosine of tf-idf vectors, in which a count is cut to that of the
    reference, times :math:`e^{-\Delta^2 / 2\sigma^2}` of the difference of lengths; averaged over
    n and references, times 10.

    Parameters
    ----------
    candidates : sequence of str of length n
        Captions to be judged.
    references : sequence of sequence of str of length n
        True captions of each item. In how many items' references an n-gram occurs decides about
        its weight, so the scores depend on the set.
    sigma : float
        Of the length penalty, in words.

    Returns
    -------
    array of float64 of shape (n,)
        Between 0 and 10; the mean is the score of the set (often printed times 100). 0 for a
        single item, whose n-grams all have weight 0.

    References
    ----------
    Vedantam et al. 2015, with the details of COCO's evaluation: tf is a plain count, and the
    length is that of bigrams.
    """
    cooked = [[_counts(truth) for truth in truths] for truths in references]
    frequency = Counter[Gram]()
    for truths in cooked:
        frequency.update({gram for truth in truths for gram in truth})
    n_items = np.log(float(max(len(cooked), 1)))
    idf = {gram: n_items - np.log(count) for gram, count in frequency.items()}
    scores = []
    for candidate, truths in zip(candidates, cooked, strict=True):
        own = _counts(candidate)
        each = [_cider_pair(own, truth, idf, n_items, sigma) for truth in truths]
        scores.append(10 * float(np.mean(each)))
    return np.array(scores)


def _counts(caption: str) -> Counter[Gram]:
    words = words_of(caption)
    return sum((count_grams(words, n) for n in range(1, _MAX_N + 1)), Counter[Gram]())


def _cider_pair(
    own: Counter[Gram], truth: Counter[Gram], idf: Mapping[Gram, float], rare: float, sigma: float
) -> float:
    """Mean over n of the penalised cosines; n-grams of no reference weigh most."""
    products, norms = np.zeros(_MAX_N), np.zeros((2, _MAX_N))
    for side, counts in enumerate((own, truth)):
        for gram, count in counts.items():
            norms[side, len(gram) - 1] += (count * idf.get(gram, rare)) ** 2
    for gram in own.keys() & truth.keys():
        weight = idf.get(gram, rare) ** 2
        products[len(gram) - 1] += min(own[gram], truth[gram]) * truth[gram] * weight
    scale = np.sqrt(norms[0] * norms[1])
    cosines = np.divide(products, scale, out=np.zeros(_MAX_N), where=scale > 0)
    length = [sum(count for gram, count in c.items() if len(gram) == 2) for c in (own, truth)]
    return float(cosines.mean()) * float(np.exp(-((length[0] - length[1]) ** 2) / (2 * sigma**2)))
