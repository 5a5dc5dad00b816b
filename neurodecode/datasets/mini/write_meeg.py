"""Files of the miniature world's MEG and EEG: FIF, tables of events, pictures."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from neurodecode.datasets.mini.meeg_plan import MeegPlan
from neurodecode.datasets.mini.scenes import boxes, captions
from neurodecode.datasets.tables import write_table
from neurodecode.files import write_json

if TYPE_CHECKING:
    import mne

__all__ = ["picture_name", "write_pictures", "write_run"]

_SHOWN_SECONDS, _TRIGGER_SAMPLES = 0.3, 4


def picture_name(row: int) -> str:
    """Name the file of a picture.

    Parameters
    ----------
    row : int
        Its number in the fMRI world, from 0.

    Returns
    -------
    str
        ``scene-00012.png``.
    """
    return f"scene-{row:05d}.png"


def write_pictures(folder: Path, plan: MeegPlan, images: np.ndarray) -> None:
    """Write the pictures as PNG, and ``stimuli.json`` with what is in them.

    Parameters
    ----------
    folder : Path
        Where.
    plan : MeegPlan
        Scenes.
    images : array of uint8 of shape (n_images, size, size, 3)
        Pixels.
    """
    from PIL import Image

    folder.mkdir(parents=True)
    notes = []
    for place, (row, scene) in enumerate(zip(plan.rows.tolist(), plan.scenes, strict=True)):
        Image.fromarray(images[place]).save(folder / picture_name(row), compress_level=1)
        found = zip(scene.objects, boxes(scene, images.shape[1]), strict=True)
        notes.append(
            {
                "file": picture_name(row),
                "test": place < plan.n_test,
                "captions": list(captions(scene)),
                "category": scene.main.category,
                "boxes": [{"category": item.category, "bbox": box} for item, box in found],
            }
        )
    write_json(folder / "stimuli.json", notes)


def write_run(
    folder: Path,
    where: tuple[str, int, int],
    info: mne.Info,
    data: np.ndarray,
    onset: np.ndarray,
    rows: np.ndarray,
    bads: list[str],
    when: datetime,
) -> None:
    """Write one run.

    Parameters
    ----------
    folder : Path
        Root of the world.
    where : tuple of (str, int, int)
        Viewer, session and run, from 1.
    info : mne.Info
        Sensors, the stim channel last.
    data : array of shape (n_channels, n_samples)
        In T or V, without the stim channel.
    onset : array of int of shape (n_trials,)
        Sample at which each picture appears; the stim channel then is its row + 1 for 20 ms.
    rows : array of int of shape (n_trials,)
        Picture of each trial, its number in the fMRI world.
    bads : list of str
        Channels that whoever recorded noted as bad.
    when : datetime
        Date of the recording.
    """
    import mne

    subject, session, run = where
    kind = "eeg" if "eeg" in info.get_channel_types() else "meg"
    stim = np.zeros(data.shape[1])
    for start, row in zip(onset.tolist(), rows.tolist(), strict=True):
        stim[start : start + _TRIGGER_SAMPLES] = row + 1
    raw = mne.io.RawArray(np.vstack([data, stim]), info.copy(), verbose="ERROR")
    raw.info["bads"] = bads
    raw.set_meas_date(when)
    stem = f"sub-{subject}_ses-{session:02d}_task-look_run-{run:02d}"
    place = folder / f"sub-{subject}" / f"ses-{session:02d}" / kind
    place.mkdir(parents=True, exist_ok=True)
    raw.save(place / f"{stem}_{kind}.fif", fmt="single", verbose="ERROR")
    table = {
        "onset": [f"{start / info['sfreq']:.4f}" for start in onset.tolist()],
        "duration": [_SHOWN_SECONDS] * len(onset),
        "sample": onset.tolist(),
        "value": (rows + 1).tolist(),
        "stim_file": [picture_name(row) for row in rows.tolist()],
    }
    write_table(place / f"{stem}_events.tsv", table, sep="\t")
