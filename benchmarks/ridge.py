"""Voxel-wise ridge against himalaya's: seconds, memory, and whether the same penalties are chosen.

``python -m benchmarks.ridge`` makes responses of one NSD subject's size (15,724 voxels, 1,024
features, 9,000 trials), of which the features explain between nothing and half, and lets
`neurodecode.linear.ridge.fit_ridge` and himalaya's own ``RidgeCV`` choose one of 10 penalties for
each voxel by 5 folds. Where there are no more features than trials ours *is* himalaya's: the
figure says what is around it. ``--features 12000 --trials 600`` compares `WideRidge`.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable
from typing import Any

import numpy as np
from himalaya.ridge import RidgeCV
from sklearn.model_selection import KFold

from benchmarks.machine import save
from neurodecode.bench.memory import peak_memory
from neurodecode.linear.ridge import fit_ridge

PENALTIES = np.logspace(-4, 4, 10).tolist()
FOLDS, SEED = 5, 0


def make_data(args: argparse.Namespace) -> tuple[np.ndarray, np.ndarray]:
    """Features, and responses that follow them to different degrees."""
    rng = np.random.default_rng(SEED)
    inputs = rng.standard_normal((args.trials, args.features), dtype=np.float32)
    weights = rng.standard_normal((args.features, args.targets), dtype=np.float32)
    # shares of explained variance from 0 to .5, hence different penalties
    shares = np.linspace(0, 0.5, args.targets, dtype=np.float32)
    outputs = inputs @ (weights * np.sqrt(shares / args.features))
    outputs += rng.standard_normal(outputs.shape, dtype=np.float32) * np.sqrt(1 - shares)
    return inputs, outputs


def timed(fit: Callable[[], Any]) -> tuple[Any, dict[str, float | None]]:
    """Fit; say what came out, and what it took."""
    with peak_memory("cpu") as peak:
        clock, processor = time.perf_counter(), time.process_time()
        model = fit()
        clock, processor = time.perf_counter() - clock, time.process_time() - processor
    megabytes = None if peak.bytes is None else round(peak.bytes / 1e6)
    return model, {"s": round(clock, 1), "cpu_s": round(processor, 1), "peak_mb": megabytes}


def main(argv: list[str] | None = None) -> int:
    """Run the benchmark; 1 if other penalties were chosen."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--targets", type=int, default=15_724)
    parser.add_argument("--features", type=int, default=1_024)
    parser.add_argument("--trials", type=int, default=9_000)
    parser.add_argument("--no-save", action="store_true", help="print only")
    args = parser.parse_args(argv)
    inputs, outputs = make_data(args)
    alphas = np.asarray(PENALTIES) * len(inputs) * float(inputs.var(axis=0).mean())
    folds = KFold(FOLDS, shuffle=True, random_state=SEED)
    theirs, their_cost = timed(
        lambda: RidgeCV(
            alphas=alphas, fit_intercept=True, cv=folds, solver_params={"warn": False}
        ).fit(inputs, outputs)
    )
    ours, our_cost = timed(
        lambda: fit_ridge(inputs, outputs, penalties=PENALTIES, n_folds=FOLDS, seed=SEED)
    )
    same = np.isclose(ours.best_alphas_, theirs.best_alphas_, rtol=1e-5)
    results = {
        "device": "cpu; no accelerator on this machine",
        "settings": {key: vars(args)[key] for key in ("targets", "features", "trials")}
        | {"penalties": len(PENALTIES), "folds": FOLDS},
        "ours": our_cost | {"class": type(ours).__name__},
        "himalaya": their_cost,
        "ratio_cpu": round(their_cost["cpu_s"] / our_cost["cpu_s"], 2),
        "same_penalties": float(same.mean()),
        "different_penalties_chosen": len(set(np.asarray(ours.best_alphas_).tolist())),
    }
    print(json.dumps(results, indent=1))
    if not args.no_save:
        print(save("ridge", results))
    return int(not same.all())


if __name__ == "__main__":
    raise SystemExit(main())
