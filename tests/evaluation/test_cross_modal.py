"""Retrieval across modalities: what is compared with what, and what a score means."""

from __future__ import annotations

import numpy as np
import pytest

from neurodecode.cli import main
from neurodecode.metrics.records import read_records
from neurodecode.recording import Recording
from neurodecode.splits import Fold, Split, write_split
from neurodecode.store import EmbeddingStore, Prediction, ResponseStore, write_predictions

N_TRAIN, N_TEST, SHAPE = 12, 7, (3, 4)
IDS = [f"{k:02d}" for k in range(N_TRAIN + 2 + N_TEST)]
TEST = IDS[N_TRAIN + 2 :]


def write_dataset(root, name: str, modality: str, rng, test=TEST) -> None:
    """A store (its modality is read), a split and the embedding that is decoded."""
    recording = Recording("x", modality, rng.normal(size=(N_TRAIN, 4)).astype(np.float32),
                          np.array(IDS[:N_TRAIN]), np.ones(N_TRAIN), np.ones(N_TRAIN))  # fmt: skip
    ResponseStore.write(root / "stores" / name / "sub-x.h5", recording, dataset=name)
    # a division taken over from a larger data set: a picture that nobody saw here, not embedded
    fold = Fold((*IDS[:N_TRAIN], "elsewhere"), tuple(IDS[N_TRAIN : N_TRAIN + 2]), tuple(test))
    write_split(root / "stores" / name / "splits.json", Split("kfold", "stimulus", (fold,)))
    path = root / "embeddings" / name / "tower.h5"
    store = EmbeddingStore.create(path, IDS, {"tokens": SHAPE})
    # all pictures have much in common
    values = 9 + np.random.default_rng(5).normal(size=(len(IDS), *SHAPE))
    store.write(np.arange(len(IDS)), {"tokens": values.astype(np.float32)})


def write_decoded(root, name: str, subjects: dict, method="joint", **more) -> str:
    path = root / f"{name}-{method}.h5"
    each = [
        Prediction(
            subject, names, {"tokens": values.astype(np.float32), **more}, TEST, n_averaged=averaged
        )
        for subject, (names, values, averaged) in subjects.items()
    ]
    write_predictions(path, method, each, {"embedding": "tower", "embedding_fingerprint": "f",
                                           "selection_split": "validation", "seed": 3})  # fmt: skip
    return str(path)


def truth(root, name: str) -> np.ndarray:
    return EmbeddingStore(root / "embeddings" / name / "tower.h5").read("tokens", TEST)


def evaluate(root, files: dict[str, list[str]]) -> int:
    words = ["evaluate", "--profile", "tiny", "--cross-modal", "--quiet", "--no-readout",
             "--stores", str(root / "stores"), "--embeddings", str(root / "embeddings"),
             "--out", str(root / "report")]  # fmt: skip
    for name, paths in files.items():
        words += ["--dataset", name, "--predictions", *paths]
    return main(words)


@pytest.fixture
def world(tmp_path, rng):
    write_dataset(tmp_path, "a", "eeg", rng)
    write_dataset(tmp_path, "b", "fmri", rng)
    return tmp_path


def test_each_looks_for_the_other(world, rng):
    true = truth(world, "a")
    # of EEG three single trials of each picture, of which one says another picture
    names = [name for name in TEST for _ in range(3)]
    wrong = np.roll(true, 1, axis=0)
    trials = np.stack([true, wrong, true], axis=1).reshape(-1, *SHAPE)
    # of two fMRI subjects one knows everything, one takes each picture for another
    eeg = write_decoded(world, "a", {"e": (names, trials, 1.0)})
    fmri = write_decoded(world, "b", {"p": (TEST, true, 4.0), "q": (TEST, wrong, 2.0)})
    assert evaluate(world, {"a": [eeg], "b": [fmri]}) == 0
    found = {(r.dataset, r.subject, r.metric): r
             for r in read_records(world / "report" / "metrics.json")
             if r.task == "cross_modal"}  # fmt: skip
    record = found["a", "e", "retrieval_top1"]
    # two of three trials find p's; one of three agrees with q's error
    assert record.value == pytest.approx((2 / 3 + 1 / 3) / 2)
    assert (record.n, record.n_candidates) == (N_TEST, N_TEST)
    assert record.chance == pytest.approx(1 / N_TEST)
    assert (record.method, record.n_averaged) == ("joint>fmri", 1.0)
    assert record.extra == {"candidates": "fmri", "candidates_dataset": "b",
                            "candidates_n_averaged": 3.0}  # fmt: skip
    assert record.ci_low <= record.value <= record.ci_high
    # the other way round: the mean of a picture's trials still says the right one
    assert found["b", "p", "retrieval_top1"].value == 1
    assert found["b", "q", "retrieval_top1"].value == 0
    assert found["b", "mean", "retrieval_top1"].value == 0.5
    assert found["b", "mean", "two_way"].chance == 0.5
    assert found["b", "p", "retrieval_top5"].chance == pytest.approx(5 / N_TEST)


