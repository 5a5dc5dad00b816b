"""Saying in words what was seen: the caption whose embedding is closest to the decoded one."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from neurodecode.embed import TextEmbedder
from neurodecode.errors import ConfigError, DataError, LeakError
from neurodecode.recording import StimulusSet
from neurodecode.splits import Split
from neurodecode.store import Prediction
from neurodecode.store.predictions import PredictionFile

__all__ = ["CaptionBank", "retrieve_captions"]


class CaptionBank:
    """Captions that may be given, with their embeddings.

    Parameters
    ----------
    stimuli : StimulusSet
        With captions.
    split : Split
        By stimulus; a fold's bank are the captions of `Split.pool`: of training pictures, and of
        pictures that nobody was shown and that look like none of the held-out ones.
    embedder : TextEmbedder
        Whose space the texts are embedded in.

    Raises
    ------
    DataError
        If there are no captions.
    ConfigError
        If the embedder knows no texts, or the split is one of runs.
    """

    def __init__(self, stimuli: StimulusSet, split: Split, embedder: TextEmbedder) -> None:
        if stimuli.captions is None:
            raise DataError("the stimuli have no captions", field="captions")
        if not isinstance(embedder, TextEmbedder):
            raise ConfigError(f"{embedder.name} embeds pictures alone; choose another --embedder")
        self.split, self.embedder = split, embedder
        self._captions = dict(zip(stimuli.ids, stimuli.captions, strict=True))
        self._known: dict[int, tuple[list[str], np.ndarray]] = {}

    def fold(self, number: int) -> tuple[list[str], np.ndarray]:
        """Captions of one fold.

        Parameters
        ----------
        number : int
            Which fold.

        Returns
        -------
        captions : list of str of length n
            Each once, sorted.
        embeddings : array of float32 of shape (n, width)
            Of unit length.

        Raises
        ------
        DataError
            If the fold does not exist, or no picture of it has a caption.
        """
        if not 0 <= number < len(self.split.folds):
            raise DataError(f"fold {number} of a split with {len(self.split.folds)}", field="fold")
        if number not in self._known:
            pool = self.split.pool(number, self._captions)
            captions = sorted({text for name in pool for text in self._captions[name] if text})
            if not captions:
                raise DataError(f"no training picture of fold {number} has a caption")
            self._known[number] = captions, _unit(self.embedder.encode_texts(captions))
        return self._known[number]


def retrieve_captions(
    content: PredictionFile, bank: CaptionBank, array: str = "tokens"
) -> list[Prediction]:
    """Give every prediction the closest caption.

    Parameters
    ----------
    content : PredictionFile
        Decoded embeddings.
    bank : CaptionBank
        Captions to choose from.
    array : str
        ``pooled``: the embedding of pictures and texts itself. Any other array holds tokens, and
        is pooled as the embedder pools those of a picture.

    Returns
    -------
    list of Prediction
        ``captions`` (bytes of UTF-8) and ``similarity``, the cosine with the decoded embedding.

    Raises
    ------
    DataError
        If there is no such array, or it is of another size.
    LeakError
        If a stimulus is on the training side of its fold.
    """
    return [_retrieve(each, bank, array) for each in content.predictions]


def _retrieve(each: Prediction, bank: CaptionBank, array: str) -> Prediction:
    captions, texts = bank.fold(each.fold)
    _check_side(each, bank.split)
    decoded = each.array(array)
    if array != "pooled":
        decoded = bank.embedder.pool_tokens(decoded)
    if decoded.ndim != 2 or decoded.shape[1] != texts.shape[1]:
        raise DataError(
            f"decoded as {decoded.shape[1:]}, captions are embedded as {texts.shape[1:]}",
            subject=each.subject,
            field=array,
            fix="choose the --embedder whose embedding was decoded",
        )
    cosines = _unit(decoded) @ texts.T
    best = cosines.argmax(axis=1)
    return Prediction(
        subject=each.subject,
        stimulus_id=list(each.stimulus_id),
        arrays={
            "captions": np.array([captions[row].encode("utf-8") for row in best]),
            "similarity": cosines[np.arange(len(best)), best],
        },
        n_averaged=each.n_averaged,
        fold=each.fold,
    )


def _check_side(each: Prediction, split: Split) -> None:
    if strays := set(each.stimulus_id) & set(split.folds[each.fold].train):
        raise LeakError(
            f"subject {each.subject}, fold {each.fold}: {len(strays)} stimuli are training"
            f" stimuli, whose captions are in the bank, first: {min(strays)}"
        )


def _unit(values: np.ndarray | Sequence[float]) -> np.ndarray:
    values = np.asarray(values, dtype=np.float32)
    return values / np.maximum(np.linalg.norm(values, axis=1, keepdims=True), 1e-12)
