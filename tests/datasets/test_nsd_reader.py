"""NSD's layout, to the key and axis order, against files written without the reader's code."""

from __future__ import annotations

import h5py
import numpy as np
import pytest
from dataset_worlds import NsdWorld, write_nsd, write_rows
from scipy.io import loadmat, savemat

from neurodecode.datasets import load
from neurodecode.datasets.nsd.design import run_lengths
from neurodecode.datasets.sessions import Part, Sessions
from neurodecode.errors import DataError
from neurodecode.recording import content_id


@pytest.fixture
def nsd(tmp_path, rng) -> NsdWorld:
    return write_nsd(tmp_path, rng)


@pytest.mark.parametrize("form", ["hdf5", "nifti", "other chunks"])
def test_betas_are_masked_and_in_percent(tmp_path, rng, form):
    nsd = write_nsd(tmp_path, rng, form=form)
    recording = load("nsd", tmp_path).recording("02")
    xyz = recording.features["xyz"]
    # -1 (other hemisphere) and 0 (no label) are not in the mask
    assert np.array_equal(xyz, np.argwhere(nsd.general == 1))
    expected = np.concatenate(
        [[betas[:, z, y, x] for x, y, z in xyz.tolist()] for betas in nsd.betas.values()], axis=1
    ).T
    found = recording.responses[:]
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, expected / 300, rtol=1e-6)


def test_trials_get_the_picture_session_and_run_of_the_design(nsd):
    recording = load("nsd", nsd.root).recording("02")
    # 10k id (from 1) -> 73k id (from 1) -> row of imgBrick (from 0)
    rows = nsd.subjectim[1, nsd.order - 1] - 1
    assert list(recording.stimulus_id) == [content_id(nsd.images[row]) for row in rows]
    assert recording.session.tolist() == [1] * 7 + [2] * 7 + [3] * 7
    assert recording.run.tolist() == [1, 1, 1, 1, 2, 2, 2] * 3


def test_missing_session_is_left_out_and_the_others_keep_their_pictures(nsd):
    everything = load("nsd", nsd.root).recording("02")
    responses = everything.responses[:]
    (nsd.folder / "betas_session02.hdf5").unlink()
    recording = load("nsd", nsd.root).recording("02")
    kept = everything.session != 2
    assert recording.session.tolist() == [1] * 7 + [3] * 7
    assert list(recording.stimulus_id) == list(everything.stimulus_id[kept])
    assert np.array_equal(recording.responses[:], responses[kept])


def test_without_responses_tsv_a_session_has_750_trials_in_12_runs(nsd, rng):
    (nsd.root / "nsddata/ppdata/subj02/behav/responses.tsv").unlink()
    path = nsd.root / "nsddata/experiments/nsd/nsd_expdesign.mat"
    design = {key: value for key, value in loadmat(path).items() if key[0] != "_"}
    order = rng.integers(1, 7, 1500)
    savemat(path, {**design, "masterordering": order[None].astype(float)})
    for number in (1, 2, 3):
        (nsd.folder / f"betas_session{number:02d}.hdf5").unlink()
    with h5py.File(nsd.folder / "betas_session02.hdf5", "w") as file:
        file["betas"] = rng.integers(-9, 9, (750, 3, 4, 5), dtype=np.int16)
    recording = load("nsd", nsd.root).recording("02")
    assert np.bincount(recording.run).tolist() == [0, *[63, 62] * 6]
    assert set(recording.session) == {2}
    rows = nsd.subjectim[1, order[750:] - 1] - 1
    assert list(recording.stimulus_id) == [content_id(nsd.images[row]) for row in rows]


@pytest.mark.parametrize(("n", "lengths"), [(750, [63, 62] * 6), (14, [2, 1, 2] + [1] * 9)])
def test_run_lengths(n, lengths):
    assert run_lengths(n).tolist() == lengths


def test_labels_come_from_the_table_or_from_the_manual(nsd):
    features = load("nsd", nsd.root).recording("02").features
    xyz = tuple(features["xyz"].T)
    areas = (np.arange(60).reshape(5, 4, 3) % 9 - 1)[xyz]
    names = np.array(["", "V1v", "V1d", "V2v", "V2d", "V3v", "V3d", "hV4"])
    assert features["prf-visualrois"].tolist() == names[np.maximum(areas, 0)].tolist()
    assert set(features["floc-faces"]) == {"", "there"}  # the colour table wins over the manual
    expected = np.where(areas > 0, names[np.maximum(areas, 0)], features["floc-faces"])
    assert features["roi"].tolist() == expected.tolist()
    assert features["ncsnr"].shape == areas.shape


