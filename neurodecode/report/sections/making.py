"""How it was made: parameters, configurations, prediction files, software."""

from __future__ import annotations

import json
import platform
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

from neurodecode import __version__
from neurodecode.analysis.profile import Profile

__all__ = ["PredictionFileRow", "configurations", "parameters", "prediction_files", "software"]

#: Packages whose version may change a number.
_PACKAGES = (
    "torch", "torchvision", "lightning", "open-clip-torch", "diffusers", "transformers", "timm",
    "himalaya", "scikit-learn", "scikit-image", "scipy", "numpy", "pandas", "h5py", "nilearn",
    "mne", "matplotlib",
)  # fmt: skip


@dataclass(frozen=True)
class PredictionFileRow:
    """One file of predictions.

    Parameters
    ----------
    path, method : str
        Which.
    arrays : str
        What it holds.
    made : str
        How it was made, as ``key: value`` pairs.
    """

    path: str
    method: str
    arrays: str
    made: str


def parameters(profile: Profile) -> str:
    """Read the parameter file as it is.

    Parameters
    ----------
    profile : Profile
        The results.

    Returns
    -------
    str
        Its text, or nothing.
    """
    if profile.params is None or not profile.params.is_file():
        return ""
    return profile.params.read_text(encoding="utf-8", errors="replace").strip()


def configurations(profile: Profile) -> list[tuple[str, str]]:
    """Read the full configuration of every training.

    Parameters
    ----------
    profile : Profile
        The results.

    Returns
    -------
    list of tuple of str
        Folder of the run and text of its ``config.yaml``.
    """
    if profile.runs is None:
        return []
    return [
        (
            path.parent.relative_to(profile.runs).as_posix(),
            path.read_text(encoding="utf-8", errors="replace").strip(),
        )
        for path in sorted(Path(profile.runs).rglob("config.yaml"))
    ]


def prediction_files(profile: Profile) -> list[PredictionFileRow]:
    """List the prediction files with how they were made.

    Parameters
    ----------
    profile : Profile
        The results.

    Returns
    -------
    list of PredictionFileRow
        In the order given.
    """
    return [
        PredictionFileRow(
            path=source.path.as_posix(),
            method=source.method,
            arrays=", ".join(source.array_names),
            made="; ".join(
                f"{key}: {value if isinstance(value, str) else json.dumps(value)}"
                for key, value in sorted(source.attrs.items())
            ),
        )
        for source in profile.predictions
    ]


def software() -> list[tuple[str, str]]:
    """List the versions of what was used.

    Returns
    -------
    list of tuple of str
        Name and version; packages that are not installed are left out.
    """
    found = [("neurodecode", __version__), ("Python", platform.python_version())]
    for name in _PACKAGES:
        try:
            found.append((name, metadata.version(name)))
        except metadata.PackageNotFoundError:
            continue
    return found
