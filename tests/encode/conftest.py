from __future__ import annotations

import pytest
from encoding_world import make_world


@pytest.fixture(scope="session")
def encoding_world(tmp_path_factory):
    return make_world(tmp_path_factory.mktemp("encoding"))
