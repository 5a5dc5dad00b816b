"""Tiny data sets in the published layouts, written without any of the readers' code."""

from __future__ import annotations

import csv
import io
import json
import zipfile
from dataclasses import dataclass
from pathlib import Path

import h5py
import nibabel as nib
import numpy as np
from PIL import Image
from scipy.io import savemat

AFFINE = np.diag([-1.8, 1.8, 1.8, 1.0])


def write_nifti(path: Path, values: np.ndarray, affine: np.ndarray = AFFINE) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    nib.save(nib.Nifti1Image(values, affine), path)


def write_rows(path: Path, header: list[str], rows: list[tuple], sep: str = "\t") -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path, "w", newline="", encoding="utf-8") as file:
        csv.writer(file, delimiter=sep).writerows([header, *rows])


def jpeg(pixels: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "JPEG", quality=95)
    return buffer.getvalue()


def write_v4(root: Path, rng: np.random.Generator) -> dict[str, np.ndarray]:
    """Two sessions of 7 and 6 pictures; one picture twice in the first, one in both."""
    pictures = [jpeg(rng.integers(0, 256, (10, 10, 3), dtype=np.uint8)) for _ in range(11)]
    order = {"190923": [0, 1, 2, 3, 1, 4, 5], "201025": [6, 7, 3, 8, 9, 10]}
    counts = {}
    (root / "images").mkdir(parents=True)
    (root / "responses_repeat_averaged").mkdir()
    for session, shown in order.items():
        with zipfile.ZipFile(root / "images" / f"images_{session}.zip", "w") as archive:
            archive.writestr(f"images_{session}/", "")
            for number, picture in reversed(list(enumerate(shown, start=1))):
                archive.writestr(f"images_{session}/image{number:04d}.jpg", pictures[picture])
        counts[session] = rng.poisson(3.0, (len(shown) + 2, len(shown))) / 2
        file = root / "responses_repeat_averaged" / f"responses_{session}.npy"
        np.save(file, counts[session])
    table = (
        "190923 \t\tWE \t    test \t  9\t\t14\t  7\tnormal\n201025\t\tPE train\t 8\t 12\t6 normal\n"
    )
    (root / "readme.txt").write_text(f"session ID | animal ID\n{table}")
    return counts


def write_algonauts2023(root: Path, rng: np.random.Generator) -> dict[str, np.ndarray]:
    """Two subjects of 6 and 7 pictures, two of them shared; 5 and 4 vertices of 163,842."""
    pictures = rng.integers(0, 256, (11, 8, 8, 3), dtype=np.uint8)
    shown, responses = {"01": range(6), "02": range(4, 11)}, {}
    for subject, numbers in shown.items():
        split = root / f"subj{subject}" / "training_split"
        masks = root / f"subj{subject}" / "roi_masks"
        for folder in (split / "training_fmri", split / "training_images", masks):
            folder.mkdir(parents=True)
        for row, number in enumerate(numbers, start=1):
            file = split / "training_images" / f"train-{row:04d}_nsd-{number:05d}.png"
            Image.fromarray(pictures[number]).save(file)
        np.save(masks / "mapping_prf-visualrois.npy", {0: "Unknown", 1: "V1v", 2: "V1d"})
        for side, places in (("lh", [3, 9, 700, 10_241, 160_000]), ("rh", [0, 12, 10_242, 90_000])):
            whole = np.zeros(163_842, np.int64)
            whole[places] = 1
            np.save(masks / f"{side}.all-vertices_fsaverage_space.npy", whole)
            np.save(
                masks / f"{side}.prf-visualrois_challenge_space.npy", np.arange(len(places)) % 3
            )
            values = rng.standard_normal((len(numbers), len(places))).astype(np.float32)
            np.save(split / "training_fmri" / f"{side}_training_fmri.npy", values)
            responses[subject, side] = values
        # streams are known of one hemisphere alone
        np.save(masks / "rh.streams_challenge_space.npy", np.array([0, 5, 5, 0]))
    return responses


