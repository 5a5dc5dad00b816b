"""Paired differences: which items pair, which way round, and how sure."""

from __future__ import annotations

import numpy as np
import pytest

from neurodecode.analysis.tables import DIFFERENCES, read_table
from neurodecode.cli import main
from neurodecode.evaluation.differences import paired_differences
from neurodecode.evaluation.items import Scores, items_frame, per_item, subject_tables
from neurodecode.store import Prediction, write_predictions

IDS = list("abcdefg")


def scores(method, subject, values, ids=None, metric="retrieval_top1", fold=0):
    values = np.asarray(values, dtype=float)
    ids = IDS[: len(values)] if ids is None else ids
    return Scores(subject, "identification", method, metric, fold, ids, values, 0.1, 10, 3.0)


def compare(*found, leave_out=()):
    table = paired_differences(items_frame(found, "tiny"), leave_out)
    return {(row.method, row.baseline, row.metric, row.subject): row for row in table.itertuples()}


def test_a_case_worked_by_hand():
    found = compare(
        scores("ridge", "01", [1, 0, 0, 0]), scores("ridge", "02", [1, 0, 1, 0]),
        scores("decoder", "01", [1, 1, 0, 1]), scores("decoder", "02", [0, 0, 1, 0]),
    )  # fmt: skip
    # the first that was given is the baseline
    assert {key[:2] for key in found} == {("decoder", "ridge")}
    got = {key[3]: (row.difference, row.n) for key, row in found.items()}
    assert got == {"01": (0.5, 4), "02": (-0.25, 4), "mean": (0.125, 8)}


def test_items_are_paired_by_stimulus_and_not_by_row():
    values = [1, 0, 1, 1, 0]
    turned = [4, 2, 0, 1, 3]
    other = scores("m", "01", np.array(values)[turned], [IDS[row] for row in turned])
    row = compare(scores("b", "01", values), other)["m", "b", "retrieval_top1", "01"]
    # the same answer to every item: no difference in any resample
    assert (row.difference, row.ci_low, row.ci_high) == (0, 0, 0)


def test_pairing_makes_the_interval_narrow(rng):
    hard = rng.random(83)
    first, second = scores("b", "01", hard, range(83)), scores("m", "01", hard + 0.1, range(83))
    row = compare(first, second)["m", "b", "retrieval_top1", "01"]
    assert (row.difference, row.ci_low, row.ci_high) == pytest.approx((0.1, 0.1, 0.1))


def test_subjects_who_saw_the_same_are_resampled_together(rng):
    n, m = 9, 60
    gain = rng.integers(0, 2, m).astype(float)
    zero, names = np.zeros(m), [f"{i:02d}" for i in range(n)]
    ids = [f"x{i:02d}" for i in range(m)]
    together = compare(
        *[scores("b", name, zero, ids) for name in names],
        *[scores("m", name, gain, ids) for name in names],
    )["m", "b", "retrieval_top1", "mean"]
    own = {name: [f"{name}{item}" for item in ids] for name in names}
    apart = compare(
        *[scores("b", name, zero, own[name]) for name in names],
        *[scores("m", name, gain, own[name]) for name in names],
    )["m", "b", "retrieval_top1", "mean"]
    # nine times the same luck against nine independent draws: a third of the width
    wide, narrow = (row.ci_high - row.ci_low for row in (together, apart))
    assert narrow == pytest.approx(wide / 3, rel=0.2)


def test_only_what_pairs_is_compared():
    found = compare(
        scores("b", "01", [1, 0, 0]), scores("b", "02", [1, 1, 0]), scores("b", "03", [0, 0, 0]),
        scores("m", "01", [0, 1, 0]), scores("m", "02", [1, 1], ["a", "c"]),
        scores("m", "03", [1, 0, 0], fold=1),
        scores("far", "01", [1], ["z"]),
        scores("b", "01", [7, 8, 9], metric="median_rank"),
        scores("m", "01", [1, 2, 3], metric="median_rank"),
    )  # fmt: skip
    # one subject is left: no mean of it; ranks are no shares
    assert set(found) == {("m", "b", "retrieval_top1", "01")}


def test_every_pair_once_and_some_left_out():
    given = [scores(name, "01", [1, 0, 1]) for name in ("z", "y+csls", "x", "true_pictures", "w")]
    found = compare(*given, leave_out=["y+csls", "true_pictures"])
    assert {key[:2] for key in found} == {("x", "z"), ("w", "z"), ("w", "x")}


def test_nothing_to_compare_has_the_columns_all_the_same():
    table = paired_differences(items_frame([scores("m", "01", [1, 0])], "tiny"))
    assert len(table) == 0
    assert list(table.columns) == list(DIFFERENCES)


def test_single_item_has_no_interval():
    row = compare(scores("b", "01", [0]), scores("m", "01", [1]))["m", "b", "retrieval_top1", "01"]
    assert (row.difference, row.n) == (1, 1)
    assert row.ci_low is None or np.isnan(row.ci_low)


def test_layout_for_the_bootstrap():
    frame = items_frame([scores("m", "02", [1, 0, 1]), scores("m", "01", [0, 0, 1])], "tiny")
    np.testing.assert_array_equal(per_item(subject_tables(frame)), [[0, 0, 1], [1, 0, 1]])
    frame.loc[0, "stimulus_id"] = "other"
    assert {name: list(v) for name, v in per_item(subject_tables(frame)).items()} == {
        "01": [0, 0, 1], "02": [0, 1, 1],
    }  # fmt: skip


def test_command_writes_the_table_without_transductive_methods(tmp_path):
    right = np.eye(5)
    files = []
    for method, matrix in (("ridge", np.roll(right, 1, axis=1)), ("decoder", right)):
        each = Prediction("01", IDS[:5], {"scores": matrix}, IDS[:5])
        made = {"task": "identification", "scale": "cosine"}
        files.append(tmp_path / f"{method}.h5")
        write_predictions(files[-1], method, [each], made)
    code = main(["evaluate", "--profile", "p", "--dataset", "tiny", "--predictions",
                 *map(str, files), "--matching", "csls", "--out", str(tmp_path),
                 "--quiet"])  # fmt: skip
    assert code == 0
    table = read_table(tmp_path / "tables" / "differences.csv", DIFFERENCES)
    assert list(table.columns) == list(DIFFERENCES)
    assert set(zip(table["method"], table["baseline"], strict=True)) == {("decoder", "ridge")}
    top1 = table[table["metric"] == "retrieval_top1"].iloc[0]
    assert (top1["subject"], top1["difference"], top1["n"]) == ("01", 1, 5)
    # ridge: a wrong candidate is first, the truth ties with the other three: 3 x 1/2 of 4
    assert table.set_index("metric").loc["two_way", "difference"] == pytest.approx(1 - 1.5 / 4)
    # one method alone leaves no table behind
    out = tmp_path / "alone"
    assert main(["evaluate", "--profile", "p", "--dataset", "tiny", "--predictions",
                 str(files[0]), "--out", str(out), "--quiet"]) == 0  # fmt: skip
    assert not (out / "tables" / "differences.csv").exists()
    assert (out / "tables" / "items.csv").exists()
