"""Where queries look, what occlusion says, and how far both are from the receptive fields."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from types import SimpleNamespace

import h5py
import numpy as np
import pytest
import torch
import yaml

from neurodecode.analysis.routes import (
    Routes,
    chance_in_field,
    distance_to_fields,
    field_places,
    find_routes,
)
from neurodecode.cli import main
from neurodecode.commands.routes import _table, _write_records
from neurodecode.datasets.mini.early import FIELD_DEGREES
from neurodecode.datasets.mini.truth import receptive_fields
from neurodecode.errors import ConfigError, DataError

GRID = (3, 4)
#: Patch that each of five units reads, and the query it belongs to.
PLACES, QUERY = [(0, 1), (2, 3), (1, 0), (2, 3), (0, 0)], [0, 1, 2, 1, 0]


class OnePatchEach:
    """Units that read the red of one patch; queries that look at the first of their units'."""

    shape, subjects = (1, *GRID), ["a", "b.1"]

    def __init__(self) -> None:
        readout = SimpleNamespace(names=["V1", "FFA", "V2"], query_of_unit=torch.tensor(QUERY))
        self.readouts = [None, readout]

    def patches(self, images: torch.Tensor) -> torch.Tensor:
        return torch.nn.functional.avg_pool2d(images[:, :1], 6)[:, 0]

    def __call__(self, images: dict) -> dict:
        seen = self.patches(images["b.1"])
        return {"b.1": torch.stack([2 * seen[:, row, column] for row, column in PLACES], 1)}

    def maps(self, images: dict) -> dict:
        maps = torch.full((len(images["b.1"]), 3, *GRID), 0.01)
        for query in range(3):
            maps[:, query][:, PLACES[query][0], PLACES[query][1]] = 0.89
        return {"b.1": maps}


@pytest.fixture
def routes():
    images = torch.randn(19, 3, 18, 24, generator=torch.Generator().manual_seed(3))
    return find_routes(OnePatchEach(), images, "b.1", n_examples=17)


def test_occlusion_finds_the_patches_that_matter(routes) -> None:
    assert (routes.queries, routes.maps.shape) == (["V1", "FFA", "V2"], (3, *GRID))
    assert routes.examples.shape == (17, 3, *GRID)
    np.testing.assert_allclose(routes.maps.sum((1, 2)), 1, atol=1e-6)
    peaks = [np.unravel_index(each.argmax(), GRID) for each in routes.saliency]
    assert peaks[1:] == [PLACES[1], PLACES[2]]
    # two units of the first query read two patches, of which it looks at one
    assert {*np.argsort(routes.saliency[0].ravel())[-2:].tolist()} == {0, 1}
    agreement = routes.agreement()
    assert agreement[1] > 0.8
    assert agreement[0] < agreement[1]


def test_covering_a_patch_changes_a_unit_by_what_it_saw(routes) -> None:
    """By hand: the response to the patch itself, against that to the picture's mean."""
    images = torch.randn(19, 3, 18, 24, generator=torch.Generator().manual_seed(3))
    seen = images[:, 0, 6:12, 0:6].mean((1, 2)) - images[:, 0].mean((1, 2))
    wanted = (2 * seen).square().mean().sqrt()
    assert routes.saliency[2][1, 0] == pytest.approx(float(wanted), rel=1e-4)


def test_fields_lie_where_the_picture_has_them() -> None:
    half = 4.2
    x = np.array([0, -half + 0.525, half - 0.525, 0, 9.0])
    y = np.array([0, half - 0.525, -half + 0.525, half / 2, 0])
    places = field_places(x, y, (8, 8), 8.4)
    wanted = [[3.5, 3.5], [0, 0], [7, 7], [1.5, 3.5], [3.5, 7.5]]
    np.testing.assert_allclose(places, wanted, atol=1e-9)
    maps = np.zeros((5, 8, 8))
    for each, (row, column) in zip(maps, [(3, 4), (0, 1), (5, 7), (1, 3), (3, 7)], strict=True):
        each[row, column] = 1
    np.testing.assert_allclose(distance_to_fields(maps, places), [0.5, 1, 2, 0.5, 0.5])


def test_chance_is_the_mean_over_permuted_fields() -> None:
    peaks, places = np.array([[0, 0], [0, 1], [5, 5]]), np.array([[0.5, 0.5], [4, 5], [0, 2]])
    orders = [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]]
    apart = [np.abs(peaks - places[order]).max(1) <= 1 for order in orders]
    assert chance_in_field(peaks, places) == pytest.approx(np.mean(apart))
    assert np.isnan(chance_in_field(peaks[:0], places[:0]))


def test_truth_is_found_by_the_place_of_voxels(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "subj01.h5", "w") as file:
        file["xyz"] = [[1, 2, 3], [4, 5, 6], [7, 8, 9]]
        file["prf/x"], file["prf/y"] = [0.1, 0.2, 0.3], [1.0, 2.0, 3.0]
    found = receptive_fields(tmp_path, "01", np.array([[7, 8, 9], [1, 2, 3]]))
    np.testing.assert_allclose(found, [[0.3, 3.0], [0.1, 1.0]])
    with pytest.raises(DataError, match=r"subject 01, field xyz.*does not know voxel \(0, 0, 0\)"):
        receptive_fields(tmp_path, "01", np.zeros((1, 3), int))
    with pytest.raises(DataError, match="no truth of a simulated world"):
        receptive_fields(tmp_path, "02", np.zeros((1, 3), int))


