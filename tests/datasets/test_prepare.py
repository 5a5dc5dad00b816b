"""`prepare`: all or nothing, bad voxels, and the command's own words."""

from __future__ import annotations

import errno
from collections.abc import Iterable
from pathlib import Path

import h5py
import numpy as np
import pytest
from dataset_worlds import write_haxby, write_nsd, write_v4

from neurodecode.cli import main
from neurodecode.datasets import DATASETS, DatasetReader, load
from neurodecode.datasets.locate import read_sources
from neurodecode.datasets.prepare import PrepareOptions, prepare
from neurodecode.datasets.quality import WatchedArray
from neurodecode.errors import ConfigError, DataError
from neurodecode.recording import Recording, StimulusSet, content_id
from neurodecode.splits import read_split
from neurodecode.store import ResponseStore, read_stimuli


class Toy(DatasetReader):
    """Two subjects, 14 trials of 7 pictures, 9 and 8 voxels; a test bends what it needs."""

    name, split_scheme, how_to_get, layouts = "toy", "kfold", "make it", (("*",),)

    def __init__(self, root: Path, rng: np.random.Generator) -> None:
        root.mkdir()
        (root / "file").touch()
        super().__init__(root)
        self.pictures = rng.integers(0, 256, (7, 18, 19, 3), dtype=np.uint8)
        self.values = {"a": rng.standard_normal((14, 9)), "b": rng.standard_normal((14, 8))}
        self.ids = [content_id(picture) for picture in self.pictures]

    @property
    def subjects(self) -> list[str]:
        return sorted(self.values)

    def recording(self, subject: str) -> Recording:
        values = self.values[subject]
        return Recording(
            subject=subject,
            modality="fmri",
            responses=values,
            stimulus_id=np.array(self.ids * 2),
            session=np.repeat([1, 2], 7),
            run=np.ones(14, int),
            features={"xyz": np.arange(3 * values.shape[1]).reshape(-1, 3)},
            units="z",
        )

    def stimuli(self, subjects: Iterable[str] | None = None) -> StimulusSet:
        return StimulusSet(ids=self.ids, images=self.pictures)


@pytest.fixture
def toy(tmp_path, rng) -> Toy:
    return Toy(tmp_path / "toy", rng)


def spoil(toy: Toy) -> None:
    """Three bad voxels of subject b: NaN once, constant in session 2, constant."""
    toy.values["b"][3, 1] = np.nan
    toy.values["b"][7:, 4] = 2.5
    toy.values["b"][:, 6] = 0


def test_bad_voxels_are_counted_and_named(toy, tmp_path):
    spoil(toy)
    message = (
        r"subject b, field responses: 3 of 8 voxels are bad \(1 NaN, 2 constant\): "
        r"1 at \(3, 4, 5\), 4 at \(12, 13, 14\), 6 at \(18, 19, 20\); .*--drop-bad-voxels"
    )
    with pytest.raises(DataError, match=message):
        prepare(toy, tmp_path / "out", PrepareOptions(n_folds=3))
    assert not (tmp_path / "out").exists()


def test_bad_voxels_are_left_out_on_request(toy, tmp_path):
    spoil(toy)
    found = prepare(toy, tmp_path / "out", PrepareOptions(n_folds=3, drop_bad_voxels=True))
    assert found.dropped == {"a": 0, "b": 3}
    store = ResponseStore(tmp_path / "out" / "sub-b.h5")
    good = [0, 2, 3, 5, 7]
    expected = toy.values["b"][:, good].astype(np.float32)
    assert np.array_equal(store.read(np.arange(14)), expected)
    assert np.array_equal(store.feature("xyz")[:, 0], 3 * np.array(good))


@pytest.mark.parametrize("blocks", [[14], [3, 9, 14], [7, 14]])
def test_bad_voxels_do_not_depend_on_how_the_trials_are_read(toy, blocks):
    spoil(toy)
    watched = WatchedArray(toy.values["b"], np.repeat([1, 2], 7))
    start = 0
    for stop in blocks:
        assert watched[start:stop].shape == (stop - start, 8)
        start = stop
    assert np.flatnonzero(watched.bad()).tolist() == [1, 4, 6]
    assert watched.largest(~watched.bad()) == abs(toy.values["b"][:, [0, 2, 3, 5, 7]]).max()


def test_all_voxels_bad_is_refused_even_then(toy, tmp_path):
    toy.values["a"][:] = 1.0
    with pytest.raises(DataError, match="subject a: no usable feature is left"):
        prepare(toy, tmp_path / "out", PrepareOptions(drop_bad_voxels=True))


