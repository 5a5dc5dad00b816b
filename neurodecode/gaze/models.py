"""Every model of scanpaths by name.

Importing this module fills the registry with the baselines; networks are imported when asked for.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

from neurodecode.errors import ConfigError
from neurodecode.gaze import baselines, saliency
from neurodecode.gaze.model import SCANPATH_MODELS, ScanpathModel

__all__ = ["SCANPATH_MODELS", "baselines", "build_model", "saliency"]

#: Where the models are that need torch or scikit-learn.
_NETWORKS = {
    "density": "neurodecode.gaze.density",
    "eccnet": "neurodecode.gaze.search",
    "nevaclip": "neurodecode.gaze.nevaclip",
    "oat": "neurodecode.gaze.oat",
    "target_similarity": "neurodecode.gaze.similarity",
}


def build_model(name: str, options: dict[str, Any] | None = None) -> ScanpathModel:
    """Make a model.

    Parameters
    ----------
    name : str
        A key of `SCANPATH_MODELS`, or the path of a class (``package.module.Class``).
    options : dict, optional
        Keyword arguments of the class.

    Returns
    -------
    ScanpathModel
        Not fitted.

    Raises
    ------
    ConfigError
        If there is no such model, or it does not take these options.
    """
    if name in _NETWORKS:
        import_module(_NETWORKS[name])
    elif "." not in name and name not in SCANPATH_MODELS:
        known = ", ".join(sorted({*SCANPATH_MODELS, *_NETWORKS}))
        raise ConfigError(f"unknown scanpath model {name!r}; known: {known}")
    kind = _class(name) if "." in name else SCANPATH_MODELS[name]
    try:
        return kind(**(options or {}))
    except TypeError as error:
        raise ConfigError(f"scanpath model {name}: {error}") from error


def _class(path: str) -> type[ScanpathModel]:
    module, _, name = path.rpartition(".")
    try:
        kind = getattr(import_module(module), name)
    except (ImportError, AttributeError) as error:
        raise ConfigError(f"no scanpath model {path}: {error}") from error
    if not (isinstance(kind, type) and issubclass(kind, ScanpathModel)):
        raise ConfigError(f"{path} is no ScanpathModel")
    return kind
