"""The miniature world: NSD's layout on disk, known reliability, nothing half-written."""

from __future__ import annotations

import ast
import csv
import errno
import hashlib
import json
import subprocess
import sys
from pathlib import Path

import h5py
import nibabel as nib
import numpy as np
import pytest
from conftest import MINI
from scipy.io import loadmat

from neurodecode.datasets import load
from neurodecode.datasets.mini.anatomy import make_anatomy
from neurodecode.datasets.mini.early import early_responses, make_fields
from neurodecode.datasets.mini.energy import CHANNELS, CYCLES, ORIENTATIONS, channel_maps
from neurodecode.datasets.mini.late import late_responses, make_selectivity
from neurodecode.datasets.mini.plan import MiniOptions, make_plan, stream
from neurodecode.datasets.mini.scene_types import Scene, SceneObject
from neurodecode.datasets.mini.simulate import simulate
from neurodecode.datasets.mini.voxels import MEDIAN_NCSNR, make_reliability, session_betas
from neurodecode.errors import ConfigError, DataError

N_IMAGES = MINI.shared + MINI.images_per_subject
BETAS = "nsddata_betas/ppdata/subj{:02d}/func1pt8mm/betas_fithrf_GLMdenoise_RR"


def design_of(root: Path) -> dict[str, np.ndarray]:
    return loadmat(root / "nsddata/experiments/nsd/nsd_expdesign.mat")


def rows_of(path: Path, sep: str) -> list[dict[str, str]]:
    with open(path, newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file, delimiter=sep))


def digests(root: Path) -> dict[str, str]:
    files = sorted(file for file in root.rglob("*") if file.is_file())
    return {
        str(file.relative_to(root)): hashlib.sha256(file.read_bytes()).hexdigest() for file in files
    }


def test_design_counts_from_one(mini_root):
    design = design_of(mini_root)
    assert design["masterordering"].shape == (1, N_IMAGES * MINI.repeats)
    assert np.bincount(design["masterordering"][0].astype(int))[1:].tolist() == [3] * N_IMAGES
    images = design["subjectim"].astype(int)
    assert images.shape == (MINI.n_subjects, N_IMAGES)
    # together all 73k-like ids from 1, the shared ones first and the same for everybody
    n_total = MINI.shared + MINI.n_subjects * MINI.images_per_subject
    assert sorted(set(images.ravel())) == list(range(1, n_total + 1))
    assert (images[:, : MINI.shared] == images[0, : MINI.shared]).all()
    assert design["sharedix"][0].tolist() == sorted(images[0, : MINI.shared])


def test_stimulus_table_agrees_with_the_design(mini_root):
    rows = rows_of(mini_root / "nsddata/experiments/nsd/nsd_stim_info_merged.csv", ",")
    design = design_of(mini_root)
    shared = set(design["sharedix"][0].astype(int).tolist())
    images, order = design["subjectim"].astype(int), design["masterordering"][0].astype(int)
    for number, row in enumerate(rows):
        assert int(row["nsdId"]) == int(row[""]) == number  # from 0
        assert (row["shared1000"] == "True") == (number + 1 in shared)
        assert len(ast.literal_eval(row["cropBox"])) == 4
        for subject in range(8):
            trials = [int(row[f"subject{subject + 1}_rep{k}"]) for k in range(3)]
            mine = subject < 3 and number + 1 in images[subject]
            assert (row[f"subject{subject + 1}"] == "1") == mine
            assert (0 in trials) == (not mine)
            for trial in trials if mine else []:
                assert images[subject, order[trial - 1] - 1] == number + 1


def test_behaviour_lists_the_trials_of_the_sessions_attended(mini_root):
    design = design_of(mini_root)
    images, order = design["subjectim"].astype(int), design["masterordering"][0].astype(int)
    for subject, n_sessions in ((1, 4), (2, 4), (3, 3)):
        rows = rows_of(mini_root / f"nsddata/ppdata/subj{subject:02d}/behav/responses.tsv", "\t")
        sessions = [int(row["SESSION"]) for row in rows]
        assert sessions == sorted(sessions)
        assert sorted(set(sessions)) == list(range(1, n_sessions + 1))
        shown = [int(row["73KID"]) for row in rows]
        assert shown == images[subject - 1, order[: len(rows)] - 1].tolist()
        assert [int(row["10KID"]) for row in rows] == order[: len(rows)].tolist()
        old = [row["ISOLD"] == "1" for row in rows]
        assert old == [image in shown[:trial] for trial, image in enumerate(shown)]
        files = sorted((mini_root / BETAS.format(subject)).glob("betas_session*.hdf5"))
        assert len(files) == n_sessions