def test_what_all_pictures_share_is_no_evidence(world, rng):
    """Shrunk predictions are nearly the mean picture, and still differ the right way."""
    true = truth(world, "a")
    mean = EmbeddingStore(world / "embeddings" / "a" / "tower.h5").read("tokens", IDS[:N_TRAIN])
    # by how much differs between pictures and modalities: a plain cosine would rank by that
    files = {}
    for name, shrink in {
        "a": np.linspace(0.01, 0.5, N_TEST),
        "b": np.linspace(0.5, 0.01, N_TEST),
    }.items():
        shrunk = mean.mean(axis=0) + shrink[:, None, None] * (true - mean.mean(axis=0))
        own = {"scores": np.eye(N_TEST, dtype=np.float32)}
        files[name] = [write_decoded(world, name, {"s": (TEST, shrunk, 1.0)}, **own)]
    assert evaluate(world, files) == 0
    records = read_records(world / "report" / "metrics.json")
    values = [r.value for r in records if (r.task, r.metric) == ("cross_modal", "retrieval_top1")]
    assert values == [1, 1]
    # a decoder that ranks by plain cosines is taken at its word
    files = {name: [write_decoded(world, name, {"s": (TEST, 9 + 0 * true + (name == "b"), 1.0)})]
             for name in "ab"}  # fmt: skip
    assert evaluate(world, files) == 0
    records = read_records(world / "report" / "metrics.json")
    values = [r.value for r in records if (r.task, r.metric) == ("cross_modal", "retrieval_top1")]
    assert values == pytest.approx([1 / N_TEST] * 2)


def test_subjects_of_one_method_may_lie_in_several_files(world):
    true = truth(world, "a")
    wrong = np.roll(true, 1, axis=0)
    first = write_decoded(world, "a", {"e": (TEST, true, 1.0)})
    second = world / "more.h5"
    write_decoded(world, "a", {"f": (TEST, wrong, 1.0)})
    (world / "a-joint.h5").rename(second)
    write_decoded(world, "a", {"e": (TEST, true, 1.0)})
    fmri = write_decoded(world, "b", {"p": (TEST, true, 4.0)})
    assert evaluate(world, {"a": [first, str(second)], "b": [fmri]}) == 0
    found = {(r.dataset, r.subject): r.value
             for r in read_records(world / "report" / "metrics.json")
             if (r.task, r.metric) == ("cross_modal", "retrieval_top1")}  # fmt: skip
    assert found == {("a", "e"): 1, ("a", "f"): 0, ("a", "mean"): 0.5, ("b", "p"): 0.5}


def test_methods_are_not_mixed(world, capsys):
    true = truth(world, "a")
    files = {name: [write_decoded(world, name, {"s": (TEST, true, 1.0)}, method=f"m{name}")]
             for name in "ab"}  # fmt: skip
    assert evaluate(world, files) == 2
    assert "no method decoded the same embedding from two" in capsys.readouterr().err
    assert not (world / "report").exists()


def test_other_test_pictures_cannot_be_looked_for(world, rng, capsys):
    write_dataset(world, "c", "meg", rng, test=IDS[N_TRAIN + 2 : N_TRAIN + 3])
    true = truth(world, "a")
    eeg = write_decoded(world, "a", {"s": (TEST, true, 1.0)})
    meg = write_decoded(world, "c", {"s": (TEST[:1], true[:1], 1.0)})
    assert evaluate(world, {"a": [eeg], "c": [meg]}) == 2
    assert "a and c have 1 test stimuli in common" in capsys.readouterr().err
