"""Embed every stimulus of a data set once, into a store that can be filled in several goes."""

from __future__ import annotations

import glob
import os
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from neurodecode.embed.base import Embedder, TextEmbedder
from neurodecode.errors import ConfigError, DataError
from neurodecode.progress import progress_bar
from neurodecode.recording import StimulusSet
from neurodecode.store import EmbeddingStore
from neurodecode.store.shards import Shard

__all__ = ["embed_stimuli", "shard_files"]

_COPIED = 1024


def embed_stimuli(
    stimuli: StimulusSet,
    embedder: Embedder,
    path: str | Path,
    *,
    batch_size: int = 64,
    resume: bool = True,
    quiet: bool = False,
    shard: Shard | None = None,
) -> EmbeddingStore:
    """Embed pictures, and captions where the embedder reads them.

    The store holds what ``encode_images`` returns, and ``text`` of shape (width,): the mean of a
    picture's unit-length caption embeddings. Batches are fixed runs of rows, written to a hidden
    file beside `path` that gets its name once it is complete; an interrupted run goes on there at
    the first unfinished batch and ends with the same bytes as one in a single go.

    With `shard`, only a part of the batches is embedded, into a file of its own beside `path`
    (`Shard.path`). A run without it takes over the parts that are complete, embeds what they lack,
    and deletes them: the same bytes again.

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
    shard : Shard, optional
        Which part to embed; the whole by default.

    Returns
    -------
    EmbeddingStore
        The complete store, of the whole or of the part.

    Raises
    ------
    DataError
        If there are no stimuli, or the file at `path` holds another embedder's or other
        stimuli's embeddings.
    """
    if not len(stimuli):
        raise DataError("no stimuli to embed", file=path, fix="prepare the data set first")
    path = Path(path)
    if shard is not None:
        path, stimuli = shard.path(path), _part(stimuli, shard, batch_size)
    attrs = {"embedder": embedder.name, **embedder.provenance, "batch_size": batch_size}
    if resume and path.exists() and not len((old := _existing(path, stimuli, attrs)).missing()):
        return old
    parts = shard_files(path) if shard is None and resume else []
    partial = path.with_name(f".{path.stem}.partial{path.suffix}")
    store = _interrupted(partial, stimuli, attrs) if resume else None
    if store is None:
        first = _encode(stimuli, embedder, np.arange(1))
        shapes = {name: values.shape[1:] for name, values in first.items()}
        store = EmbeddingStore.create(partial, stimuli.ids, shapes, attrs)
    for part in parts:
        _take_over(store, part, attrs)
    _fill(store, stimuli, embedder, batch_size, quiet)
    os.replace(partial, path)
    for part in parts:
        part.unlink()
    return EmbeddingStore(path)


def shard_files(path: Path) -> list[Path]:
    """Complete parts of a store, beside it.

    Parameters
    ----------
    path : Path
        File of the whole.

    Returns
    -------
    list of Path
        Sorted by name.
    """
    if not path.parent.is_dir():
        return []
    return sorted(path.parent.glob(f"{glob.escape(path.stem)}.shard-*-of-*{path.suffix}"))


def _part(stimuli: StimulusSet, shard: Shard, batch_size: int) -> StimulusSet:
    """Stimuli of whole batches, so that a batch holds the same pictures as without shards."""
    blocks = shard.blocks(-(-len(stimuli) // batch_size))
    if not blocks:
        raise ConfigError(
            f"--shard {shard.number}/{shard.count}: nothing left for it, there are only"
            f" {-(-len(stimuli) // batch_size)} batches of {batch_size}"
        )
    stop = min(blocks.stop * batch_size, len(stimuli))
    return stimuli.select(stimuli.ids[blocks.start * batch_size : stop])


def _take_over(store: EmbeddingStore, path: Path, attrs: Mapping[str, object]) -> None:
    """Copy what another command embedded, and this one has not yet."""
    part = EmbeddingStore(path)
    fix = "delete it, or name another --out"
    if part.attrs != dict(attrs) or part.shapes != store.shapes:
        raise DataError("part was made by another embedder", file=path, fix=fix)
    if unknown := [name for name in part.ids if name not in store]:
        raise DataError(f"holds another stimulus, {unknown[0]}", file=path, field="id", fix=fix)
    rows = store.rows(part.ids)
    if not np.isin(rows, store.missing()).any():
        return
    for start in range(0, len(rows), _COPIED):
        arrays = {name: part.block(name, start, start + _COPIED) for name in part.shapes}
        store.write(rows[start : start + _COPIED], arrays)


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
