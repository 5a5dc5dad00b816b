"""Every scanpath metric on 1,000 pairs: ``python -m benchmarks.scanpath_metrics``.

MultiMatch is measured beside multimatch-gaze. The reference is measured where it is installed
(`pip install multimatch-gaze`), on 100 pairs.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from importlib.util import find_spec

import numpy as np

from benchmarks.machine import save
from neurodecode.metrics.functional import scanpath as fn

SIZE, PAIRS, REFERENCE_PAIRS, VIEWERS = (800, 600), 1000, 100, 15


def walks(rng: np.random.Generator, n: int) -> list[np.ndarray]:
    """Random scanpaths as long as those of OSIE (9.4 fixations)."""
    lengths = np.maximum(rng.poisson(9.4, n), 3)
    return [rng.uniform((0, 0, 80), (*SIZE, 400), (length, 3)) for length in lengths]


def seconds(work: Callable[[], object]) -> float:
    """Processor time of one call: one thread, so the wall time of a machine with nothing else."""
    start = time.process_time()
    work()
    return time.process_time() - start


def sequence_scores(left: list[np.ndarray], right: list[np.ndarray]) -> None:
    """Clusters of 15 viewers at a time, then the alignment."""
    for start in range(0, len(left), VIEWERS):
        humans, models = right[start : start + VIEWERS], left[start : start + VIEWERS]
        centres = fn.fixation_clusters(np.concatenate(humans)[:, :2], 60.0)
        fn.sequence_score(
            [fn.cluster_labels(path, centres) for path in models],
            [fn.cluster_labels(path, centres) for path in humans],
        )


def densities(rng: np.random.Generator, paths: list[np.ndarray]) -> None:
    """NSS, AUC and likelihood of one map of 75 x 100 cells for each scanpath."""
    maps = rng.random((50, 75, 100))
    for number, path in enumerate(paths):
        saliency = maps[number % 50]
        column, row = np.floor(path[:, :2].T / 8).astype(int)
        fn.nss(saliency, row, column)
        fn.auc(saliency, row, column)
        fn.auc_judd(saliency, row, column)
        fn.log_likelihood(np.log(saliency), row, column)


def main() -> None:
    """Measure and save."""
    rng = np.random.default_rng(0)
    left, right = walks(rng, PAIRS), walks(rng, PAIRS)
    both = (left, right, SIZE)
    cases = {
        "scanmatch": partial(fn.scanmatch, *both),
        "scanmatch, 50 ms": partial(fn.scanmatch, *both, temporal_bin=50),
        "multimatch": partial(fn.multimatch, *both),
        "multimatch, simplified": partial(fn.multimatch, *both, grouping=fn.Grouping(45, 100, 300)),
        "string similarity": partial(fn.string_similarity, *both),
        "stde": partial(fn.stde, *both),
        "sbtde": partial(fn.sbtde, *both),
        "sequence score": partial(sequence_scores, left, right),
        "recurrence": partial(fn.recurrence, left, 60.0),
        "cross-recurrence": partial(fn.cross_recurrence, left, right, 60.0),
        "densities": partial(densities, rng, left),
    }
    taken = {name: round(seconds(work), 4) for name, work in cases.items()}
    result = {"pairs": PAIRS, "seconds": taken, "total": round(sum(taken.values()), 3)}
    if find_spec("multimatch_gaze"):
        reference = _reference(left, right) * PAIRS / REFERENCE_PAIRS
        result["multimatch_gaze"] = round(reference, 2)
        result["ratio"] = round(reference / taken["multimatch"], 1)
    print(save("scanpath_metrics", result), result)


def _reference(left: list[np.ndarray], right: list[np.ndarray]) -> float:
    import multimatch_gaze

    def records(path: np.ndarray) -> np.ndarray:
        columns = [path[:, 0], path[:, 1], path[:, 2] / 1000]
        return np.rec.fromarrays(columns, names="start_x,start_y,duration")

    pairs = [(records(a), records(b)) for a, b in zip(left, right)][:REFERENCE_PAIRS]
    return seconds(lambda: [multimatch_gaze.docomparison(a, b, SIZE) for a, b in pairs])


if __name__ == "__main__":
    main()
