"""What the command line has to do with bad input, in one place."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from neurodecode.cli import main

Refuse = Callable[..., str]


@pytest.fixture
def out(tmp_path: Path) -> Path:
    """An empty folder for what a command writes."""
    folder = tmp_path / "out"
    folder.mkdir()
    return folder


@pytest.fixture
def refuse(out: Path, capsys: pytest.CaptureFixture[str]) -> Refuse:
    """Run a command that has to end in one line and exit code 2, and to leave nothing in `out`."""

    def run(words: list[object], *says: str, keeps: tuple[str, ...] = ()) -> str:
        assert main([*map(str, words), "--quiet"]) == 2
        shown = capsys.readouterr()
        assert shown.out == ""
        (line,) = shown.err.splitlines()
        assert line.startswith("neurodecode: error: ")
        for text in says:
            assert text in line
        assert sorted(path.name for path in out.rglob("*") if path.is_file()) == sorted(keeps)
        return line

    return run
