"""Captions: do the words describe what was seen?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from neurodecode.embed import Embedder, TextEmbedder
from neurodecode.errors import DataError
from neurodecode.evaluation.items import Scores
from neurodecode.evaluation.nets import embedder_weights
from neurodecode.evaluation.picture_features import PictureFeatures
from neurodecode.evaluation.whole import WholeScore
from neurodecode.metrics.functional import bleu, bleu_counts, cider, rouge_l, words_of
from neurodecode.metrics.functional.meteor import CaptionScore, find_meteor
from neurodecode.recording import StimulusSet
from neurodecode.store import Prediction

__all__ = ["caption_references", "caption_scores", "caption_wholes", "clip_scores"]

#: By how many places captions are moved to the wrong pictures to measure chance.
_SHIFTS = 5
_N_BOOT = 2000


def caption_references(
    prediction: Prediction, stimuli: StimulusSet
) -> tuple[list[str], list[Sequence[str]]]:
    """Decoded captions and the true ones of the same items.

    Parameters
    ----------
    prediction : Prediction
        With the array ``captions``.
    stimuli : StimulusSet
        With captions.

    Returns
    -------
    captions : list of str of length n
        What was decoded.
    references : list of sequence of str of length n
        One true caption or more for each.

    Raises
    ------
    DataError
        If a stimulus has no caption.
    """
    captions = [value.decode("utf-8") for value in prediction.array("captions")]
    rows = stimuli.rows(prediction.stimulus_id)
    known = stimuli.captions or [()] * len(stimuli)
    references = [known[row] for row in rows.tolist()]
    for stimulus, truths in zip(prediction.stimulus_id, references, strict=True):
        if not any(words_of(truth) for truth in truths):
            raise DataError(
                f"stimulus {stimulus} has no caption to compare with",
                subject=prediction.subject,
                field="captions",
            )
    return captions, references


def caption_scores(
    prediction: Prediction,
    method: str,
    captions: Sequence[str],
    references: Sequence[Sequence[str]],
) -> list[Scores]:
    """Score every caption.

    Parameters
    ----------
    prediction : Prediction
        The test items.
    method : str
        Name of the method.
    captions, references
        From `caption_references`.

    Returns
    -------
    list of Scores
        ``rouge_l``, ``cider`` and, where nltk and its WordNet are installed, ``meteor``. Chance
        is the mean score of the same captions under other pictures.
    """
    scorers: dict[str, CaptionScore] = {"rouge_l": rouge_l, "cider": cider}
    if (meteor := find_meteor()) is not None:
        scorers["meteor"] = meteor
    made = []
    for metric, score in scorers.items():
        shifted = [score(captions, moved) for moved in _moved(references)]
        chance = float(np.mean(shifted)) if shifted else None
        values = np.asarray(score(captions, references), dtype=float)
        made.append(_scores(prediction, method, metric, values, chance))
    return made


def caption_wholes(
    prediction: Prediction,
    method: str,
    captions: Sequence[str],
    references: Sequence[Sequence[str]],
) -> list[WholeScore]:
    """Score all captions together.

    Parameters
    ----------
    prediction, method, captions, references
        As for `caption_scores`.

    Returns
    -------
    list of WholeScore
        ``bleu1`` to ``bleu4`` of the corpus, with bootstrap intervals over items.
    """
    counts = bleu_counts(captions, references)
    moved = [bleu_counts(captions, other).sum(axis=0) for other in _moved(references)]
    n, order = len(counts), np.argsort(np.asarray(prediction.stimulus_id), kind="stable")
    rng = np.random.default_rng(prediction.fold)
    # how often each item is in each resample: the same items for every subject who saw them
    times = rng.multinomial(n, np.full(n, 1 / n), size=_N_BOOT)
    resampled = times @ counts[order]
    return [
        WholeScore(
            subject=prediction.subject,
            task="captioning",
            method=method,
            metric=f"bleu{longest}",
            fold=prediction.fold,
            value=float(bleu(counts.sum(axis=0), longest)),
            n=n,
            n_averaged=prediction.n_averaged,
            chance=float(np.mean([bleu(total, longest) for total in moved])) if moved else None,
            resampled=bleu(resampled, longest) if n > 1 else None,
        )
        for longest in (1, 2, 3, 4)
    ]


def clip_scores(
    prediction: Prediction,
    method: str,
    captions: Sequence[str],
    truth: np.ndarray,
    embedder: Embedder,
    pictures: PictureFeatures,
) -> Scores | None:
    r"""How well each caption fits its true picture, by a network: :math:`2.5 \max(\cos, 0)`.

    Parameters
    ----------
    prediction, method, captions
        As for `caption_scores`.
    truth : array of uint8 of shape (n, height, width, 3)
        True pictures.
    embedder : Embedder
        Of pictures and texts.
    pictures : PictureFeatures
        Its embeddings of pictures.

    Returns
    -------
    Scores or None
        ``clip_score``; None if the embedder knows no texts.

    References
    ----------
    Hessel et al. 2021.
    """
    if not isinstance(embedder, TextEmbedder):
        return None
    images, texts = pictures.pooled(truth), embedder.encode_texts(list(captions))
    images, texts = (x / np.linalg.norm(x, axis=1, keepdims=True) for x in (images, texts))
    cosines = 2.5 * np.maximum(texts.astype(np.float64) @ images.T, 0)
    n = len(captions)
    chance = float(cosines[~np.eye(n, dtype=bool)].mean()) if n > 1 else None
    weights = {"weights": embedder_weights(embedder.provenance)}
    return _scores(prediction, method, "clip_score", np.diag(cosines).copy(), chance, weights)


def _moved(references: Sequence[Sequence[str]]) -> list[list[Sequence[str]]]:
    """True captions of other items, a few times over."""
    n = len(references)
    shifts = np.unique(np.linspace(1, n - 1, min(_SHIFTS, n - 1)).astype(int)) if n > 1 else []
    return [[*references[shift:], *references[:shift]] for shift in shifts]


def _scores(
    prediction: Prediction,
    method: str,
    metric: str,
    values: np.ndarray,
    chance: float | None,
    extra: Mapping[str, str] | None = None,
) -> Scores:
    return Scores(
        subject=prediction.subject,
        task="captioning",
        method=method,
        metric=metric,
        fold=prediction.fold,
        stimulus_id=prediction.stimulus_id,
        values=values,
        chance=chance,
        n_candidates=None,
        n_averaged=prediction.n_averaged,
        extra=extra or {},
    )
