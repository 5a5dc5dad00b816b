"""Maps of the head, drawn by MNE."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from neurodecode.report.svg import drawing, save_png

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

__all__ = ["head_maps", "save_maps"]


def head_maps(
    values: Mapping[str, np.ndarray], channels: Sequence[str], unit: str
) -> Figure | None:
    """Draw one map for each entry, on one scale.

    Parameters
    ----------
    values : mapping of str to array of shape (n_channels,)
        Title -> value at each channel.
    channels : sequence of str of length n_channels
        Names of a 10-05 system; others have no place, and are left out.
    unit : str
        Beside the scale.

    Returns
    -------
    matplotlib.figure.Figure or None
        None where fewer than four channels have a place.
    """
    import mne
    from matplotlib import pyplot as plt

    montage = mne.channels.make_standard_montage("colin27_1005")
    known = [k for k, name in enumerate(channels) if name in montage.ch_names]
    if len(known) < 4:
        return None
    info = mne.create_info([channels[k] for k in known], 100.0, "eeg")
    info.set_montage(montage)
    every = np.concatenate([np.asarray(each)[known] for each in values.values()])
    signed = bool((every < 0).any())
    top = float(np.abs(every).max()) or 1.0
    limits = (-top, top) if signed else (0.0, top)
    figure, axes = plt.subplots(
        1, len(values), figsize=(2.1 * len(values) + 0.9, 2.4), squeeze=False, layout="constrained"
    )
    image = None
    for axis, (title, each) in zip(axes[0], values.items(), strict=True):
        image, _ = mne.viz.plot_topomap(
            np.asarray(each)[known], info, axes=axis, show=False, vlim=limits,
            cmap="RdBu_r" if signed else "viridis", contours=4,
        )  # fmt: skip
        axis.set_title(title)
    figure.colorbar(image, ax=axes[0].tolist(), shrink=0.7, label=unit)
    return figure


def save_maps(table: pd.DataFrame, path: str | Path) -> bool:
    """Draw how far coherence exceeds its surrogates, mean over subjects, in each band.

    Parameters
    ----------
    table : pandas.DataFrame
        Of `neurodecode attend follow`.
    path : path-like
        PNG file.

    Returns
    -------
    bool
        Whether there was anything to draw.
    """
    table = table.assign(excess=table["coherence"] - table["null"])
    channels = list(dict.fromkeys(table["channel"]))
    values = {
        str(band): part.groupby("channel")["excess"].mean().reindex(channels).to_numpy()
        for band, part in table.groupby("band", sort=False)
    }
    with drawing():
        figure = head_maps(values, channels, "coherence over surrogates")
        if figure is None:
            return False
        save_png(figure, Path(path))
    return True
