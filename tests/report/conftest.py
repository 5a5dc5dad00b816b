"""One small profile on disk, and the page made from it, for all tests of this folder."""

from __future__ import annotations

from pathlib import Path

import pytest
from report_world import World, report_arguments

from neurodecode.analysis.profile import Profile, load_profile
from neurodecode.cli import main


@pytest.fixture(scope="session")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    """Read-only: two subjects who saw pictures, one who saw objects."""
    return World(tmp_path_factory.mktemp("world")).write()


@pytest.fixture(scope="session")
def profile(world: World) -> Profile:
    return load_profile(world.root, "mini")


@pytest.fixture(scope="session")
def page(world: World, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page, made by the command line."""
    out = tmp_path_factory.mktemp("page") / "index.html"
    assert main(report_arguments(world, out)) == 0
    return out
