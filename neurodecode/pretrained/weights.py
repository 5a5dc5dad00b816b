"""``model.safetensors``: weights of the network, and statistics of every subject's responses."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from neurodecode.errors import WeightsError
from neurodecode.folders import reserve
from neurodecode.loaders.scaler import TrialScaler

__all__ = ["WEIGHTS", "fill", "read_weights", "write_weights"]

WEIGHTS = "model.safetensors"
_NETWORK, _SCALER = "decoder.", "scaler."
_STATISTICS = ("sessions", "mean", "scale")
_OPTIONAL = ("clamp", "space", "time")  # of time series alone
_HINT = "the folder is incomplete or was changed: fetch or export it again"


def write_weights(path: Path, decoder: nn.Module, scalers: Mapping[str, TrialScaler]) -> None:
    """Write network and statistics.

    Parameters
    ----------
    path : Path
        File to write.
    decoder : Module
        The network.
    scalers : mapping of str to TrialScaler
        Statistics by subject.

    Raises
    ------
    OSError
        If there is no space for it.
    """
    tensors = {f"{_NETWORK}{name}": value for name, value in decoder.state_dict().items()}
    for subject, scaler in scalers.items():
        tensors |= {_statistic(subject, name): v for name, v in scaler.state_dict().items()}
    # safetensors takes neither views nor tensors that share memory
    tensors = {name: value.detach().cpu().contiguous().clone() for name, value in tensors.items()}
    reserve(path.parent, sum(value.nbytes for value in tensors.values()))
    save_file(tensors, path, metadata={"format": "pt"})


def read_weights(path: Path) -> dict[str, Tensor]:
    """Read the tensors; a safetensors file can hold nothing else.

    Parameters
    ----------
    path : Path
        File to read.

    Returns
    -------
    dict of str to Tensor
        By name in the file.

    Raises
    ------
    WeightsError
        If it is missing or broken.
    """
    if not path.is_file():
        raise WeightsError(f"file {path}: missing; {_HINT}")
    try:
        return load_file(path)
    except (SafetensorError, ValueError) as error:
        raise WeightsError(f"file {path}: not a safetensors file ({error}); {_HINT}") from error


def fill(
    decoder: nn.Module, n_features: Mapping[str, int], tensors: Mapping[str, Tensor], path: Path
) -> dict[str, TrialScaler]:
    """Put the weights into a network, and give the statistics.

    Parameters
    ----------
    decoder : Module
        The network, built from its configuration.
    n_features : mapping of str to int
        Feature count of every subject.
    tensors : mapping of str to Tensor
        From `read_weights`.
    path : Path
        Where from, for errors.

    Returns
    -------
    dict of str to TrialScaler
        By subject.

    Raises
    ------
    WeightsError
        If a tensor is missing, too many, or has the wrong shape.
    """
    wanted = {f"{_NETWORK}{name}": value.shape for name, value in decoder.state_dict().items()}
    statistics = {_statistic(subject, name) for subject in n_features for name in _STATISTICS}
    missing = sorted((set(wanted) | statistics) - set(tensors))
    if missing:
        raise WeightsError(f"file {path}: {_count(missing)} missing; {_HINT}")
    optional = {_statistic(subject, name) for subject in n_features for name in _OPTIONAL}
    unknown = sorted(set(tensors) - set(wanted) - statistics - optional)
    if unknown:
        raise WeightsError(f"file {path}: {_count(unknown)} not of this network; {_HINT}")
    for name, shape in wanted.items():
        if tensors[name].shape != shape:
            raise WeightsError(
                f"file {path}: tensor {name} has shape {tuple(tensors[name].shape)}, the network"
                f" takes {tuple(shape)}; {_HINT}"
            )
    decoder.load_state_dict({name.removeprefix(_NETWORK): tensors[name] for name in wanted})
    return {name: _scaler(name, count, tensors, path) for name, count in n_features.items()}


def _scaler(
    subject: str, n_features: int, tensors: Mapping[str, Tensor], path: Path
) -> TrialScaler:
    state = {
        name: tensors[_statistic(subject, name)]
        for name in (*_STATISTICS, *_OPTIONAL)
        if name in _STATISTICS or _statistic(subject, name) in tensors
    }
    sessions = state["sessions"].numpy()
    expected = (len(sessions), n_features) if sessions.ndim == 1 else None
    wrong = [name for name in ("mean", "scale") if tuple(state[name].shape) != expected]
    if wrong or (np.diff(sessions) <= 0).any():
        raise WeightsError(
            f"file {path}: statistics of subject {subject} do not fit its {n_features} features"
            f" and increasing sessions; {_HINT}"
        )
    return TrialScaler.from_state_dict(state)


def _statistic(subject: str, name: str) -> str:
    return f"{_SCALER}{subject}.{name}"


def _count(names: list[str]) -> str:
    if len(names) == 1:
        return f"tensor {names[0]} is"
    return f"{len(names)} tensors are (first: {names[0]})"
