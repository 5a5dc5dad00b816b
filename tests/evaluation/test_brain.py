"""Brain correlation: whose response, whose encoder, and who may not judge."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from neurodecode.cli import main
from neurodecode.embed.base import EMBEDDERS
from neurodecode.errors import DataError, LeakError
from neurodecode.evaluation.brain import BrainJudge
from neurodecode.loaders.table import TrialTable
from neurodecode.metrics.records import read_records
from neurodecode.recording import Recording, StimulusSet
from neurodecode.splits import Fold, Split, read_split, write_split
from neurodecode.store import (
    EmbeddingStore,
    Prediction,
    ResponseStore,
    write_predictions,
    write_stimuli,
)
from neurodecode.store.encoders import encoder_path, read_encoder

N_TRAIN, N_VALIDATION, N_TEST = 40, 5, 8
N = N_TRAIN + N_VALIDATION + N_TEST
IDS = [f"{number:032x}" for number in range(N)]
TEST = IDS[-N_TEST:]
VOXELS = {"a": 7, "b": 9, "c": 11}
#: The last subject was shown three of the test pictures.
SHOWN = {"a": IDS, "b": IDS, "c": IDS[: N - N_TEST + 3]}


class Quarters:
    """Stands for an embedder: mean colours of the halves of a picture."""

    name, provenance = "quarters", {"sha256": "1"}

    def encode_images(self, images):
        halves = np.stack([images[:, :4].mean(axis=(1, 2)), images[:, 4:].mean(axis=(1, 2))], 1)
        tokens = (halves / 255).astype(np.float32)
        return {"tokens": tokens, "pooled": tokens.reshape(len(images), -1)}


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Three subjects who answer linearly to the colours, their encoders, two drawn methods."""
    monkeypatch.setitem(EMBEDDERS, "quarters", lambda variant, download: Quarters())
    rng = np.random.default_rng(8)
    images = rng.integers(0, 256, (N, 1, 2, 3)).repeat(8, axis=1).repeat(5, axis=2)
    images[:, 4:] = rng.integers(0, 256, (N, 1, 1, 3))
    images = images.astype(np.uint8)
    stores = tmp_path / "stores" / "tiny"
    write_stimuli(stores / "stimuli.h5", StimulusSet(IDS, images))
    fold = Fold(tuple(IDS[:N_TRAIN]), tuple(IDS[N_TRAIN:-N_TEST]), tuple(TEST))
    write_split(stores / "splits.json", Split("shared-test", "stimulus", (fold,)))
    tokens = Quarters().encode_images(images)["tokens"]
    about = {"embedder": "quarters", "sha256": "1"}
    folder = tmp_path / "embeddings" / "tiny"
    store = EmbeddingStore.create(folder / "quarters.h5", IDS, {"tokens": (2, 3)}, about)
    store.write(np.arange(N), {"tokens": tokens})
    for subject, n_voxels in VOXELS.items():
        rows = np.repeat([IDS.index(name) for name in SHOWN[subject]], 2)
        clean = tokens.reshape(N, -1)[rows] @ rng.normal(size=(6, n_voxels))
        responses = clean + 0.2 * rng.normal(size=clean.shape)
        recording = Recording(
            subject=subject, modality="fmri", responses=responses.astype(np.float32),
            stimulus_id=np.array(IDS)[rows], session=np.ones(len(rows), int),
            run=np.ones(len(rows), int),
        )  # fmt: skip
        ResponseStore.write(stores / f"sub-{subject}.h5", recording, dataset="tiny")
    assert main([
        "encoder", "--stores", str(stores), "--splits", str(stores / "splits.json"), "--quiet",
        "--embeddings", str(folder / "quarters.h5"), "--components", "6", "--jobs", "1",
        "--out", str(tmp_path / "judge"),
    ]) == 0  # fmt: skip
    drawn = {"unguided": images[-N_TEST:][::-1], "guided": images[-N_TEST:]}
    for method, pictures in drawn.items():
        attrs = {"task": "reconstruction"}
        if method == "guided":
            attrs["guide"] = {"embedder": "gabor", "scale": 0.5}
        predictions = [Prediction(s, TEST, {"images": pictures}, n_averaged=2) for s in "ab"]
        write_predictions(tmp_path / f"{method}.h5", method, predictions, attrs)
    return tmp_path


@pytest.fixture
def judge(root: Path) -> BrainJudge:
    stores = root / "stores" / "tiny"
    return BrainJudge(root / "judge", stores, read_split(stores / "splits.json"))


