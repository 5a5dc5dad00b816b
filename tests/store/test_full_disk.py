"""A full disk, a quota, a limit on the size of files: one line, and nothing half-written."""

from __future__ import annotations

import errno
from types import SimpleNamespace

import numpy as np
import pytest

from neurodecode.errors import DataError
from neurodecode.files import atomic_path, write_json
from neurodecode.store import EmbeddingStore, Prediction, write_predictions

FULL = r"\.h5: no space left on the disk; free some space"
IDS = ["a", "b", "c"]


def predictions(width):
    return [Prediction("01", IDS, {"tokens": np.ones((3, width)), "latent": np.zeros((3, 5))})]


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EDQUOT, errno.EFBIG])
def test_every_kind_of_full_is_named(tmp_path, code):
    def write_half():
        with atomic_path(tmp_path / "a.txt") as temporary:
            temporary.write_text("half")
            raise OSError(code, "as the system says")

    with pytest.raises(DataError, match=r"a\.txt: no space left on the disk"):
        write_half()
    assert list(tmp_path.iterdir()) == []


def test_other_trouble_is_not_taken_for_a_full_disk(tmp_path):
    with pytest.raises(OSError, match="I/O error"), atomic_path(tmp_path / "a.txt"):
        raise OSError(errno.EIO, "I/O error")


def test_text_beyond_the_limit_of_the_system(tmp_path, limit_files):
    limit_files(65536)
    write_json(tmp_path / "small.json", [0] * 9)
    with pytest.raises(DataError, match=r"large\.json: no space left on the disk"):
        write_json(tmp_path / "large.json", [0] * 70_000)
    assert [path.name for path in tmp_path.iterdir()] == ["small.json"]


@pytest.mark.usefixtures("full_disk")
def test_predictions_that_cannot_fit_are_refused_before_writing(tmp_path):
    with pytest.raises(DataError, match=FULL):
        write_predictions(tmp_path / "p.h5", "ridge", predictions(7))
    assert list(tmp_path.iterdir()) == []


def test_predictions_beyond_the_limit_keep_the_old_file(tmp_path, limit_files):
    limit_files(65536)
    write_predictions(tmp_path / "p.h5", "ridge", predictions(7))
    old = (tmp_path / "p.h5").read_bytes()
    with pytest.raises(DataError, match=FULL):
        write_predictions(tmp_path / "p.h5", "ridge", predictions(7000))
    assert (tmp_path / "p.h5").read_bytes() == old
    assert len(list(tmp_path.iterdir())) == 1


def test_embeddings_that_cannot_fit_are_refused_before_the_first_row(tmp_path, limit_files):
    limit_files(65536)
    with pytest.raises(DataError, match=FULL):
        EmbeddingStore.create(tmp_path / "e.h5", IDS, {"tokens": (70, 90)})
    assert list(tmp_path.iterdir()) == []


def test_embeddings_keep_their_rows_if_the_disk_fills_up_later(tmp_path, monkeypatch):
    store = EmbeddingStore.create(tmp_path / "e.h5", IDS, {"tokens": (7, 8)})
    store.write([0], {"tokens": np.ones((1, 7, 8))})
    with monkeypatch.context() as patch:
        patch.setattr("shutil.disk_usage", lambda folder: SimpleNamespace(free=100))
        with pytest.raises(DataError, match=FULL):
            store.write([1, 2], {"tokens": np.ones((2, 7, 8))})
    assert store.missing().tolist() == [1, 2]
    store.write([1, 2], {"tokens": np.ones((2, 7, 8))})
    assert store.read("tokens").sum() == 3 * 7 * 8
