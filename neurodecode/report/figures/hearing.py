"""Steered hearing: spectrograms before and after, and what steered them over time."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from neurodecode.report.svg import new_figure
from neurodecode.report.theme import ROLES, SERIES

__all__ = ["spectrogram_figure", "steering_figure"]

#: Levels below the loudest that are still drawn, and the highest frequency.
_RANGE_DB, _TOP_HZ = 60.0, 4000.0


def spectrogram_figure(sounds: Mapping[str, np.ndarray], rate: float, width: float = 820) -> Figure:
    """Draw spectrograms side by side, on one scale of levels.

    Parameters
    ----------
    sounds : mapping of str to array of shape (n_samples,)
        By title.
    rate : float
        In Hz.
    width : float
        Width in CSS pixels.

    Returns
    -------
    Figure
        Darker is louder.
    """
    from scipy.signal import ShortTimeFFT
    from scipy.signal.windows import hann

    transform = ShortTimeFFT(hann(256, sym=False), 128, rate)
    levels = {
        name: 10 * np.log10(transform.spectrogram(sound) + 1e-14) for name, sound in sounds.items()
    }
    top = max(float(each.max()) for each in levels.values())
    figure = new_figure(width, 230)
    panels = figure.subplots(1, len(levels), sharey=True)
    for axes, (name, level) in zip(np.atleast_1d(panels), levels.items(), strict=True):
        seconds = len(sounds[name]) / rate
        axes.imshow(level, origin="lower", aspect="auto", cmap="Greys", vmin=top - _RANGE_DB,
                    vmax=top, extent=(0, seconds, 0, _TOP_HZ / 1000))  # fmt: skip
        axes.set_title(name)
        axes.set_xlabel("s")
    np.atleast_1d(panels)[0].set_ylabel("kHz")
    return figure


def steering_figure(table: pd.DataFrame, title: str, width: float = 820) -> Figure:
    """Draw how likely the attended talker was held to be, and what that did to the sound.

    Parameters
    ----------
    table : DataFrame
        Windows of one trial and one steering: ``second``, ``attended``, ``probability``,
        ``gain_db``.
    title : str
        What is drawn.
    width : float
        Width in CSS pixels.

    Returns
    -------
    Figure
        Posterior of the attended talker above, improvement of the sound below.
    """
    figure = new_figure(width, 320)
    above, below = figure.subplots(2, 1, sharex=True)
    above.step(table["second"], table["probability"], where="pre", color=SERIES[0].light,
               linewidth=2)  # fmt: skip
    above.axhline(0.5, color=ROLES["muted"].light, linewidth=1, linestyle=(0, (4, 3)))
    above.set_ylim(-0.02, 1.02)
    above.yaxis.set_major_formatter(PercentFormatter(1.0, decimals=0))
    above.set_ylabel("posterior")
    above.set_title(title)
    below.axhline(0, color=ROLES["muted"].light, linewidth=1, linestyle=(0, (4, 3)))
    below.step(table["second"], table["gain_db"], where="pre", color=SERIES[1].light, linewidth=2)
    below.set_ylabel("improvement (dB)")
    below.set_xlabel("s")
    moved = table.loc[table["attended"].diff().fillna(0) != 0, "second"]
    for axes in (above, below):
        for second in moved:
            axes.axvline(second, color=ROLES["muted"].light, linewidth=1)
    return figure
