"""Banks from elsewhere: damaged or lying, they are refused; nothing is unpickled."""

from __future__ import annotations

import json
import pickle
import shutil

import numpy as np
import pytest
from bank_vectors import clustered

from neurodecode.banks import Bank, BankOptions, build_bank, search
from neurodecode.banks.sources import StoredEmbeddings
from neurodecode.errors import DataError

pytest.importorskip("faiss", reason="the extra `banks` is not installed")


@pytest.fixture(scope="module")
def built(stored, tmp_path_factory):
    source = StoredEmbeddings(stored, "tokens")
    options = BankOptions(index="ivfpq", n_bytes=4, n_lists=7)
    return build_bank(source, tmp_path_factory.mktemp("built") / "bank", options, quiet=True)


@pytest.fixture
def copy(built, tmp_path):
    return shutil.copytree(built.path, tmp_path / "bank")


class Bomb:
    def __reduce__(self):
        return (print, ("unpickled!",))


def seek(path):
    return search(Bank(path), clustered(np.random.default_rng(0), 2), 3)


@pytest.mark.parametrize("name", ["vectors.npy", "coarse.npy", "codebooks.npy", "sizes.npy"])
def test_pickled_arrays_are_refused_unread(copy, name, capfd):
    np.save(copy / name, np.array([Bomb()], dtype=object), allow_pickle=True)
    with pytest.raises(DataError, match=r"index is not readable|not an array"):
        seek(copy)
    (copy / name).write_bytes(pickle.dumps(Bomb()))
    with pytest.raises(DataError, match=r"index is not readable|not an array"):
        seek(copy)
    assert "unpickled" not in capfd.readouterr().out


def test_lists_that_do_not_fit_are_refused_before_faiss_sees_them(copy):
    sizes = np.load(copy / "sizes.npy")
    for wrong in (sizes[:-1], sizes.astype(np.int32), sizes + 1, np.r_[sizes[:-2], -1, 99_999]):
        np.save(copy / "sizes.npy", wrong)
        with pytest.raises(DataError, match="lists do not fit"):
            seek(copy)
    np.save(copy / "sizes.npy", sizes)
    content = (copy / "lists.bin").read_bytes()
    (copy / "lists.bin").write_bytes(content[:-1])
    with pytest.raises(DataError, match="lists do not fit"):
        seek(copy)
    # all rows point far outside of the bank
    (copy / "lists.bin").write_bytes(b"\x7f" * len(content))
    with pytest.raises(DataError, match=r"lists.bin: points to rows that do not exist"):
        seek(copy)


@pytest.mark.parametrize(
    ("name", "shape"), [("coarse.npy", (7, 27)), ("codebooks.npy", (4, 255, 7)),
                        ("codebooks.npy", (5, 256, 7)), ("coarse.npy", (28,))],
)  # fmt: skip
def test_centres_and_codebooks_of_other_shapes_are_refused(copy, name, shape):
    np.save(copy / name, np.zeros(shape, np.float32))
    with pytest.raises(DataError, match="centres and codebooks do not fit"):
        seek(copy)


def test_numbers_in_the_description_that_are_wrong_are_refused(copy):
    about = json.loads((copy / "bank.json").read_text())
    for change, problem in (
        ({"n": 9}, "not 9 x 28 numbers"),
        ({"dim": "x"}, "entry is missing or wrong"),
        ({"sha256": 3}, "entry is missing or wrong"),
        ({"version": 9}, "not a bank of version 1"),
    ):
        (copy / "bank.json").write_text(json.dumps(about | change))
        with pytest.raises(DataError, match=problem):
            seek(copy)


def test_check_names_the_file_that_changed(copy):
    Bank(copy).check()
    with open(copy / "vectors.npy", "r+b") as file:
        file.seek(5000)
        file.write(b"\x01\x02\x03")
    with pytest.raises(DataError, match=r"vectors.npy: has changed since the bank was built"):
        Bank(copy).check()
    about = json.loads((copy / "bank.json").read_text())
    about["sha256"] = {"../../secret": "00"}
    (copy / "bank.json").write_text(json.dumps(about))
    with pytest.raises(DataError, match="file is missing"):
        Bank(copy).check()
