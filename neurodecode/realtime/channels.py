"""Channels of a stream, brought into the order, the number and the units of the decoder."""

from __future__ import annotations

import logging
import re
from collections.abc import Sequence

import numpy as np

from neurodecode.errors import ConfigError, DataError
from neurodecode.preprocess.front_end import FrontEnd
from neurodecode.realtime.types import Description
from neurodecode.realtime.units import factor, known_unit

__all__ = ["ChannelMap", "match_names"]

log = logging.getLogger(__name__)
_SHOWN = 5
#: More than half guessed from the rest is no recording of that decoder's sensors.
_MOST_MISSING = 0.5


def match_names(wanted: Sequence[str], offered: Sequence[str]) -> list[int | None]:
    """Find channels by name.

    Parameters
    ----------
    wanted : sequence of str of length n_channels
        Names of the decoder.
    offered : sequence of str
        Names of the stream.

    Returns
    -------
    list of int or None, of length n_channels
        Place of each in the stream. Names are equal, or else equal but for capitals, spaces, a
        leading ``EEG`` or ``MEG`` and the number that CTF hangs on (``MLC11-1609``), if only one
        channel of the stream is.
    """
    exact = {name: place for place, name in enumerate(offered)}
    plain: dict[str, list[int]] = {}
    for place, name in enumerate(offered):
        plain.setdefault(_plain(name), []).append(place)
    found: list[int | None] = []
    for name in wanted:
        alike = plain.get(_plain(name), [])
        found.append(exact.get(name, alike[0] if len(alike) == 1 else None))
    return found


def _plain(name: str) -> str:
    text = re.sub(r"[\s_]", "", name).casefold()
    return re.sub(r"-\d{4}$", "", re.sub(r"^(eeg|meg)(?=.)", "", text))


class ChannelMap:
    """From the samples of a stream to the channels of a decoder.

    Electrodes that the stream lacks are interpolated from the others with spherical splines, if
    their positions are known; other missing sensors are silent. Either is said once. Channels that
    a recording calls bad are taken as missing.

    Parameters
    ----------
    front_end : FrontEnd
        The decoder's channels.
    description : Description
        The stream's.
    unit : str, optional
        Unit of all channels, if the stream does not say or is wrong.
    exclude : sequence of str
        Channels of the decoder to be taken as missing: broken ones.

    Raises
    ------
    DataError
        If no channel, or less than half of them, is in the stream.
    ConfigError
        If a unit or an excluded channel is unknown.
    """

    def __init__(
        self,
        front_end: FrontEnd,
        description: Description,
        unit: str | None = None,
        exclude: Sequence[str] = (),
    ) -> None:
        if unknown := set(exclude) - set(front_end.names):
            raise ConfigError(f"--exclude {min(unknown)}: the decoder has no such channel")
        places = match_names(front_end.names, description.channels)
        bad = {n for n, name in enumerate(description.channels) if name in description.bads}
        places = [
            None if name in exclude or place is None or place in bad else place
            for name, place in zip(front_end.names, places, strict=True)
        ]
        self.present = np.array([k for k, place in enumerate(places) if place is not None], int)
        self.missing = np.array([k for k, place in enumerate(places) if place is None], int)
        self.names = [front_end.names[k] for k in self.present]
        _check_overlap(front_end, description, self.missing)
        self._columns = np.array([place for place in places if place is not None], int)
        self._scale = _scale(description, self._columns, unit)[:, None]
        self._weights = _weights(front_end, self.present, self.missing)
        self._count = len(places)

    def pick(self, samples: np.ndarray) -> np.ndarray:
        """Take the channels that are there, in V, T or T/m.

        Parameters
        ----------
        samples : array of shape (n_times, n_stream_channels)
            Of the stream.

        Returns
        -------
        array of float64 of shape (n_present, n_times)
            In the decoder's order.
        """
        picked = samples[:, self._columns].T.astype(np.float64)
        return picked if (self._scale == 1.0).all() else picked * self._scale

    def complete(self, picked: np.ndarray) -> np.ndarray:
        """Put the missing channels in between.

        Parameters
        ----------
        picked : array of float64 of shape (n_present, n_times)
            Finite values.

        Returns
        -------
        array of float64 of shape (n_channels, n_times)
            All channels of the decoder.
        """
        if not len(self.missing):
            return picked
        whole = np.empty((self._count, picked.shape[1]))
        whole[self.present], whole[self.missing] = picked, self._weights @ picked
        return whole


def _check_overlap(front_end: FrontEnd, description: Description, missing: np.ndarray) -> None:
    count = len(front_end.names)
    if not len(missing):
        return
    lost = [front_end.names[k] for k in missing]
    text = ", ".join(lost[:_SHOWN]) + (", ..." if len(lost) > _SHOWN else "")
    if len(missing) > _MOST_MISSING * count:
        raise DataError(
            f"stream {description.name} has {count - len(lost)} of the decoder's {count} channels"
            f" (stream: {', '.join(description.channels[:_SHOWN])}, ...; missing: {text})",
            field="channels",
            fix="give the channels of the stream the names of the training",
        )
    log.warning("stream %s lacks %d of %d channels: %s", description.name, len(lost), count, text)


def _scale(description: Description, columns: np.ndarray, unit: str | None) -> np.ndarray:
    if unit is not None:
        return np.full(len(columns), known_unit(unit))
    units = description.units or (None,) * len(description.channels)
    factors = [factor(units[place]) for place in columns]
    if None in factors:
        name = units[columns[factors.index(None)]]
        raise DataError(
            f"stream {description.name} has the unknown unit {name!r}",
            field="unit",
            fix="give it with --unit",
        )
    return np.array(factors, dtype=np.float64)


def _weights(front_end: FrontEnd, present: np.ndarray, missing: np.ndarray) -> np.ndarray:
    """Weights (n_missing, n_present) with which the others stand in for a missing channel."""
    weights = np.zeros((len(missing), len(present)))
    eeg = np.array(front_end.types) == "eeg"
    placed = eeg & np.isfinite(front_end.position).all(axis=1)
    wanted, known = placed[missing], placed[present]
    if wanted.any() and known.sum() > 2:
        weights[np.ix_(wanted, known)] = _splines(front_end, present[known], missing[wanted])
    else:
        wanted[:] = False
    if not wanted.all():
        silent = [front_end.names[k] for k in missing[~wanted]]
        log.warning("%d of them cannot be interpolated and are silent: %s", len(silent),
                    ", ".join(silent[:_SHOWN]))  # fmt: skip
    return weights


def _splines(front_end: FrontEnd, present: np.ndarray, missing: np.ndarray) -> np.ndarray:
    """Interpolate one unit impulse after the other: the weights of spherical splines."""
    import mne

    from neurodecode.preprocess.channels import interpolate

    rows = np.concatenate([present, missing])
    names = [front_end.names[k] for k in rows]
    info = mne.create_info(names, 100.0, "eeg", verbose="ERROR")
    for channel, row in zip(info["chs"], rows, strict=True):
        channel["loc"][:3] = front_end.position[row]
    impulses = np.zeros((1, len(rows), len(present)))
    impulses[0, : len(present)] = np.eye(len(present))
    return interpolate(impulses, info, names[len(present) :], 0.0)[0, len(present) :]
