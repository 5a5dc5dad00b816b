"""Tiny MEG and EEG data sets in the published layouts, written without any of the readers' code."""

from __future__ import annotations

import json
import pickle
from pathlib import Path

import mne
import numpy as np
import pandas as pd
from dataset_worlds import write_rows
from PIL import Image

#: Seconds; a high-pass of .1 Hz takes 33.
LONG = 36.0


def write_pictures(folder: Path, names: list[str], rng: np.random.Generator) -> None:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(rng.integers(0, 256, (9, 9, 3), dtype=np.uint8)).save(folder / name)


def continuous(
    names: list[str],
    kind: str,
    onset: np.ndarray,
    values: np.ndarray,
    rng: np.random.Generator,
    *,
    sfreq: float = 160.0,
    seconds: float = LONG,
    stim: str = "STI 014",
) -> mne.io.RawArray:
    """Noise with triggers of three samples in the last channel."""
    n = round(seconds * sfreq)
    trigger = np.zeros(n)
    for start, value in zip(onset, values, strict=True):
        trigger[start : start + 3] = value
    scale = 1e-5 if kind == "eeg" else 1e-12
    data = np.vstack([scale * rng.standard_normal((len(names), n)), trigger])
    info = mne.create_info([*names, stim], sfreq, [kind] * len(names) + ["stim"])
    raw = mne.io.RawArray(data, info, verbose="ERROR")
    if kind == "eeg":
        raw.set_montage("colin27_1020", on_missing="ignore")
    else:
        for number, channel in enumerate(raw.info["chs"][:-1]):
            channel["loc"][:3] = [0.02 * number - 0.06, 0.09, 0.08]
            channel["loc"][3:12] = np.eye(3).ravel()
    return raw


def save(raw: mne.io.BaseRaw, path: Path, **options: object) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    raw.save(path, verbose="ERROR", overwrite=True, **options)


def write_n170(root: Path, rng: np.random.Generator, *, runs: int = 3) -> None:
    """One subject, runs of 8 s with 9 trials; a trial in the middle of a run is an artefact."""
    columns = ["timestamps", "TP9", "AF7", "AF8", "TP10", "Right AUX", "Marker0"]
    for run in range(runs):
        n = 8 * 256
        marker = np.zeros(n, int)
        marker[150 + 200 * np.arange(9)] = rng.permutation([1, 2, 1, 2, 1, 2, 1, 2, 1])
        signal = 9 * rng.standard_normal((n, 5))
        signal[marker.cumsum().searchsorted(6) + 60 :][:8] += 400
        seconds = 5.0 + run * 100 + np.arange(n) / 256
        rows = [
            (f"{t:.4f}", *(f"{v:.3f}" for v in values), m)
            for t, values, m in zip(seconds, signal, marker, strict=True)
        ]
        write_rows(
            root / f"subject1/session1/data_2017-09-13-15.3{run}.csv", columns, rows, sep=","
        )


def write_epochs(root: Path, rng: np.random.Generator, *, n: int = 13, **options: object) -> None:
    """Two files of subject ``a``, one of ``b``; 5 channels, 31 samples, 7 pictures."""
    names = [f"pic{number}.png" for number in range(7)]
    write_pictures(root / "stimuli", names, rng)
    for stem in ("sub-a_ses-1", "sub-a_ses-2", "sub-b_ses-1"):
        info = mne.create_info(["Fz", "Cz", "Pz", "O1", "O2"], 50.0, "eeg")
        shown = rng.integers(0, 7, n)
        metadata = pd.DataFrame({"stim_file": [names[k] for k in shown], "who": stem[4]})
        epochs = mne.EpochsArray(
            1e-5 * rng.standard_normal((n, 5, 31)), info, tmin=-0.1, metadata=metadata,
            verbose="ERROR",
        )  # fmt: skip
        epochs.save(root / f"{stem}-epo.fif", verbose="ERROR", **options)


def write_bids_meeg(root: Path, rng: np.random.Generator, *, kind: str = "eeg") -> None:
    """Subject 07 with two sessions of one run; 9 trials and a question each."""
    names = [f"dog/{number}.png" for number in range(6)]
    write_pictures(root / "stimuli", names, rng)
    (root / "dataset_description.json").write_text(
        json.dumps({"Name": "tiny", "BIDSVersion": "1.9.0", "DatasetType": "raw"})
    )
    write_rows(root / "participants.tsv", ["participant_id", "age"], [("sub-07", 30)])
    channels = ["MEG 0113", "MEG 0112", "MEG 0111", "MEG 0122"]
    for session in ("a", "b"):
        onset = 200 + 500 * np.arange(10)
        values = rng.permutation(np.r_[1:7, 2, 4, 6, 99])
        raw = continuous(channels, "mag", onset, values, rng)
        stem = f"sub-07_ses-{session}_task-look_run-1"
        folder = root / "sub-07" / f"ses-{session}" / "meg"
        save(raw, folder / f"{stem}_meg.fif")
        rows = [
            (f"{start / 160:.5f}", 0.3, value, "n/a" if value == 99 else names[value - 1])
            for start, value in zip(onset.tolist(), values.tolist(), strict=True)
        ]
        header = ["onset", "duration", "value", "stim_file"]
        write_rows(folder / f"{stem}_events.tsv", header, rows)