def write_haxby(root: Path, rng: np.random.Generator, *, nilearn_names: bool = False) -> np.ndarray:
    """3 runs of 3 blocks of 4 volumes between 2 volumes of rest; a 6 x 5 x 2 volume."""
    block, labels = ["rest"] * 2, []
    for run in range(3):
        kinds = np.roll(["face", "house", "cat"], run)
        labels += [(name, run) for kind in kinds for name in [*block, *[str(kind)] * 4]]
        labels += [("rest", run)] * 2
    volumes = 500 + 20 * rng.standard_normal((6, 5, 2, len(labels)))
    mask = np.zeros((6, 5, 2), np.uint8)
    mask[1:5, 1:4] = 1
    folder = root / "subj1" if nilearn_names else root
    write_nifti(folder / "bold.nii.gz", volumes.astype(np.int16))
    write_nifti(folder / ("mask4_vt.nii.gz" if nilearn_names else "mask.nii.gz"), mask)
    lines = "".join(f"{name} {run}\n" for name, run in labels)
    if nilearn_names:
        (folder / "labels.txt").write_text(f"labels chunks\n{lines}")
    else:
        (folder / "attributes_literal.txt").write_text(lines)
    return mask


def write_bids(root: Path, rng: np.random.Generator) -> dict[str, np.ndarray]:
    """One subject, 2 sessions with runs 2 and 10; one run lists a trial without a picture."""
    mask = rng.random((5, 4, 3)) > 0.4
    betas = {}
    (root / "stimuli" / "dog").mkdir(parents=True)
    for number in range(6):
        pixels = rng.integers(0, 256, (12, 9 + (number == 4), 3), dtype=np.uint8)
        Image.fromarray(pixels).save(root / "stimuli" / "dog" / f"dog_{number}.png")
    for session, run, shown in (("a", 2, [0, 1, 2]), ("a", 10, [3, None, 1]), ("b", 1, [5, 4])):
        folder = root / "sub-07" / f"ses-{session}" / "func"
        stem = f"sub-07_ses-{session}_task-look_run-{run}"
        values = rng.standard_normal((5, 4, 3, len(shown))).astype(np.float32)
        write_nifti(folder / f"{stem}_space-T1w_desc-single_betas.nii.gz", values)
        names = ["n/a" if k is None else f"dog/dog_{k}.png" for k in shown]
        rows = [(4 * k, 3, name) for k, name in enumerate(names)]
        write_rows(folder / f"{stem}_events.tsv", ["onset", "duration", "stim_file"], rows)
        betas[f"{session}{run}"] = values
    write_nifti(root / "sub-07" / "anat" / "sub-07_desc-visual_mask.nii.gz", mask.astype(np.int8))
    return {"mask": mask, **betas}


@dataclass
class NsdWorld:
    """What was written, to compare with what is read."""

    root: Path
    images: np.ndarray
    order: np.ndarray  # (n_trials,) 1-based 10k ids
    subjectim: np.ndarray  # (n_subjects, n_images) 1-based 73k ids
    betas: dict[int, np.ndarray]  # session -> int16 (trial, z, y, x), subject 2
    general: np.ndarray
    folder: Path
    rois: Path


