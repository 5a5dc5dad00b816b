"""Public weights: found in the local caches, fetched only where that was asked for."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from huggingface_hub import hf_hub_download, try_to_load_from_cache
from huggingface_hub.errors import EntryNotFoundError, HfHubHTTPError, LocalEntryNotFoundError

from neurodecode.errors import WeightsError

__all__ = ["hub_file"]


@contextmanager
def _online() -> Iterator[None]:
    """Let the hub's client out for one download; the package keeps it offline by default."""
    from huggingface_hub import constants

    before, variable = constants.HF_HUB_OFFLINE, os.environ.pop("HF_HUB_OFFLINE", None)
    constants.HF_HUB_OFFLINE = False
    try:
        yield
    finally:
        constants.HF_HUB_OFFLINE = before
        if variable is not None:
            os.environ["HF_HUB_OFFLINE"] = variable


def hub_file(repository: str, names: Iterable[str], *, download: bool, what: str) -> Path:
    """Find the first available of several files of a Hugging Face repository.

    Parameters
    ----------
    repository : str
        ``owner/name``.
    names : iterable of str
        File names, the preferred first.
    download : bool
        Whether a missing file may be fetched.
    what : str
        What the file is for, for the error message.

    Returns
    -------
    Path
        The file in the local cache.

    Raises
    ------
    WeightsError
        If none is there, with how to get it.
    """
    wanted = list(names)
    for name in wanted:
        cached = try_to_load_from_cache(repository, name)
        if isinstance(cached, str):
            return Path(cached)
    reason = f"{wanted[0]} of {repository} is not in the local Hugging Face cache"
    if download:
        for name in wanted:
            try:
                with _online():
                    return Path(hf_hub_download(repository, name))
            except (EntryNotFoundError, LocalEntryNotFoundError, HfHubHTTPError, OSError) as error:
                reason = f"{name} of {repository} could not be fetched ({type(error).__name__})"
    raise WeightsError(
        f"{what}: {reason}; pass download=True (`--download`) where there is a network, or copy "
        f"the cache (HF_HOME) from such a machine"
    )
