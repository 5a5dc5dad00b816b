"""What embedding a generator draws from, and whether that is what a decoder decoded."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np

from neurodecode.errors import DataError

__all__ = ["Conditioning"]


@dataclass(frozen=True)
class Conditioning:
    """The embedding that a generator was trained to draw from.

    Parameters
    ----------
    model : str or None
        Embedder that makes it, as `neurodecode.embed.make_embedder` names it; None where the
        weights do not say.
    array : {"tokens", "pooled"}
        Which of the embedder's arrays.
    shape : tuple of int
        Of one embedding: (n_tokens, width), or (width,) if it is pooled.
    scale : str
        In what units: ``tower`` as the tower gives it (length carries meaning, so a decoded
        embedding must have it too), or ``any`` where the generator normalises.
    """

    model: str | None
    array: str
    shape: tuple[int, ...]
    scale: str = "tower"

    def __str__(self) -> str:
        size = " x ".join(map(str, self.shape))
        return f"{self.array} ({size}) of {self.model or 'its own tower'}"

    def fit(self, embeddings: np.ndarray) -> np.ndarray:
        """Bring embeddings to the shape the generator takes.

        A pooled embedding counts as one token to the decoder, so a singleton axis is dropped.

        Parameters
        ----------
        embeddings : array of shape (n, ...)
            Decoded or true embeddings.

        Returns
        -------
        array of shape (n, *shape)
            The same numbers.

        Raises
        ------
        DataError
            If they are of another shape.
        """
        given = tuple(size for size in embeddings.shape[1:] if size != 1)
        wanted = tuple(size for size in self.shape if size != 1)
        if given != wanted or prod(embeddings.shape[1:]) != prod(self.shape):
            raise DataError(
                f"embeddings of shape {embeddings.shape[1:]}, but this generator draws from {self}",
                field="tokens",
                fix=f"decode that, or embed with {self.model}" if self.model else "decode that",
            )
        return embeddings.reshape(len(embeddings), *self.shape)

    def refuse_others(self, attrs: Mapping[str, Any], shape: tuple[int, ...]) -> None:
        """Refuse what a decoder of another embedding decoded.

        Parameters
        ----------
        attrs : mapping
            Attributes of the predictions. ``embedding_model`` and ``target`` say what the
            decoder was trained on; files that lack them are judged by shape alone.
        shape : tuple of int
            Shape of one decoded embedding.

        Raises
        ------
        DataError
            If embedder, array or shape differ.
        """
        self.fit(np.empty((0, *shape), np.float32))
        model, target = attrs.get("embedding_model"), attrs.get("target")
        wrong = self.model and model and not _same_tower(model, self.model)
        if wrong or (target in ("tokens", "pooled") and target != self.array):
            raise DataError(
                f"decoded are {target or 'embeddings'} of {model or 'some embedder'}, but this "
                f"generator draws from {self}",
                field="embedding_model" if wrong else "target",
                fix="choose the generator of that embedding, or train a decoder of this one",
            )


def _same_tower(first: str, second: str) -> bool:
    """Whether two embedder names mean one tower; weights given as a file are taken on trust."""
    first_tower, second_tower = (name.split("/", 1) for name in (first, second))
    if first_tower[0] != second_tower[0]:
        return False
    tags = [parts[1] for parts in (first_tower, second_tower) if len(parts) > 1]
    as_file = any("/" in tag or tag.endswith((".safetensors", ".bin", ".pt")) for tag in tags)
    return as_file or first == second
