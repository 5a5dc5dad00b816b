"""The bundled miniature weights: where they are, and whether they are intact."""

from __future__ import annotations

import json
import os
from functools import lru_cache
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file

import neurodecode
from neurodecode.errors import WeightsError
from neurodecode.files import sha256

__all__ = ["bundle_digest", "bundle_folder", "open_bundle", "read_bundle"]

CHECKSUMS = "checksums.json"
_HINT = "restore data/pretrained from the repository, or retrain it with pipelines/pretrain"


def bundle_folder() -> Path:
    """Folder of the bundled weights.

    Returns
    -------
    Path
        ``$NEURODECODE_PRETRAINED`` where it is set, else ``data/pretrained`` of the checkout.
    """
    named = os.environ.get("NEURODECODE_PRETRAINED")
    root = Path(neurodecode.__file__).resolve().parents[1]
    return Path(named) if named else root / "data" / "pretrained"


@lru_cache(maxsize=32)
def _verified(path: Path, size: int, modified: int, expected: str) -> bool:
    """Whether a file has the expected checksum; asked once for each state of the file."""
    return sha256(path) == expected


def _checksums(folder: Path) -> dict[str, str]:
    path = folder / CHECKSUMS
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise WeightsError(f"file {path}: missing; {_HINT}") from error
    except ValueError as error:
        raise WeightsError(f"file {path}: not valid JSON; {_HINT}") from error


def open_bundle(name: str, folder: Path | None = None) -> Path:
    """Verify one bundled model and say where it is.

    Parameters
    ----------
    name : str
        ``mini-clip``, ``mini-vae``, ``mini-generator`` or ``mini-prior``.
    folder : Path, optional
        Folder of the bundle; `bundle_folder` by default.

    Returns
    -------
    Path
        Folder of the model, all its files as they were released.

    Raises
    ------
    WeightsError
        If a file is missing or has another checksum.
    """
    root = bundle_folder() if folder is None else folder
    listed = {k: v for k, v in _checksums(root).items() if k.startswith(f"{name}/")}
    if not listed:
        raise WeightsError(f"file {root / CHECKSUMS}: lists no model {name!r}; {_HINT}")
    for relative, expected in listed.items():
        path = root / relative
        if not path.is_file():
            raise WeightsError(f"file {path}: missing; {_HINT}")
        state = path.stat()
        if not _verified(path, state.st_size, state.st_mtime_ns, expected):
            raise WeightsError(f"file {path}: checksum differs from {CHECKSUMS}; {_HINT}")
    return root / name


def bundle_digest(name: str, folder: Path | None = None) -> str:
    """Checksum of a bundled model's weights, for provenance.

    Parameters
    ----------
    name : str
        Name of the model.
    folder : Path, optional
        Folder of the bundle.

    Returns
    -------
    str
        SHA-256 in hexadecimal.
    """
    root = bundle_folder() if folder is None else folder
    return _checksums(root)[f"{name}/model.safetensors"]


def read_bundle(
    name: str, folder: Path | None = None
) -> tuple[dict[str, Any], dict[str, torch.Tensor]]:
    """Read configuration and weights of a bundled model.

    Parameters
    ----------
    name : str
        Name of the model.
    folder : Path, optional
        Folder of the bundle.

    Returns
    -------
    config : dict
        Content of ``config.json``.
    weights : dict of str to Tensor
        Weights in float32 (stored in float16).

    Raises
    ------
    WeightsError
        See `open_bundle`.
    """
    path = open_bundle(name, folder)
    config = json.loads((path / "config.json").read_text(encoding="utf-8"))
    weights = load_file(path / "model.safetensors")
    return config, {k: v.float() if v.is_floating_point() else v for k, v in weights.items()}
