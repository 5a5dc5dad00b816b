"""A recording, and decoders of it at two rates."""

from __future__ import annotations

import pytest
from live_world import RATES, LiveWorld, make_raw, make_world


@pytest.fixture(scope="session")
def raw():
    return make_raw()


@pytest.fixture(scope="session")
def worlds(tmp_path_factory, raw) -> dict[float, LiveWorld]:
    root = tmp_path_factory.mktemp("live")
    return {rate: make_world(root / f"{rate:g}", rate, raw) for rate in RATES}


@pytest.fixture(scope="session")
def world(worlds) -> LiveWorld:
    return worlds[RATES[0]]
