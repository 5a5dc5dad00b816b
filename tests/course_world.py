"""Windows of time for the small profile: two targets that rise one after the other."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
from report_world import PICTURES

from neurodecode.evaluation.course_records import course_records, latency_differences
from neurodecode.evaluation.items import write_table
from neurodecode.evaluation.timecourse import TimeCourse, time_course
from neurodecode.metrics.records import read_records, write_records
from neurodecode.store import Prediction
from neurodecode.store.predictions import PredictionFile

N_WINDOWS, ONSET = 9, {"latent": 3, "tokens": 6}


def course(target: str) -> TimeCourse:
    """Noise up to the target's first window, 14 pictures that are told apart from then on."""
    rng = np.random.default_rng(len(target))
    names = [f"{k:02d}" for k in range(14)]
    predictions = []
    for subject in ("01", "02"):
        for k in range(N_WINDOWS):
            scores = rng.normal(size=(14, 14)) + 4.0 * np.eye(14) * (k >= ONSET[target])
            across = rng.normal(size=(14, N_WINDOWS, 14)).astype(np.float16)
            arrays = {"scores": scores, "across": across}
            window = (k / 50 - 0.06, k / 50 - 0.02)
            predictions.append(Prediction(subject, names, arrays, names, window=window))
    attrs = {"windows": "sliding", "target": target}
    return time_course(PredictionFile("ridge", predictions, attrs))


def add_courses(metrics: Path, out: Path) -> None:
    """Write the records of `metrics` and those of both targets to `out`, tables beside them."""
    courses = [course(target) for target in ONSET]
    about = {"profile": "mini", "dataset": PICTURES}
    records = [record for each in courses for record in course_records(each, about)]
    records += latency_differences(courses, about)
    write_records(out / "metrics.json", [*read_records(metrics), *records])
    tables = [table for each in courses for table in each.generalisation(PICTURES)]
    out.mkdir(exist_ok=True)
    (out / "tables").mkdir(exist_ok=True)
    write_table(out / "tables" / "generalisation.csv", pd.concat(tables, ignore_index=True))
