"""Colours, figures and pictures of the page."""

from __future__ import annotations

import base64
import io

import matplotlib
import numpy as np
import pandas as pd
import pytest
from PIL import Image

from neurodecode.analysis.profile import Profile
from neurodecode.report.figures.confusion import confusion_figure, confusion_matrix
from neurodecode.report.figures.curves import curve_figure, smooth
from neurodecode.report.figures.methods import method_figure
from neurodecode.report.glossary import (
    method_label,
    metric,
)
from neurodecode.report.pictures import picture_uri, to_pixels
from neurodecode.report.svg import drawing, new_figure, svg_uri
from neurodecode.report.theme import ROLES, SERIES, css_variables, method_colours


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
