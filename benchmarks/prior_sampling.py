"""What sampling the diffusion prior costs, and what fewer steps lose.

``python -m benchmarks.prior_sampling`` takes what the miniature decoder decoded from VALIDATION
responses, draws an embedding for each from the bundled prior by the ancestral sampler in all 100
steps (the reference) and by solvers in fewer, from the same noise, and writes latency a trial
beside how well the samples, and pictures drawn from them, identify the validation pictures.
"""

from __future__ import annotations

import argparse
import os
import statistics
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from benchmarks.machine import save
from benchmarks.prior_trials import Trials
from neurodecode.embed.bundle import read_bundle
from neurodecode.metrics.bootstrap import bootstrap_ci
from neurodecode.nn.diffusion import Diffusion, SamplerName, row_noise
from neurodecode.nn.prior import PriorTransformer

#: Sampler and steps; the first is the reference.
SETTINGS: list[tuple[SamplerName, int]] = [
    ("ddpm", 100), ("ddim", 20), ("ddim", 15), ("ddim", 10), ("ddim", 8),
    ("unipc", 20), ("unipc", 15), ("unipc", 10),
]  # fmt: skip
#: Guidance of configs/mini/prior.yaml.
GUIDANCE = 2.0


def load_prior() -> tuple[PriorTransformer, Tensor, float]:
    """Network, mean and deviation of the bundled prior."""
    config, weights = read_bundle("mini-prior")
    mean = weights.pop("mean")
    network = PriorTransformer(tuple(mean.shape), tuple(mean.shape), residual=True,
                               **config["model_cfg"])  # fmt: skip
    network.load_state_dict(weights)
    return network.eval().requires_grad_(False), mean, float(config["deviation"])


def draw(prior: tuple[PriorTransformer, Tensor, float], condition: Tensor, seeds: list[int],
         sampler: SamplerName, n_steps: int) -> np.ndarray:  # fmt: skip
    """Sample one embedding for each condition, in the embedding's units."""
    network, mean, deviation = prior
    noise = row_noise(mean.shape, seeds, torch.device("cpu"))
    drawn = Diffusion(100).sample(
        network, (condition - mean) / deviation, noise, n_steps=n_steps, guidance=GUIDANCE,
        sampler=sampler, generator=torch.Generator().manual_seed(seeds[0]),
    )  # fmt: skip
    return (drawn * deviation + mean).numpy()


def quality(prior: tuple[PriorTransformer, Tensor, float], trials: Trials, repeats: int,
            setting: tuple[SamplerName, int]) -> dict[str, np.ndarray]:  # fmt: skip
    """Scores of each trial, mean over several samples."""
    found = [
        trials.scores(draw(prior, trials.condition, trials.seeds(k), *setting))
        for k in range(repeats)
    ]
    return {name: np.mean([each[name] for each in found], axis=0) for name in found[0]}


def latency(prior: tuple[PriorTransformer, Tensor, float], trials: Trials, batch_size: int,
            runs: int) -> dict[tuple[SamplerName, int], float]:  # fmt: skip
    """Median seconds a trial; samplers take turns, so that a busy moment hits all of them."""
    condition, seeds = trials.condition[:batch_size], trials.seeds(0)[:batch_size]
    seconds: dict[tuple[SamplerName, int], list[float]] = {each: [] for each in SETTINGS}
    draw(prior, condition, seeds, *SETTINGS[-1])  # warms up
    for _ in range(runs):
        for setting, times in seconds.items():
            start = time.perf_counter()
            draw(prior, condition, seeds, *setting)
            times.append((time.perf_counter() - start) / batch_size)
    return {setting: statistics.median(times) for setting, times in seconds.items()}


def compare(scores: Mapping[str, np.ndarray], reference: Mapping[str, np.ndarray],
            trials: Trials) -> dict[str, Any]:  # fmt: skip
    """Scores, and the paired difference to the reference with its interval over pictures."""
    groups = np.unique(trials.stimulus, return_inverse=True)[1]
    found: dict[str, Any] = {}
    for name, values in scores.items():
        change = _by_group(values - reference[name], groups)
        interval = bootstrap_ci(change)
        found[name] = round(float(values.mean()), 4)
        found[f"{name}_minus_reference"] = round(float(change.mean()), 4)
        found[f"{name}_difference_95"] = [round(interval.low, 4), round(interval.high, 4)]
    return found


def _by_group(values: np.ndarray, groups: np.ndarray) -> np.ndarray:
    return np.bincount(groups, values) / np.bincount(groups)


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--predictions", type=Path, default=Path("runs/mini/decoder/predictions-validation.h5")
    )
    parser.add_argument(
        "--embeddings", type=Path, default=Path("data/embeddings/mini-fmri/mini-clip.h5")
    )
    parser.add_argument(
        "--stimuli", type=Path, default=Path("data/stores/mini-fmri/stimuli.h5")
    )  # fmt: skip
    parser.add_argument("--repeats", type=int, default=1, help="samples a trial, for the scores")
    parser.add_argument("--runs", type=int, default=3, help="timed rounds")
    parser.add_argument("--batch-size", type=int, default=32)
    args = parser.parse_args()
    torch.set_num_threads(1)
    prior, trials = load_prior(), Trials(args.predictions, args.embeddings, args.stimuli)
    alone = latency(prior, trials, 1, args.runs)
    batched = latency(prior, trials, args.batch_size, args.runs)
    scores = {each: quality(prior, trials, args.repeats, each) for each in SETTINGS}
    first = SETTINGS[0]
    rows = [
        {
            "sampler": sampler,
            "n_steps": n_steps,
            "ms_a_trial_alone": round(1e3 * alone[sampler, n_steps], 3),
            "ms_a_trial_batched": round(1e3 * batched[sampler, n_steps], 3),
            "times_faster_alone": round(alone[first] / alone[sampler, n_steps], 2),
            "times_faster_batched": round(batched[first] / batched[sampler, n_steps], 2),
            **compare(scores[sampler, n_steps], scores[first], trials),
        }
        for sampler, n_steps in SETTINGS
    ]
    results = {
        "weights": "mini-prior",
        "side": "validation",
        "n_trials": len(trials),
        "samples_a_trial": args.repeats,
        "guidance": GUIDANCE,
        "batch_size": args.batch_size,
        "threads": 1,
        "nice": os.nice(0),
        "load_average_after": [round(each, 2) for each in os.getloadavg()],
        "reference": "ddpm, 100 steps",
        "settings": rows,
    }
    print(save("prior_sampling", results))
    for row in rows:
        print(row)


if __name__ == "__main__":
    main()
