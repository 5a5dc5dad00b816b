"""The command line in processes of its own, as a user starts it."""

from __future__ import annotations

import csv
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import yaml

HERE = Path(__file__).parent
TWO = ("--trainer.devices=2", "--trainer.strategy=ddp")
#: One process that sees the same batches for each step.
ONE = ("--trainer.devices=1", "--trainer.accumulate_grad_batches=2")


def neurodecode(*words: object, codes: tuple[int, ...] = (0,)) -> subprocess.CompletedProcess[str]:
    """Run one command; it must end with one of the exit codes."""
    path = os.pathsep.join([str(HERE), str(HERE.parents[1]), os.environ.get("PYTHONPATH", "")])
    done = subprocess.run(
        [sys.executable, "-m", "neurodecode", *map(str, words)],
        env=os.environ | {"PYTHONPATH": path, "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        timeout=1200,
    )
    assert done.returncode in codes, done.stderr[-3000:]
    return done


def configuration(
    folder: Path, model: dict[str, Any], data: dict[str, Any], *callbacks: dict[str, Any]
) -> list[object]:
    """Write a configuration into the folder of a run; return the words that name it."""
    checkpoint = {"dirpath": str(folder), "filename": "best", "monitor": "val/top1", "mode": "max",
                  "save_last": True, "every_n_epochs": 1}  # fmt: skip
    writer = {"path": str(folder / "predictions.h5")}
    logger = {"save_dir": str(folder), "name": "", "version": ""}
    content = {
        "seed_everything": 3,
        "trainer": {
            "max_epochs": 4,
            "accelerator": "cpu",
            "deterministic": True,
            "num_sanity_val_steps": 0,
            "default_root_dir": str(folder),
            "logger": {
                "class_path": "lightning.pytorch.loggers.CSVLogger", "init_args": logger
            },
            "callbacks": [
                {
                    "class_path": "lightning.pytorch.callbacks.ModelCheckpoint",
                    "init_args": checkpoint,
                },
                {"class_path": "neurodecode.tasks.writer.PredictionWriter", "init_args": writer},
                *callbacks,
            ],
        },
        "model": model,
        "data": {"class_path": "neurodecode.loaders.ResponseDataModule", "init_args": data},
    }  # fmt: skip
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "given.yaml"
    path.write_text(yaml.safe_dump(content))
    return ["--config", path, "--quiet"]


def logged(folder: Path, epoch: int) -> dict[str, float]:
    """Everything that was logged at the end of an epoch."""
    found = {}
    with open(folder / "metrics.csv", newline="") as file:
        for row in csv.DictReader(file):
            if row["epoch"] == str(epoch):
                found |= {name: float(value) for name, value in row.items() if value}
    return {name: value for name, value in found.items() if "/" in name}
