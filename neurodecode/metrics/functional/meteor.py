"""METEOR by nltk, where it and its dictionary are installed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache

import numpy as np

from neurodecode.metrics.functional.captions import words_of

__all__ = ["CaptionScore", "find_meteor"]

#: (captions, true captions of each) -> score of each.
CaptionScore = Callable[[Sequence[str], Sequence[Sequence[str]]], np.ndarray]


@cache
def find_meteor() -> CaptionScore | None:
    """Find METEOR, which needs nltk and its WordNet.

    Returns
    -------
    callable or None
        Best score over the true captions, for each caption, with nltk's parameters (those of the
        paper; the Java program of COCO's evaluation has tuned ones and paraphrases besides).
        None where nltk or its data are not installed.

    References
    ----------
    Banerjee and Lavie 2005.
    """
    try:
        from nltk.corpus import wordnet
        from nltk.translate import meteor_score as nltk_meteor

        wordnet.ensure_loaded()
    except (ImportError, LookupError):
        return None

    def score(captions: Sequence[str], references: Sequence[Sequence[str]]) -> np.ndarray:
        """Score each caption."""
        pairs = zip(captions, references, strict=True)
        return np.array(
            [
                nltk_meteor.meteor_score([words_of(truth) for truth in truths], words_of(caption))
                for caption, truths in pairs
            ]
        )

    return score