def correlations(root: Path, subject: str, images: np.ndarray, ids: list[str]) -> list[float]:
    """By hand: numpy's correlation of predicted and measured response over voxels."""
    stores = root / "stores" / "tiny"
    encoder = read_encoder(encoder_path(root / "judge", subject))
    split, store = read_split(stores / "splits.json"), ResponseStore(stores / f"sub-{subject}.h5")
    known = TrialTable.load(store, split, 0, ("train",)).average("test")
    tokens = Quarters().encode_images(images)["tokens"]
    return [
        np.corrcoef(
            encoder.predict(tokens[row : row + 1])[0],
            known.responses[known.stimulus_id.tolist().index(name)],
        )[0, 1]
        for row, name in enumerate(ids)
    ]


def test_scores_are_correlations_over_voxels(root: Path, judge: BrainJudge, rng) -> None:
    images = rng.integers(0, 256, (N_TEST, 8, 10, 3), dtype=np.uint8)
    order = [3, 0, 7, 1, 2, 6, 5, 4]
    ids = [TEST[i] for i in order]
    own, others = judge.scores(Prediction("a", ids, {}, n_averaged=2), images, "drawn")
    assert (own.metric, own.method, own.n_averaged) == ("brain_correlation", "drawn", 2)
    np.testing.assert_allclose(own.values, correlations(root, "a", images, ids), atol=1e-5)
    # subject b saw all, subject c only the first three
    wanted = np.array(correlations(root, "b", images, ids))
    for row, name in enumerate(ids):
        if name in SHOWN["c"]:
            (value,) = correlations(root, "c", images[row : row + 1], [name])
            wanted[row] = (wanted[row] + value) / 2
    np.testing.assert_allclose(others.values, wanted, atol=1e-5)


def test_stimuli_that_nobody_else_saw_are_left_out(root: Path, judge: BrainJudge) -> None:
    for subject in "bc":
        encoder_path(root / "judge", subject).unlink()
    images = np.zeros((2, 8, 10, 3), np.uint8)
    (own,) = judge.scores(Prediction("a", TEST[:2], {}), images, "drawn")
    assert own.metric == "brain_correlation"


def test_a_guide_cannot_judge_its_own_pictures(judge: BrainJudge) -> None:
    judge.check({})
    judge.check({"guide": {"embedder": "gabor"}})
    with pytest.raises(DataError, match=r"guided by an encoder on quarters, which cannot judge"):
        judge.check({"guide": {"embedder": "quarters"}})


def test_encoder_of_another_fold_or_other_weights_is_refused(root: Path, judge) -> None:
    prediction, images = Prediction("a", TEST[:1], {}), np.zeros((1, 8, 10, 3), np.uint8)
    sides = judge.split.folds[0].sides()
    fold = Fold(sides["validation"], sides["train"], sides["test"])
    other = BrainJudge(judge.encoders, judge.stores, Split("shared-test", "stimulus", (fold,)))
    with pytest.raises(LeakError, match="another division"):
        other.scores(prediction, images, "drawn")
    Quarters.provenance = {"sha256": "2"}
    try:
        with pytest.raises(DataError, match="not fitted to what quarters gives now"):
            judge.scores(prediction, images, "drawn")
    finally:
        Quarters.provenance = {"sha256": "1"}


def evaluate(root: Path, *more: str) -> int:
    return main([
        "evaluate", "--profile", "tiny", "--dataset", "tiny", "--clip", "quarters", "--quiet",
        "--stores", str(root / "stores"), "--embeddings", str(root / "embeddings"),
        "--predictions", str(root / "unguided.h5"), str(root / "guided.h5"), *more,
        "--out", str(root / "report"),
    ])  # fmt: skip


def test_command_records_correlation_ceiling_and_difference(root: Path) -> None:
    assert evaluate(root, "--brain-encoders", str(root / "judge")) == 0
    records = read_records(root / "report" / "metrics.json")
    found = {(r.method, r.metric, r.subject): r for r in records}
    for metric in ("brain_correlation", "brain_correlation_others"):
        drawn, ceiling = (found[name, metric, "mean"] for name in ("guided", "true_pictures"))
        assert drawn.value == pytest.approx(ceiling.value)
        assert ceiling.value > 0.5
        assert found["unguided", metric, "mean"].value < ceiling.value
        assert drawn.extra["encoder"] == "quarters"
    table = (root / "report" / "tables" / "differences.csv").read_text()
    assert "guided,unguided,brain_correlation_others,mean" in table


def test_without_encoders_nothing_is_judged(root: Path) -> None:
    assert evaluate(root) == 0
    metrics = {r.metric for r in read_records(root / "report" / "metrics.json")}
    assert "pixcorr" in metrics
    assert not any("brain" in name for name in metrics)


def test_missing_encoders_end_in_one_line(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert evaluate(root, "--brain-encoders", str(root / "nothing")) == 2
    assert "nothing: no sub-*.h5 found; run `neurodecode encoder`" in capsys.readouterr().err
    assert not (root / "report").exists()
