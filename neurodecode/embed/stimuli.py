"""Embed every stimulus of a data set once, into a store that can be filled in several goes."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from neurodecode.embed.base import Embedder, TextEmbedder
from neurodecode.errors import DataError
from neurodecode.progress import progress_bar
from neurodecode.recording import StimulusSet
from neurodecode.store import EmbeddingStore

__all__ = ["embed_stimuli"]


def embed_stimuli(
    stimuli: StimulusSet,
    embedder: Embedder,
    path: str | Path,
    *,
    batch_size: int = 64,
    resume: bool = True,
    quiet: bool = False,
) -> EmbeddingStore:
    """Embed pictures, and captions where the embedder reads them.

    The store holds what ``encode_images`` returns, and ``text`` of shape (width,): the mean of a
    picture's unit-length caption embeddings. Batches are fixed runs of rows, written to a hidden
    file beside `path` that gets its name once it is complete; an interrupted run goes on there at
    the first unfinished batch and ends with the same bytes as one in a single go.

    Parameters
    ----------
    stimuli : StimulusSet
        What to embed.
    embedder : Embedder
        With what.
    path : path-like
        HDF5 file to write; complete or not at all.
    batch_size : int
        Pictures embedded at a time.
    resume : bool
        Keep what is there of the same embeddings instead of starting over.
    quiet : bool
        No progress bar.

    Returns
    -------
    EmbeddingStore
        The complete store.

    Raises
    ------
    DataError
        If there are no stimuli, or the file at `path` holds another embedder's or other
        stimuli's embeddings.
    """
    if not len(stimuli):
        raise DataError("no stimuli to embed", file=path, fix="prepare the data set first")
    path = Path(path)
    attrs = {"embedder": embedder.name, **embedder.provenance, "batch_size": batch_size}
    if resume and path.exists() and not len((old := _existing(path, stimuli, attrs)).missing()):
        return old
    partial = path.with_name(f".{path.stem}.partial{path.suffix}")
    store = _interrupted(partial, stimuli, attrs) if resume else None
    if store is None:
        first = _encode(stimuli, embedder, np.arange(1))
        shapes = {name: values.shape[1:] for name, values in first.items()}
        store = EmbeddingStore.create(partial, stimuli.ids, shapes, attrs)
    _fill(store, stimuli, embedder, batch_size, quiet)
    os.replace(partial, path)
    return EmbeddingStore(path)


def _fill(
    store: EmbeddingStore, stimuli: StimulusSet, embedder: Embedder, batch_size: int, quiet: bool
) -> None:
    """Embed the batches in which rows are missing."""
    unfinished = sorted({int(row) // batch_size for row in store.missing()})
    done = len(stimuli) - len(unfinished) * batch_size
    with progress_bar(f"embed {embedder.name}", len(stimuli), quiet=quiet) as update:
        for count, block in enumerate(unfinished, start=1):
            rows = np.arange(block * batch_size, min((block + 1) * batch_size, len(stimuli)))
            store.write(rows, _encode(stimuli, embedder, rows))
            update(min(len(stimuli), max(0, done) + count * batch_size))


def _interrupted(
    path: Path, stimuli: StimulusSet, attrs: Mapping[str, object]
) -> EmbeddingStore | None:
    """What an interrupted run left; None if that is nothing, or of no use for this one."""
    try:
        return _existing(path, stimuli, attrs)
    except DataError:
        return None


def _existing(path: Path, stimuli: StimulusSet, attrs: Mapping[str, object]) -> EmbeddingStore:
    store = EmbeddingStore(path)
    fix = "delete it, or embed with resume=False"
    if list(store.ids) != list(stimuli.ids):
        raise DataError("holds other stimuli", file=path, field="id", fix=fix)
    if store.attrs != dict(attrs):
        changed = sorted(k for k in {*attrs, *store.attrs} if attrs.get(k) != store.attrs.get(k))
        raise DataError("made by another embedder", file=path, field=", ".join(changed), fix=fix)
    return store


def _encode(stimuli: StimulusSet, embedder: Embedder, rows: np.ndarray) -> dict[str, np.ndarray]:
    images = stimuli.images[rows[0] : rows[-1] + 1]
    arrays = dict(embedder.encode_images(images))
    if stimuli.captions is not None and isinstance(embedder, TextEmbedder):
        arrays["text"] = _mean_text(embedder, [stimuli.captions[row] for row in rows])
    return arrays


def _mean_text(embedder: TextEmbedder, captions: Sequence[Sequence[str]]) -> np.ndarray:
    """Mean unit-length caption embedding of each picture; zero where there is no caption."""
    flat = embedder.encode_texts([text for texts in captions for text in texts] or [""])
    flat = flat / np.linalg.norm(flat, axis=1, keepdims=True)
    means = np.zeros((len(captions), flat.shape[1]), dtype=np.float32)
    start = 0
    for row, texts in enumerate(captions):
        if texts:
            means[row] = flat[start : start + len(texts)].mean(axis=0)
        start += len(texts)
    return means
