"""How often time-resolved decoding of recordings without any response is called significant.

``python -m benchmarks.false_positives`` makes noise-only runs of the miniature world's sensors
(its noise fields, no response to any picture), sends each through preprocessing, `neurodecode
timecourse`'s decoding of a low-level and a high-level target, and the cluster permutation of
`neurodecode evaluate`, and counts the runs in which a window anywhere has p <= .05. Needs the
embeddings of the fMRI world (``make repro``).
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import mne
import numpy as np
from scipy.stats import binom

from benchmarks.machine import save
from neurodecode.datasets.mini.sensor_noise import make_noise_field, noise
from neurodecode.datasets.mini.sensors import sensor_info
from neurodecode.datasets.mini.viewers import LEVELS
from neurodecode.evaluation.timecourse import TimeCourse, time_course
from neurodecode.metrics.functional.clusters import cluster_p_values
from neurodecode.preprocess.channels import channel_features
from neurodecode.preprocess.epochs import Epoched, epoch_run
from neurodecode.preprocess.recipe import read_recipe
from neurodecode.recording import Recording
from neurodecode.splits import Fold, Split
from neurodecode.store import EmbeddingStore, ResponseStore
from neurodecode.store.predictions import PredictionFile
from neurodecode.tasks.baselines import Features, LinearOptions
from neurodecode.tasks.timecourse import WindowPlan, decode_windows

LEVEL, CHANCE, METRIC = 0.05, 0.5, "two_way"
#: of the simulator: samples a second, seconds from picture to picture, rest before and after
SFREQ, INTERVAL_S, REST_S, RUNS = 200.0, 0.6, 3.0, 4


def record(modality: str, n_trials: int, rng: np.random.Generator) -> Epoched:
    """Noise of one viewer, as epochs of the miniature world's recipe."""
    info = sensor_info(modality, SFREQ)
    field = make_noise_field(info, LEVELS[modality], rng)
    recipe = read_recipe(f"configs/preprocess/mini_{modality}.yaml")
    per_run, parts = -(-n_trials // RUNS), []
    for _ in range(RUNS):
        onset = np.round((REST_S + INTERVAL_S * np.arange(per_run)) * SFREQ).astype(int)
        data, _ = noise(field, int(onset[-1] + 2 * REST_S * SFREQ), SFREQ, rng)
        stim = np.zeros((1, data.shape[1]))
        raw = mne.io.RawArray(np.vstack([data, stim]), info.copy(), verbose="ERROR")
        parts.append(epoch_run(raw, onset, recipe))
    joined = np.concatenate([part.data for part in parts])[:n_trials]
    return Epoched(joined, np.arange(n_trials), parts[0].rejected, [], parts[0].info)


def viewer(folder: Path, name: str, fold: Fold, args: argparse.Namespace, seed: int) -> Path:
    """Write the store of one viewer: training pictures twice, test pictures more often."""
    rng = np.random.default_rng(seed)
    shown = np.repeat([*fold.train, *fold.validation], 2)
    shown = rng.permutation(np.concatenate([shown, np.repeat(fold.test, args.test_repeats)]))
    epochs = record(args.modality, len(shown), rng)
    recipe = read_recipe(f"configs/preprocess/mini_{args.modality}.yaml")
    recording = Recording(
        subject=name, modality=args.modality, responses=epochs.data, stimulus_id=shown,
        session=np.ones(len(shown), dtype=np.int32), run=np.ones(len(shown), dtype=np.int32),
        features=channel_features(epochs.info), sfreq=recipe.sfreq_hz,
        info={"tmin": recipe.tmin_s},
    )  # fmt: skip
    path = folder / f"sub-{name}.h5"
    ResponseStore.write(path, recording, dataset="noise")
    return path


def courses(args: argparse.Namespace, run: int) -> Iterator[TimeCourse]:
    """Decode both targets from one noise-only run of all viewers."""
    files = {name: EmbeddingStore(args.embeddings / f"{name}.h5") for name in args.targets}
    rng = np.random.default_rng([args.seed, run])
    ids = rng.permutation(next(iter(files.values())).ids)[: args.train + args.test].tolist()
    bounds = (round(0.9 * args.train), args.train)
    fold = Fold(*(tuple(sorted(p)) for p in (ids[: bounds[0]], ids[slice(*bounds)],
                                              ids[bounds[1] :])))  # fmt: skip
    split = Split("shared-test", "stimulus", (fold,))
    features = [Features([files[name]], array) for name, array in args.targets.items()]
    plan = WindowPlan(width_s=0.05, step_s=args.step / 1000, limits=(-1e6, 0.5))
    found: list[list] = [[] for _ in features]
    with tempfile.TemporaryDirectory() as folder:
        for number in range(args.viewers):
            seed = int(rng.integers(2**31))
            path = viewer(Path(folder), f"{number + 1:02d}", fold, args, seed)
            store = ResponseStore(path)
            parts = decode_windows(store, split, 0, features, plan, LinearOptions(50))
            for own, part in zip(found, parts, strict=True):
                own += part
    for own, target in zip(found, features, strict=True):
        attrs = {"windows": "sliding", "target": target.target}
        yield time_course(PredictionFile("ridge", own, attrs))


def smallest_p(course: TimeCourse) -> dict[str, float]:
    """Smallest p of any window, for each viewer and for their mean."""
    curves = {name: each.values[METRIC] for name, each in course.subjects.items()}
    curves["mean"] = course.pooled(METRIC)
    return {name: float(cluster_p_values(v - CHANCE).min()) for name, v in curves.items()}


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--modality", default="meg", choices=["meg", "eeg"])
    sizes = {
        "runs": 20, "viewers": 2, "train": 300, "test": 60, "test-repeats": 6, "step": 40,
        "seed": 0,
    }  # fmt: skip
    for name, value in sizes.items():
        parser.add_argument(f"--{name}", type=int, default=value)
    parser.add_argument("--embeddings", type=Path, default=Path("data/embeddings/mini-fmri"))
    args = parser.parse_args()
    args.targets = {"mini-vae": "latent", "mini-clip": "pooled"}
    started, smallest = time.perf_counter(), []
    for run in range(args.runs):
        found = {course.target: smallest_p(course) for course in courses(args, run)}
        smallest.append(found)
        print(run, json.dumps(found), flush=True)
    results: dict[str, object] = {"level": LEVEL, "metric": METRIC}
    for target in args.targets.values():
        for curve in ("mean", "viewers"):
            p_values = [
                p for each in smallest for name, p in each[target].items()
                if (name == "mean") == (curve == "mean")
            ]  # fmt: skip
            hits = int((np.array(p_values) <= LEVEL).sum())
            results[f"{target}_{curve}"] = {
                "n_runs": len(p_values), "n_significant": hits, "rate": hits / len(p_values),
                # of at least as many, were the rate just .05
                "p_binomial": float(binom.sf(hits - 1, len(p_values), LEVEL)),
            }  # fmt: skip
    results |= {name: value for name, value in vars(args).items() if name != "embeddings"}
    results["seconds"] = round(time.perf_counter() - started, 1)
    print(save("false_positives", results), json.dumps(results, indent=1))


if __name__ == "__main__":
    main()
