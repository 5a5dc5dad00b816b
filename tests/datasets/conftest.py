"""A small miniature world, made once."""

from __future__ import annotations

from pathlib import Path

import pytest

from neurodecode.datasets.mini.plan import MiniOptions
from neurodecode.datasets.mini.simulate import simulate

#: Unequal everywhere: 3 subjects, 26 + 7 pictures, 3 repeats, 32 pixels.
MINI = MiniOptions(n_subjects=3, images_per_subject=26, shared=7, seed=5, image_size=32)


@pytest.fixture(scope="session")
def mini_root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of the simulated world `MINI`; not to be changed by a test."""
    return simulate(tmp_path_factory.mktemp("worlds") / "mini", MINI)
