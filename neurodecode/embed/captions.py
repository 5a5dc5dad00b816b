"""A bank of captions in CLIP's text space, from which a picture gets the nearest."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from neurodecode.embed.base import Embedder, TextEmbedder
from neurodecode.errors import ConfigError, DataError
from neurodecode.store import EmbeddingStore

__all__ = ["CaptionBank"]

_BATCH = 256


class CaptionBank:
    """Captions with their embeddings: an `EmbeddingStore` whose ids are the captions.

    Parameters
    ----------
    path : path-like
        File made by `write`.

    Raises
    ------
    DataError
        If the file is missing, broken, or holds no text embeddings.
    """

    def __init__(self, path: str | Path) -> None:
        self.store = EmbeddingStore(path)
        if "caption_bank" not in self.store.attrs:
            raise DataError(
                "is no caption bank", file=path, fix="make one with `neurodecode captions`"
            )
        self.vectors = _unit(self.store.read("text"))

    @classmethod
    def write(
        cls, path: str | Path, texts: Sequence[str], embedder: Embedder, attrs: dict[str, Any]
    ) -> CaptionBank:
        """Embed captions and keep them.

        Parameters
        ----------
        path : path-like
            HDF5 file to write.
        texts : sequence of str
            Captions; doubles and empty ones are dropped.
        embedder : Embedder
            Reads texts.
        attrs : dict
            Where the captions come from.

        Returns
        -------
        CaptionBank
            The bank.

        Raises
        ------
        ConfigError
            If the embedder reads no texts.
        DataError
            If there is no caption.
        """
        if not isinstance(embedder, TextEmbedder):
            raise ConfigError(f"{embedder.name} embeds no texts; take mini-clip or openclip:...")
        unique = sorted({text.strip() for text in texts} - {""})
        if not unique:
            raise DataError("no captions", file=path, field="captions")
        parts = [unique[i : i + _BATCH] for i in range(0, len(unique), _BATCH)]
        vectors = np.concatenate([embedder.encode_texts(part) for part in parts])
        about = {"embedder": embedder.name, **embedder.provenance, **attrs, "caption_bank": True}
        store = EmbeddingStore.create(path, unique, {"text": vectors.shape[1:]}, about)
        store.write(np.arange(len(unique)), {"text": vectors})
        return cls(path)

    @property
    def embedder(self) -> str:
        """Name of the embedder in whose space the captions are."""
        return str(self.store.attrs["embedder"])

    def nearest(self, embeddings: np.ndarray) -> tuple[list[str], np.ndarray]:
        """Find the caption of largest cosine for each image embedding.

        Parameters
        ----------
        embeddings : array of shape (n, width)
            Pooled image embeddings of the same CLIP.

        Returns
        -------
        captions : list of str of length n
            One each.
        similarity : array of shape (n,)
            Their cosines.

        Raises
        ------
        DataError
            If the width is another.
        """
        if embeddings.ndim != 2 or embeddings.shape[1] != self.vectors.shape[1]:
            raise DataError(
                f"embeddings of shape {embeddings.shape} for captions of width "
                f"{self.vectors.shape[1]}",
                file=self.store.path,
                fix=f"decode or embed with {self.embedder}, array pooled",
            )
        cosine = _unit(embeddings) @ self.vectors.T
        best = cosine.argmax(axis=1)
        return [self.store.ids[row] for row in best], cosine[np.arange(len(best)), best]


def _unit(vectors: np.ndarray) -> np.ndarray:
    return vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12)
