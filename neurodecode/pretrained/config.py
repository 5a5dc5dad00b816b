"""``config.json``: what a decoder is built from, and what it was trained on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from neurodecode import __version__
from neurodecode.context import BuildContext
from neurodecode.errors import WeightsError
from neurodecode.tasks.checkpoints import plain_context

__all__ = ["CONFIG", "FORMAT_VERSION", "DecoderConfig", "context_from_plain"]

CONFIG = "config.json"
#: Raised when older code could no longer read what is written.
FORMAT_VERSION = 1
_PARTS = ("decoder", "context", "embeddings", "training")


@dataclass(frozen=True)
class DecoderConfig:
    """Everything about a pretrained decoder except its numbers.

    Parameters
    ----------
    decoder : mapping
        ``class_path`` and ``init_args`` of the network, as in a configuration of ``fit``.
    context : BuildContext
        Subjects, feature counts and target shapes.
    embeddings : mapping of str to str
        Name of each target and the embedding it stands for, e.g. ``{"tokens": "mini-clip"}``.
    training : mapping of str to scalar
        ``dataset``, ``split`` (digest of what was held out), ``fold``, ``seed``, ...
    """

    decoder: Mapping[str, Any]
    context: BuildContext
    embeddings: Mapping[str, str]
    training: Mapping[str, Any]

    def to_json(self) -> dict[str, Any]:
        """Give the content of the file.

        Returns
        -------
        dict
            Plain values.
        """
        return {
            "library_name": "neurodecode",
            "format_version": FORMAT_VERSION,
            "neurodecode_version": __version__,
            "decoder": dict(self.decoder),
            "context": plain_context(self.context),
            "embeddings": dict(self.embeddings),
            "training": dict(self.training),
        }

    @classmethod
    def from_json(cls, content: Any, file: str | Path) -> DecoderConfig:
        """Check and take the content of the file.

        Parameters
        ----------
        content : object
            What was read.
        file : path-like
            Where from, for errors.

        Returns
        -------
        DecoderConfig
            The configuration.

        Raises
        ------
        WeightsError
            If it is of another format, or something is missing.
        """
        version = content.get("format_version") if isinstance(content, dict) else None
        if not isinstance(version, int):
            raise WeightsError(
                f"file {file}: not the configuration of a neurodecode decoder (no format_version);"
                " use a folder that `neurodecode export` wrote"
            )
        if version != FORMAT_VERSION:
            fix = "update neurodecode" if version > FORMAT_VERSION else "export again"
            raise WeightsError(
                f"file {file}: format version {version}, written by neurodecode"
                f" {content.get('neurodecode_version')}; this is {__version__}, which reads"
                f" version {FORMAT_VERSION}: {fix}"
            )
        for name in _PARTS:
            if not isinstance(content.get(name), dict):
                raise WeightsError(f"file {file}: field {name} is missing; export again")
        context = context_from_plain(content["context"], file)
        return cls(content["decoder"], context, content["embeddings"], content["training"])


def context_from_plain(saved: Mapping[str, Any], file: str | Path) -> BuildContext:
    """Undo `plain_context`: neither JSON nor a checkpoint has tuples.

    Parameters
    ----------
    saved : mapping
        From `plain_context`.
    file : path-like
        Where from, for errors.

    Returns
    -------
    BuildContext
        The same sizes.

    Raises
    ------
    WeightsError
        If a field is missing, unknown or of the wrong type.
    """
    values = dict(saved)
    try:
        values["n_features"] = {name: int(n) for name, n in values["n_features"].items()}
        values["targets"] = {name: tuple(map(int, n)) for name, n in values["targets"].items()}
        if values.get("image_size") is not None:
            values["image_size"] = tuple(values["image_size"])
        values["positions"] = {
            name: tuple(None if each is None else tuple(each) for each in places)
            for name, places in values.get("positions", {}).items()
        }
        # one number for everybody, or none, in files from before recordings had a time axis
        values |= {name: values.get(name) or {} for name in ("n_times", "sfreq")}
        return BuildContext(**values)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise WeightsError(f"file {file}: field context is not valid; export again") from error
