"""Parts of the page: words, tables, controls, colours, figures."""

from __future__ import annotations

import base64
import io
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import matplotlib
import numpy as np
import pandas as pd
import pytest
from PIL import Image
from report_world import PICTURES

from neurodecode.analysis.profile import Profile
from neurodecode.report.figures.confusion import confusion_figure, confusion_matrix
from neurodecode.report.figures.curves import curve_figure, smooth
from neurodecode.report.figures.methods import method_figure
from neurodecode.report.glossary import (
    format_interval,
    format_points,
    format_value,
    method_label,
    metric,
)
from neurodecode.report.pictures import picture_uri, to_pixels
from neurodecode.report.sections.cases import subject_cases
from neurodecode.report.sections.controls import control_rows, parent_method
from neurodecode.report.sections.differences import difference_tables
from neurodecode.report.sections.headline import headlines
from neurodecode.report.sections.median import median_grid
from neurodecode.report.sections.reference import reference_rows
from neurodecode.report.sections.results import result_tables
from neurodecode.report.sections.retrieval import method_retrieval
from neurodecode.report.sections.training import trainings
from neurodecode.report.svg import drawing, new_figure, svg_uri
from neurodecode.report.theme import ROLES, SERIES, css_variables, method_colours


@pytest.mark.parametrize(
    ("name", "value", "printed"),
    [
        ("two_way", 0.8721, "87.2\N{NARROW NO-BREAK SPACE}%"),
        ("retrieval_top1", 0.0042, "0.4\N{NARROW NO-BREAK SPACE}%"),
        ("median_rank", 3.5, "3.5"),
        ("pixcorr", -0.0174, "\N{MINUS SIGN}0.017"),
        ("ssim", float("nan"), "–"),
    ],
)
def test_values_are_printed_as_their_metric_is_read(name: str, value: float, printed: str) -> None:
    assert format_value(value, metric(name)) == printed


def test_intervals_do_not_repeat_the_unit() -> None:
    assert format_interval(0.1, 0.25, metric("accuracy")) == "10.0 – 25.0"
    assert format_interval(float("nan"), 0.25, metric("accuracy")) == ""


@pytest.mark.parametrize(
    ("values", "printed"),
    [
        ((0.0324,), "+3.2"),
        ((-0.01, 0.074), "\N{MINUS SIGN}1.0 to +7.4"),
        ((-0.0001, 0.0), "0.0 to 0.0"),
        ((float("nan"), 0.1), ""),
    ],
)
def test_differences_are_printed_in_points(values: tuple[float, ...], printed: str) -> None:
    assert format_points(*values) == printed


def test_category_accuracy_is_a_share() -> None:
    shown = metric("category_accuracy")
    assert format_value(0.91, shown) == "91.0\N{NARROW NO-BREAK SPACE}%"
    assert method_label("true_pictures") == "True pictures (ceiling)"


def test_every_metric_has_words() -> None:
    from neurodecode.metrics.catalogue import METRIC_NAMES

    for name, spec in METRIC_NAMES.items():
        assert metric(name).label
        assert metric(name).definition == spec.definition
    assert metric("brand_new").label == "Brand new"


def test_methods_have_words() -> None:
    assert method_label("decoder") == "Contrastive decoder"
    assert method_label("decoder_shuffled") == "Contrastive decoder, shuffled"
    assert method_label("my-own_thing") == "My own thing"


def test_method_keeps_its_colour_whatever_else_is_shown() -> None:
    alone = method_colours(["ridge"])
    together = method_colours(["a", "b", "ridge", "decoder", "noise"], controls=["noise"])
    assert alone["ridge"] == together["ridge"]
    assert together["noise"] == SERIES[-1]
    assert len(set(together.values())) == 5
    assert len(method_colours([f"m{i}" for i in range(20)])) == 20


def _luminance(colour: str) -> float:
    channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return float(np.dot((0.2126, 0.7152, 0.0722), linear))


def _contrast(one: str, other: str) -> float:
    high, low = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("variant", ["light", "dark"])
def test_colours_have_contrast(variant: str) -> None:
    """WCAG 2.2: 4.5 for text, 3 for graphics."""
    paper = getattr(ROLES["paper"], variant)
    for name in ("ink", "muted", "accent", "hit"):
        assert _contrast(getattr(ROLES[name], variant), paper) >= 4.5, name
    for colour in SERIES:
        assert _contrast(getattr(colour, variant), paper) >= 3, colour.name


def test_smoothing_is_a_shrinking_centred_mean() -> None:
    np.testing.assert_allclose(smooth(np.array([1.0, 2, 6, 3, 9]), 3), [1, 3, 11 / 3, 6, 9])
    np.testing.assert_allclose(smooth(np.array([4.0, 1]), 0), [4, 1])


