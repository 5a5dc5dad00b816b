from __future__ import annotations

import pickle

import numpy as np
import pytest

from neurodecode.errors import DataError
from neurodecode.recording import StimulusSet, content_id
from neurodecode.store import (
    Prediction,
    read_predictions,
    read_stimuli,
    write_predictions,
    write_stimuli,
)


@pytest.fixture
def stimuli(rng):
    images = rng.integers(0, 256, size=(7, 8, 9, 3), dtype=np.uint8)
    return StimulusSet(
        ids=[content_id(image) for image in images],
        images=images,
        captions=[[f"picture «{i}» <b>", "a thing"] for i in range(7)],
        categories=[f"kind {i % 3}" for i in range(7)],
        boxes=[[{"category": "ball", "bbox": [1, 2, 3, 4]}] * (i % 3) for i in range(7)],
        names=[f"image{i}.png" for i in range(7)],
    )


def test_stimuli_round_trip(tmp_path, stimuli):
    write_stimuli(tmp_path / "stimuli.h5", stimuli)
    found = read_stimuli(tmp_path / "stimuli.h5")
    for name in ("ids", "captions", "categories", "boxes", "names"):
        assert list(getattr(found, name)) == list(getattr(stimuli, name))
    np.testing.assert_array_equal(found.images[[5, 0, 5]], stimuli.images[[5, 0, 5]])
    np.testing.assert_array_equal(found.images[2:4], stimuli.images[2:4])
    np.testing.assert_array_equal(found.images[3], stimuli.images[3])
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(found)).images[:], stimuli.images)
    assert found.rows(found.ids[3:5]).tolist() == [3, 4]


def test_stimulus_without_image(stimuli):
    with pytest.raises(DataError, match="1 stimulus ids without an image, first: elsewhere"):
        stimuli.rows([stimuli.ids[0], "elsewhere"])


def test_content_decides_identity(rng):
    image = rng.integers(0, 256, size=(7, 8, 3), dtype=np.uint8)
    assert content_id(image) == content_id(image.copy())
    assert content_id(image) != content_id(image.transpose(1, 0, 2))
    assert content_id(image.reshape(8, 7, 3)) != content_id(image)


def test_predictions_round_trip(tmp_path, rng):
    predictions = [
        Prediction("01", ["a", "b"], {"tokens": rng.random((2, 7, 8))}, n_averaged=3.0, fold=0),
        Prediction("02", ["a"], {"scores": rng.random((1, 4))}, ["a", "c", "d", "e"], 1.0, 2),
    ]
    write_predictions(tmp_path / "p.h5", "ridge", predictions, {"selection_split": "validation"})
    found = read_predictions(tmp_path / "p.h5")
    assert (found.method, found.attrs) == ("ridge", {"selection_split": "validation"})
    for one, other in zip(found.predictions, predictions, strict=True):
        assert one.subject == other.subject
        assert list(one.stimulus_id) == list(other.stimulus_id)
        assert list(one.candidate_id) == list(other.candidate_id)
        assert (one.n_averaged, one.fold) == (other.n_averaged, other.fold)
        for name, values in other.arrays.items():
            np.testing.assert_array_equal(one.arrays[name], values)