def test_the_same_picture_under_two_ids_is_one_stimulus(nsd):
    reader = load("nsd", nsd.root)
    stimuli = reader.stimuli()
    shown = set((nsd.subjectim[1, np.unique(nsd.order) - 1] - 1).tolist())
    assert {3, 8} <= shown  # written with the same pixels
    assert len(stimuli) == len(shown) - 1
    assert list(stimuli.names) == [f"nsd-{row:05d}" for row in sorted(shown - {8})]
    assert set(reader.test_stimuli()) == {content_id(nsd.images[row]) for row in (1, 4)}


def test_captions_and_boxes_are_those_of_the_cropped_picture(nsd):
    stimuli = load("nsd", nsd.root).stimuli()
    # NSD cuts COCO's 200 x 100 to columns 20..120 and rows 0..50, then resizes to 20 x 20
    row = [int(name[4:]) for name in stimuli.names].index(4)
    assert stimuli.captions[row] == ["scene 4"]
    assert list(stimuli.boxes[row]) == [
        {"category": "cat", "bbox": [2.0, 4.0, 4.0, 8.0]},
        {"category": "stop sign", "bbox": [16.0, 10.0, 4.0, 10.0]},
    ]
    assert stimuli.categories[row] == "stop sign"


def test_pictures_can_be_resized_and_keep_their_ids(nsd):
    small = load("nsd", nsd.root, image_size="8").stimuli()
    full = load("nsd", nsd.root).stimuli()
    assert small.images.shape == (len(full), 8, 8, 3)
    assert small.images[1:3].shape == (2, 8, 8, 3)
    assert small.ids == full.ids
    assert small.boxes[0][0]["bbox"] == [0.8, 1.6, 1.6, 3.2]


def test_without_annotations_there_are_no_captions(nsd):
    for file in (nsd.root / "nsddata_stimuli/stimuli/nsd/annotations").iterdir():
        file.unlink()
    stimuli = load("nsd", nsd.root).stimuli()
    assert stimuli.captions is None
    assert stimuli.boxes is None


def test_one_session_is_in_memory_at_a_time():
    reads = []

    def read(number: int) -> np.ndarray:
        reads.append(number)
        return np.full((4, 3), 30 * number, np.int16)

    sessions = Sessions([Part(4, lambda n=n: read(n)) for n in range(3)], 3, scale=30)
    assert reads == []
    assert sessions[2:6][:, 0].tolist() == [0, 0, 1, 1]
    assert sessions[6:12][:, 1].tolist() == [1, 1, 2, 2, 2, 2]
    assert reads == [0, 1, 2]  # in order, each file once
    assert sessions[[9, 0]].shape == (2, 3)
    assert sessions[11].tolist() == [2, 2, 2]
    assert reads == [0, 1, 2, 0, 2]


@pytest.mark.parametrize("form", ["nifti", "hdf5"])
def test_truncated_betas_are_named_when_they_are_read(tmp_path, rng, form):
    nsd = write_nsd(tmp_path, rng, form=form)
    suffix = ".nii.gz" if form == "nifti" else ".hdf5"
    path = nsd.folder / f"betas_session03{suffix}"
    path.write_bytes(path.read_bytes()[:-40])
    with pytest.raises(DataError, match=r"betas_session03.*truncated"):
        load("nsd", nsd.root).recording("02").responses[:]


def test_subject_that_the_design_does_not_know(nsd):
    path = nsd.root / "nsddata/experiments/nsd/nsd_expdesign.mat"
    design = {key: value for key, value in loadmat(path).items() if key[0] != "_"}
    savemat(path, {**design, "subjectim": nsd.subjectim[:1].astype(float)})
    with pytest.raises(DataError, match="subject 02, field subjectim: 1 subjects in the design"):
        load("nsd", nsd.root).recording("02")


def test_annotation_of_an_unknown_picture_is_refused(nsd):
    header = ["", "cocoId", "cocoSplit", "cropBox", "nsdId"]
    path = nsd.root / "nsddata/experiments/nsd/nsd_stim_info_merged.csv"
    rows = [(k, 700 + k, "train2017", "whole", k) for k in range(10)]
    write_rows(path, header, rows, sep=",")
    with pytest.raises(DataError, match="cropBox 'whole' is unknown"):
        load("nsd", nsd.root).stimuli()
    write_rows(path, header, rows[:2], sep=",")
    with pytest.raises(DataError, match=r"field nsdId: picture \d is not listed"):
        load("nsd", nsd.root).stimuli()
