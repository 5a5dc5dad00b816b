"""Pictures that nobody was shown: simulated beside the world, stored beside its stimuli."""

from __future__ import annotations

import csv
from dataclasses import replace
from pathlib import Path

import h5py
import numpy as np
import pytest
from conftest import MINI
from dataset_worlds import write_nsd, write_rows, write_v4
from scipy.io import loadmat, savemat

from neurodecode.cli import main
from neurodecode.datasets import DATASETS, load
from neurodecode.datasets.mini.plan import MiniOptions, make_plan
from neurodecode.datasets.mini.simulate import simulate
from neurodecode.datasets.prepare import PrepareOptions, prepare
from neurodecode.errors import ConfigError, DataError
from neurodecode.splits import read_split
from neurodecode.store import read_stimuli

N_UNSHOWN = 11
N_SCENES = MINI.shared + MINI.n_subjects * MINI.images_per_subject


@pytest.fixture(scope="module")
def wider_root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The world `MINI` with 11 pictures that nobody sees."""
    return simulate(tmp_path_factory.mktemp("wider") / "mini", replace(MINI, unshown=N_UNSHOWN))


def same(one: Path, other: Path) -> bool:
    return one.read_bytes() == other.read_bytes()


def test_what_is_shown_does_not_depend_on_what_is_not(mini_root, wider_root):
    files = [path.relative_to(mini_root) for path in mini_root.rglob("*") if path.is_file()]
    differ = {str(name) for name in files if not same(mini_root / name, wider_root / name)}
    # the pictures and what is said about them have more rows, the truth tells the option
    pictures = "nsddata_stimuli/stimuli/nsd"
    assert differ == {
        "nsddata/experiments/nsd/nsd_stim_info_merged.csv",
        f"{pictures}/nsd_stimuli.hdf5",
        *(f"{pictures}/annotations/{kind}_{split}2017.json" for kind in ("captions", "instances")
          for split in ("train", "val")),
        *(f"truth/subj{subject:02d}.h5" for subject in (1, 2, 3)),
    }  # fmt: skip
    assert len(files) == sum(path.is_file() for path in wider_root.rglob("*"))


def test_rows_of_what_is_shown_stay_as_they_are(mini_root, wider_root):
    bricks = []
    for root in (mini_root, wider_root):
        with h5py.File(root / "nsddata_stimuli/stimuli/nsd/nsd_stimuli.hdf5") as file:
            bricks.append(file["imgBrick"][:])
    assert len(bricks[1]) == N_SCENES + N_UNSHOWN
    np.testing.assert_array_equal(bricks[1][:N_SCENES], bricks[0])
    assert len({image.tobytes() for image in bricks[1]}) == N_SCENES + N_UNSHOWN
    tables = []
    for root in (mini_root, wider_root):
        path = root / "nsddata/experiments/nsd/nsd_stim_info_merged.csv"
        with open(path, newline="", encoding="utf-8") as file:
            tables.append(list(csv.DictReader(file)))
    assert tables[1][:N_SCENES] == tables[0]
    for row in tables[1][N_SCENES:]:
        assert {value for name, value in row.items() if name.startswith("subject")} == {"0"}
        assert row["shared1000"] == "False"
    with (
        h5py.File(mini_root / "truth/subj02.h5") as one,
        h5py.File(wider_root / "truth/subj02.h5") as other,
    ):
        for name in ("image", "signal", "prf/sigma", "reliability/ncsnr"):
            np.testing.assert_array_equal(one[name][:], other[name][:])


def test_more_of_them_begin_with_the_same_ones():
    few, many = (make_plan(replace(MINI, unshown=n)).scenes for n in (3, N_UNSHOWN))
    assert many[: N_SCENES + 3] == few
    with pytest.raises(ConfigError, match="unshown is -1; give at least 0"):
        MiniOptions(unshown=-1)


def stored(root: Path, out: Path, **options: object) -> list[str]:
    prepare(load("mini-fmri", root), out, PrepareOptions(quiet=True, **options))
    return read_stimuli(out / "stimuli.h5").ids


def test_prepare_stores_so_many_more_and_none_of_them_is_on_a_side(wider_root, tmp_path):
    plain, more = stored(wider_root, tmp_path / "a"), stored(wider_root, tmp_path / "b", unshown=7)
    extra = set(more) - set(plain)
    assert len(more) - len(plain) == len(extra) == 7
    reader = load("mini-fmri", wider_root)
    shown = {s for subject in reader.subjects for s in reader.recording(subject).stimulus_id}
    assert shown == set(plain)
    assert not extra & set(reader.test_stimuli())
    split = read_split(tmp_path / "b" / "splits.json")
    assert split.folds == read_split(tmp_path / "a" / "splits.json").folds
    assert not extra & {name for side in split.folds[0].sides().values() for name in side}
    assert extra <= set(split.pool(0, more))
    responses = [(tmp_path / folder / "sub-02.h5").read_bytes() for folder in "ab"]
    assert responses[0] == responses[1]


def test_pictures_of_other_subjects_count_as_unshown_but_never_the_shared_ones(
    wider_root, tmp_path
):
    own = set(load("mini-fmri", wider_root).recording("03").stimulus_id)
    # also what it was to see in the session that it missed
    n_others = N_SCENES + N_UNSHOWN - len(own)
    assert n_others >= 2 * MINI.images_per_subject + N_UNSHOWN
    ids = stored(wider_root, tmp_path / "one", subjects=["03"], unshown=n_others)
    assert len(set(ids) - own) == n_others
    assert set(load("mini-fmri", wider_root).test_stimuli()) <= own
    split = read_split(tmp_path / "one" / "splits.json")
    assert {name for side in split.folds[0].sides().values() for name in side} == own


def test_test_pictures_that_were_planned_but_missed_are_not_among_them(tmp_path, rng):
    nsd = write_nsd(tmp_path, rng)
    # one session is left, with 10k ids 2 to 5: the subject never saw its first and its last picture
    for number in (2, 3):
        (nsd.folder / f"betas_session{number:02d}.hdf5").unlink()
    tens = [2, 3, 4, 3, 4, 5, 5]
    design = nsd.root / "nsddata/experiments/nsd/nsd_expdesign.mat"
    content = {key: value for key, value in loadmat(design).items() if key[0] != "_"}
    savemat(design, {**content, "masterordering": np.array([tens], dtype=float)})
    rows = [(1, 1, nsd.subjectim[1, ten - 1]) for ten in tens]
    behaviour = nsd.root / "nsddata/ppdata/subj02/behav/responses.tsv"
    write_rows(behaviour, ["SESSION", "RUN", "73KID"], rows)
    reader = load("nsd", nsd.root)
    assert [int(name[4:]) for name in reader.stimuli().names] == [3, 4, 7]  # 8 is 3 again
    # 1 is planned for all
    assert [int(name[4:]) for name in reader.stimuli(n_unshown=5).names] == [0, 2, 3, 4, 5, 6, 7, 9]
    with pytest.raises(DataError, match=r"6 pictures that nobody .* there are 5; give a"):
        reader.stimuli(n_unshown=6)


def words(root: Path, out: Path, dataset: str, n: int) -> list[str]:
    named = ["--dataset", dataset, "--root", str(root), "--out", str(out), "--quiet"]
    return ["prepare", *named, "--unshown", str(n)]


@pytest.mark.parametrize(
    ("n", "message"),
    [
        (99, "field imgBrick: 99 pictures that nobody was shown are asked for, there are "),
        (-1, "--unshown is -1; give 0 or more"),
    ],
)
def test_impossible_numbers_are_one_line(wider_root, tmp_path, capsys, n, message):
    assert main(words(wider_root, tmp_path / "out", "mini-fmri", n)) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert message in line
    assert list(tmp_path.iterdir()) == []


def test_other_data_sets_have_none(tmp_path, rng, capsys):
    write_v4(tmp_path / "raw", rng)
    assert {name for name in DATASETS if DATASETS[name].more_pictures} == {"nsd", "mini-fmri"}
    assert main(words(tmp_path / "raw", tmp_path / "out", "v4", 3)) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert "--unshown: v4 has no pictures that nobody was shown" in line
    assert main(words(tmp_path / "raw", tmp_path / "out", "v4", 0)) == 0


def test_commands_from_scene_to_store(tmp_path):
    sizes = ["--subjects", "1", "--images-per-subject", "9", "--shared", "3", "--repeats", "2"]
    root, out = tmp_path / "world", tmp_path / "stores"
    command = ["simulate", "--out", str(root), *sizes, "--image-size", "16", "--unshown", "5"]
    assert main([*command, "--quiet"]) == 0
    assert main([*words(root, out, "mini-fmri", 5), "--val-share", "0.3"]) == 0
    assert len(read_stimuli(out / "stimuli.h5")) == 9 + 3 + 5
