"""OAT and the density model through the command line, from gaze data to scanpath files."""

from __future__ import annotations

import pytest

from neurodecode.cli import main
from neurodecode.datasets.gaze import load_gaze
from neurodecode.datasets.mini.simulate_gaze import GazeOptions, simulate_gaze
from neurodecode.errors import ConfigError
from neurodecode.gaze.search_data import SearchData
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


@pytest.fixture(scope="module")
def splits(world):
    path = world.parent / "splits.json"
    where = ["--dataset", "mini-gaze", "--root", str(world), "--out", str(path)]
    assert main(["--quiet", "scanpath", "split", *where, "--scheme", "published"]) == 0
    return path


@pytest.mark.parametrize(
    ("config", "precision", "size"),
    [
        ("oat", "bf16-mixed", ["--model.network.init_args.width=16",
                               "--model.network.init_args.depth=1"]),
        ("density", "bf16-mixed", ["--model.network.init_args.width=16", "--data.cells=8"]),
    ],
)  # fmt: skip
def test_fit_and_predict_write_scanpaths(
    config, precision, size, world, splits, tmp_path, repository
):
    run = tmp_path / config
    text = (repository / "configs" / "scanpath" / f"{config}.yaml").read_text()
    (tmp_path / "config.yaml").write_text(text.replace(f"runs/scanpath/{config}", str(run)))
    common = [
        "--config", str(tmp_path / "config.yaml"), "--data.dataset=mini-gaze",
        f"--data.root={world}", f"--data.splits={splits}", f"--trainer.precision={precision}",
        *size, "--model.n_fixations=5",
    ]  # fmt: skip
    fit = ["--trainer.max_epochs=1", "--trainer.log_every_n_steps=1"]
    assert main(["--quiet", "fit", *common, *fit]) == 0
    metrics = (run / "metrics.csv").read_text()
    assert ("val/information_gain_bits" if config == "density" else "val/loss") in metrics
    assert main(["--quiet", "predict", *common, f"--ckpt_path={run / 'best.ckpt'}"]) == 0
    drawn = read_scanpaths(run / "scanpaths.h5")
    drawn.check()
    assert scanpath_attrs(run / "scanpaths.h5")["side"] == "test"
    data = load_gaze("mini-gaze", world)
    tested = set(data.scanpaths.stimulus[data.info["split"] == "test"])
    assert set(drawn.stimulus) <= tested
    assert (drawn.target != "").all() == (config == "oat")
    assert drawn.n_fixations.max() <= 5


def test_misuse_is_named(world, splits):
    with pytest.raises(ConfigError, match=r"fold 3: .*splits.json has 1"):
        SearchData("mini-gaze", world, splits, fold=3)
