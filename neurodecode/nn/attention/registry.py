"""The registry of attention mechanisms, filled by the files of `mechanisms/`."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from collections.abc import Mapping
from typing import Any

from neurodecode.errors import ConfigError
from neurodecode.nn.attention.base import Attention
from neurodecode.registry import Registry

__all__ = ["ATTENTION", "make_attention"]

#: Name -> class of the mechanism.
ATTENTION: Registry[type[Attention]] = Registry("attention mechanism")


def make_attention(
    name: str,
    n_heads: int,
    head_dim: int,
    options: Mapping[str, Any] | None = None,
    *,
    dropout: float = 0.0,
) -> Attention:
    """Make a mechanism by its name.

    Parameters
    ----------
    name : str
        A name of the registry.
    n_heads, head_dim : int
        Heads, and dimensions of each.
    options : mapping, optional
        Further arguments of the mechanism.
    dropout : float
        Of the attention weights, for mechanisms that have one.

    Returns
    -------
    Attention
        The module.

    Raises
    ------
    ConfigError
        If there is no such mechanism, or it has no such option.
    """
    cls, given = ATTENTION[name], dict(options or {})
    if dropout:
        given["dropout"] = dropout
    known = [each for each in inspect.signature(cls).parameters if each not in _SIZES]
    if unknown := sorted(set(given) - set(known)):
        raise ConfigError(
            f"attention {name!r} has no option {', '.join(unknown)};"
            f" it has: {', '.join(known) or 'none'}"
        )
    return cls(n_heads, head_dim, **given)


_SIZES = ("n_heads", "head_dim")


def _discover() -> None:
    from neurodecode.nn.attention import mechanisms

    for found in pkgutil.iter_modules(mechanisms.__path__, mechanisms.__name__ + "."):
        importlib.import_module(found.name)


_discover()