def test_confusion_matrix_adds_subjects_and_keeps_absent_classes() -> None:
    rows = pd.DataFrame(
        [("cat", "cat", 3), ("cat", "cat", 2), ("cat", "dog", 1), ("fox", "cat", 4)],
        columns=["true", "predicted", "count"],
    )
    matrix = confusion_matrix(rows)
    assert list(matrix.index) == list(matrix.columns) == ["cat", "dog", "fox"]
    assert matrix.to_numpy().tolist() == [[5, 1, 0], [0, 0, 0], [4, 0, 0]]


def test_figures_are_the_same_every_time_and_follow_the_page() -> None:
    matrix = pd.DataFrame([[3, 1], [0, 2]], index=["<a>", "b&c"], columns=["<a>", "b&c"])
    with drawing():
        first = svg_uri(confusion_figure(matrix, "a <title>"))
        second = svg_uri(confusion_figure(matrix, "a <title>"))
    assert first == second
    text = base64.b64decode(first.partition(",")[2]).decode()
    assert "prefers-color-scheme:dark" in text
    assert "var(--ink)" in text
    assert "<title>" not in text.replace("&lt;title&gt;", "")
    assert not any(f": {colour.light}" in text for colour in SERIES)


def test_drawing_leaves_settings_alone() -> None:
    before = dict(matplotlib.rcParams)
    with drawing():
        svg_uri(new_figure(70, 80))
    assert dict(matplotlib.rcParams) == before


def test_css_declares_every_colour() -> None:
    for dark in (False, True):
        text = css_variables(dark)
        assert all(f"--{colour.name}:#" in text for colour in (*ROLES.values(), *SERIES))


def test_method_figure_shows_every_method_once(profile: Profile) -> None:
    rows = profile.records[profile.records["metric"] == "two_way"]
    names = ["decoder", "ridge", "encoder_likelihood", "absent"]
    labels = {name: method_label(name) for name in names}
    figure = method_figure(rows, metric("two_way"), names, labels, method_colours(names))
    (axes,) = figure.axes
    shown = [label.get_text().replace("\n", " ") for label in axes.get_yticklabels()]
    assert shown == [labels[name] for name in names[:3]]
    assert axes.get_xlim()[1] <= 1.03
    # chance is on the figure
    assert axes.get_xlim()[0] < 0.5


def test_curve_with_a_single_point_is_visible() -> None:
    curves = pd.DataFrame([("r", "val", "top1", "val/top1", 9, 0.3)])
    curves.columns = ["run", "stage", "quantity", "column", "step", "value"]
    (axes,) = curve_figure(curves, "top1").axes
    assert axes.lines[0].get_marker() == "o"


def test_pictures_of_any_kind_become_pixels() -> None:
    grey = np.full((7, 9, 3), 0.5)
    assert to_pixels(grey).dtype == np.uint8
    assert set(np.unique(to_pixels(np.array([[[-1.0, 0.5, 2.0]]])))) == {0, 128, 255}
    assert picture_uri(grey) == picture_uri(to_pixels(grey))


def test_photographs_are_compressed_and_scenes_are_exact(rng: np.random.Generator) -> None:
    def decoded(source: str) -> np.ndarray:
        return np.asarray(Image.open(io.BytesIO(base64.b64decode(source.partition(",")[2]))))

    scene = np.kron(rng.integers(0, 255, (8, 9, 3)), np.ones((7, 7, 1))).astype(np.uint8)
    source = picture_uri(scene)
    assert source.startswith("data:image/png")
    np.testing.assert_array_equal(decoded(source), scene)
    photograph = rng.integers(0, 255, (112, 97, 3)).astype(np.uint8)
    source = picture_uri(photograph)
    assert source.startswith("data:image/jpeg")
    assert decoded(source).shape == photograph.shape
    assert decoded(picture_uri(np.zeros((70, 300, 3), np.uint8))).shape == (37, 160, 3)


def test_headlines_are_the_proposed_method_even_if_another_is_better(profile: Profile) -> None:
    records = profile.records.copy()
    better = (records["method"] == "ridge") & (records["metric"] == "retrieval_top1")
    records.loc[better, "value"] = 1.0
    changed = replace(profile)
    changed.__dict__["records"] = records
    found = {(item.dataset, item.label): item for item in headlines(changed, [PICTURES])}
    assert found[PICTURES, "Top-1 retrieval"].method == "Contrastive decoder"


def with_methods(profile: Profile, **values: float) -> Profile:
    """The profile with copies of the ridge decoder's records under other names and values."""
    ridge = profile.records[profile.records["method"] == "ridge"]
    more = [ridge.assign(method=name, value=value) for name, value in values.items()]
    changed = replace(profile)
    changed.__dict__["records"] = pd.concat([profile.records, *more], ignore_index=True)
    return changed