def write_nsd(root: Path, rng: np.random.Generator, *, form: str = "hdf5") -> NsdWorld:
    """Two subjects in the design, betas for the second: 3 sessions of 7 trials, a 5 x 4 x 3 volume.

    Pictures number 3 and 8 (from 0) are the same.
    """
    shape, per_session, n_sessions = (5, 4, 3), 7, 3
    images = rng.integers(0, 256, (10, 20, 20, 3), dtype=np.uint8)
    images[8] = images[3]
    subjectim = np.array([[2, 5, 1, 3, 7, 6], [2, 5, 4, 8, 9, 10]])
    order = rng.permutation(np.repeat(np.arange(1, 7), 4))[: per_session * n_sessions]
    world = NsdWorld(
        root=root,
        images=images,
        order=order,
        subjectim=subjectim,
        betas={},
        general=rng.choice([-1, 0, 1], shape, p=[0.3, 0.3, 0.4]).astype(np.int16),
        folder=root / "nsddata_betas/ppdata/subj02/func1pt8mm/betas_fithrf_GLMdenoise_RR",
        rois=root / "nsddata/ppdata/subj02/func1pt8mm/roi",
    )
    experiment = root / "nsddata/experiments/nsd"
    experiment.mkdir(parents=True)
    content = {
        "masterordering": order[None].astype(float),
        "subjectim": subjectim.astype(float),
        "sharedix": np.array([[2.0, 5.0]]),
    }
    savemat(experiment / "nsd_expdesign.mat", content)
    header = ["", "cocoId", "cocoSplit", "cropBox", "loss", "nsdId", "shared1000"]
    rows = [
        (
            k,
            700 + k,
            "val2017" if k == 4 else "train2017",
            "(0, 0.5, 0.1, 0.4)",
            0.0,
            k,
            k in (1, 4),
        )
        for k in range(10)
    ]
    write_rows(experiment / "nsd_stim_info_merged.csv", header, rows, sep=",")
    session = np.arange(len(order)) // per_session + 1
    trials = [
        (2, s, 1 + (k % per_session) // 4, 1, subjectim[1, ten - 1], ten)
        for k, (s, ten) in enumerate(zip(session.tolist(), order.tolist(), strict=True))
    ]
    names = ["SUBJECT", "SESSION", "RUN", "TRIAL", "73KID", "10KID"]
    write_rows(root / "nsddata/ppdata/subj02/behav/responses.tsv", names, trials)
    _write_nsd_betas(world, rng, shape, per_session, n_sessions, form)
    _write_nsd_pictures(world)
    return world


def _write_nsd_betas(world, rng, shape, per_session, n_sessions, form) -> None:
    world.folder.mkdir(parents=True)
    for number in range(1, n_sessions + 1):
        betas = rng.integers(-900, 900, (per_session, *shape[::-1]), dtype=np.int16)
        world.betas[number] = betas
        path = world.folder / f"betas_session{number:02d}.hdf5"
        if form == "nifti":
            write_nifti(path.with_suffix(".nii.gz"), betas.transpose(3, 2, 1, 0))
            continue
        chunks = (per_session, 1, 1, 1) if form == "hdf5" else (2, *shape[::-1])
        with h5py.File(path, "w") as file:
            file.create_dataset("betas", data=betas, chunks=chunks)
    write_nifti(world.folder / "ncsnr.nii.gz", rng.random(shape).astype(np.float32))
    write_nifti(world.rois / "nsdgeneral.nii.gz", world.general)
    areas = np.arange(60).reshape(shape) % 9 - 1
    write_nifti(world.rois / "prf-visualrois.nii.gz", areas.astype(np.int16))
    faces = np.where(areas == 0, 2, -1)
    write_nifti(world.rois / "floc-faces.nii.gz", faces.astype(np.int16))
    table = world.root / "nsddata/freesurfer/subj02/label/floc-faces.mgz.ctab"
    table.parent.mkdir(parents=True)
    table.write_text("0 Unknown\n1 here\n2 there\n")


def _write_nsd_pictures(world: NsdWorld) -> None:
    folder = world.root / "nsddata_stimuli/stimuli/nsd"
    (folder / "annotations").mkdir(parents=True)
    with h5py.File(folder / "nsd_stimuli.hdf5", "w") as file:
        file["imgBrick"] = world.images
    # COCO's pictures are 200 x 100; half is cut off below, a tenth left and four tenths right
    for split, rows in (("train2017", [0, 1, 2, 3, 5, 6, 7, 8, 9]), ("val2017", [4])):
        files = [
            {"id": 700 + k, "file_name": f"{k:012d}.jpg", "height": 100, "width": 200} for k in rows
        ]
        said = [{"id": k, "image_id": 700 + k, "caption": f" scene {k}\n"} for k in rows]
        boxes = [
            (1, [30.0, 10.0, 20.0, 20.0]),
            (2, [100.0, 25.0, 60.0, 50.0]),
            (1, [150, 60, 9, 9]),
        ]
        things = [
            {"id": 10 * k + n, "image_id": 700 + k, "category_id": category, "bbox": box}
            for k in rows
            for n, (category, box) in enumerate(boxes)
        ]
        kinds = [{"id": 1, "name": "cat"}, {"id": 2, "name": "stop sign"}]
        for kind, content in (
            ("captions", {"images": files, "annotations": said}),
            ("instances", {"images": files, "annotations": things, "categories": kinds}),
        ):
            path = folder / "annotations" / f"{kind}_{split}.json"
            path.write_text(json.dumps(content))