def test_every_subject_sees_all_repeats_of_the_shared_pictures(mini_root):
    reader = load("mini-fmri", mini_root)
    test = reader.test_stimuli()
    assert len(test) == MINI.shared
    for subject in reader.subjects:
        ids = reader.recording(subject).stimulus_id.tolist()
        assert all(ids.count(stimulus) == MINI.repeats for stimulus in test)


def test_volumes_are_those_of_nsd(mini_root):
    shapes = set()
    for subject in (1, 2, 3):
        roi = mini_root / f"nsddata/ppdata/subj{subject:02d}/func1pt8mm/roi"
        general = nib.load(roi / "nsdgeneral.nii.gz")
        values = np.asarray(general.dataobj)
        shapes.add(values.shape)
        assert set(np.unique(values)) == {-1, 0, 1}
        assert len(set(values.shape)) == 3
        # the origin is the centre of the volume
        centre = general.affine @ [*((np.array(values.shape) - 1) / 2), 1]
        np.testing.assert_allclose(centre, [0, 0, 0, 1], atol=1e-5)
        sides = [
            np.asarray(nib.load(roi / f"{side}.prf-visualrois.nii.gz").dataobj)
            for side in ("lh", "rh")
        ]
        both = np.asarray(nib.load(roi / "prf-visualrois.nii.gz").dataobj)
        assert np.array_equal(np.maximum(*sides), both)
        assert not ((sides[0] > 0) & (sides[1] > 0)).any()
        with h5py.File(mini_root / BETAS.format(subject) / "betas_session01.hdf5") as file:
            betas = file["betas"]
            assert betas.dtype == np.int16
            assert betas.shape[:0:-1] == values.shape
            assert betas.chunks == (betas.shape[0], 1, 1, 1)
            brain = nib.load(roi.parent / "brainmask.nii.gz").get_fdata() > 0
            inside = betas[:].transpose(3, 2, 1, 0)
            assert not inside[~brain].any()
            # 300 x percent: hundreds of steps over the spread of a voxel, far from the limits
            spread = inside[values > 0].std(axis=1)
            assert spread.min() > 100
            assert abs(inside.astype(int)).max() < 30_000
    assert len(shapes) == 3


def test_annotations_are_coco(mini_root):
    folder = mini_root / "nsddata_stimuli/stimuli/nsd"
    stimuli = load("mini-fmri", mini_root).stimuli()
    with h5py.File(folder / "nsd_stimuli.hdf5") as file:
        assert file["imgBrick"].shape == (MINI.shared + 3 * MINI.images_per_subject, 32, 32, 3)
    content = json.loads((folder / "annotations/instances_val2017.json").read_text())
    for entry in content["annotations"]:
        x, y, width, height = entry["bbox"]
        assert x >= 0
        assert y >= 0
        assert x + width <= 32
        assert y + height <= 32
    assert all(len(captions) == 5 for captions in stimuli.captions)
    mains = zip(stimuli.captions, stimuli.boxes, strict=True)
    names = {"cup": "mug", "box": "crate", "house": "home"}
    for captions, found in mains:
        first = found[0]["category"]
        assert first in captions[0] or names.get(first, "?") in captions[0]


def test_a_seed_gives_the_same_bytes_whatever_the_processes(tmp_path):
    options = MiniOptions(n_subjects=2, images_per_subject=9, shared=3, repeats=2, image_size=16)
    one = digests(simulate(tmp_path / "one", options))
    assert digests(simulate(tmp_path / "two", options)) == one
    other = MiniOptions(
        n_subjects=2, images_per_subject=9, shared=3, repeats=2, image_size=16, seed=1
    )
    again = digests(simulate(tmp_path / "two", other))
    assert again.keys() == one.keys()
    same = [name for name in one if again[name] == one[name]]
    assert all(name.endswith((".ctab", "brainmask.nii.gz")) for name in same)


