"""What is found in a bank, against a plain sort of all cosines."""

from __future__ import annotations

import numpy as np
import pytest
from bank_vectors import DIM, clustered

from neurodecode.banks import BankOptions, build_bank, search
from neurodecode.banks.build import _Build
from neurodecode.banks.ivfpq import IvfPq
from neurodecode.banks.sources import StoredEmbeddings
from neurodecode.errors import ConfigError, DataError

pytest.importorskip("faiss", reason="the extra `banks` is not installed")


def sorted_cosines(stored, queries: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    values = StoredEmbeddings(stored, "tokens").read(0, 10_500).reshape(-1, DIM).astype(float)
    values /= np.linalg.norm(values, axis=1, keepdims=True)
    units = queries / np.linalg.norm(queries, axis=1, keepdims=True)
    cosines = units.astype(float) @ values.T
    order = np.argsort(-cosines, axis=1)
    return np.take_along_axis(cosines, order, 1), order


@pytest.fixture(scope="module")
def banks(stored, tmp_path_factory):
    root = tmp_path_factory.mktemp("banks")
    source = StoredEmbeddings(stored, "tokens")
    made = {}
    for index, dtype in (("flat", "float32"), ("flat", "float16"), ("ivfpq", "float16")):
        options = BankOptions(index=index, dtype=dtype, n_bytes=7, n_lists=31, block=1700)
        made[index, dtype] = build_bank(source, root / f"{index}-{dtype}", options, quiet=True)
    return made


def test_a_flat_bank_finds_what_a_sort_finds(banks, stored, rng, monkeypatch):
    monkeypatch.setattr("neurodecode.banks.searcher._BLOCK", 999)
    monkeypatch.setattr("neurodecode.banks.searcher._QUERIES", 4)
    queries = clustered(rng, 9)
    cosines, rows = sorted_cosines(stored, queries)
    found, where = search(banks["flat", "float32"], queries, 11)
    np.testing.assert_array_equal(where, rows[:, :11])
    np.testing.assert_allclose(found, cosines[:, :11], atol=1e-6)
    half, _ = search(banks["flat", "float16"], queries, 11)
    np.testing.assert_allclose(half, cosines[:, :11], atol=5e-4)


def test_an_approximate_bank_finds_most_and_scores_exactly(banks, stored, rng):
    bank, queries = banks["ivfpq", "float16"], clustered(rng, 40)
    cosines, rows = sorted_cosines(stored, queries)

    def recall(found: np.ndarray) -> float:
        return np.mean([len(set(a) & set(b)) / 10 for a, b in zip(found, rows[:, :10])])

    values, some = search(bank, queries, 10, n_probe=8, refine=10)
    assert recall(some) > 0.9
    by_row = np.take_along_axis(cosines, np.argsort(rows, axis=1), 1)
    np.testing.assert_allclose(values, np.take_along_axis(by_row, some, 1), atol=5e-4)
    assert (np.diff(values, axis=1) <= 0).all()
    # all lists, and every vector compared: nothing is approximate any more
    _, all_of_them = search(bank, queries, 10, n_probe=31, refine=1050)
    assert recall(all_of_them) > 0.99
    _, codes_alone = search(bank, queries, 10, n_probe=8, refine=0)
    assert recall(codes_alone) < recall(some)


def test_fewer_than_k_in_the_lists_looked_through(banks, rng):
    values, rows = search(banks["ivfpq", "float16"], clustered(rng, 3), 3000, n_probe=1, refine=1)
    assert (rows[:, -1] == -1).all()
    assert (values[rows < 0] == -np.inf).all()


def test_mapped_lists_search_as_faiss_does(banks, stored, rng):
    import faiss

    bank = banks["ivfpq", "float16"]
    parts = IvfPq.load(bank.path)
    index = faiss.IndexIVFPQ(parts._quantizer, DIM, 31, 7, 8, faiss.METRIC_INNER_PRODUCT)
    faiss.copy_array_to_vector(parts.codebooks.ravel(), index.pq.centroids)
    index.is_trained = True
    index.add(np.array(bank.vectors, dtype=np.float32))
    index.nprobe = 5
    queries = clustered(rng, 9)
    queries /= np.linalg.norm(queries, axis=1, keepdims=True)
    values, rows = index.search(queries, 10)
    ours, where = search(bank, queries, 10, n_probe=5, refine=0)
    np.testing.assert_allclose(ours, values, atol=1e-6)
    assert (where == rows).mean() > 0.95  # codes that tie come in either order


@pytest.mark.parametrize(("index", "calls"), [("flat", 3), ("ivfpq", 3), ("ivfpq", 9)])
def test_an_interrupted_build_ends_with_the_same_bytes(stored, tmp_path, monkeypatch, index, calls):
    source = StoredEmbeddings(stored, "tokens")
    options = BankOptions(index=index, n_bytes=4, n_lists=7, block=1700)
    build_bank(source, tmp_path / "whole", options, quiet=True)
    left = calls
    plain = _Build._blocks

    def stopping(self, name, quiet, work):
        def once(start, stop):
            nonlocal left
            if not left:
                raise KeyboardInterrupt
            left -= 1
            work(start, stop)

        plain(self, name, quiet, once)

    with monkeypatch.context() as patch:
        patch.setattr(_Build, "_blocks", stopping)
        with pytest.raises(KeyboardInterrupt):
            build_bank(source, tmp_path / "parts", options, quiet=True)
    assert not (tmp_path / "parts").exists()
    read: list[int] = []
    monkeypatch.setattr(
        StoredEmbeddings,
        "read",
        lambda self, a, b, old=StoredEmbeddings.read: (read.append(a), old(self, a, b))[1],
    )
    build_bank(source, tmp_path / "parts", options, quiet=True)
    # one row tells the dimension; of the vectors only those that were missing are read
    assert read == [0, *range(1700 * calls, 10_500, 1700)]
    names = sorted(path.name for path in (tmp_path / "whole").iterdir())
    assert sorted(path.name for path in (tmp_path / "parts").iterdir()) == names
    for name in names:
        assert (tmp_path / "parts" / name).read_bytes() == (tmp_path / "whole" / name).read_bytes()


def test_what_cannot_be_built_or_sought_is_said(banks, stored, tmp_path, rng):
    bank, source = banks["flat", "float32"], StoredEmbeddings(stored, "tokens")
    with pytest.raises(DataError, match="another bank is here"):
        build_bank(source, bank.path, BankOptions(seed=1))
    with pytest.raises(ConfigError, match="--bytes 5 does not divide the dimension 28"):
        build_bank(source, tmp_path / "b", BankOptions(index="ivfpq", n_bytes=5), quiet=True)
    with pytest.raises(ConfigError, match=r"at least 9984 vectors, here are 500"):
        build_bank(source, tmp_path / "c", BankOptions(index="ivfpq", n_train=500), quiet=True)
    with pytest.raises(DataError, match="embeddings of 27 numbers, the bank has 28"):
        search(bank, clustered(rng, 2, 27), 3)
    with pytest.raises(DataError, match="zero or not finite"):
        search(bank, np.zeros((2, DIM)), 3)
    with pytest.raises(ConfigError, match="--top is 10501; the bank holds 10500"):
        search(bank, clustered(rng, 2), 10_501)
    source.read = lambda start, stop: np.where(np.arange(start, stop) == 1701, 0.0, 1.0)[:, None]
    with pytest.raises(DataError, match="the embedding of s01701 is zero"):
        build_bank(source, tmp_path / "d", quiet=True)
    assert not list(tmp_path.glob("[bcd]"))
