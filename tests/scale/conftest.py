from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from decoding_world import make_world, write_augmented


@pytest.fixture(scope="session")
def data(tmp_path_factory) -> dict[str, Any]:
    """Arguments of a `ResponseDataModule` with synthetic trials and negatives; ten batches."""
    root: Path = tmp_path_factory.mktemp("scale")
    world = make_world(root, unshown=13)
    return {
        "stores": str(world.data["stores"]),
        "embeddings": {name: str(path) for name, path in world.data["embeddings"].items()},
        "synthetic": str(write_augmented(world, root / "synthetic")),
        "synthetic_share": 0.34,
        "negatives": 11,
        "batch_size": 18,
    }
