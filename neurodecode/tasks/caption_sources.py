"""Where captions for predictions are taken from: training pictures, or a bank of captions."""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np

from neurodecode.banks import Bank
from neurodecode.banks.searcher import Searcher
from neurodecode.embed import Embedder, TextEmbedder
from neurodecode.errors import ConfigError, DataError, LeakError
from neurodecode.recording import StimulusSet
from neurodecode.splits import Split
from neurodecode.store import Prediction

__all__ = ["BankCaptions", "CaptionSource", "TrainingCaptions"]

_BATCH = 256


class CaptionSource(Protocol):
    """Captions that may be given.

    Attributes
    ----------
    embedder : TextEmbedder
        Whose space the captions are in.
    provenance : mapping
        Where they come from, as plain JSON values.
    """

    embedder: TextEmbedder
    provenance: dict[str, Any]

    def nearest(self, queries: np.ndarray, each: Prediction) -> tuple[list[str], np.ndarray]:
        """Find the caption of largest cosine.

        Parameters
        ----------
        queries : array of shape (n, width)
            Pooled embeddings.
        each : Prediction
            Whose they are.

        Returns
        -------
        captions : list of str of length n
            One each.
        cosines : array of float32 of shape (n,)
            How close they are.

        Raises
        ------
        DataError
            If the width is another one.
        LeakError
            If a caption of what was to be decoded is, or would be, among them.
        """


class TrainingCaptions:
    """Captions of the pictures that training may use.

    Parameters
    ----------
    stimuli : StimulusSet
        With captions.
    split : Split
        By stimulus; a fold's captions are those of `Split.pool`: of training pictures, and of
        pictures that nobody was shown and that look like none of the held-out ones.
    embedder : Embedder
        Whose space the texts are embedded in.

    Raises
    ------
    DataError
        If there are no captions.
    ConfigError
        If the embedder knows no texts, or the split is one of runs.
    """

    def __init__(self, stimuli: StimulusSet, split: Split, embedder: Embedder) -> None:
        if stimuli.captions is None:
            raise DataError("the stimuli have no captions", field="captions")
        self.split, self.embedder = split, _of_texts(embedder)
        self.provenance = {"source": "training pictures", "scheme": split.scheme}
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
            parts = [captions[start : start + _BATCH] for start in range(0, len(captions), _BATCH)]
            rows = np.concatenate([self.embedder.encode_texts(part) for part in parts])
            self._known[number] = captions, _unit(rows)
        return self._known[number]

    def nearest(self, queries: np.ndarray, each: Prediction) -> tuple[list[str], np.ndarray]:
        """Find captions; see `CaptionSource`."""
        captions, texts = self.fold(each.fold)
        if strays := set(each.stimulus_id) & set(self.split.folds[each.fold].train):
            raise LeakError(
                f"subject {each.subject}, fold {each.fold}: {len(strays)} stimuli are training"
                f" stimuli, whose captions may be given, first: {min(strays)}"
            )
        if queries.shape[1] != texts.shape[1]:
            raise DataError(
                f"decoded as {queries.shape[1:]}, captions are embedded as {texts.shape[1:]}",
                fix="choose the --embedder whose embedding was decoded",
            )
        cosines = _unit(queries) @ texts.T
        best = cosines.argmax(axis=1)
        return [captions[row] for row in best], cosines[np.arange(len(best)), best]


class BankCaptions:
    """Captions of a bank.

    Parameters
    ----------
    bank : Bank
        Made of captions.
    embedder : Embedder
        The bank's.

    Raises
    ------
    DataError
        If the bank holds no captions, or other weights embedded them.
    ConfigError
        If the embedder knows no texts.
    """

    def __init__(self, bank: Bank, embedder: Embedder) -> None:
        if bank.embedding["array"] != "text":
            raise DataError(
                f"holds {bank.embedding['array']}, not captions",
                file=bank.path,
                fix="build one with `neurodecode bank build --captions FILE`",
            )
        told = dict(bank.embedding.get("provenance", {}))
        if any(told.get(name) != value for name, value in embedder.provenance.items()):
            raise DataError(
                f"was built with other weights than {embedder.name} has now",
                file=bank.path,
                fix="build the bank again",
            )
        self.bank, self.embedder = bank, _of_texts(embedder)
        self.provenance = {"source": "bank", "bank": bank.path.name} | {
            "n": bank.n, "request": bank.about.get("request")
        }  # fmt: skip
        self._search = Searcher(bank)

    def nearest(self, queries: np.ndarray, each: Prediction) -> tuple[list[str], np.ndarray]:
        """Find captions; see `CaptionSource`."""
        cosines, rows = self._search(queries, 1)
        ids, captions = self.bank.items(rows[:, 0])
        if not all(captions):
            raise DataError("rows have no caption", file=self.bank.path / "items.h5")
        # rows of a bank of stimuli bear their ids: what was shown must not be told its caption
        if strays := set(ids) & set(each.stimulus_id):
            raise LeakError(
                f"bank {self.bank.path}, subject {each.subject}: holds the captions of"
                f" {len(strays)} of the stimuli, first: {min(strays)}; leave them out"
            )
        return captions, cosines[:, 0]


def _of_texts(embedder: Embedder) -> TextEmbedder:
    if not isinstance(embedder, TextEmbedder):
        raise ConfigError(f"{embedder.name} embeds pictures alone; choose another --embedder")
    return embedder


def _unit(values: np.ndarray) -> np.ndarray:
    values = np.asarray(values, dtype=np.float32)
    return values / np.maximum(np.linalg.norm(values, axis=1, keepdims=True), 1e-12)