def test_numbers_that_do_not_fit_are_refused(toy, tmp_path):
    toy.values["a"][2, 2] = 1e5
    with pytest.raises(ConfigError, match="responses of a do not fit into float16"):
        prepare(toy, tmp_path / "out", PrepareOptions(dtype="float16"))
    found = prepare(toy, tmp_path / "out", PrepareOptions(n_folds=2))
    assert found.stores["a"].dtype == np.float32


def test_stimulus_without_a_picture_is_refused(toy, tmp_path):
    toy.ids = [*toy.ids[:6], "0123"]
    original = toy.stimuli
    toy.stimuli = lambda subjects=None: StimulusSet(ids=original().ids[:6], images=toy.pictures[:6])
    with pytest.raises(DataError, match="1 stimulus ids without an image, first: 0123"):
        prepare(toy, tmp_path / "out", PrepareOptions())


def test_failure_keeps_what_was_there(toy, tmp_path):
    out = tmp_path / "out"
    prepare(toy, out, PrepareOptions(n_folds=2))
    before = {file.name: file.read_bytes() for file in out.iterdir()}
    spoil(toy)
    with pytest.raises(DataError):
        prepare(toy, out, PrepareOptions(n_folds=2))
    assert {file.name: file.read_bytes() for file in out.iterdir()} == before
    assert {path.name for path in tmp_path.iterdir()} == {"toy", "out"}


@pytest.mark.parametrize(
    "error",
    [
        OSError(errno.ENOSPC, "No space left on device"),
        OSError("Can't write data (errno = 28, error message = 'No space left on device')"),
        RuntimeError("Can't decrement id ref count (error message = 'No space left on device')"),
    ],
)
def test_full_disk_is_one_line_and_leaves_nothing(toy, tmp_path, monkeypatch, error):
    def full(*args: object, **kwargs: object) -> None:
        raise error

    monkeypatch.setattr("neurodecode.datasets.prepare.write_split", full)
    with pytest.raises(DataError, match=r"out: no space left on the disk; free some space"):
        prepare(toy, tmp_path / "out", PrepareOptions(n_folds=2))
    assert {path.name for path in tmp_path.iterdir()} == {"toy"}


def test_other_errors_are_not_taken_for_a_full_disk(toy, tmp_path, monkeypatch):
    def bug(*args: object, **kwargs: object) -> None:
        raise OSError(errno.EIO, "I/O error")

    monkeypatch.setattr("neurodecode.datasets.prepare.write_split", bug)
    with pytest.raises(OSError, match="I/O error"):
        prepare(toy, tmp_path / "out", PrepareOptions(n_folds=2))


def test_data_that_cannot_fit_are_refused_before_writing(toy, tmp_path, monkeypatch):
    usage = type("Usage", (), {"free": 100})
    monkeypatch.setattr("shutil.disk_usage", lambda folder: usage)
    with pytest.raises(DataError, match="no space left on the disk"):
        prepare(toy, tmp_path / "out", PrepareOptions(n_folds=2))


def test_command_prepares_some_subjects(tmp_path, rng, capsys):
    write_v4(tmp_path / "raw", rng)
    out = tmp_path / "stores"
    words = ["prepare", "--dataset", "v4", "--root", str(tmp_path / "raw"), "--out", str(out)]
    code = main([*words, "--subjects", "201025", "--n-folds", "2", "--dtype", "float16", "--quiet"])
    assert code == 0
    assert capsys.readouterr().out == ""
    assert sorted(file.name for file in out.iterdir()) == [
        "splits.json",
        "stimuli.h5",
        "sub-201025.h5",
    ]
    assert ResponseStore(out / "sub-201025.h5").dtype == np.float16
    assert len(read_stimuli(out / "stimuli.h5")) == 6
    assert read_split(out / "splits.json").info["subjects"] == ["201025"]


def test_command_shows_what_was_found(tmp_path, rng, capsys):
    write_haxby(tmp_path / "raw", rng)
    words = ["--root", str(tmp_path / "raw"), "--out", str(tmp_path / "stores")]
    assert main(["prepare", "--dataset", "haxby2001", *words, "--val-share", "0.4"]) == 0
    shown = capsys.readouterr()
    assert "haxby2001" in shown.out
    assert "leave-one-run-out" in shown.out
    assert "9/9" in shown.err  # the progress bar


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--dataset", "v5", "--root", "."], "unknown data set 'v5'; known: algonauts2023"),
        (["--dataset", "v4"], "give either --root or --sources"),
        (["--dataset", "v4", "--root", ".", "--option", "mask"], "--option mask: write KEY=VALUE"),
        (["--dataset", "v4", "--root", ".", "--option", "b=1"], "unexpected keyword argument 'b'"),
        (["--dataset", "nsd", "--root", "."], "not the layout of nsd"),
        (["--dataset", "v4", "--sources", "no.yaml"], "file no.yaml: file is missing; run `neuro"),
    ],
)
def test_command_says_what_is_wrong_in_one_line(tmp_path, capsys, monkeypatch, words, message):
    monkeypatch.chdir(tmp_path)
    assert main(["prepare", *words, "--out", "stores"]) == 2
    (line,) = capsys.readouterr().err.strip().splitlines()
    assert message in line
    assert list(tmp_path.iterdir()) == []


