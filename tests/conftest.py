"""Fixtures for every test: seeded randomness, where reference numbers and recordings lie."""

from __future__ import annotations

import os
import resource
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

os.environ.setdefault("HF_HUB_OFFLINE", "1")
# small tensors: more threads than one only get into each other's way, and into the other worker's
os.environ.setdefault("OMP_NUM_THREADS", "1")

# after the number of threads has been chosen
import torch

# Triton decides when it is imported, by whichever test comes first; a GPU runs kernels themselves
if not torch.cuda.is_available():
    os.environ["TRITON_INTERPRET"] = "1"

REPOSITORY = Path(__file__).resolve().parents[1]
SHARED = Path(os.environ.get("NEURODECODE_SHARED", REPOSITORY.parent / "shared"))


@pytest.fixture
def rng() -> np.random.Generator:
    """Seeded generator, new for each test."""
    return np.random.default_rng(7)


@pytest.fixture(scope="session")
def repository() -> Path:
    """Root of the checkout."""
    return REPOSITORY


@pytest.fixture(scope="session")
def fixtures_dir() -> Path:
    """Numbers from independent implementations (not part of the repository)."""
    if not (SHARED / "fixtures").is_dir():
        pytest.skip(f"no reference fixtures at {SHARED / 'fixtures'}")
    return SHARED / "fixtures"


@pytest.fixture(scope="session")
def real_data() -> Path:
    """Folder of real recordings (not part of the repository)."""
    if not (SHARED / "data").is_dir():
        pytest.skip(f"no real recordings at {SHARED / 'data'}")
    return SHARED / "data"


@pytest.fixture
def full_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nearly nothing is free, says the system."""
    monkeypatch.setattr("shutil.disk_usage", lambda folder: SimpleNamespace(free=100))


@pytest.fixture
def limit_files() -> Iterator[Callable[[int], None]]:
    """Call it with the most bytes that a file may have from now on; the system enforces it."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    yield lambda size: resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    resource.setrlimit(resource.RLIMIT_FSIZE, before)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the whole pipeline, which takes minutes: last, it would keep one core alone."""
    items.sort(key=lambda item: item.path.parent.name != "pipeline")
