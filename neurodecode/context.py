"""Sizes that follow from the data, handed from DataModule to model in one piece."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

__all__ = ["MODALITIES", "BuildContext", "Place", "SensorArray", "input_size"]

#: What recordings may be of.
MODALITIES = ("fmri", "meg", "eeg", "ieeg", "spikes")

#: Where a sensor is: (x, y, z) in metres in head coordinates, or None where nobody knows.
Place = tuple[float, float, float] | None


@dataclass(frozen=True)
class SensorArray:
    """What a module must know about the time series of one subject.

    Parameters
    ----------
    n_channels : int
        Channels.
    n_times : int
        Samples of a trial.
    sfreq : float or None
        Sampling rate in Hz.
    positions : tuple of Place of length n_channels
        Where the sensors are; empty if no position is known.
    """

    n_channels: int
    n_times: int
    sfreq: float | None = None
    positions: tuple[Place, ...] = ()


def input_size(inputs: int | SensorArray) -> int:
    """Count the values of one trial.

    Parameters
    ----------
    inputs : int or SensorArray
        Feature count, or shape of a time series.

    Returns
    -------
    int
        Values of a flattened trial.
    """
    return inputs.n_channels * inputs.n_times if isinstance(inputs, SensorArray) else inputs


@dataclass(frozen=True)
class BuildContext:
    """Everything a model must know about the data to be built.

    Nothing in here is typed into a configuration file: the DataModule reads it from the
    stores, LightningCLI links it to the model.

    Parameters
    ----------
    n_features : mapping of str to int
        Feature count (voxels, neurons, channels) of every subject.
    targets : mapping of str to tuple of int
        Shape of one target of each name, without the batch axis, e.g.
        ``{"tokens": (17, 128), "latent": (4, 16, 16)}``.
    image_size : tuple of int
        Height and width of the stimuli in pixels.
    n_times : mapping of str to int
        Samples of a trial of every subject whose recordings are time-resolved; subjects without
        a time axis are not in it.
    sfreq : mapping of str to float
        Sampling rate in Hz of these subjects.
    positions : mapping of str to tuple of Place
        Sensor positions of every subject of whom any is known.
    modality : mapping of str to str
        ``fmri``, ``meg``, ``eeg``, ``ieeg`` or ``spikes`` of every subject.
    regions : mapping of str to tuple of str
        Region of each feature of every subject, where the store tells it.
    """

    n_features: Mapping[str, int]
    targets: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    image_size: tuple[int, int] | None = None
    n_times: Mapping[str, int] = field(default_factory=dict)
    sfreq: Mapping[str, float] = field(default_factory=dict)
    positions: Mapping[str, tuple[Place, ...]] = field(default_factory=dict)
    modality: Mapping[str, str] = field(default_factory=dict)
    regions: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def inputs(self) -> dict[str, int | SensorArray]:
        """What the adapter of each subject is made for.

        Returns
        -------
        dict of str to int or SensorArray
            Feature count, or for time-resolved recordings the sensors.
        """
        return {name: self._inputs(name, count) for name, count in self.n_features.items()}

    def _inputs(self, subject: str, count: int) -> int | SensorArray:
        if subject not in self.n_times:
            return count
        return SensorArray(
            count, self.n_times[subject], self.sfreq.get(subject), self.positions.get(subject, ())
        )
