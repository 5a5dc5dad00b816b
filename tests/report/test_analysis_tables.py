"""Tables and files of a profile: types kept, faults named."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from report_world import OBJECTS, PICTURES, World

from neurodecode.analysis.profile import Profile, find_root, load_profile, open_stores
from neurodecode.analysis.sources import find_predictions, open_predictions
from neurodecode.analysis.tables import (
    CANDIDATES,
    CONFUSION,
    DIFFERENCES,
    ITEMS,
    RECORDS,
    read_records_table,
    read_table,
)
from neurodecode.errors import DataError
from neurodecode.store import read_predictions, write_predictions


def test_names_stay_text_and_numbers_are_numbers(tmp_path: Path) -> None:
    file = tmp_path / "items.csv"
    file.write_text(
        "dataset,subject,task,method,metric,fold,stimulus_id,value\n"
        "v4,01,identification,ridge,two_way,2,007,0.5\n"
        "v4,None,identification,NA,two_way,0,nan,\n"
    )
    frame = read_table(file, ITEMS)
    assert list(frame["subject"]) == ["01", "None"]
    assert list(frame["stimulus_id"]) == ["007", "nan"]
    assert list(frame["method"]) == ["ridge", "NA"]
    assert frame["fold"].dtype == "int64"
    assert frame["value"].iloc[0] == 0.5
    assert np.isnan(frame["value"].iloc[1])


@pytest.mark.parametrize("columns", [ITEMS, CANDIDATES, CONFUSION, DIFFERENCES])
def test_a_table_that_was_not_written_is_empty(tmp_path: Path, columns: dict[str, type]) -> None:
    frame = read_table(tmp_path / "none.csv", columns)
    assert list(frame.columns) == list(columns)
    assert len(frame) == 0


@pytest.mark.parametrize(
    ("text", "field"),
    [
        ("dataset,subject,method,true,predicted\na,b,c,d,e\n", "count"),
        ("dataset,subject,method,true,predicted,count\na,b,c,d,e,many\n", "count"),
        ("dataset,subject,method,true,predicted,count\na,b,c,d,e,\n", "count"),
        ("", "dataset"),
    ],
)
def test_a_broken_table_names_file_and_column(tmp_path: Path, text: str, field: str) -> None:
    file = tmp_path / "confusion.csv"
    file.write_text(text)
    with pytest.raises(DataError, match=field) as caught:
        read_table(file, CONFUSION)
    assert str(file) in str(caught.value)


def test_records_have_typed_columns(world: World, tmp_path: Path) -> None:
    frame = read_records_table(world.report / "metrics.json")
    assert set(RECORDS) <= set(frame)
    assert all(frame[name].dtype == "float64" for name, kind in RECORDS.items() if kind is float)
    # SSIM has no chance, which is a missing number and not an object
    assert frame.loc[frame["metric"] == "ssim", "chance"].isna().all()
    empty = tmp_path / "metrics.json"
    empty.write_text("[]")
    assert list(read_records_table(empty)) == list(RECORDS)


def test_profile_finds_everything_where_the_pipeline_puts_it(
    profile: Profile, world: World
) -> None:
    assert set(profile.stores) == {PICTURES, OBJECTS}
    assert profile.stores[PICTURES].subjects == ["01", "02"]
    assert {source.method for source in profile.predictions} == {
        "ridge", "decoder", "encoder_likelihood", "shuffled", "logistic",
    }  # fmt: skip
    assert [source.path.name for source in profile.reconstructions] == [
        "decoder.h5", "shuffled.h5",
    ]  # fmt: skip
    assert len(profile.items) > 0
    assert set(profile.candidates["n_candidates"]) == {13}
    assert profile.confusion["count"].sum() == 20


def test_profile_without_results_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"metrics\.json.*run the stage"):
        load_profile(tmp_path, "mini")


def test_results_are_found_from_a_folder_below(world: World, tmp_path: Path) -> None:
    below = world.root / "runs" / "mini"
    assert find_root(below, "mini") == world.root.resolve()
    with pytest.raises(DataError, match="make repro"):
        find_root(tmp_path, "absent")


def test_prediction_files_find_their_data_set(profile: Profile) -> None:
    found = {source.path.parent.name: profile.dataset_of(source) for source in profile.predictions}
    assert found == {
        "ridge": PICTURES, "decoder": PICTURES, "encoder_likelihood": PICTURES,
        "reconstruct": PICTURES, "logistic": OBJECTS,
    }  # fmt: skip


def test_prediction_file_of_another_data_set_is_refused(profile: Profile, tmp_path: Path) -> None:
    from neurodecode.store import Prediction

    path = tmp_path / "predictions.h5"
    write_predictions(path, "ridge", [Prediction("01", ["x"], {"images": np.zeros((1, 2, 2, 3))})])
    with pytest.raises(DataError, match=r"none of the data sets"):
        profile.dataset_of(open_predictions([path])[0])


def test_sources_read_what_is_asked_for(world: World) -> None:
    path = world.run("reconstruct") / "decoder.h5"
    whole, part = read_predictions(path).predictions, open_predictions([path])[0].read(["images"])
    assert [each.subject for each in part] == [each.subject for each in whole]
    for one, other in zip(whole, part, strict=True):
        assert set(one.arrays) == {"images", "low_level"}
        assert set(other.arrays) == {"images"}
        np.testing.assert_array_equal(one.arrays["images"], other.arrays["images"])
        assert list(one.stimulus_id) == list(other.stimulus_id)
        assert one.n_averaged == other.n_averaged


def test_only_predictions_that_are_told_about_are_found(tmp_path: Path) -> None:
    from neurodecode.store import Prediction

    made = [Prediction("01", ["x"], {"scores": np.zeros((1, 1))}, ["x"])]
    for name, attrs in {
        "plain": {}, "test": {"side": "test"}, "core": {"side": "all"},
        "validation/ridge-validation": {"side": "validation"}, "train": {"side": "train"},
    }.items():  # fmt: skip
        write_predictions(tmp_path / f"{name}.h5", "ridge", made, attrs)
    found = [source.path.stem for source in find_predictions(tmp_path)]
    assert found == ["core", "plain", "test"]
    # whoever names a file gets it
    assert len(open_predictions([tmp_path / "train.h5"])) == 1


def test_other_files_among_the_runs_are_passed_over(world: World, tmp_path: Path) -> None:
    (tmp_path / "weights.h5").write_bytes(b"no predictions")
    assert find_predictions(tmp_path) == ()
    with pytest.raises(DataError, match=r"weights\.h5"):
        open_predictions([tmp_path / "weights.h5"])
    with pytest.raises(DataError, match="not a store of predictions"):
        open_predictions([world.stores(PICTURES) / "stimuli.h5"])


def test_one_data_set_twice_is_refused(world: World) -> None:
    with pytest.raises(DataError, match="given twice"):
        open_stores([world.stores(PICTURES), world.stores(PICTURES)])


def test_split_sizes_add_up_to_all_trials(profile: Profile) -> None:
    for folder in profile.stores.values():
        sizes = folder.split_sizes()
        per_fold = sizes.groupby(["subject", "fold"])["n_trials"].sum()
        for (subject, _), total in per_fold.items():
            assert total == folder.responses[subject].n_trials
    sizes = profile.stores[PICTURES].split_sizes().set_index(["subject", "side"])
    assert sizes.loc[("02", "test"), "n_stimuli"] == 13
    assert sizes.loc[("02", "validation"), "n_trials"] == 3 * 2


def test_descriptions_fall_back(profile: Profile, world: World) -> None:
    pictures, objects = profile.stores[PICTURES], profile.stores[OBJECTS]
    assert pictures.describe(world.ids[3]) == world.captions[3][0]
    assert objects.describe("face") == "face"
    assert list(pictures.category().loc[world.ids]) == world.categories
    assert objects.category().empty
    with pytest.raises(DataError, match="no pictures"):
        objects.images(["face"])
    np.testing.assert_array_equal(
        pictures.images([world.ids[5], world.ids[2], world.ids[5]]), world.images[[5, 2, 5]]
    )


def test_summary_counts_sessions_and_runs(profile: Profile) -> None:
    table = profile.stores[OBJECTS].summary().iloc[0]
    assert (table["n_trials"], table["n_features"], table["n_runs"]) == (20, 8, 5)
    assert isinstance(profile.stores[PICTURES].summary(), pd.DataFrame)
