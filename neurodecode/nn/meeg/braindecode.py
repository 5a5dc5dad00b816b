"""Networks of braindecode as adapters."""

from __future__ import annotations

import warnings
from typing import Any

import torch
from torch import Tensor, nn

from neurodecode.context import SensorArray
from neurodecode.errors import ConfigError
from neurodecode.nn.meeg.adapter import SensorAdapter, check_sensors

__all__ = ["BraindecodeAdapter"]


class _Core(nn.Module):
    """A network that knows nothing of subjects."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, responses: Tensor, own: nn.Module) -> Tensor:
        """Map (n_trials, n_channels, n_times) to (n_trials, width)."""
        return self.network(responses)


class BraindecodeAdapter(SensorAdapter):
    """Any network of ``braindecode.models`` whose output is one value for each class.

    The classes are the values of the shared width.

    Parameters
    ----------
    inputs : SensorArray
        Sensors of the subject.
    width : int
        Width of the shared space.
    name : str
        Class in ``braindecode.models``: EEGNet, ShallowFBCSPNet, Deep4Net, ...
    options : dict, optional
        Further arguments of that class.
    share : bool
        One network for all subjects, who must then have the same channels.

    Raises
    ------
    ConfigError
        If braindecode is missing or has no such network, or the network does not take trials of
        this size.

    References
    ----------
    Schirrmeister et al. 2017 (braindecode, ShallowFBCSPNet); Lawhern et al. 2018 (EEGNet).
    """

    def __init__(
        self,
        inputs: SensorArray,
        width: int,
        name: str = "EEGNet",
        options: dict[str, Any] | None = None,
        share: bool = True,
    ) -> None:
        sensors = check_sensors(inputs, "BraindecodeAdapter")
        network = _build(name, sensors, width, options or {})
        sizes = {"channels": sensors.n_channels, "samples": sensors.n_times}
        super().__init__(nn.Identity(), _Core(network), sizes, share)


def _build(name: str, sensors: SensorArray, width: int, options: dict[str, Any]) -> nn.Module:
    sizes = {"n_chans": sensors.n_channels, "n_outputs": width, "n_times": sensors.n_times}
    if sensors.sfreq is not None:
        sizes["sfreq"] = sensors.sfreq
    with warnings.catch_warnings():
        # of what braindecode and its dependencies do at import, and of its own defaults
        warnings.simplefilter("ignore")
        made = _network_class(name)
        try:
            network = made(**sizes, **options)
            with torch.no_grad():
                given = torch.zeros(2, sensors.n_channels, sensors.n_times)
                shape = tuple(network.eval()(given).shape)
        except Exception as error:
            # braindecode says in many ways that a trial is too short or an option unknown
            reason = " ".join(str(error).split())[:200]
            raise ConfigError(
                f"braindecode's {name} does not take {sensors.n_channels} channels of"
                f" {sensors.n_times} samples with these options: {reason}"
            ) from error
    if shape != (2, width):
        raise ConfigError(f"braindecode's {name} gives {shape[1:]}, not one vector a trial")
    return network.train()


def _network_class(name: str) -> type[nn.Module]:
    try:
        from braindecode import models
    except ImportError as error:
        raise ConfigError(
            "braindecode is not installed; `pip install 'neurodecode[meeg]'`"
        ) from error
    made = getattr(models, name, None)
    if not (isinstance(made, type) and issubclass(made, nn.Module)):
        raise ConfigError(f"braindecode.models has no network {name!r}; EEGNet is one")
    return made
