"""Embeddings of pictures, each picture embedded once."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping

import numpy as np

__all__ = ["PictureFeatures", "token_features"]

#: ``encode_images`` of an embedder.
Encode = Callable[[np.ndarray], Mapping[str, np.ndarray]]


def token_features(tokens: np.ndarray) -> np.ndarray:
    """Reduce the tokens of pictures to what a linear read-out is fitted on.

    Parameters
    ----------
    tokens : array of shape (n, n_tokens, width)
        Class token first.

    Returns
    -------
    array of shape (n, 2 * width)
        The class token, then the mean of the patch tokens.
    """
    return np.concatenate([tokens[:, 0], tokens[:, 1:].mean(axis=1)], axis=1)


class PictureFeatures:
    """Embeds pictures and remembers them.

    The true pictures are the same for every method and subject, and a control often shows the
    reconstructions of its method in another order.

    Parameters
    ----------
    encode : callable
        ``encode_images`` of an embedder; ``tokens`` are needed by `tokens` alone.
    """

    def __init__(self, encode: Encode) -> None:
        self._encode = encode
        self._known: dict[bytes, dict[str, np.ndarray]] = {}

    def pooled(self, images: np.ndarray) -> np.ndarray:
        """Give the pooled embedding.

        Parameters
        ----------
        images : array of uint8 of shape (n, height, width, 3)
            Pictures.

        Returns
        -------
        array of shape (n, width)
            Same order.
        """
        return self._look_up(images, "pooled")

    def tokens(self, images: np.ndarray) -> np.ndarray:
        """Give `token_features`.

        Parameters
        ----------
        images : array of uint8 of shape (n, height, width, 3)
            Pictures.

        Returns
        -------
        array of shape (n, 2 * width)
            Same order.
        """
        return self._look_up(images, "tokens")

    def _look_up(self, images: np.ndarray, name: str) -> np.ndarray:
        keys = [_digest(image) for image in images]
        new = {key: row for row, key in enumerate(keys) if key not in self._known}
        if new:
            found = dict(self._encode(images[list(new.values())]))
            if "tokens" in found:
                # all tokens of all pictures would fill the memory
                found["tokens"] = token_features(found["tokens"])
            kept = {each: found[each] for each in ("pooled", "tokens") if each in found}
            for place, key in enumerate(new):
                self._known[key] = {each: values[place] for each, values in kept.items()}
        return np.stack([self._known[key][name] for key in keys])


def _digest(image: np.ndarray) -> bytes:
    head = f"{image.dtype}{image.shape}".encode()
    return hashlib.blake2b(head + image.tobytes(), digest_size=16).digest()