def test_ncsnr_is_known_exactly(rng):
    """NSD's own estimate from simulated betas agrees with what was put in."""
    anatomy = make_anatomy(3, stream(0, 1))
    known = make_reliability(anatomy, 2, 1.0, stream(0, 2))
    n_images, n_sessions = 300, 2
    signal = rng.standard_normal((n_images, anatomy.n_voxels))
    signal = (signal - signal.mean(axis=0)) / signal.std(axis=0)
    order = rng.permutation(np.repeat(np.arange(n_images), 3)).reshape(n_sessions, -1)
    z = []
    for session, shown in enumerate(order):
        betas = session_betas(signal[shown], session, known, rng)
        z.append((betas - betas.mean(axis=0)) / betas.std(axis=0, ddof=1))
    z, shown = np.concatenate(z), order.ravel()
    variance = np.mean([z[shown == image].var(axis=0, ddof=1) for image in range(n_images)], axis=0)
    estimate = np.sqrt(np.maximum(0, 1 - variance)) / np.sqrt(variance)
    assert np.corrcoef(estimate, known.ncsnr)[0, 1] > 0.9
    assert abs(np.median(estimate) / np.median(known.ncsnr) - 1) < 0.07
    np.testing.assert_allclose(known.signal_sd / known.noise_sd, known.ncsnr)


def test_median_ncsnr_is_the_published_one():
    draws = [
        make_reliability(make_anatomy(k, stream(k, 1)), 3, 1.0, stream(k, 2)).ncsnr
        for k in range(4)
    ]
    assert MEDIAN_NCSNR == 0.4
    assert abs(np.median(np.concatenate(draws)) / MEDIAN_NCSNR - 1) < 0.05


def test_noise_is_shared_by_neighbours_and_differs_between_sessions(rng):
    anatomy = make_anatomy(0, stream(0, 1))
    known = make_reliability(anatomy, 3, 1.0, stream(0, 2))
    blank = np.zeros((4000, anatomy.n_voxels))
    noise = session_betas(blank, 1, known, rng)
    correlation = np.corrcoef(noise.T)
    distance = np.linalg.norm(anatomy.xyz[:, None] - anatomy.xyz[None], axis=-1)
    near = correlation[(distance == 1)].mean()
    far = correlation[distance > 8].mean()
    assert near > 0.3
    assert abs(far) < 0.05
    assert len(set(np.round(known.level, 6))) == 3
    np.testing.assert_allclose(np.mean(known.level**2), 1)


def test_truth_tells_the_noise_free_response(mini_root):
    for subject in ("01", "03"):
        recording = load("mini-fmri", mini_root).recording(subject)
        with h5py.File(mini_root / "truth" / f"subj{subject}.h5") as truth:
            assert truth["signal"].shape == (N_IMAGES, recording.n_features)
            assert np.array_equal(truth["xyz"][:], recording.features["xyz"])
            ncsnr = truth["reliability/ncsnr"][:]
            np.testing.assert_allclose(ncsnr, recording.features["ncsnr"], rtol=1e-6)
            spread = truth["signal"][:].std(axis=0)
            np.testing.assert_allclose(spread, truth["reliability/signal_sd"], rtol=1e-3)
            names = {f"nsd-{row:05d}": k for k, row in enumerate(truth["image"][:].tolist())}
            stimuli = load("mini-fmri", mini_root).stimuli([subject])
            images = [names[stimuli.names[row]] for row in stimuli.rows(recording.stimulus_id)]
            # the best voxels' single trials follow the truth about as far as their ceiling
            best = np.argsort(ncsnr)[-30:]
            betas = recording.responses[:]
            z = np.concatenate(
                [
                    (betas[recording.session == k] - betas[recording.session == k].mean(axis=0))
                    for k in np.unique(recording.session)
                ]
            )
            found = [np.corrcoef(z[:, v], truth["signal"][:][images, v])[0, 1] for v in best]
        ceiling = np.sqrt(ncsnr[best] ** 2 / (ncsnr[best] ** 2 + 1))
        assert abs(np.mean(found) - ceiling.mean()) < 0.1


