"""Leave-one-out ridge over time lags against mTRFpy: seconds, and whether the weights agree.

``python -m benchmarks.trf`` makes noise of the usual size (16 subjects, 20 trials of 60 s, 64
channels at 64 Hz, lags of 0 to 250 ms, 10 penalties), lets both fit a backward model to each
subject, one after the other so that both meet the same load, and compares what they chose.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from benchmarks.machine import save

PENALTIES = np.logspace(-2, 7, 10).tolist()
TMIN, TMAX = 0.0, 0.25


def make_subject(seed: int, args: argparse.Namespace) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """Envelopes and channels that follow them weakly, in white noise."""
    rng = np.random.default_rng(seed)
    n_times = round(args.seconds * args.sfreq)
    envelopes = [rng.standard_normal((n_times, 1)) for _ in range(args.trials)]
    mix = 0.1 * rng.standard_normal((1, args.channels))
    channels = [
        np.roll(envelope, 6, axis=0) @ mix + rng.standard_normal((n_times, args.channels))
        for envelope in envelopes
    ]
    return envelopes, channels


def timed(work: Callable[[], Any]) -> tuple[Any, float, float]:
    """Do it; say what came out, seconds on the clock and seconds of processor."""
    clock, processor = time.perf_counter(), time.process_time()
    out = work()
    return out, time.perf_counter() - clock, time.process_time() - processor


def compare(seed: int, args: argparse.Namespace) -> dict[str, float]:
    """Fit one subject both ways."""
    from mtrf import TRF as Theirs

    from neurodecode.linear.trf import TRF

    envelopes, channels = make_subject(seed, args)

    def fit_theirs() -> Any:
        """MTRFpy with its covariances kept, its fastest way."""
        model = Theirs(direction=-1, preload=True)
        model.train(
            [each.copy() for each in envelopes], [each.copy() for each in channels],
            args.sfreq, TMIN, TMAX, PENALTIES, k=-1, verbose=False,
        )  # fmt: skip
        return model

    ours, our_clock, our_cpu = timed(
        lambda: TRF("backward", TMIN, TMAX, PENALTIES).fit(envelopes, channels, args.sfreq)
    )
    theirs, their_clock, their_cpu = timed(fit_theirs)
    apart = np.abs(ours.weights_ - theirs.weights).max() / np.abs(theirs.weights).max()
    if ours.penalty_ != theirs.regularization:
        raise SystemExit(f"subject {seed}: {ours.penalty_} and {theirs.regularization} were chosen")
    return {
        "s": our_clock,
        "cpu_s": our_cpu,
        "mtrf_s": their_clock,
        "mtrf_cpu_s": their_cpu,
        "largest_relative_difference": float(apart),
    }


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__)
    for name, value in (("subjects", 16), ("trials", 20), ("channels", 64), ("sfreq", 64)):
        parser.add_argument(f"--{name}", type=int, default=value)
    parser.add_argument("--seconds", type=float, default=60.0)
    args = parser.parse_args()
    rows = []
    for subject in range(args.subjects):
        rows.append(compare(subject, args))
        print(json.dumps(rows[-1]), flush=True)
    total = {name: sum(row[name] for row in rows) for name in rows[0]}
    results = {name: round(total[name], 2) for name in ("s", "cpu_s", "mtrf_s", "mtrf_cpu_s")}
    results |= {
        "times_faster": round(total["mtrf_s"] / total["s"], 2),
        "times_less_cpu": round(total["mtrf_cpu_s"] / total["cpu_s"], 2),
        "largest_relative_difference": max(row["largest_relative_difference"] for row in rows),
        "n_penalties": len(PENALTIES),
        "lags_s": [TMIN, TMAX],
    }
    results |= vars(args)
    print(save("trf", results), json.dumps(results, indent=1))


if __name__ == "__main__":
    main()
