"""Saying in words what was seen: the caption whose embedding is closest to the decoded one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from neurodecode.embed import TextEmbedder, TokenPooler
from neurodecode.errors import ConfigError, DataError, about
from neurodecode.store import Prediction
from neurodecode.store.predictions import PredictionFile
from neurodecode.tasks.caption_sources import CaptionSource

__all__ = ["retrieve_captions"]

#: Tokens that towers do not pool; as arrays, or as what a decoder's `tokens` are.
_OTHER_TOKENS = {"joint", "patches"}


def retrieve_captions(
    content: PredictionFile, source: CaptionSource, array: str = "tokens"
) -> list[Prediction]:
    """Give every prediction the closest caption.

    Parameters
    ----------
    content : PredictionFile
        Decoded embeddings, or pictures.
    source : CaptionSource
        Captions to choose from.
    array : str
        ``images``: pictures, which are embedded. Of any other array, one vector a stimulus is an
        embedding of pictures and texts itself, and several are tokens, pooled as the embedder
        pools those of a picture.

    Returns
    -------
    list of Prediction
        ``captions`` (bytes of UTF-8) and ``similarity``, the cosine with the decoded embedding.

    Raises
    ------
    DataError
        If there is no such array, or it is of another embedding.
    ConfigError
        If the embedder cannot pool tokens.
    LeakError
        See `CaptionSource.nearest`.
    """
    if array != "images":
        _check_model(content.attrs, source.embedder)
    made = []
    for each in content.predictions:
        queries = _queries(each, array, source.embedder, content.attrs)
        with about(subject=each.subject):
            captions, cosines = source.nearest(queries, each)
        arrays = {
            "captions": np.array([text.encode("utf-8") for text in captions]),
            "similarity": cosines,
        }
        made.append(
            Prediction(each.subject, list(each.stimulus_id), arrays, (), each.n_averaged, each.fold)
        )
    return made


def _check_model(attrs: Mapping[str, Any], embedder: TextEmbedder) -> None:
    model = attrs.get("embedding_model")
    if model and model != embedder.name:
        raise DataError(
            f"decoded are embeddings of {model}, captions are in the space of {embedder.name}",
            field="embedding_model",
            fix="take captions in the space that was decoded, or draw pictures: --array images",
        )


def _queries(
    each: Prediction, array: str, embedder: TextEmbedder, attrs: Mapping[str, Any]
) -> np.ndarray:
    """Embeddings of pictures (n, width), by which captions are sought."""
    values = each.array(array)
    if array == "images":
        return embedder.encode_images(values)["pooled"]
    # a decoder of pooled embeddings writes them as one token
    if values.ndim == 3 and values.shape[1] == 1:
        return values[:, 0]
    if values.ndim == 2:
        return values
    if not isinstance(embedder, TokenPooler) or {array, attrs.get("target")} & _OTHER_TOKENS:
        raise ConfigError(
            f"--array {array}: {embedder.name} does not pool such tokens; give a pooled embedding,"
            " or pictures with --array images"
        )
    with about(subject=each.subject):
        return embedder.pool_tokens(values)
