"""V4 spike counts: pictures by content, counts as they are, broken archives."""

from __future__ import annotations

import pickle
import zipfile

import numpy as np
import pytest
from dataset_worlds import write_v4

from neurodecode.datasets import load
from neurodecode.errors import DataError


@pytest.fixture
def v4(tmp_path, rng):
    return tmp_path, write_v4(tmp_path, rng)


def test_counts_stay_counts_and_sessions_are_subjects(v4):
    root, counts = v4
    reader = load("v4", root)
    assert reader.subjects == ["190923", "201025"]
    for session, repeats, animal in (("190923", 14, "WE"), ("201025", 12, "PE")):
        recording = reader.recording(session)
        assert np.array_equal(recording.responses[:], counts[session].T)
        assert recording.n_averaged == repeats
        assert recording.info["animal"] == animal


def test_the_same_picture_is_one_stimulus_within_and_across_sessions(v4):
    root, _ = v4
    reader = load("v4", root)
    first, second = (reader.recording(session).stimulus_id.tolist() for session in reader.subjects)
    # zip members were written backwards: order is that of the names
    assert first[1] == first[4]
    assert first[3] == second[2]
    assert len(set(first + second)) == 11
    stimuli = reader.stimuli()
    assert len(stimuli) == 11
    assert stimuli.names[stimuli.rows([first[4]])[0]] == "190923/image0002.jpg"


def test_session_without_pictures_is_left_out(v4):
    root, _ = v4
    (root / "images" / "images_201025.zip").unlink()
    reader = load("v4", root)
    assert reader.subjects == ["190923"]
    with pytest.raises(DataError, match="subject 201025: unknown subject; known: 190923"):
        reader.recording("201025")


@pytest.mark.parametrize("missing", [2, 5])
def test_number_of_pictures_must_be_that_of_the_responses(v4, missing):
    root, counts = v4
    file = root / "responses_repeat_averaged" / "responses_190923.npy"
    np.save(file, counts["190923"][:, :missing])
    with pytest.raises(DataError, match=f"{missing} responses for 7 images in images_190923.zip"):
        load("v4", root).recording("190923")


def test_corrupt_jpeg_is_named(v4):
    root, _ = v4
    with zipfile.ZipFile(root / "images" / "images_190923.zip", "w") as archive:
        archive.writestr("a/image0001.jpg", b"\xff\xd8 this is not a picture")
    with pytest.raises(
        DataError, match=r"images_190923.zip, field a/image0001.jpg: image does not"
    ):
        load("v4", root).recording("190923")


def test_damaged_member_is_named(v4):
    root, _ = v4
    path = root / "images" / "images_190923.zip"
    with zipfile.ZipFile(path) as archive:
        offset = archive.getinfo("images_190923/image0003.jpg").header_offset
    content = bytearray(path.read_bytes())
    content[offset + 100 : offset + 140] = bytes(40)
    path.write_bytes(content)
    with pytest.raises(DataError, match=r"image0003.jpg: image cannot be read; download it again"):
        load("v4", root).recording("190923")


def test_truncated_archive_is_named(v4):
    root, _ = v4
    path = root / "images" / "images_190923.zip"
    path.write_bytes(path.read_bytes()[:-200])
    with pytest.raises(DataError, match=r"images_190923.zip: not a readable zip file"):
        load("v4", root).recording("190923")


def test_pickled_responses_are_refused(v4):
    root, counts = v4
    file = root / "responses_repeat_averaged" / "responses_190923.npy"
    np.save(file, np.array([{"counts": counts["190923"]}], dtype=object), allow_pickle=True)
    with pytest.raises(DataError, match=r"pickled Python objects, which can run code") as caught:
        load("v4", root).recording("190923")
    assert "\n" not in str(caught.value)
    file.write_bytes(pickle.dumps(counts))  # a bare pickle under the name .npy
    with pytest.raises(DataError, match="pickled Python objects"):
        load("v4", root).recording("190923")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (np.zeros(7), r"expected 2 axes of numbers, found shape \(7,\) of float64"),
        (np.full((3, 7), "x"), "expected 2 axes of numbers"),
    ],
)
def test_other_arrays_are_refused(v4, content, message):
    root, _ = v4
    np.save(root / "responses_repeat_averaged" / "responses_190923.npy", content)
    with pytest.raises(DataError, match=message):
        load("v4", root).recording("190923")


def test_truncated_responses_are_named(v4):
    root, _ = v4
    file = root / "responses_repeat_averaged" / "responses_190923.npy"
    file.write_bytes(file.read_bytes()[:-30])
    with pytest.raises(DataError, match=r"responses_190923.npy: file is truncated"):
        load("v4", root).recording("190923")