def test_reader_options_reach_the_reader(tmp_path, rng):
    nsd = write_nsd(tmp_path / "raw", rng)
    (nsd.rois / "nsdgeneral.nii.gz").rename(nsd.rois / "mine.nii.gz")
    words = ["--root", str(tmp_path / "raw"), "--out", str(tmp_path / "stores"), "--quiet"]
    extra = ["--option", "mask=mine", "--image-size", "9"]
    assert main(["prepare", "--dataset", "nsd", *words, *extra]) == 0
    assert read_stimuli(tmp_path / "stores" / "stimuli.h5").images.shape[1:] == (9, 9, 3)


def test_locate_notes_where_things_are(tmp_path, rng, capsys):
    write_v4(tmp_path / "data" / "macaques", rng)
    write_haxby(tmp_path / "data" / "people", rng)
    out = tmp_path / "sources.yaml"
    words = ["locate", "--data", str(tmp_path / "data"), "--out", str(out), "--quiet"]
    assert main([*words, "--require", "v4"]) == 0
    assert read_sources(out) == {
        "v4": tmp_path / "data" / "macaques",
        "haxby2001": tmp_path / "data" / "people",
        "haxby2001-series": tmp_path / "data" / "people",
    }
    assert "images/images_190923.zip:" in out.read_text()
    stores = tmp_path / "stores"
    words = ["--sources", str(out), "--out", str(stores), "--n-folds", "2", "--quiet"]
    assert main(["prepare", "--dataset", "v4", *words]) == 0
    assert main(["prepare", "--dataset", "nsd", *words]) == 2
    assert "does not list nsd; run `neurodecode locate" in capsys.readouterr().err


@pytest.mark.parametrize("words", [[], ["--data", "nowhere"], ["--data", "."]])
def test_locate_without_data_tells_how_to_get_them(tmp_path, capsys, monkeypatch, words):
    monkeypatch.chdir(tmp_path)
    assert main(["locate", *words, "--out", "sources.yaml"]) == 2
    (line,) = capsys.readouterr().err.strip().splitlines()
    for name, reader in DATASETS.items():
        # simulated worlds are not looked for
        assert (reader.how_to_get in line) == (not name.startswith("mini-"))
    assert not (tmp_path / "sources.yaml").exists()


def test_locate_demands_what_is_required(tmp_path, rng, capsys):
    write_haxby(tmp_path / "people", rng)
    words = ["locate", "--data", str(tmp_path), "--out", str(tmp_path / "s.yaml"), "--require"]
    assert main([*words, "haxby2001", "v4"]) == 2
    message = capsys.readouterr().err
    assert f"no v4 in {tmp_path}" in message
    assert DATASETS["v4"].how_to_get in message
    assert main([*words, "v5"]) == 2


def test_simulated_world_is_not_taken_for_nsd(mini_root):
    assert DATASETS["nsd"].find(mini_root) is None
    assert DATASETS["mini-fmri"].find(mini_root.parent) == mini_root


def test_malformed_sources_are_refused(tmp_path):
    (tmp_path / "sources.yaml").write_text("v4: /somewhere\n")
    with pytest.raises(DataError, match="not a list of sources"):
        read_sources(tmp_path / "sources.yaml")


def test_simulate_command_makes_a_small_world(tmp_path):
    sizes = ["--subjects", "1", "--images-per-subject", "9", "--shared", "3", "--repeats", "2"]
    out = tmp_path / "world"
    words = ["simulate", "--out", str(out), *sizes, "--image-size", "16", "--seed", "3"]
    assert main([*words, "--quiet"]) == 0
    recording = load("mini-fmri", out).recording("01")
    assert recording.n_trials == 24
    assert recording.responses[:2].shape == (2, 731)
    with h5py.File(out / "truth" / "subj01.h5") as truth:
        assert truth.attrs["option_seed"] == 3
