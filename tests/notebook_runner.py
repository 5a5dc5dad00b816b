"""Runs a notebook on the results of a profile; also used by the end-to-end test."""

from __future__ import annotations

import os
from pathlib import Path
from unittest import mock

import nbformat
from nbclient import NotebookClient

NOTEBOOKS = sorted((Path(__file__).parents[1] / "notebooks").glob("*.ipynb"))


def execute(notebook: Path, root: Path, profile: str = "mini") -> nbformat.NotebookNode:
    """Execute a notebook with `root` as its working folder; an error in a cell is raised."""
    content = nbformat.read(notebook, as_version=4)
    settings = {
        "NEURODECODE_PROFILE": profile,
        "OMP_NUM_THREADS": "1",
        # a scientist's notebook that warns is a notebook to mend
        "PYTHONWARNINGS": "error::FutureWarning:neurodecode,error::DeprecationWarning:neurodecode",
    }
    client = NotebookClient(
        content,
        timeout=300,
        startup_timeout=180,
        kernel_name="python3",
        resources={"metadata": {"path": str(root)}},
    )
    with mock.patch.dict(os.environ, settings):
        return client.execute()
