"""FAISS, which only large banks need."""

from __future__ import annotations

from types import ModuleType

from neurodecode.errors import ConfigError

__all__ = ["faiss_library"]


def faiss_library() -> ModuleType:
    """Import FAISS.

    Returns
    -------
    module
        ``faiss``.

    Raises
    ------
    ConfigError
        If it is not installed.
    """
    try:
        import faiss
    except ModuleNotFoundError as error:
        raise ConfigError(
            "banks with --index ivfpq need FAISS, which is not installed;"
            " run `uv pip install 'neurodecode[banks]'`"
        ) from error
    return faiss
