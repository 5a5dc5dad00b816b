"""Weights of speaker encoder and extractor: a folder of safetensors, or a checkpoint."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, TypeVar

from safetensors.torch import save_file
from torch import Tensor, nn

import neurodecode
from neurodecode.embed.bundle import read_bundle
from neurodecode.errors import WeightsError
from neurodecode.files import atomic_path, sha256, write_json
from neurodecode.hearing.ecapa import EcapaEncoder, load_ecapa
from neurodecode.hearing.encoder import SpeakerEncoder
from neurodecode.hearing.extractor import TalkerExtractor
from neurodecode.tasks.checkpoints import read_checkpoint

__all__ = ["OPTIONS_KEY", "hearing_folder", "load_encoder", "load_extractor", "write_bundle"]

_ENCODER, _EXTRACTOR = "mini-voice", "mini-extractor"
#: Where a checkpoint says how its network is built.
OPTIONS_KEY = "network_options"
_PREFIX, _ECAPA = "network.", "ecapa:"
Network = TypeVar("Network", bound=nn.Module)


def hearing_folder() -> Path:
    """Folder of the bundled networks.

    Returns
    -------
    Path
        ``$NEURODECODE_HEARING`` where it is set, else ``data/hearing`` of the checkout.
    """
    named = os.environ.get("NEURODECODE_HEARING")
    root = Path(neurodecode.__file__).resolve().parents[1]
    return Path(named) if named else root / "data" / "hearing"


def load_encoder(path: str | Path) -> SpeakerEncoder | EcapaEncoder:
    """Load a speaker encoder.

    Parameters
    ----------
    path : path-like
        Folder of `write_bundle`, checkpoint of ``neurodecode fit``, or ``ecapa:FOLDER``
        (`neurodecode.hearing.ecapa`).

    Returns
    -------
    SpeakerEncoder or EcapaEncoder
        Ready to embed: sound (n_batch, n_samples) at `RATE` to (n_batch, dim), of unit length.

    Raises
    ------
    WeightsError
        If a file is missing, or was changed, or holds another network.
    """
    if str(path).startswith(_ECAPA):
        return load_ecapa(str(path).removeprefix(_ECAPA))
    return _load(SpeakerEncoder, Path(path), _ENCODER)


def load_extractor(path: str | Path) -> TalkerExtractor:
    """Load an extractor.

    Parameters
    ----------
    path : path-like
        Folder of `write_bundle`, or checkpoint of ``neurodecode fit``.

    Returns
    -------
    TalkerExtractor
        Ready to extract.

    Raises
    ------
    WeightsError
        If a file is missing, or was changed, or holds another network.
    """
    return _load(TalkerExtractor, Path(path), _EXTRACTOR)


def write_bundle(out: str | Path, encoder: SpeakerEncoder, extractor: TalkerExtractor) -> Path:
    """Write both networks: ``mini-voice/``, ``mini-extractor/``, ``checksums.json``.

    Parameters
    ----------
    out : path-like
        Folder.
    encoder, extractor : Module
        Trained together.

    Returns
    -------
    Path
        The folder.
    """
    folder, checksums = Path(out), {}
    for name, network in ((_ENCODER, encoder), (_EXTRACTOR, extractor)):
        path = folder / name / "model.safetensors"
        tensors = {key: value.contiguous() for key, value in network.state_dict().items()}
        with atomic_path(path) as temporary:
            save_file(tensors, temporary)
        write_json(folder / name / "config.json", network.options)
        for file in ("config.json", "model.safetensors"):
            checksums[f"{name}/{file}"] = sha256(folder / name / file)
    write_json(folder / "checksums.json", checksums)
    return folder


def _load(kind: type[Network], path: Path, name: str) -> Network:
    options: dict[str, Any]
    if path.is_dir():
        options, weights = read_bundle(name, path)
    else:
        saved = read_checkpoint(path)
        options = saved.get(OPTIONS_KEY, {})
        weights = {
            key.removeprefix(_PREFIX): value
            for key, value in saved["state_dict"].items()
            if key.startswith(_PREFIX)
        }
    return _fill(kind, options, weights, path)


def _fill(
    kind: type[Network], options: dict[str, Any], weights: dict[str, Tensor], path: Path
) -> Network:
    try:
        network = kind(**options)
        network.load_state_dict(weights)
    except (TypeError, RuntimeError) as error:
        first = str(error).splitlines()[-1].strip()
        raise WeightsError(f"file {path}: not the weights of {kind.__name__} ({first})") from error
    return network.eval().requires_grad_(False)
