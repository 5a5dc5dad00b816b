"""Where encoders look, how well each voxel is predicted, and mechanisms, on the page."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from neurodecode.analysis.profile import Profile
from neurodecode.analysis.volumes import score_volume
from neurodecode.errors import DataError
from neurodecode.report.figures.volumes import slices_figure
from neurodecode.report.page import render_page
from neurodecode.report.sections.mechanisms import mechanism_table
from neurodecode.report.sections.routes import routes_panels


@pytest.fixture
def looked(profile: Profile, tmp_path: Path) -> Profile:
    """A folder of routes with three queries, and a comparison of two mechanisms."""
    folder = tmp_path / "routing_units"
    folder.mkdir()
    pd.DataFrame(
        {"subject": "01", "query": [0, 1, 2], "region": ["V1v", "V1v", "FFA-1"],
         "saliency_r": [0.2, 0.6, -0.1]}
    ).to_csv(folder / "routes.csv", index=False)  # fmt: skip
    Image.fromarray(np.zeros((8, 9, 3), np.uint8)).save(folder / "overview.png")
    record = {
        "profile": "encoding", "dataset": "mini-fmri", "subject": "mean", "task": "encoding",
        "method": "attention", "metric": "peak_in_field", "value": 0.75, "ci_low": 0.7,
        "ci_high": 0.8, "chance": 0.125, "n": 40, "n_candidates": None, "n_averaged": None,
        "selection_split": "validation", "transductive": False, "seed": None, "version": "1",
    }  # fmt: skip
    (folder / "metrics.json").write_text(json.dumps([record]))
    cost = {"own_parameters": 0, "step_cpu_ms": 31.2, "step_peak_mb": 24.4, "attention_mflop": 7.0}
    row = {"mechanism": "softmax", "pearson_r": 0.5, "ci_low": 0.4, "ci_high": 0.6, "n": 9,
           "parameters": 777, **cost}  # fmt: skip
    other = row | {"mechanism": "axial", "pearson_r": 0.46, "minus_softmax": -0.04,
                   "minus_softmax_low": -0.06, "minus_softmax_high": -0.02,
                   "own_parameters": 8, "step_cpu_ms": 85.1}  # fmt: skip
    settings = {"stores": "data/stores/v4", "epochs": 3, "among": "patches", "queries": "unit",
                "tower": None, "subjects": ["a", "b"]}  # fmt: skip
    asked = {"stores": "data/stores/mini-fmri", "among": "queries", "tower": "mini-clip"}
    comparisons = [
        {"settings": settings, "left_out": {}, "rows": [row, other]},
        {"settings": settings | asked, "left_out": {"axial": "no place"}, "rows": [row]},
    ]
    (tmp_path / "brains.json").write_text(json.dumps({"results": {"comparisons": comparisons}}))
    return replace(profile, routes=(folder,), mechanisms=tmp_path / "brains.json")


def test_maps_and_mechanisms_are_on_the_page(looked: Profile) -> None:
    (panel,) = routes_panels(looked)
    assert panel.rows == [("FFA-1", 1, "−0.100"), ("V1v", 2, "0.400")]
    assert panel.shares[0][0] == "attention"
    assert panel.shares[0][3:] == (40, "12.5\u202f%")
    table = mechanism_table(looked)
    assert [each.dataset for each in table.comparisons] == ["v4", "mini-fmri"]
    assert table.comparisons[1].left_out == [("axial", "no place")]
    softmax, axial = table.rows
    assert (softmax.name, softmax.step, axial.step) == ("softmax", "31", "85")
    assert [score.value for score, _ in softmax.scores] == ["0.500", "0.500"]
    assert [difference.value for _, difference in axial.scores] == ["−0.040", ""]
    assert axial.scores[1][0].value == ""
    page = render_page(looked)
    assert page.count('id="routes"') == page.count('id="mechanisms"') == 1
    assert panel.shares[0][1].startswith("75")
    assert panel.shares[0][1] in page.split('id="routes"')[1].split("</section>")[0]
    assert 'id="routes"' not in render_page(replace(looked, routes=(), mechanisms=None))


def test_what_is_missing_is_named(looked: Profile, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no maps"):
        routes_panels(replace(looked, routes=(tmp_path,)))
    (tmp_path / "brains.json").write_text("[]")
    with pytest.raises(DataError, match="not a comparison of mechanisms"):
        mechanism_table(looked)


def test_scores_are_put_where_the_voxels_are() -> None:
    """Three voxels by hand; the first has two folds, the last no score."""
    units = pd.DataFrame({"unit": [0, 1, 2, 0], "pearson_r": [0.2, 0.5, np.nan, 0.4]})
    volume = score_volume(units, np.array([[4, 7, 2], [5, 7, 3], [4, 9, 2]]))
    assert volume.shape == (2, 3, 2)
    assert volume[0, 0, 0] == pytest.approx(0.3)
    assert volume[1, 0, 1] == 0.5
    assert np.isnan(volume).sum() == 10
    figure = slices_figure({"Ridge": volume, "Routing": volume}, "r")
    drawn = [image for axes in figure.axes for image in axes.get_images()]
    # x runs to the right, y upwards
    np.testing.assert_array_equal(drawn[0].get_array().filled(np.nan), volume[:, :, 0].T)
