"""A small profile on disk, written by the writers that the pipeline uses."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from PIL import Image

from neurodecode.datasets.mini.scenes import captions, render, sample_scene
from neurodecode.evaluation.candidates import candidate_table
from neurodecode.evaluation.classification import accuracy_scores, confusion_table
from neurodecode.evaluation.differences import paired_differences
from neurodecode.evaluation.identification import (
    identification_scores,
    score_matrix,
)
from neurodecode.evaluation.items import items_frame, write_table
from neurodecode.evaluation.reconstruction import reconstruction_scores
from neurodecode.evaluation.summary import summarise_items
from neurodecode.metrics.records import write_records
from neurodecode.recording import Recording, Source, StimulusSet, content_id
from neurodecode.splits.files import write_split
from neurodecode.splits.types import Fold, Split, run_keys
from neurodecode.store import Prediction, ResponseStore, write_predictions, write_stimuli

PICTURES, OBJECTS = "mini-fmri", "haxby2001"
HOSTILE_CAPTION = "<script>alert(1)</script> & a \"quoted\" 'car'"
HOSTILE_FILE = "raw/\"><img src=x onerror=alert(2)> '1'.hdf5"


def tokens_of(images: np.ndarray) -> np.ndarray:
    """A fixed linear embedding of shape (n, 3, 5): enough to rank candidates by."""
    weights = np.random.default_rng(3).standard_normal((images[0].size, 15))
    return ((images.reshape(len(images), -1) / 255 - 0.5) @ weights).reshape(-1, 3, 5)


def thumbnails(images: np.ndarray) -> np.ndarray:
    """Stands for a feature network: grey at 3 x 3 pixels, too coarse to be always right."""
    small = [np.asarray(Image.fromarray(image).convert("L").resize((3, 3))) for image in images]
    return np.stack(small).reshape(len(images), -1).astype(np.float64)


class World:
    """Writes everything below one folder; sizes are unequal on purpose."""

    def __init__(self, root: Path, subjects: int = 2, n_test: int = 13, size: int = 24) -> None:
        self.root, self.n_test = root, n_test
        self.rng = np.random.default_rng(11)
        self.subjects = [f"{number:02d}" for number in range(1, subjects + 1)]
        scenes = [sample_scene(self.rng) for _ in range(n_test + 14)]
        self.images = np.stack([render(scene, size) for scene in scenes])
        self.ids = [content_id(image) for image in self.images]
        self.captions = [captions(scene)[:2] for scene in scenes]
        self.captions[0] = [HOSTILE_CAPTION]
        self.categories = [scene.main.category for scene in scenes]

    @property
    def test_ids(self) -> list[str]:
        return self.ids[: self.n_test]

    def write(self) -> World:
        self.write_pictures()
        self.write_objects()
        items, records = [], []
        for frame, made in (self.evaluate_pictures(), self.evaluate_objects()):
            items.append(frame)
            records += summarise_items(frame, "mini", made)
            if frame["dataset"].iloc[0] == PICTURES:
                table = paired_differences(frame)
                write_table(self.report / "tables" / "differences.csv", table)
        write_table(self.report / "tables" / "items.csv", pd.concat(items, ignore_index=True))
        write_records(self.report / "metrics.json", records)
        self.write_curves()
        (self.root / "params.yaml").write_text("mini:\n  seed: 7  # <b>not bold</b>\n")
        return self

    @property
    def report(self) -> Path:
        return self.root / "reports" / "mini"

    def stores(self, dataset: str) -> Path:
        return self.root / "data" / "stores" / dataset

    def run(self, name: str) -> Path:
        return self.root / "runs" / "mini" / name

    def write_pictures(self) -> None:
        folder = self.stores(PICTURES)
        for number, subject in enumerate(self.subjects):
            repeats, n_voxels = 3 - number % 2, 7 + 2 * number
            stimuli = np.repeat(self.ids, repeats)
            recording = Recording(
                subject=subject,
                modality="fmri",
                responses=self.rng.standard_normal((len(stimuli), n_voxels)).astype(np.float32),
                stimulus_id=stimuli,
                session=np.arange(len(stimuli)) % 3,
                run=np.arange(len(stimuli)) % 4,
                features={
                    "roi": np.array([("V1v", "FFA-1", "")[i % 3] for i in range(n_voxels)]),
                    "ncsnr": self.rng.uniform(0.1, 0.8, n_voxels),
                },
                units="percent signal change",
                sources=[Source(HOSTILE_FILE, "ab" * 32), Source("raw/design.mat", "")],
            )
            ResponseStore.write(folder / f"sub-{subject}.h5", recording, dataset=PICTURES)
        write_stimuli(
            folder / "stimuli.h5",
            StimulusSet(self.ids, self.images, self.captions, self.categories),
        )
        rest = self.ids[self.n_test :]
        write_split(
            folder / "splits.json",
            Split(
                "shared-test", "stimulus", (_fold(rest[:11], rest[11:], self.ids[: self.n_test]),)
            ),
        )

    def write_objects(self) -> None:
        names = ("face", "house", "cat", "shoe")
        runs = np.repeat(np.arange(1, 6), len(names))
        self.labels = np.tile(names, 5)
        recording = Recording(
            subject="1",
            modality="fmri",
            responses=self.rng.standard_normal((20, 8)).astype(np.float32),
            stimulus_id=self.labels,
            session=np.ones(20, int),
            run=runs,
            units="z score",
        )
        folder = self.stores(OBJECTS)
        ResponseStore.write(folder / "sub-1.h5", recording, dataset=OBJECTS)
        keys = sorted(set(run_keys(recording.session, runs)))
        turns = zip(keys, keys[1:] + keys[:1])
        folds = [_fold([*(set(keys) - {a, b})], [b], [a]) for a, b in turns]
        write_split(folder / "splits.json", Split("leave-one-run-out", "run", tuple(folds)))

    def decoded(self, noise: float) -> list[Prediction]:
        truth = tokens_of(self.images[: self.n_test])
        spread = noise * truth.std()
        return [
            Prediction(
                subject,
                self.test_ids,
                {"tokens": truth + spread * self.rng.standard_normal(truth.shape)},
                n_averaged=3 - number % 2,
            )
            for number, subject in enumerate(self.subjects)
        ]

    def likelihoods(self) -> list[Prediction]:
        matrix = 2 * np.eye(self.n_test)
        return [
            Prediction(
                subject,
                self.test_ids,
                {"scores": matrix + self.rng.standard_normal(matrix.shape)},
                self.test_ids,
            )
            for subject in self.subjects
        ]

    def drawn(self, noise: Sequence[float], shuffled: bool) -> list[Prediction]:
        """Reconstructions: the truth, blurred and noisy to a degree that differs by picture."""
        found = []
        for subject in self.subjects:
            truth = self.images[: self.n_test]
            size = truth.shape[1]
            coarse = [Image.fromarray(image).resize((5, 5)) for image in truth]
            low = np.stack([np.asarray(image.resize((size, size))) for image in coarse])
            amount = self.rng.permutation(np.linspace(*noise, self.n_test))[:, None, None, None]
            other = self.rng.integers(0, 255, truth.shape)
            mixed = ((1 - amount) * truth + amount * (0.5 * other + 0.5 * low)).astype(np.uint8)
            if shuffled:
                mixed = np.roll(mixed, 3, axis=0)
            arrays = {"images": mixed} if shuffled else {"images": mixed, "low_level": low}
            found.append(Prediction(subject, self.test_ids, arrays, n_averaged=2.5))
        return found

    def evaluate_pictures(self) -> tuple[pd.DataFrame, dict[str, dict]]:
        made = {"selection_split": "validation", "seed": 7}
        scores, tables = [], []
        for method, predictions in (
            ("ridge", self.decoded(1.4)),
            ("decoder", self.decoded(0.7)),
            ("encoder_likelihood", self.likelihoods()),
        ):
            write_predictions(self.run(method) / "predictions.h5", method, predictions, made)
            for each in predictions:
                matrix, names = score_matrix(
                    each, "tokens", lambda ids: tokens_of(self.images[self.rows(ids)])
                )
                scores += identification_scores(each, method, matrix, names, both_ways=False)
                tags = {"dataset": PICTURES, "method": method}
                tables.append(candidate_table(each, matrix, names, tags))
        for method, noise in (("decoder", (0.05, 0.95)), ("shuffled", (0.2, 0.9))):
            predictions = self.drawn(noise, shuffled=method != "decoder")
            path = self.run("reconstruct") / f"{method}.h5"
            write_predictions(path, method, predictions, {**made, "task": "reconstruction"})
            for each in predictions:
                scores += reconstruction_scores(
                    each,
                    each.arrays["images"],
                    self.images[: self.n_test],
                    method,
                    {"clip": thumbnails},
                )
        write_table(self.report / "tables" / "candidates.csv", pd.concat(tables, ignore_index=True))
        about = {**made, "features": "mini-clip"}
        return items_frame(scores, PICTURES), {
            (each.task, each.method, each.trials): about for each in scores
        }

    def rows(self, ids: Sequence[str]) -> list[int]:
        return [self.ids.index(stimulus) for stimulus in ids]

    def evaluate_objects(self) -> tuple[pd.DataFrame, dict[str, dict]]:
        names = sorted(set(self.labels))
        predictions = []
        for fold in range(5):
            true = list(self.labels[4 * fold : 4 * fold + 4])
            right = np.array([[name == label for name in names] for label in true], dtype=float)
            scores = right + 0.7 * self.rng.standard_normal(right.shape)
            predictions.append(Prediction("1", true, {"scores": scores}, names, fold=fold))
        made = {"selection_split": "train", "seed": 7, "task": "classification"}
        write_predictions(self.run("logistic") / "predictions.h5", "logistic", predictions, made)
        table = confusion_table(predictions, "logistic", OBJECTS)
        write_table(self.report / "tables" / "confusion.csv", table)
        scores = [accuracy_scores(each, "logistic") for each in predictions]
        return items_frame(scores, OBJECTS), {("classification", "logistic", ""): made}

    def write_curves(self) -> None:
        """Tables as Lightning's CSVLogger leaves them: a row a call, gaps for what it lacked."""
        for run, n_steps in (("decode", 300), ("core/fold-0", 40), ("core/fold-1", 45)):
            rows: list[dict[str, float]] = []
            for step in range(n_steps):
                noise = 0.05 * self.rng.standard_normal()
                at = {"epoch": step // 9, "step": step}
                rows.append({**at, "train/loss": 3 * 0.985**step + noise})
                if step % 9 == 8:
                    loss = {"val/loss": 3 * 0.987**step + 0.3, "val/top1": 1 - 0.99**step}
                    rows.append({**at, **loss})
            self.run(run).mkdir(parents=True)
            pd.DataFrame(rows).to_csv(self.run(run) / "metrics.csv", index=False)
            (self.run(run) / "config.yaml").write_text(f"seed_everything: {n_steps}\n")


def report_arguments(world: World, out: Path) -> list[str]:
    """Command line of the report on everything that the world wrote."""
    runs = world.root / "runs" / "mini"
    return [
        "report", "--quiet", "--profile", "mini",
        "--metrics", str(world.report / "metrics.json"),
        "--stores", str(world.stores(PICTURES)), str(world.stores(OBJECTS)),
        "--predictions", *map(str, sorted(runs.glob("*/predictions.h5"))),
        "--reconstructions", *map(str, sorted((runs / "reconstruct").glob("*.h5"))),
        "--runs", str(runs),
        "--params", str(world.root / "params.yaml"),
        "--out", str(out),
    ]  # fmt: skip


def _fold(train: Sequence[str], validation: Sequence[str], test: Sequence[str]) -> Fold:
    return Fold(tuple(sorted(train)), tuple(sorted(validation)), tuple(sorted(test)))
