"""NSD's experiment files for the miniature world: design, stimulus table, pictures, COCO."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from neurodecode.datasets.mini.plan import Plan
from neurodecode.datasets.mini.scenes import CATEGORIES, Scene, boxes, captions
from neurodecode.datasets.nsd.design import run_lengths
from neurodecode.datasets.nsd.paths import NsdPaths
from neurodecode.datasets.tables import write_table
from neurodecode.files import write_json

__all__ = ["write_annotations", "write_behaviour", "write_design", "write_images"]

COCO_ID_BASE = 900_001
_VAL_EVERY = 10  # every tenth picture is called val2017, so that both splits are read
_MAT_HEADER = b"MATLAB 5.0 MAT-file, neurodecode miniature world".ljust(116)
_NSD_SUBJECTS = 8


def _split_of(row: int) -> str:
    return "val2017" if row % _VAL_EVERY == 0 else "train2017"


def write_design(paths: NsdPaths, plan: Plan) -> None:
    """Write ``nsd_expdesign.mat`` (ids from 1) and ``nsd_stim_info_merged.csv`` (ids from 0).

    Parameters
    ----------
    paths : NsdPaths
        Where the files belong.
    plan : Plan
        The design.
    """
    from scipy.io import savemat

    content = {
        "masterordering": (plan.order + 1)[None].astype(np.float64),
        "subjectim": (plan.images + 1).astype(np.float64),
        "sharedix": (plan.shared + 1)[None].astype(np.float64),
    }
    buffer = io.BytesIO()
    savemat(buffer, content, do_compression=True)
    # MATLAB's header has the date in it: replaced, so that a seed gives the same bytes
    paths.design.parent.mkdir(parents=True, exist_ok=True)
    paths.design.write_bytes(_MAT_HEADER + buffer.getvalue()[116:])
    _write_table(paths.stimulus_table, plan)


def _write_table(path: Path, plan: Plan) -> None:
    n = len(plan.scenes)
    shared = np.zeros(n, dtype=bool)
    shared[plan.shared] = True
    columns: dict[str, Sequence[object] | np.ndarray] = {
        "": range(n),  # NSD's table has its index in a first column without a name
        "cocoId": COCO_ID_BASE + np.arange(n),
        "cocoSplit": [_split_of(row) for row in range(n)],
        "cropBox": ["(0.0, 0.0, 0.0, 0.0)"] * n,
        "loss": np.zeros(n),
        "nsdId": np.arange(n),
        "flagged": np.zeros(n, dtype=bool),
        "BOLD5000": np.zeros(n, dtype=bool),
        "shared1000": shared,
    }
    n_columns = max(_NSD_SUBJECTS, len(plan.images))
    trials = {number: _trials_of_rows(plan, number) for number in range(len(plan.images))}
    n_repeats = max((len(t) for by_row in trials.values() for t in by_row.values()), default=0)
    for number in range(n_columns):
        assigned = np.zeros(n, dtype=np.int64)
        if number in trials:
            assigned[plan.images[number]] = 1
        columns[f"subject{number + 1}"] = assigned
    for number in range(n_columns):
        for repeat in range(n_repeats):
            when = np.zeros(n, dtype=np.int64)
            for row, its in trials.get(number, {}).items():
                when[row] = its[repeat] if repeat < len(its) else 0
            columns[f"subject{number + 1}_rep{repeat}"] = when
    write_table(path, columns)


def _trials_of_rows(plan: Plan, subject: int) -> dict[int, list[int]]:
    """Trial numbers from 1 of each picture of a subject."""
    found: dict[int, list[int]] = {}
    for trial, image in enumerate(plan.order.tolist(), start=1):
        found.setdefault(int(plan.images[subject, image]), []).append(trial)
    return found


def write_behaviour(paths: NsdPaths, plan: Plan, subject: int) -> None:
    """Write ``responses.tsv``: what was shown in which run, and whether it was old.

    Nobody pressed a button here: the columns about behaviour are empty.

    Parameters
    ----------
    paths : NsdPaths
        Where the file belongs.
    plan : Plan
        The design.
    subject : int
        Number from 0.
    """
    trials = plan.attended(subject)
    image, session = plan.order[trials], plan.session[trials]
    run, place = np.empty_like(session), np.empty_like(session)
    for number in np.unique(session):
        here = session == number
        lengths = run_lengths(int(here.sum()))
        run[here] = np.repeat(np.arange(len(lengths)) + 1, lengths)
        place[here] = np.concatenate([np.arange(length) + 1 for length in lengths])
    empty = ["NaN"] * len(trials)
    table = {
        "SUBJECT": np.full(len(trials), subject + 1),
        "SESSION": session,
        "RUN": run,
        "TRIAL": place,
        "73KID": plan.images[subject, image] + 1,
        "10KID": image + 1,
        "TIME": 7 * (session - 1) + 0.5 + (300 * (run - 1) + 4 * place) / 86_400,
        "ISOLD": _seen_before(image, np.zeros_like(session)),
        "ISCORRECT": empty,
        "RT": empty,
        "CHANGEMIND": empty,
        "MEMORYRECENT": empty,
        "MEMORYFIRST": empty,
        "ISOLDCURRENT": _seen_before(image, session),
        "ISCORRECTCURRENT": empty,
        "TOTAL1": empty,
        "TOTAL2": empty,
        "BUTTON": empty,
        "MISSINGDATA": np.ones(len(trials), dtype=np.int64),
    }
    write_table(paths.behaviour(f"{subject + 1:02d}"), table, sep="\t")


def _seen_before(image: np.ndarray, within: np.ndarray) -> np.ndarray:
    """1 where a picture has been shown before, counted anew for each value of `within`."""
    seen: set[tuple[int, int]] = set()
    out = np.zeros(len(image), dtype=np.int64)
    for trial, key in enumerate(zip(within.tolist(), image.tolist(), strict=True)):
        out[trial] = key in seen
        seen.add(key)
    return out


def write_images(paths: NsdPaths, images: np.ndarray) -> None:
    """Write ``nsd_stimuli.hdf5``.

    Parameters
    ----------
    paths : NsdPaths
        Where the file belongs.
    images : array of uint8 of shape (n, size, size, 3)
        All pictures.
    """
    import h5py

    paths.images.parent.mkdir(parents=True, exist_ok=True)
    with h5py.File(paths.images, "w") as file:
        file.create_dataset("imgBrick", data=images, chunks=(1, *images.shape[1:]))


def write_annotations(paths: NsdPaths, scenes: list[Scene], size: int) -> None:
    """Write captions and instances in COCO's form.

    Parameters
    ----------
    paths : NsdPaths
        Where the files belong.
    scenes : list of Scene
        Scene of each row of `imgBrick`.
    size : int
        Side of the pictures in pixels.
    """
    categories = [
        {"id": number, "name": name, "supercategory": "miniature"}
        for number, name in enumerate(CATEGORIES, start=1)
    ]
    for split in ("train2017", "val2017"):
        rows = [row for row in range(len(scenes)) if _split_of(row) == split]
        images = [
            {
                "id": COCO_ID_BASE + row,
                "file_name": f"{COCO_ID_BASE + row:012d}.jpg",
                "height": size,
                "width": size,
            }
            for row in rows
        ]
        info = {"description": "neurodecode miniature world", "version": "1.0"}
        head = {"info": info, "licenses": [], "images": images}
        texts = [(row, text) for row in rows for text in captions(scenes[row])]
        described = [
            {"id": number, "image_id": COCO_ID_BASE + row, "caption": text}
            for number, (row, text) in enumerate(texts, start=1)
        ]
        things = [
            (row, item.category, box)
            for row in rows
            for item, box in zip(scenes[row].objects, boxes(scenes[row], size), strict=True)
        ]
        found = [
            {
                "id": number,
                "image_id": COCO_ID_BASE + row,
                "category_id": CATEGORIES.index(category) + 1,
                "bbox": box,
                "area": box[2] * box[3],
                "iscrowd": 0,
                "segmentation": [],
            }
            for number, (row, category, box) in enumerate(things, start=1)
        ]
        write_json(paths.annotations("captions", split), {**head, "annotations": described})
        instances = {**head, "annotations": found, "categories": categories}
        write_json(paths.annotations("instances", split), instances)
