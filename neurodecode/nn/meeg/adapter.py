"""An adapter of which most is shared by all subjects of a modality."""

from __future__ import annotations

from collections.abc import Hashable

from torch import Tensor, nn

from neurodecode.context import SensorArray
from neurodecode.errors import ConfigError

__all__ = ["SensorAdapter", "check_sensors"]


class SensorAdapter(nn.Module):
    """A core that subjects share, and what each has of its own within it.

    fMRI adapters map spaces that have nothing in common; sensors of two heads lie at much the
    same places, and published brain modules for MEG and EEG train one network on all subjects.
    `neurodecode.nn.subjects.SubjectAdapters` therefore takes the core of the first subject of a
    modality for all others.

    Parameters
    ----------
    own : Module
        Part of the subject, handed to the core with its responses.
    core : Module
        ``core(responses, own)`` maps (n_trials, n_channels, n_times) to (n_trials, width).
    sizes : hashable
        What has to be the same in all subjects who share the core.
    share : bool
        Whether the core is given away; otherwise every subject has a network of its own.
    """

    def __init__(self, own: nn.Module, core: nn.Module, sizes: Hashable, share: bool) -> None:
        super().__init__()
        self.own, self.sizes, self.share = own, sizes, share
        self.core: nn.Module | None = core

    def release(self) -> nn.Module | None:
        """Give the core away, if it is to be shared.

        Returns
        -------
        Module or None
            The core, which is no longer part of this adapter; None if it stays.
        """
        if not self.share:
            return None
        core, self.core = self.core, None
        return core

    def forward(self, responses: Tensor, core: nn.Module | None = None) -> Tensor:
        """Map the responses of one subject.

        Parameters
        ----------
        responses : Tensor of shape (n_trials, n_channels, n_times)
            Standardised responses.
        core : Module, optional
            The shared core, once this adapter has none.

        Returns
        -------
        Tensor of shape (n_trials, width)
            Shared representation.
        """
        return (self.core if core is None else core)(responses, self.own)


def check_sensors(inputs: int | SensorArray, module: str) -> SensorArray:
    """Refuse responses without a time axis.

    Parameters
    ----------
    inputs : int or SensorArray
        What an adapter is made for.
    module : str
        Its name, for the error.

    Returns
    -------
    SensorArray
        The inputs.

    Raises
    ------
    ConfigError
        If they are a number of features.
    """
    if isinstance(inputs, SensorArray):
        return inputs
    raise ConfigError(
        f"{module} reads time series, but a subject has {inputs} features without a time axis;"
        " name its adapter under model.decoder.modality_adapters"
    )
