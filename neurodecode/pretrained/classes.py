"""Building the network that a configuration names, and nothing else that it might name."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from importlib import import_module
from typing import Any

import torch
from jsonargparse import ArgumentParser
from torch import nn

from neurodecode.context import BuildContext
from neurodecode.errors import ConfigError, NeurodecodeError, WeightsError

__all__ = ["build_decoder"]


def build_decoder(
    spec: Mapping[str, Any], context: BuildContext, packages: Collection[str] = ("neurodecode",)
) -> nn.Module:
    """Build a network with random weights, leaving the random numbers of others alone.

    Parameters
    ----------
    spec : mapping
        ``class_path`` and ``init_args``.
    context : BuildContext
        Sizes.
    packages : collection of str
        Top-level packages whose classes may be built.

    Returns
    -------
    Module
        In evaluation mode.

    Raises
    ------
    ConfigError
        If a class is not a network of one of these packages.
    WeightsError
        If the arguments are not those of the class.
    """
    _check(spec, packages, "decoder")
    parser = ArgumentParser(exit_on_error=False)
    parser.add_argument("--decoder", type=Callable[[BuildContext], nn.Module])
    try:
        with torch.random.fork_rng(devices=[]):
            parsed = parser.instantiate(parser.parse_object({"decoder": dict(spec)}))
            return parsed.decoder(context).eval()
    except NeurodecodeError:
        raise
    except Exception as error:
        reason = " ".join(str(error).split())[:300]
        raise WeightsError(
            f"the network {spec['class_path']} cannot be built from its configuration: {reason}"
        ) from error


def _check(value: Any, packages: Collection[str], where: str) -> None:
    """Refuse whatever would import or call something else than the networks of `packages`.

    A configuration may come from anywhere, and jsonargparse calls what a path names.
    """
    if isinstance(value, Mapping):
        if where == "decoder" or "class_path" in value:
            _check_class(value.get("class_path"), packages, where)
        for name, item in value.items():
            if name != "class_path":
                _check(item, packages, f"{where}.{name}")
    elif isinstance(value, list | tuple):
        for item in value:
            _check(item, packages, where)
    elif isinstance(value, str) and "." in value:
        # a bare string with a dot could be the path of a function
        _check_class(value, packages, where)


def _check_class(path: Any, packages: Collection[str], where: str) -> None:
    module, _, name = str(path).rpartition(".")
    if module.split(".")[0] not in packages:
        raise ConfigError(
            f"{where} names {path}, which is not in {', '.join(packages)}; if you trust its"
            f" package, pass packages=(..., {str(path).split('.')[0]!r})"
        )
    try:
        found = getattr(import_module(module), name, None)
    except ImportError as error:
        raise ConfigError(f"{where} names {path}, which cannot be imported ({error})") from error
    if not (isinstance(found, type) and issubclass(found, nn.Module)):
        raise ConfigError(f"{where} names {path}, which is not a network")
    if found.__module__.split(".")[0] not in packages:
        # `neurodecode.nn.trunk.SomethingImportedThere`
        raise ConfigError(f"{where} names {path}, which comes from {found.__module__}")
