"""Sizes that follow from the data, handed from DataModule to model in one piece."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

__all__ = ["BuildContext"]


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
    n_times : int or None
        Samples per trial of time-resolved recordings.
    sfreq : float or None
        Sampling rate in Hz of time-resolved recordings.
    positions : mapping of str to tuple of tuple of float
        Channel positions (x, y) of every subject, where there are any.
    regions : mapping of str to tuple of str
        Region of each feature of every subject, where the store tells it.
    """

    n_features: Mapping[str, int]
    targets: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    image_size: tuple[int, int] | None = None
    n_times: int | None = None
    sfreq: float | None = None
    positions: Mapping[str, tuple[tuple[float, float], ...]] = field(default_factory=dict)
    regions: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
