"""The files that stand between `prepare` and the report, tiny, and the commands that read them."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import yaml
from decoding_world import N_TEST, N_TRAIN, N_VALIDATION, TOKENS, make_world

from neurodecode.recording import StimulusSet
from neurodecode.store import EmbeddingStore, Prediction, write_predictions, write_stimuli

IDS = [f"{number:032x}" for number in range(N_TRAIN + N_VALIDATION + N_TEST)]
TEST_IDS = IDS[-N_TEST:]
MADE = {"task": "identification", "embedding": "tokens", "target": "tokens"}


class Stages:
    """Stores, stimuli, embeddings and predictions of one data set, laid out as `evaluate` wants.

    Parameters
    ----------
    root : Path
        Folder to fill.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self.stores, self.embeddings = root / "stores" / "tiny", root / "embeddings" / "tiny"
        self.stimuli, self.tokens = self.stores / "stimuli.h5", self.embeddings / "tokens.h5"
        self.subject, self.splits = self.stores / "sub-b.h5", self.stores / "splits.json"
        self.decoded, self.drawn = root / "decoded.h5", root / "drawn.h5"
        self.config = root / "config.yaml"

    def write(self) -> Stages:
        """Write everything, healthy."""
        rng = np.random.default_rng(2)
        make_world(self.root / "made")
        shutil.copytree(self.root / "made" / "stores", self.stores)
        self.embeddings.mkdir(parents=True)
        for name in ("tokens", "latent"):
            shutil.copy(self.root / "made" / f"{name}.h5", self.embeddings)
        images = rng.integers(0, 256, (len(IDS), 12, 12, 3), dtype=np.uint8)
        write_stimuli(self.stimuli, StimulusSet(IDS, images))
        self.predict(self.decoded, tokens=rng.normal(size=(N_TEST, *TOKENS)))
        self.predict(self.drawn, task="reconstruction", images=images[-N_TEST:][::-1])
        self.configure()
        return self

    def predict(
        self, path: Path, ids: list[str] = TEST_IDS, task: str = MADE["task"], **arrays: np.ndarray
    ) -> None:
        """Write predictions for subject b."""
        made = {**MADE, "task": task}
        write_predictions(path, "method", [Prediction("b", ids, arrays)] if arrays else [], made)

    def embed(self, ids: list[str] = IDS, rows: int | None = None) -> None:
        """Write the embedding, or only its first rows."""
        store = EmbeddingStore.create(self.tokens, ids, {"tokens": TOKENS})
        rows = len(ids) if rows is None else rows
        store.write(np.arange(rows), {"tokens": np.ones((rows, *TOKENS))})

    def configure(self, **changed: object) -> None:
        """Write the configuration of a training; two underscores join the keys of a change."""
        files = {name: str(self.embeddings / f"{name}.h5") for name in ("tokens", "latent")}
        decoder = {
            "class_path": "neurodecode.nn.decoder.BrainDecoder",
            "init_args": {"width": 8},
        }
        content: dict = {
            "trainer": {
                "max_epochs": 1, "accelerator": "cpu", "logger": False,
                "default_root_dir": str(self.root), "callbacks": [],
            },
            "model": {
                "class_path": "neurodecode.tasks.decode.DecodeTask",
                "init_args": {"decoder": decoder},
            },
            "data": {
                "class_path": "neurodecode.loaders.ResponseDataModule",
                "init_args": {
                    "stores": str(self.stores), "embeddings": files, "batch_size": 12,
                },
            },
        }  # fmt: skip
        for name, value in changed.items():
            *path, last = name.split("__")
            place = content
            for key in path:
                place = place[key]
            place[last] = value
        self.config.write_text(yaml.safe_dump(content))

    def command(self, name: str, out: Path) -> list[object]:
        """The command that reads these files and writes into `out`."""
        training = ["--config", self.config, f"--trainer.default_root_dir={out}"]
        checkpoints = "lightning.pytorch.callbacks.ModelCheckpoint"
        writer = ["--trainer.callbacks+=neurodecode.tasks.writer.PredictionWriter"]
        return {
            "embed": [
                "embed", "--stimuli", self.stimuli, "--model", "gabor", "--out", out / "e.h5",
            ],
            "baseline": [
                "baseline", "--method", "ridge", "--stores", self.stores, "--splits", self.splits,
                "--embeddings", self.tokens, "--subjects", "b", "--jobs", 1, "--out", out / "p.h5",
            ],
            "fit": ["fit", *training, f"--trainer.callbacks+={checkpoints}"],
            "predict": ["predict", *training, *writer, f"--trainer.callbacks.path={out / 'p.h5'}"],
            "reconstruct": [
                "reconstruct", "--predictions", self.decoded, "--out", out / "pictures.h5",
            ],
            "shuffle": [
                "reconstruct", "--predictions", self.drawn, "--shuffle-responses",
                "--out", out / "pictures.h5",
            ],
            "evaluate": [
                "evaluate", "--profile", "tiny", "--dataset", "tiny", "--predictions", self.decoded,
                "--stores", self.stores.parent, "--embeddings", self.embeddings.parent,
                "--out", out,
            ],
            "evaluate pictures": [
                "evaluate", "--profile", "tiny", "--dataset", "tiny", "--predictions", self.drawn,
                "--stores", self.stores.parent, "--embeddings", self.embeddings.parent,
                "--out", out,
            ],
        }[name]  # fmt: skip
