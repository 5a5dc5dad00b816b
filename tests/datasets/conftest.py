"""A small miniature world, made once."""

from __future__ import annotations

from pathlib import Path

import pytest

from neurodecode.datasets.mini.meeg_plan import MeegOptions
from neurodecode.datasets.mini.plan import MiniOptions
from neurodecode.datasets.mini.simulate import simulate
from neurodecode.datasets.mini.simulate_meeg import simulate_meeg

#: Unequal everywhere: 3 subjects, 26 + 7 pictures, 3 repeats, 32 pixels.
MINI = MiniOptions(n_subjects=3, images_per_subject=26, shared=7, seed=5, image_size=32)


@pytest.fixture(scope="session")
def mini_root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of the simulated world `MINI`; not to be changed by a test."""
    return simulate(tmp_path_factory.mktemp("worlds") / "mini", MINI)


@pytest.fixture(scope="session")
def meeg_roots(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Folders of a simulated MEG and a simulated EEG; not to be changed by a test."""
    folder = tmp_path_factory.mktemp("meeg")
    world = MiniOptions(n_subjects=3, images_per_subject=26, shared=7, seed=5, image_size=32)
    return {
        f"mini-{kind}": simulate_meeg(
            folder / kind,
            MeegOptions(kind, world, viewers=1, train_images=50, test_repeats=3),
        )
        for kind in ("meg", "eeg")
    }
