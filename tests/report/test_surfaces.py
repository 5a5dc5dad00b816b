"""Scores of vertices: where they go on fsaverage5, and that the page shows them."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from nilearn.datasets import load_fsaverage

from neurodecode.analysis.surfaces import N_VERTICES, score_surface
from neurodecode.report.sections.surfaces import surface_pictures

VERTEX = np.array([3, 10_241, 10_242, 3, 160_000, 7])
SIDE = np.array(["left", "left", "left", "right", "right", "right"])
UNITS = pd.DataFrame(
    {"dataset": "algonauts2023", "subject": "01", "method": "ridge",
     "unit": [0, 1, 2, 3, 4, 5, 0], "pearson_r": [0.2, 0.5, 0.9, 0.3, 0.9, np.nan, 0.4]}
)  # fmt: skip


def test_the_first_vertices_of_fsaverage_are_those_of_fsaverage5() -> None:
    found = score_surface(UNITS, VERTEX, SIDE)
    left, right = found["left"], found["right"]
    assert left[3] == pytest.approx(0.3), "mean over folds"
    assert left[10_241] == 0.5
    assert np.flatnonzero(np.isfinite(left)).tolist() == [3, 10_241]
    assert np.flatnonzero(np.isfinite(right)).tolist() == [3]


def test_levels_of_the_sphere_are_nested() -> None:
    """What `score_surface` rests on: fsaverage5 begins with the 12 corners of an icosahedron."""
    sphere = load_fsaverage("fsaverage5")["sphere"].parts["left"].coordinates
    assert len(sphere) == N_VERTICES
    corners = sphere[:12] / np.linalg.norm(sphere[:12], axis=1, keepdims=True)
    angles = np.degrees(np.arccos(np.clip(corners @ corners.T, -1, 1)))
    nearest = np.sort(angles, axis=1)[:, 1:6]
    np.testing.assert_allclose(nearest, np.degrees(np.arctan(2)), atol=0.1)


def test_a_data_set_on_the_surface_is_drawn() -> None:
    features = {"vertex": VERTEX, "hemisphere": SIDE}
    store = SimpleNamespace(feature_names=lambda: list(features), feature=features.get)
    flat = SimpleNamespace(feature_names=lambda: ["xyz"], feature={"xyz": None}.get)
    stores = {
        "algonauts2023": SimpleNamespace(responses={"01": store}),
        "nsd": SimpleNamespace(responses={"01": flat}),
    }
    units = pd.concat([UNITS, UNITS.assign(dataset="nsd")], ignore_index=True)
    profile = SimpleNamespace(units=units, stores=stores)
    (picture,) = surface_pictures(profile, ["algonauts2023", "nsd", "v4"])
    assert picture["src"].startswith("data:image/")
    assert "fsaverage5, subject 01" in picture["alt"]
    assert "Ridge regression" in picture["alt"]
