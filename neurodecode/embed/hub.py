"""Public weights: found in the local caches, fetched only where that was asked for."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from huggingface_hub import HfApi, hf_hub_download, try_to_load_from_cache
from huggingface_hub.errors import EntryNotFoundError, HfHubHTTPError, LocalEntryNotFoundError

from neurodecode.errors import WeightsError

__all__ = ["cached_folder", "fetch_files", "hub_file", "hub_listing"]


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


def cached_folder(repository: str, name: str) -> Path | None:
    """Find the local copy of a repository by one of its files.

    Parameters
    ----------
    repository : str
        ``owner/name``.
    name : str
        A file of it.

    Returns
    -------
    Path or None
        The folder that stands for the repository, if the file is in the local cache.
    """
    cached = try_to_load_from_cache(repository, name)
    return Path(cached).parents[name.count("/")] if isinstance(cached, str) else None


def hub_listing(repository: str, *, what: str) -> list[str]:
    """Ask the hub which files a repository has.

    Parameters
    ----------
    repository : str
        ``owner/name``.
    what : str
        What it is for, for the error message.

    Returns
    -------
    list of str
        Paths inside the repository.

    Raises
    ------
    WeightsError
        If the hub cannot be reached or does not know the repository.
    """
    try:
        with _online():
            return HfApi().list_repo_files(repository)
    except (HfHubHTTPError, OSError, ValueError) as error:
        raise WeightsError(
            f"{what}: {repository} could not be listed ({type(error).__name__}); check the name, "
            "and that this machine has a network"
        ) from error


def fetch_files(repository: str, names: Iterable[str], *, what: str) -> None:
    """Fetch files of a repository into the local cache.

    Parameters
    ----------
    repository : str
        ``owner/name``.
    names : iterable of str
        Paths inside the repository.
    what : str
        What they are for, for the error message.

    Raises
    ------
    WeightsError
        If one could not be fetched.
    """
    for name in names:
        try:
            with _online():
                hf_hub_download(repository, name)
        except (EntryNotFoundError, LocalEntryNotFoundError, HfHubHTTPError, OSError) as error:
            raise WeightsError(
                f"{what}: {name} of {repository} could not be fetched ({type(error).__name__})"
            ) from error
