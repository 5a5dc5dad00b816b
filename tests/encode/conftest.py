from __future__ import annotations

import pytest
from encoding_world import fit_command, make_world

from neurodecode.cli import main


@pytest.fixture(scope="session")
def encoding_world(tmp_path_factory):
    return make_world(tmp_path_factory.mktemp("encoding"))


@pytest.fixture(scope="session")
def trained(encoding_world, tmp_path_factory):
    """Run folder of a small encoder, trained and run through the command line."""
    out = tmp_path_factory.mktemp("run")
    words = fit_command(encoding_world, out)
    assert main(["fit", *words]) == 0
    checkpoint = out / "checkpoints" / "best.ckpt"
    assert main(["predict", *words, "--ckpt_path", str(checkpoint)]) == 0
    return out
