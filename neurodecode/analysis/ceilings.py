"""How much of the measured responses could be explained at all."""

from __future__ import annotations

import numpy as np
import pandas as pd

from neurodecode.analysis.stores import StoreFolder
from neurodecode.metrics.functional.reliability import noise_ceiling

__all__ = ["ceiling_per_roi", "ceiling_table", "repeats_behind_test", "voxel_ceiling"]


def repeats_behind_test(folder: StoreFolder, subject: str) -> np.ndarray:
    """Count the repeats behind each test stimulus of a subject.

    Parameters
    ----------
    folder : StoreFolder
        Stores of a data set.
    subject : str
        Subject.

    Returns
    -------
    array of int of shape (n,)
        For each fold and each test stimulus of it that this subject met: its test trials,
        times the repeats that the publisher had already averaged into one.
    """
    store, split = folder.responses[subject], folder.split
    counts = [
        np.unique(store.stimulus_id[split.trials(fold, store)["test"]], return_counts=True)[1]
        for fold in range(len(split.folds))
    ]
    return np.concatenate(counts) * store.n_averaged


def voxel_ceiling(ncsnr: np.ndarray, repeats: np.ndarray) -> np.ndarray:
    """Share of the variance of repeat averages that a perfect model would explain.

    Parameters
    ----------
    ncsnr : array of shape (n_voxels,)
        Standard deviation of the signal over that of the noise of one trial; NaN where unknown.
    repeats : array of int of shape (n_stimuli,)
        Repeats averaged for each stimulus; for unequal ones the mean of 1/n over stimuli takes
        the place of 1/n.

    Returns
    -------
    array of shape (n_voxels,)
        `neurodecode.metrics.functional.noise_ceiling`, in units of r squared, 0 to 1.
    """
    return noise_ceiling(ncsnr, inverse=float(np.mean(1.0 / np.asarray(repeats))))


def _ceilings(folder: StoreFolder, subject: str) -> np.ndarray | None:
    """Ceiling of each voxel, or None where the publisher gives no ncsnr."""
    store = folder.responses[subject]
    if "ncsnr" not in store.feature_names():
        return None
    repeats = repeats_behind_test(folder, subject)
    if not repeats.size:
        return None
    return voxel_ceiling(store.feature("ncsnr"), repeats)


def ceiling_table(folder: StoreFolder) -> pd.DataFrame:
    """Noise ceiling of each subject.

    Parameters
    ----------
    folder : StoreFolder
        Stores of a data set.

    Returns
    -------
    DataFrame
        Columns dataset, subject, n_voxels, n_averaged (mean repeats of a test stimulus),
        median_ncsnr, median, q25, q75 (of the ceiling over voxels, in units of r squared).
        No rows for a data set without ncsnr.
    """
    columns = [
        "dataset", "subject", "n_voxels", "n_averaged", "median_ncsnr", "median", "q25", "q75",
    ]  # fmt: skip
    rows = []
    for subject, store in folder.responses.items():
        ceiling = _ceilings(folder, subject)
        if ceiling is None:
            continue
        q25, median, q75 = np.nanquantile(ceiling, (0.25, 0.5, 0.75))
        repeats = repeats_behind_test(folder, subject)
        ncsnr = float(np.nanmedian(store.feature("ncsnr")))
        rows.append((store.dataset, subject, len(ceiling), repeats.mean(), ncsnr, median, q25, q75))
    table = pd.DataFrame(rows, columns=columns)
    # an empty table has these types too, and so does what is joined from several
    kinds = {name: "float64" for name in columns[3:]}
    return table.astype({"dataset": "str", "subject": "str", "n_voxels": "int64"} | kinds)


def ceiling_per_roi(folder: StoreFolder, feature: str = "roi") -> pd.DataFrame:
    """Noise ceiling of each voxel, with its region.

    Parameters
    ----------
    folder : StoreFolder
        Stores of a data set.
    feature : str
        Name of the labels in the store (``roi``, ``streams``, ``floc-faces``, ...).

    Returns
    -------
    DataFrame
        Columns dataset, subject, roi (empty for a voxel without label), ceiling; one row for
        each voxel.
    """
    frames = []
    for subject, store in folder.responses.items():
        ceiling = _ceilings(folder, subject)
        if ceiling is None or feature not in store.feature_names():
            continue
        frame = pd.DataFrame({"roi": store.feature(feature).astype("str"), "ceiling": ceiling})
        frame.insert(0, "dataset", store.dataset)
        frame.insert(1, "subject", subject)
        frames.append(frame)
    if not frames:
        text = {name: pd.Series(dtype="str") for name in ("dataset", "subject", "roi")}
        return pd.DataFrame({**text, "ceiling": pd.Series(dtype="float64")})
    return pd.concat(frames, ignore_index=True)