@pytest.mark.parametrize(
    ("methods", "label"),
    [
        ({"posterior": 0.25, "stacked_likelihood": 0.75}, "Posterior of several methods"),
        ({"stacked_likelihood": 0.125}, "Stacked encoder likelihood"),
        ({"posterior_shuffled": 0.5}, "Contrastive decoder"),
        ({}, "Contrastive decoder"),
    ],
)
def test_retrieval_is_told_by_what_joins_methods(
    profile: Profile, methods: dict[str, float], label: str
) -> None:
    found = {item.label: item for item in headlines(with_methods(profile, **methods), [PICTURES])}
    assert {found[name].method for name in ("Top-1 retrieval", "Two-way identification")} == {label}
    assert found["Two-way (CLIP)"].method == "Contrastive decoder"
    assert found["Two-way (CLIP)"].beside == ()


def test_retrieval_is_compared_with_decoder_and_ridge(profile: Profile) -> None:
    space = "\N{NARROW NO-BREAK SPACE}"
    records = profile.records
    printed = {}
    for method in ("decoder", "ridge"):
        rows = records[(records["method"] == method) & (records["subject"] == "mean")]
        row = rows.set_index("metric").loc["retrieval_top1"]
        low, high = (f"{100 * row[end]:.1f}" for end in ("ci_low", "ci_high"))
        printed[method] = (f"{100 * row['value']:.1f}{space}%", f"{low} – {high}")
    joined = headlines(with_methods(profile, posterior=0.375), [PICTURES])[0]
    assert joined.value == f"37.5{space}%"
    assert joined.beside == (
        ("Contrastive decoder", *printed["decoder"]),
        ("Ridge regression", *printed["ridge"]),
    )
    alone = headlines(profile, [PICTURES])[0]
    assert (alone.value, alone.interval) == printed["decoder"]
    assert alone.beside == (("Ridge regression", *printed["ridge"]),)


def test_transductive_methods_make_no_headline(profile: Profile) -> None:
    changed = replace(profile)
    changed.__dict__["records"] = profile.records.assign(transductive=True)
    assert headlines(changed, [PICTURES]) == []


def test_cases_are_ranked_by_what_the_items_say(profile: Profile) -> None:
    first = subject_cases(profile, PICTURES, n=2)[0]
    assert first.rows == ["Seen", "Low level", "Reconstruction", "Shuffled responses"]
    assert [group.name for group in first.groups] == ["best", "median", "worst"]
    scores = [float(case.score.split("\N{NARROW NO-BREAK SPACE}")[0])
              for group in first.groups for case in group.cases]  # fmt: skip
    assert scores == sorted(scores, reverse=True)
    assert len(scores) == 6
    for group in first.groups:
        for case in group.cases:
            assert len(case.pictures) == len(first.rows)
            assert len({picture["src"] for picture in case.pictures}) == len(first.rows)


def test_cases_without_scores_are_chosen_by_id(profile: Profile) -> None:
    changed = replace(profile)
    changed.__dict__["items"] = profile.items.iloc[:0]
    first = subject_cases(changed, PICTURES, n=2)[0]
    assert "equal distances" in first.criterion
    assert [case.score for case in first.groups[0].cases] == [""] * 6


def test_readme_grid_has_the_truth_above_its_reconstruction(profile: Profile) -> None:
    rows, below = median_grid(profile, n=5)
    assert list(rows) == ["seen", "low level", "reconstruction"]
    assert below == ["subject 01"] * 3 + ["subject 02"] * 2
    source = profile.reconstructions[0].read()
    truth = {image.tobytes() for image in profile.stores[PICTURES].images(
        list(source[0].stimulus_id))}  # fmt: skip
    assert {image.tobytes() for image in rows["seen"]} <= truth


def test_same_pictures_for_every_method(profile: Profile) -> None:
    methods = method_retrieval(profile, PICTURES, n=3)
    assert [item.method for item in methods] == ["decoder", "encoder_likelihood", "ridge"]
    seen = {
        tuple(row.seen["src"] for subject in item.subjects for row in subject.rows)
        for item in methods
    }
    assert len(seen) == 1
    for item in methods:
        for row in item.subjects[0].rows:
            assert len(row.found) == 5
            if row.place >= 0:
                assert row.found[row.place]["src"] == row.seen["src"]
                assert float(row.rank) <= 5


