"""Fixtures for every test: seeded randomness, where reference numbers and recordings lie."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

os.environ.setdefault("HF_HUB_OFFLINE", "1")
# small tensors: more threads than one only get into each other's way, and into the other worker's
os.environ.setdefault("OMP_NUM_THREADS", "1")

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
