"""OAT and the density model through the command line, from gaze data to scanpath files."""

from __future__ import annotations

import numpy as np
import pytest

from neurodecode.cli import main
from neurodecode.datasets.gaze import GazeData, load_gaze
from neurodecode.datasets.mini.simulate_gaze import GazeOptions, simulate_gaze
from neurodecode.errors import ConfigError
from neurodecode.gaze.sides import divide
from neurodecode.scanpaths import Scanpath, Scanpaths
from neurodecode.store.scanpaths import read_scanpaths, scanpath_attrs

pytestmark = [
    pytest.mark.filterwarnings("ignore:.*exists and is not empty"),
    pytest.mark.filterwarnings("ignore:LightningCLI's args parameter"),
    # lightning 2.6 on jsonargparse 4.53
    pytest.mark.filterwarnings("ignore::jsonargparse._deprecated.JsonargparseDeprecationWarning"),
]


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    folder = tmp_path_factory.mktemp("gaze") / "mini-gaze"
    options = GazeOptions(scenes=12, arrays=0, viewers=2, image_size=48, seed=1)
    return simulate_gaze(folder, options, quiet=True)


def options(config: str, world, run, precision: str, *more: str) -> list[str]:
    return [
        "--config", f"configs/scanpath/{config}.yaml", "--data.dataset=mini-gaze",
        f"--data.root={world}", f"--trainer.default_root_dir={run}",
        f"--trainer.precision={precision}", f"--trainer.logger.init_args.save_dir={run}", *more,
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("config", "precision", "size"),
    [
        ("oat", "bf16-mixed", ["--model.network.init_args.width=16",
                               "--model.network.init_args.depth=1"]),
        ("density", "bf16-mixed", ["--model.network.init_args.width=16", "--data.cells=8"]),
    ],
)  # fmt: skip
def test_fit_and_predict_write_scanpaths(
    config, precision, size, world, tmp_path, monkeypatch, repository
):
    monkeypatch.chdir(repository)
    run = tmp_path / config
    with open(f"configs/scanpath/{config}.yaml") as file:
        text = file.read().replace(f"runs/scanpath/{config}", str(run))
    (tmp_path / "config.yaml").write_text(text)
    common = options(config, world, run, precision, *size, "--model.n_fixations=5")
    common[1] = str(tmp_path / "config.yaml")
    assert main(["--quiet", "fit", *common, "--trainer.max_epochs=2"]) == 0
    metrics = (run / "metrics.csv").read_text()
    assert ("val/information_gain_bits" if config == "density" else "val/loss") in metrics
    assert main(["--quiet", "predict", *common, f"--ckpt_path={run / 'best.ckpt'}"]) == 0
    drawn = read_scanpaths(run / "scanpaths.h5")
    drawn.check()
    assert scanpath_attrs(run / "scanpaths.h5")["side"] == "test"
    data = load_gaze("mini-gaze", world)
    tested = set(divide(data, sorted(data.pictures), 5, 0).test)
    assert set(drawn.stimulus) <= tested
    assert (drawn.target != "").all() == (config == "oat")
    assert drawn.n_fixations.max() <= 5


def tiny(n: int, twins: bool) -> GazeData:
    rng = np.random.default_rng(0)
    pictures = {f"p{i}": rng.integers(0, 255, (6, 8, 3), np.uint8) for i in range(n)}
    if twins:
        pictures["p1"] = pictures["p0"]
    paths = [Scanpath(np.ones(2), np.ones(2), np.full(2, 200.0), stimulus=s, size=(8, 6))
             for s in pictures]  # fmt: skip
    return GazeData("tiny", Scanpaths.from_list(paths), pictures)


def test_every_picture_is_tested_once_and_equal_ones_stay_together():
    data = tiny(14, twins=True)
    folds = [divide(data, list(data.pictures), 4, fold) for fold in range(4)]
    assert sorted(name for fold in folds for name in fold.test) == sorted(data.pictures)
    for fold in folds:
        assert sorted([*fold.train, *fold.validation, *fold.test]) == sorted(data.pictures)
        for side in fold:
            assert ("p0" in side) == ("p1" in side)
    with pytest.raises(ConfigError, match="fold 4 of 4"):
        divide(data, list(data.pictures), 4, 4)
    with pytest.raises(ConfigError, match="no train pictures among 2"):
        divide(tiny(2, twins=False), ["p0", "p1"], 2, 0)


def test_published_sides_are_kept():
    data = tiny(6, twins=False)
    split = np.array(["train", "valid", "test"] * 2)
    told = GazeData("told", data.scanpaths, data.pictures, info={"split": split})
    sides = divide(told, list(data.pictures), 5, 0)
    assert sides.validation == ["p1", "p4"]
    assert sides.test == ["p2", "p5"]