def test_early_voxels_see_the_place_they_look_at(rng):
    anatomy = make_anatomy(0, stream(0, 1))
    fields = make_fields(anatomy, stream(0, 3))
    v1 = np.flatnonzero((anatomy.area == "V1") & (fields.eccentricity < 3) & (fields.sigma < 0.8))
    blank = np.full((2, 64, 64, 3), 128, np.uint8)
    # one textured quarter to the upper right of fixation, one to the lower left
    blank[0, :32, 32:] = rng.integers(0, 256, (32, 32, 3))
    blank[1, 32:, :32] = rng.integers(0, 256, (32, 32, 3))
    upper_right, lower_left = early_responses(blank, fields)
    inside = v1[(fields.x[v1] > 0.5) & (fields.y[v1] > 0.5)]
    assert len(inside) > 2
    assert (upper_right[inside] > lower_left[inside]).all()
    left_brain = anatomy.position[:, 0] < 0
    assert (fields.x[left_brain] >= 0).all()  # sees the right half


def test_energy_prefers_the_grating_it_is_made_for():
    n = 64
    y, x = np.mgrid[:n, :n] / n
    for cycles_number, cycles in enumerate(CYCLES):
        for number, angle in enumerate(ORIENTATIONS):
            phase = 2 * np.pi * cycles * (x * np.cos(angle) + y * np.sin(angle))
            grating = np.repeat((127.5 + 100 * np.cos(phase))[..., None], 3, axis=2)
            maps = channel_maps(grating[None].astype(np.uint8))[0]
            assert maps.shape == (CHANNELS, 32 * 32)
            best = maps[: len(CYCLES) * len(ORIENTATIONS)].mean(axis=1).argmax()
            assert best == cycles_number * len(ORIENTATIONS) + number


def test_late_voxels_prefer_their_category_in_their_field():
    anatomy = make_anatomy(0, stream(0, 1))
    tuned = make_selectivity(anatomy, stream(0, 4))
    faces = anatomy.labels["floc-faces"] > 0

    def response(category: str, x: float) -> np.ndarray:
        item = SceneObject(category, "red", x, 0.5, 0.45)
        return late_responses([Scene((item,), "sky", 0)], tuned)[0]

    others = np.mean([response(name, 0.5) for name in ("box", "tree", "car", "fish")], axis=0)
    assert (response("face", 0.5) - others)[faces].mean() > 1
    left = anatomy.position[:, 0] < 0
    strength = [abs(response("face", x)[faces & left]).mean() for x in (0.1, 0.9)]
    assert strength[1] > strength[0]  # the left hemisphere cares about the right half


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"shared": 1}, "shared is 1; give at least 2"),
        ({"n_subjects": 0}, "n_subjects is 0"),
    ],
)
def test_impossible_worlds_are_refused(options, message):
    with pytest.raises(ConfigError, match=message):
        MiniOptions(**options)


def test_too_many_shared_pictures_do_not_fit():
    with pytest.raises(ConfigError, match="50 shared images do not fit"):
        make_plan(MiniOptions(shared=50, images_per_subject=8))


def test_a_folder_with_other_things_is_not_overwritten(tmp_path):
    (tmp_path / "thesis.txt").write_text("mine")
    with pytest.raises(ConfigError, match="is not empty and is not a miniature world"):
        simulate(tmp_path, MINI)
    assert [file.name for file in tmp_path.iterdir()] == ["thesis.txt"]


def test_disk_that_fills_up_midway_leaves_nothing_behind(tmp_path, monkeypatch):
    def full(*args: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("neurodecode.datasets.mini.simulate.write_ncsnr", full)
    options = MiniOptions(n_subjects=1, images_per_subject=9, shared=3, image_size=16)
    with pytest.raises(DataError, match=r"world: no space left on the disk; free some space"):
        simulate(tmp_path / "world", options)
    assert list(tmp_path.iterdir()) == []


def test_world_that_cannot_fit_is_refused_at_once(tmp_path):
    """A process that may not write files above 64 kB stands for a nearly full disk."""
    code = (
        "import resource, sys; resource.setrlimit(resource.RLIMIT_FSIZE, (65536, 65536));"
        "from neurodecode.cli import main; sys.exit(main(sys.argv[1:]))"
    )
    command = ["--quiet", "simulate", "--subjects", "1", "--images-per-subject", "30"]
    done = subprocess.run(
        [sys.executable, "-c", code, *command, "--shared", "4", "--out", str(tmp_path / "world")],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2, done.stderr
    assert done.stderr.strip().splitlines() == [
        f"neurodecode: error: file {tmp_path / 'world'}: no space left on the disk;"
        " free some space and run again"
    ]
    assert list(tmp_path.iterdir()) == []
