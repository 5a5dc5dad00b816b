"""A copy of the pipeline at smoke size, run once for all tests that look at its results."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

#: Everything that `dvc repro` reads. The package is copied, so that its files are dependencies.
COPIED = ("dvc.yaml", "params.yaml", ".dvcignore", "configs", "neurodecode", "data/pretrained")


@dataclass
class Workspace:
    """A folder with the pipeline in it.

    Parameters
    ----------
    root : Path
        The folder.
    """

    root: Path

    def dvc(self, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Run a DVC command here."""
        done = subprocess.run(
            [sys.executable, "-m", "dvc", *arguments],
            cwd=self.root, env=self.environment, capture_output=True, text=True, check=False,
        )  # fmt: skip
        if check and done.returncode:
            raise AssertionError(f"dvc {arguments}:\n{done.stdout[-3000:]}\n{done.stderr[-6000:]}")
        return done

    @property
    def environment(self) -> dict[str, str]:
        """Environment in which stages find `neurodecode`."""
        path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        return {**os.environ, "PATH": path, "HF_HUB_OFFLINE": "1"}

    def repro_and_kill(self, when: Callable[[], bool], arguments: Sequence[str] = ()) -> None:
        """Run `dvc repro`, and kill it with all its children as soon as `when` holds."""
        process = subprocess.Popen(
            [sys.executable, "-m", "dvc", "repro", *arguments],
            cwd=self.root, env=self.environment, start_new_session=True,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        while process.poll() is None and not when():
            time.sleep(0.2)
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()

    def edit(self, file: str, changes: dict[str, Any]) -> None:
        """Set values in a YAML file by dotted key."""
        path = self.root / file
        content = yaml.safe_load(path.read_text())
        for key, value in changes.items():
            *parents, last = key.split(".")
            target = content
            for name in parents:
                target = target[name]
            assert last in target, f"{file} has no {key}"
            target[last] = value
        path.write_text(yaml.safe_dump(content, sort_keys=False))


def make_workspace(root: Path, repository: Path) -> Workspace:
    """Copy the pipeline and make it small: the same stages, fewer images and steps."""
    for name in COPIED:
        source, target = repository / name, root / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, target)
    workspace = Workspace(root)
    workspace.dvc("init", "--no-scm", "-q")
    for option in ("core.analytics", "core.check_update"):
        workspace.dvc("config", option, "false")
    workspace.edit(
        "params.yaml",
        {"simulate.subjects": 2, "simulate.shared": 17, "simulate.images-per-subject": 40,
         "simulate.unshown": 30, "prepare.unshown": 30,
         "reconstruct.samples": 1, "reconstruct.steps": 3},
    )  # fmt: skip
    for run, n_epochs in (("decoder", 3), ("prior", 2)):
        workspace.edit(
            f"configs/mini/{run}.yaml",
            {"trainer.max_epochs": n_epochs, "data.init_args.batch_size": 32},
        )
    workspace.edit("configs/mini/decoder.yaml", {"data.init_args.negatives": 40})
    return workspace


@pytest.fixture(scope="session")
def smoke(tmp_path_factory: pytest.TempPathFactory, repository: Path) -> Workspace:
    """The pipeline at smoke size: killed while the decoder trains, then run to its end."""
    workspace = make_workspace(tmp_path_factory.mktemp("smoke"), repository)
    training = workspace.root / "runs" / "mini" / "decoder"
    workspace.repro_and_kill(lambda: training.exists() and any(training.iterdir()))
    assert not (workspace.root / "reports" / "mini" / "metrics.json").exists()
    workspace.dvc("repro")
    return workspace
