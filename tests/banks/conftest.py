from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from bank_vectors import clustered

from neurodecode.store import EmbeddingStore, Prediction, write_predictions


@pytest.fixture(scope="session")
def stored(tmp_path_factory) -> Path:
    """An embedding store of 10,500 stimuli, whose `tokens` are 4 by 7."""
    rng = np.random.default_rng(5)
    values = clustered(rng, 10_500)
    path = tmp_path_factory.mktemp("embeddings") / "some-clip.h5"
    arrays = {"tokens": values.reshape(-1, 4, 7), "pooled": values[:, :9]}
    attrs = {"embedder": "some-clip", "sha256": "ab12", "batch_size": 7}
    shapes = {name: each.shape[1:] for name, each in arrays.items()}
    store = EmbeddingStore.create(path, [f"s{i:05d}" for i in range(len(values))], shapes, attrs)
    store.write(np.arange(len(values)), arrays)
    return path


@pytest.fixture
def predictions(stored, tmp_path) -> Path:
    """Noisy copies of some stored tokens, of two subjects."""
    rng = np.random.default_rng(6)
    store = EmbeddingStore(stored)
    parts = []
    for number, subject in enumerate(("a.1", "b")):
        rows = rng.choice(len(store.ids), 8 + number, replace=False)
        tokens = store.read("tokens", [store.ids[row] for row in rows])
        tokens = tokens + 0.1 * rng.normal(size=tokens.shape).astype(np.float32)
        parts.append(Prediction(subject, [store.ids[row] for row in rows], {"tokens": tokens}))
    path = tmp_path / "predictions.h5"
    attrs = {"embedding": "some-clip", "embedding_fingerprint": store.fingerprint,
             "target": "tokens"}  # fmt: skip
    write_predictions(path, "decoder", parts, attrs)
    return path
