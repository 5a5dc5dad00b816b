from __future__ import annotations

import numpy as np
import pytest

from neurodecode.errors import DataError
from neurodecode.store import EmbeddingStore
from neurodecode.store.embeddings import embedding_fingerprint

IDS = [f"picture {i}" for i in range(9)]
SHAPES = {"tokens": (7, 8), "pooled": (5,)}


def arrays(rows, rng):
    return {
        name: rng.normal(size=(len(rows), *shape)).astype(np.float32)
        for name, shape in SHAPES.items()
    }


def test_rows_are_filled_in_pieces_and_read_by_id(tmp_path, rng):
    store = EmbeddingStore.create(tmp_path / "e.h5", IDS, SHAPES, {"model": "mini-clip"})
    first, second = arrays(range(4), rng), arrays(range(5), rng)
    store.write(range(4), first)
    assert store.missing().tolist() == [4, 5, 6, 7, 8]
    store.write(range(4, 9), second)
    assert store.missing().size == 0
    expected = np.concatenate([first["tokens"], second["tokens"]])
    store = EmbeddingStore(tmp_path / "e.h5")
    np.testing.assert_array_equal(store.read("tokens"), expected)
    wanted = ["picture 8", "picture 1", "picture 8"]
    np.testing.assert_array_equal(store.read("tokens", wanted), expected[[8, 1, 8]])
    assert store.attrs == {"model": "mini-clip"}
    assert store.shapes == SHAPES


def test_unfinished_store_is_refused(tmp_path, rng):
    store = EmbeddingStore.create(tmp_path / "e.h5", IDS, SHAPES)
    store.write([0, 1], arrays([0, 1], rng))
    with pytest.raises(DataError, match=r"interrupted; run `neurodecode embed` again"):
        store.read("pooled")


def test_unknown_stimulus(tmp_path, rng):
    store = EmbeddingStore.create(tmp_path / "e.h5", IDS, SHAPES)
    store.write(range(9), arrays(range(9), rng))
    with pytest.raises(DataError, match="stimulus elsewhere has no embedding"):
        store.read("pooled", ["elsewhere"])


def test_unknown_array_lists_the_known(tmp_path, rng):
    store = EmbeddingStore.create(tmp_path / "e.h5", IDS, SHAPES)
    with pytest.raises(DataError, match="field arrays/text"):
        store.read("text")


@pytest.mark.parametrize(
    ("more", "same"),
    [({"batch_size": 9}, True), ({"arrays": ["patches"]}, True), ({"sha256": "b"}, False)],
)
def test_a_fingerprint_tells_embedders_apart_and_nothing_else(more: dict, same: bool) -> None:
    made_with = {"embedder": "clip", "sha256": "a", "batch_size": 7}
    given = embedding_fingerprint(made_with)
    assert (embedding_fingerprint({**made_with, **more}) == given) is same
