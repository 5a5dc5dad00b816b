from __future__ import annotations

import pickle

import h5py
import numpy as np
import pytest

from neurodecode.errors import DataError
from neurodecode.recording import Recording, Source
from neurodecode.store import ResponseStore


def make_recording(shape: tuple[int, ...], rng: np.random.Generator) -> Recording:
    n_trials, n_features = shape[:2]
    return Recording(
        subject="07",
        modality="fmri",
        responses=rng.normal(size=shape).astype(np.float32),
        stimulus_id=np.array([f"stimulus {i % 5}" for i in range(n_trials)]),
        session=np.arange(n_trials) // 4,
        run=np.arange(n_trials) // 2,
        features={
            "roi": np.array([f"V{i}" for i in range(n_features)]),
            "ncsnr": rng.random(n_features),
        },
        units="percent signal change",
        sfreq=120.0 if len(shape) == 3 else None,
        n_averaged=2,
        info={"affine": [[1.8, 0.0], [0.0, 1.8]]},
        sources=[Source("raw/betas.hdf5", "abc")],
    )


@pytest.mark.parametrize("shape", [(17, 9), (11, 7, 8), (1, 1)])
@pytest.mark.parametrize("dtype", ["float32", "float16"])
def test_round_trip_in_any_order_with_repeats(tmp_path, rng, shape, dtype):
    recording = make_recording(shape, rng)
    store = ResponseStore.write(tmp_path / "sub-07.h5", recording, dataset="mini-fmri", dtype=dtype)
    trials = rng.integers(0, shape[0], size=23)
    np.testing.assert_array_equal(store.read(trials), recording.responses.astype(dtype)[trials])
    assert store.stimulus_id.tolist() == recording.stimulus_id.tolist()
    assert store.session.tolist() == recording.session.tolist()
    assert store.run.tolist() == recording.run.tolist()
    assert store.feature("roi").tolist() == recording.features["roi"].tolist()
    np.testing.assert_array_equal(store.feature("ncsnr"), recording.features["ncsnr"])
    assert store.feature_names() == ["ncsnr", "roi"]
    assert (store.units, store.n_averaged, store.sfreq) == (recording.units, 2, recording.sfreq)
    assert store.info == recording.info
    assert store.sources == [{"file": "raw/betas.hdf5", "sha256": "abc"}]


def test_blocks_cover_every_trial_once(tmp_path, rng):
    recording = make_recording((13, 7), rng)
    store = ResponseStore.write(tmp_path / "a.h5", recording, dataset="x")
    rows = np.concatenate([block for _, block in store.blocks()])
    np.testing.assert_array_equal(rows, recording.responses)


def test_kept_features_only(tmp_path, rng):
    recording = make_recording((7, 9), rng)
    keep = np.arange(9) % 3 != 0
    store = ResponseStore.write(tmp_path / "a.h5", recording, dataset="x", keep=keep)
    np.testing.assert_array_equal(store.read(range(7)), recording.responses[:, keep])
    assert store.feature("roi").tolist() == recording.features["roi"][keep].tolist()


def test_store_travels_to_another_process_after_it_was_read(tmp_path, rng):
    store = ResponseStore.write(tmp_path / "a.h5", make_recording((7, 8), rng), dataset="x")
    first = store.read([3])
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(store)).read([3]), first)


@pytest.mark.parametrize("trials", [[-1], [7], [0, 99]])
def test_trial_out_of_range(tmp_path, rng, trials):
    store = ResponseStore.write(tmp_path / "a.h5", make_recording((7, 8), rng), dataset="x")
    with pytest.raises(IndexError, match=r"0\.\.6"):
        store.read(trials)


def test_missing_feature_lists_what_there_is(tmp_path, rng):
    store = ResponseStore.write(tmp_path / "a.h5", make_recording((7, 8), rng), dataset="x")
    with pytest.raises(DataError, match="field features/curvature"):
        store.feature("curvature")


def test_missing_file(tmp_path):
    with pytest.raises(DataError, match=r"file .*nowhere\.h5: file is missing"):
        ResponseStore(tmp_path / "nowhere.h5")


def test_truncated_file(tmp_path, rng):
    path = tmp_path / "a.h5"
    ResponseStore.write(path, make_recording((700, 90), rng), dataset="x")
    path.write_bytes(path.read_bytes()[:5000])
    with pytest.raises(DataError, match=r"a\.h5: file is truncated"):
        ResponseStore(path)


def test_older_format_is_refused_by_version(tmp_path, rng):
    path = tmp_path / "a.h5"
    ResponseStore.write(path, make_recording((7, 8), rng), dataset="x")
    with h5py.File(path, "r+") as file:
        file.attrs["format_version"] = 0
    with pytest.raises(DataError, match="format version 0, this program writes 1; delete it"):
        ResponseStore(path)


def test_other_kind_of_file(tmp_path):
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["betas"] = np.zeros(3)
    with pytest.raises(DataError, match="not a store of responses"):
        ResponseStore(tmp_path / "a.h5")


def test_interrupted_write_leaves_nothing(tmp_path, rng):
    class Failing:
        shape = (7, 8)

        def __getitem__(self, index):
            raise KeyboardInterrupt

    recording = make_recording((7, 8), rng)
    broken = Recording(**{**vars(recording), "responses": Failing()})
    with pytest.raises(KeyboardInterrupt):
        ResponseStore.write(tmp_path / "a.h5", broken, dataset="x")
    assert list(tmp_path.iterdir()) == []


def test_full_disk_is_named_and_keeps_the_old_file(tmp_path, rng):
    class Full:
        shape = (7, 8)

        def __getitem__(self, index):
            raise OSError(28, "No space left on device")

    recording = make_recording((7, 8), rng)
    old = ResponseStore.write(tmp_path / "a.h5", recording, dataset="x").read([2])
    with pytest.raises(DataError, match=r"a\.h5: no space left on the disk"):
        ResponseStore.write(
            tmp_path / "a.h5", Recording(**{**vars(recording), "responses": Full()}), dataset="x"
        )
    np.testing.assert_array_equal(ResponseStore(tmp_path / "a.h5").read([2]), old)
    assert len(list(tmp_path.iterdir())) == 1