def test_tables_hold_every_record(profile: Profile) -> None:
    tables = result_tables(profile, [PICTURES, "haxby2001"])
    cells = sum(
        bool(cell.value)
        for table in tables
        for block in table.blocks
        if block.metric.name != "noise_ceiling"
        for row in block.rows
        for cell in row.cells
    )
    assert cells == len(profile.records)
    retrieval = tables[0]
    assert retrieval.columns == ["Mean", "Subject 01", "Subject 02"]
    assert retrieval.blocks[-1].metric.name == "noise_ceiling"
    assert "13 candidates" in retrieval.notes


def test_controls_stand_beside_what_they_control(profile: Profile) -> None:
    rows = control_rows(profile)
    assert {(row.control, row.parent) for row in rows} == {
        ("Shuffled responses", "Contrastive decoder")
    }
    assert {row.metric for row in rows} == {"Two-way (CLIP)", "SSIM", "Pixel correlation"}
    methods = {"ridge", "decoder", "ridge_shuffled", "shuffled"}
    controls = ["ridge_shuffled", "shuffled"]
    assert parent_method("ridge_shuffled", methods, controls) == "ridge"
    assert parent_method("shuffled", methods, controls) == "decoder"
    assert parent_method("core_untrained", methods, controls) == ""


def test_known_scores_meet_methods_of_the_same_kind(profile: Profile) -> None:
    (row,) = reference_rows(profile)
    assert (row.dataset, row.method) == ("haxby2001", "Logistic regression")
    assert row.reference == "72.0\N{NARROW NO-BREAK SPACE}%"


def test_folds_of_one_training_share_a_figure(profile: Profile) -> None:
    found = {item.name: item for item in trainings(profile)}
    # the folds alone go by the name of the folder that was given
    (alone,) = trainings(replace(profile, runs=profile.runs / "core"))
    assert (alone.name, alone.n_runs) == ("core", 2)
    assert {name: item.n_runs for name, item in found.items()} == {"core": 2, "decode": 1}
    assert len(found["core"].figures) == 2


def test_command_is_light_to_import() -> None:
    code = (
        "import sys, argparse; from neurodecode.commands import report;"
        "report.add_arguments(argparse.ArgumentParser());"
        "heavy = {'torch', 'pandas', 'matplotlib', 'jinja2', 'h5py'} & set(sys.modules);"
        "sys.exit(', '.join(heavy) or 0)"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=120)


def _differences(*rows: tuple) -> pd.DataFrame:
    columns = ["method", "baseline", "metric", "subject", "difference", "ci_low", "ci_high", "n"]
    frame = pd.DataFrame(rows, columns=columns)
    return frame.assign(dataset=PICTURES, task="identification")


def test_differences_tell_the_story_from_its_first_method(profile: Profile) -> None:
    own = replace(profile)
    own.__dict__["differences"] = _differences(
        ("decoder", "ridge", "two_way", "01", 0.5, 0.4, 0.6, 7),
        ("decoder", "ridge", "two_way", "mean", 0.2, -0.1, 0.3, 14),
        ("shuffled", "decoder", "retrieval_top1", "mean", -0.3, -0.35, 0.05, 14),
        ("shuffled", "ridge", "two_way", "02", 0.1, np.nan, np.nan, 1),
    )
    (table,) = difference_tables(own, [PICTURES])
    assert table.columns == ["Two-way identification", "Top-1 retrieval"]
    minus = "\N{MINUS SIGN}"
    got = [
        (row.first, row.second, [(cell.value, cell.interval) for cell in row.cells])
        for row in table.rows
    ]
    assert got == [
        (
            "Contrastive decoder",
            "Ridge regression",
            [("+20.0", f"{minus}10.0 to +30.0"), ("", "")],
        ),
        # measured the other way round: sign and ends change
        (
            "Contrastive decoder",
            "Shuffled responses",
            [("", ""), ("+30.0", f"{minus}5.0 to +35.0")],
        ),
        # a single subject stands for the mean, a single item has no interval
        ("Ridge regression", "Shuffled responses", [(f"{minus}10.0", ""), ("", "")]),
    ]


def test_differences_of_the_world_are_those_of_the_records(profile: Profile) -> None:
    rows = profile.differences.set_index(["method", "baseline", "metric", "subject"])
    value = profile.records.set_index(["method", "metric", "subject"])["value"]
    assert len(rows)
    for method, baseline, name, subject in rows.index:
        want = value[method, name, subject] - value[baseline, name, subject]
        found = rows.loc[(method, baseline, name, subject), "difference"]
        assert found == pytest.approx(want, abs=1e-7)
    tables = difference_tables(profile, [PICTURES])
    assert [table.task for table in tables] == ["Retrieval", "Reconstruction"]


def test_no_differences_no_table(profile: Profile, tmp_path: Path) -> None:
    assert difference_tables(replace(profile, tables=tmp_path), [PICTURES]) == []
