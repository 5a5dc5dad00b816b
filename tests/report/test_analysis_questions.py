"""Choosing cases, looking at retrieval, ceilings and curves: by hand-worked examples."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from report_world import OBJECTS, PICTURES

from neurodecode.analysis.cases import best_median_worst, evenly_spaced, rank_items
from neurodecode.analysis.ceilings import (
    ceiling_per_roi,
    ceiling_table,
    repeats_behind_test,
    voxel_ceiling,
)
from neurodecode.analysis.curves import read_curves
from neurodecode.analysis.profile import Profile
from neurodecode.analysis.records import control_methods, is_control, order_methods, split_mean
from neurodecode.analysis.retrieval import (
    by_category,
    confusions,
    failures,
    hit_rates,
    retrieval_lists,
)
from neurodecode.errors import DataError


def items(rows: list[tuple[str, str, float]]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["metric", "stimulus_id", "value"])


def test_ranking_takes_the_preferred_metric_and_breaks_ties() -> None:
    rows = [("pixcorr", name, value) for name, value in zip("abcd", (0.9, 0.1, 0.5, 0.7))]
    rows += [("two_way_clip", name, value) for name, value in zip("abcd", (0.2, 1.0, 1.0, 0.6))]
    ranked = rank_items(items(rows))
    assert list(ranked["stimulus_id"]) == ["c", "b", "d", "a"]
    assert list(ranked["value"]) == [1.0, 1.0, 0.6, 0.2]
    assert set(ranked["metric"]) == {"two_way_clip"}
    assert set(ranked["tie_breaker"]) == {"pixcorr"}


def test_ranking_is_by_id_where_nothing_else_decides() -> None:
    rows = [("ssim", name, 0.5) for name in "dbca"]
    assert list(rank_items(items(rows))["stimulus_id"]) == list("abcd")
    assert rank_items(items([("unknown", "a", 1.0)])).empty


def test_ranking_averages_folds() -> None:
    ranked = rank_items(items([("ssim", "a", 0.2), ("ssim", "a", 0.6), ("ssim", "b", 0.3)]))
    assert list(ranked["stimulus_id"]) == ["a", "b"]
    assert ranked["value"].iloc[0] == pytest.approx(0.4)


@pytest.mark.parametrize(
    ("n_rows", "n", "expected"),
    [
        (9, 2, ([0, 1], [3, 4], [7, 8])),
        (8, 3, ([0, 1], [3, 4], [6, 7])),
        (7, 1, ([0], [3], [6])),
        (2, 4, ([], [], [])),
    ],
)
def test_best_median_and_worst(n_rows: int, n: int, expected: tuple[list[int], ...]) -> None:
    groups = best_median_worst(pd.DataFrame({"place": range(n_rows)}), n)
    assert tuple(list(table["place"]) for table in groups.values()) == expected


def test_evenly_spaced_rows_do_not_depend_on_the_order_of_the_file() -> None:
    frame = pd.DataFrame({"stimulus_id": list("hgfedcba"), "rank": range(8)})
    assert list(evenly_spaced(frame, 2)["stimulus_id"]) == ["c", "g"]
    assert list(evenly_spaced(frame.sample(frac=1, random_state=1), 2)["stimulus_id"]) == ["c", "g"]
    assert len(evenly_spaced(frame, 99)) == 8


@pytest.fixture
def candidates() -> pd.DataFrame:
    rows = [
        ("01", "a", 1.0, "a b c d e"),
        ("01", "b", 3.0, "c d b a e"),
        ("01", "c", 7.0, "a b d e f"),
        ("02", "a", 2.0, "b a c d e"),
    ]
    frame = pd.DataFrame(rows, columns=["subject", "stimulus_id", "rank", "top5"])
    return frame.assign(dataset="mini-fmri", method="ridge", fold=0, n_candidates=9)


def test_retrieval_lists_mark_the_hit(candidates: pd.DataFrame) -> None:
    lists = retrieval_lists(candidates)
    assert list(lists["place"]) == [0, 2, -1, 1]
    assert lists["top5"].iloc[1] == ["c", "d", "b", "a", "e"]


def test_hit_rates(candidates: pd.DataFrame) -> None:
    rates = hit_rates(candidates).set_index("subject")
    assert rates.loc["01", "top1"] == pytest.approx(1 / 3)
    assert rates.loc["01", "top5"] == pytest.approx(2 / 3)
    assert rates.loc["01", "median_rank"] == 3
    assert (rates.loc["02", "top1"], rates.loc["02", "top5"]) == (0, 1)


def test_categories_and_failures(candidates: pd.DataFrame) -> None:
    category = pd.Series({"a": "car", "b": "car", "c": "fish", "d": "fish", "e": "cup"})
    table = by_category(candidates, category).set_index("category")
    # a (twice) and b are cars; first candidates a, c, b
    assert table.loc["car", "n"] == 3
    assert table.loc["car", "top1"] == pytest.approx(1 / 3)
    assert table.loc["car", "category1"] == pytest.approx(2 / 3)
    assert table.loc["fish", "category1"] == 0
    matrix = confusions(candidates, category)
    assert list(matrix.index) == list(matrix.columns) == ["car", "fish"]
    assert matrix.to_numpy().tolist() == [[2, 1], [1, 0]]
    worst = failures(candidates, 1)
    assert list(worst["stimulus_id"]) == ["c", "a"]


def records(rows: list[tuple[str, str, float]]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["method", "subject", "value"])


def test_means_and_subjects_are_told_apart() -> None:
    table = records([("a", "01", 1), ("a", "02", 3), ("a", "mean", 2), ("b", "01+02", 5)])
    mean, subjects = split_mean(table)
    assert list(mean["value"]) == [2, 5]
    assert list(subjects["value"]) == [1, 3]
    # a single subject stands for the mean
    mean, subjects = split_mean(records([("a", "1", 4)]))
    assert (len(mean), len(subjects)) == (1, 0)


def test_controls_are_known_by_name_or_mark() -> None:
    table = records([("decoder", "01", 1), ("decoder_shuffled", "01", 0), ("odd", "01", 0)])
    assert control_methods(table) == ["decoder_shuffled"]
    assert control_methods(table.assign(control=[None, None, True])) == ["decoder_shuffled", "odd"]
    assert is_control("any", {"shuffled": True})
    assert not is_control("decoder", {"shuffled": False})


def test_order_of_methods_ignores_scores() -> None:
    names = ["zebra", "ridge", "decoder_shuffled", "encoder_likelihood", "decoder", "ridge"]
    assert order_methods(names, ["decoder_shuffled"]) == [
        "decoder", "encoder_likelihood", "ridge", "zebra", "decoder_shuffled",
    ]  # fmt: skip


def test_ceiling_of_equal_and_mixed_repeats() -> None:
    ncsnr = np.array([0.0, 0.5, 2.0, np.nan])
    expected = [0, 0.25 / (0.25 + 1 / 3), 4 / (4 + 1 / 3), np.nan]
    np.testing.assert_allclose(voxel_ceiling(ncsnr, np.array([3, 3])), expected)
    # one stimulus once, one twice, two three times: mean of 1/n is (1 + 1/2 + 2/3) / 4
    mixed = voxel_ceiling(np.array([1.0]), np.array([1, 2, 3, 3]))
    np.testing.assert_allclose(mixed, 1 / (1 + (1 + 0.5 + 2 / 3) / 4))


@pytest.mark.parametrize("n", [1, 2, 3, 10])
def test_ceiling_matches_the_published_formula(fixtures_dir: Path, n: int) -> None:
    expected = json.loads((fixtures_dir / "noise_ceiling.json").read_text())["expected"]
    ncsnr = np.array(expected["ncsnr_total_var_ddof0"])
    percent = 100 * voxel_ceiling(ncsnr, np.full(5, n))
    np.testing.assert_allclose(percent, expected[f"noise_ceiling_percent_n{n}"], rtol=1e-8)


def test_ceilings_of_a_store(profile: Profile) -> None:
    folder = profile.stores[PICTURES]
    assert list(repeats_behind_test(folder, "01")) == [3] * 13
    assert list(repeats_behind_test(folder, "02")) == [2] * 13
    table = ceiling_table(folder).set_index("subject")
    ncsnr = folder.responses["02"].feature("ncsnr")
    expected = np.median(ncsnr**2 / (ncsnr**2 + 1 / 2))
    assert table.loc["02", "median"] == pytest.approx(expected)
    assert table.loc["02", "n_voxels"] == 9
    rois = ceiling_per_roi(folder)
    assert rois[rois["subject"] == "01"].groupby("roi").size().to_dict() == {
        "": 2, "FFA-1": 2, "V1v": 3,
    }  # fmt: skip
    own = rois[rois["subject"] == "02"]
    np.testing.assert_allclose(own["ceiling"], ncsnr**2 / (ncsnr**2 + 1 / 2))


def test_data_set_without_ncsnr_has_no_ceiling(profile: Profile) -> None:
    folder = profile.stores[OBJECTS]
    assert ceiling_table(folder).empty
    assert ceiling_per_roi(folder).empty
    # split by runs: each fold tests the four blocks of one run
    assert list(repeats_behind_test(folder, "1")) == [1] * 20


def test_curves_are_tidy(tmp_path: Path) -> None:
    (tmp_path / "decode").mkdir()
    (tmp_path / "decode" / "metrics.csv").write_text(
        "epoch,lr-AdamW,step,train_loss_epoch,train/loss_step,val/top1_s01\n"
        "0,,0,,3.5,\n0,0.1,9,2.5,,\n0,,9,,,0.25\n"
    )
    curves = read_curves(tmp_path)
    assert set(curves["run"]) == {"decode"}
    told = curves.set_index("column")[["stage", "quantity", "step", "value"]]
    assert tuple(told.loc["train_loss_epoch"]) == ("train", "loss", 9, 2.5)
    assert tuple(told.loc["train/loss_step"]) == ("train", "loss", 0, 3.5)
    assert tuple(told.loc["val/top1_s01"]) == ("val", "top1_s01", 9, 0.25)
    assert tuple(told.loc["lr-AdamW"]) == ("", "lr-AdamW", 9, 0.1)


@pytest.mark.parametrize("text", ["", "a,b\n1,2\n"])
def test_broken_curves_name_the_file(tmp_path: Path, text: str) -> None:
    (tmp_path / "metrics.csv").write_text(text)
    with pytest.raises(DataError, match=r"metrics\.csv"):
        read_curves(tmp_path)


def test_no_curves(tmp_path: Path) -> None:
    assert read_curves(tmp_path / "nowhere").empty