@pytest.mark.filterwarnings("ignore:LightningCLI's args parameter")
@pytest.mark.filterwarnings("ignore::jsonargparse._deprecated.JsonargparseDeprecationWarning")
def test_command_writes_maps_tables_and_a_picture(encoding_world: Path, tmp_path: Path) -> None:
    config = yaml.safe_load(Path("configs/mini/routing_units.yaml").read_text())
    config["trainer"] |= {"max_epochs": 1, "check_val_every_n_epoch": 1, "log_every_n_steps": 1}
    config["trainer"]["logger"]["init_args"]["save_dir"] = str(tmp_path / "run")
    encoder = config["model"]["init_args"]["encoder"]["init_args"]
    encoder |= {"queries": "unit", "width": 8, "n_heads": 2}
    encoder["core"]["init_args"] = {"channels": [4], "kernels": [5], "strides": [6]}
    config["data"]["init_args"] |= {"stores": str(encoding_world), "image_size": 24}
    (tmp_path / "config.yaml").write_text(yaml.safe_dump(config))
    assert main(["fit", "--config", str(tmp_path / "config.yaml"), "--quiet"]) == 0
    words = ["routes", "--run", str(tmp_path / "run"), "--pictures", "5", "--quiet"]
    assert main([*words, "--out", str(tmp_path / "out")]) == 0
    with (tmp_path / "out" / "routes.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [(row["subject"], row["query"]) for row in rows[:8]] == [
        *(("a.1", str(unit)) for unit in range(7)), ("b", "0"),
    ]  # fmt: skip
    with np.load(tmp_path / "out" / "sub-b.npz") as found:
        assert found["maps"].shape == found["saliency"].shape == (9, 4, 4)
        assert found["examples"].shape == (5, 9, 4, 4)
    assert (tmp_path / "out" / "overview.png").stat().st_size > 5000
    assert not (tmp_path / "out" / "metrics.json").exists()


def test_fields_of_regions_are_refused_and_other_encoders_named(
    tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    words = ["routes", "--run", str(tmp_path), "--out", str(tmp_path / "out"), "--quiet"]
    assert main([*words, "--pictures", "0"]) == 2
    assert "--pictures is 0" in capsys.readouterr().err
    assert main(words) == 2
    assert "no best.ckpt" in capsys.readouterr().err


def test_fields_become_distances_and_a_share_of_early_visual_queries(tmp_path: Path) -> None:
    """Three voxels: one looks at its field, one three patches beside it, one is not early."""
    half = FIELD_DEGREES / 2
    with h5py.File(tmp_path / "subj01.h5", "w") as file:
        file["xyz"] = [[1, 2, 3], [4, 5, 6], [7, 8, 9]]
        # middles of the patches (0, 0), (2, 3) and (1, 1) of a grid of 3 x 4
        file["prf/x"] = [-half * 3 / 4, half * 3 / 4, -half / 4]
        file["prf/y"] = [half * 2 / 3, -half * 2 / 3, 0]
    columns = {
        "xyz": [[1, 2, 3], [4, 5, 6], [7, 8, 9]], "roi": ["V1d", "V2v", "PPA"],
        "prf-visualrois": ["V1d", "V2v", ""],
    }  # fmt: skip
    store = SimpleNamespace(
        shape=(9, 3), feature_names=lambda: list(columns), feature=lambda name: columns[name]
    )
    data = SimpleNamespace(
        stores={"01": store}, context=SimpleNamespace(regions={"01": tuple(columns["roi"])})
    )
    maps = np.zeros((3, *GRID))
    maps[0, 0, 0] = maps[1, 2, 0] = maps[2, 1, 1] = 1
    table = _table(Routes("01", ["0", "1", "2"], maps, maps[None], maps[:, ::-1]), data, tmp_path)
    np.testing.assert_allclose(table["distance"], [0, 3, 0], atol=1e-6)
    np.testing.assert_allclose(table["saliency_distance"], [2, 3, 0], atol=1e-6)
    assert table["early_visual"].tolist() == [True, True, False]
    source = SimpleNamespace(data_arguments={"stores": "data/stores/mini-fmri"})
    _write_records(tmp_path, table, source, "encoding")
    rows = json.loads((tmp_path / "metrics.json").read_text())
    found = {(row["method"], row["subject"]): row for row in rows}
    assert found["attention", "mean"]["value"] == 0.5
    # of four pairs of an early map and an early field only the first map's own is near
    assert found["attention", "01"]["chance"] == found["attention", "mean"]["chance"] == 0.25
    assert found["occlusion", "01"]["chance"] == 0.25
    assert found["occlusion", "01"]["value"] == 0.0
    assert (rows[0]["dataset"], rows[0]["n"], rows[0]["region"]) == ("mini-fmri", 2, "early visual")
    regions = Routes("01", ["PPA", "V1d", "V2v"], maps, maps[None], maps)
    with pytest.raises(ConfigError, match="a region has many receptive fields"):
        _table(regions, data, tmp_path)