def write_things_meg(root: Path, rng: np.random.Generator) -> None:
    """Subject 1, 2 sessions of 1 run: 8 exp, 3 test and 1 catch trial each."""
    concepts = ["ant", "bee", "cat", "dog"]
    exp = [f"images_meg/{concepts[k % 4]}/{concepts[k % 4]}_0{k // 4}b.jpg" for k in range(16)]
    test = [f"images_test_meg/{name}_99s.jpg" for name in ("dog", "eel", "fox")]
    write_pictures(root / "stimuli", [*exp, *test], rng)
    numbers = {name: k for k, name in enumerate(["ant", "bee", "cat", "dog", "eel", "fox"], 1)}
    rows = []
    for session in (1, 2):
        shown = [("exp", path) for path in exp[(session - 1) * 8 : session * 8]]
        shown += [("test", path) for path in test] + [("catch", "images_catch_meg/3.jpg")]
        shown = [shown[k] for k in rng.permutation(len(shown))]
        for kind, path in shown:
            concept = numbers[Path(path).stem.split("_")[0]] if kind != "catch" else ""
            rows.append((kind, concept, session, 1, path, 0.0))
        onset = 150 + 400 * np.arange(len(shown))
        raw = continuous(
            [f"MLC{k}" for k in range(4)], "mag", onset, np.full(len(shown), 64), rng,
            sfreq=240.0, stim="UPPT001",
        )  # fmt: skip
        stem = f"sub-BIGMEG1_ses-0{session}_task-main_run-01_meg.fif"
        save(raw, root / f"sub-BIGMEG1/ses-0{session}/meg" / stem)
    header = ["trial_type", "things_category_nr", "session_nr", "run_nr", "image_path", "image_on"]
    write_rows(root / "sourcedata/sample_attributes_P1.csv", header, rows, sep=",")


def write_things_eeg2(root: Path, rng: np.random.Generator, *, version: str = "raw") -> None:
    """Subject 01: 6 training pictures of 3 concepts twice, 3 test pictures three times."""
    train = [(f"0000{k // 2 + 1}_{'abc'[k // 2]}x", f"{'abc'[k // 2]}_{k}.jpg") for k in range(6)]
    test = [(f"0020{k}_t{k}", f"t_{k}.jpg") for k in range(3)]
    write_pictures(root, [f"training_images/{c}/{f}" for c, f in train], rng)
    write_pictures(root, [f"test_images/{c}/{f}" for c, f in test], rng)
    metadata = {}
    for part, pairs in (("train", train), ("test", test)):
        metadata[f"{part}_img_concepts"] = [concept for concept, _ in pairs]
        metadata[f"{part}_img_files"] = [file for _, file in pairs]
    np.save(root / "image_metadata.npy", metadata, allow_pickle=True)
    names = ["Pz", "O1", "Oz", "O2", "P3"]
    for part, n, repeats in (("training", 6, 2), ("test", 3, 3)):
        if version == "raw":
            for session in (1, 2):
                codes = rng.permutation([*np.repeat(np.arange(1, n + 1), repeats), 99999])
                onset = 100 + 400 * np.arange(len(codes))
                raw = continuous(names, "eeg", onset, codes, rng, sfreq=500.0, seconds=12.0)
                content = {
                    "raw_eeg_data": raw.get_data(), "ch_names": [*names, "stim"],
                    "ch_types": ["eeg"] * 5 + ["stim"], "sfreq": 500, "highpass": 0.01,
                }  # fmt: skip
                folder = root / f"sub-01/ses-0{session}"
                folder.mkdir(parents=True, exist_ok=True)
                np.save(folder / f"raw_eeg_{part}.npy", content, allow_pickle=True)
            continue
        content = {
            "preprocessed_eeg_data": rng.standard_normal((n, repeats, 5, 21)),
            "ch_names": names, "times": np.arange(-4, 17) / 20,
        }  # fmt: skip
        (root / "sub-01").mkdir(exist_ok=True)
        path = root / f"sub-01/preprocessed_eeg_{part}.npy"
        if version == "nice":  # a bare pickle, in spite of its name
            path.write_bytes(pickle.dumps(content, protocol=4))
        else:
            np.save(path, content, allow_pickle=True)
