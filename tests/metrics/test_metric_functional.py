"""The package of functional metrics gives every name, and imports only what is asked for."""

from __future__ import annotations

import subprocess
import sys

import pytest

from neurodecode.metrics import functional


def test_every_name_is_given_by_the_module_that_defines_it():
    assert set(functional._HOMES) == set(functional.__all__) <= set(dir(functional))
    for name in functional.__all__:
        value = getattr(functional, name)
        home = sys.modules[f"{functional.__name__}.{functional._HOMES[name]}"]
        assert name in home.__all__
        assert value is getattr(home, name)


def test_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="has no attribute 'nonsense'"):
        _ = functional.nonsense


@pytest.mark.parametrize(
    "statement",
    [
        "from neurodecode.metrics.functional import noise_ceiling",
        "import neurodecode.report.page",
        "import neurodecode.metrics.records",
    ],
)
def test_what_needs_no_tensors_does_not_import_torch(statement):
    code = f"import sys; {statement}; sys.exit('torch' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True, timeout=120)
