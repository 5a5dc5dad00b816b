"""Fetching a decoder from the Hugging Face hub, and putting one there."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from neurodecode.errors import WeightsError
from neurodecode.pretrained.config import CONFIG
from neurodecode.pretrained.front_ends import FRONT_ENDS
from neurodecode.pretrained.weights import WEIGHTS

__all__ = ["CARD", "locate", "upload"]

CARD = "README.md"
FILES = (CONFIG, WEIGHTS, CARD, FRONT_ENDS)
_ID = re.compile(r"[\w-][\w.-]*/[\w-][\w.-]*")


def locate(name: str | Path, revision: str | None = None) -> Path:
    """Find the folder of a decoder.

    Parameters
    ----------
    name : str or path-like
        An existing folder, or ``owner/name`` on the hub.
    revision : str, optional
        Branch, tag or commit on the hub.

    Returns
    -------
    Path
        The folder; in the hub's cache if it was fetched.

    Raises
    ------
    WeightsError
        If it is neither here nor there, or the hub cannot be reached.
    """
    if Path(name).is_dir():
        return Path(name)
    if not _ID.fullmatch(str(name)):
        raise WeightsError(
            f"folder {name}: missing; make it with `neurodecode export`, or name a model of the"
            " Hugging Face hub as owner/name"
        )
    from huggingface_hub import snapshot_download

    action = f"{name} is no folder here and could not be fetched from the Hugging Face hub"
    fix = (
        f"where there is a network, run `hf download {name}` and copy the cache (HF_HOME), or"
        " unset HF_HUB_OFFLINE"
    )
    with _one_line(action, fix):
        # nothing but these: whatever else is in the repository stays there
        found = snapshot_download(str(name), revision=revision, allow_patterns=list(FILES))
    return Path(found)


def upload(
    folder: Path, repo_id: str, *, private: bool, token: str | None, message: str | None
) -> str:
    """Put a folder on the hub.

    Parameters
    ----------
    folder : Path
        What `neurodecode export` wrote.
    repo_id : str
        ``owner/name``; made if it does not exist.
    private : bool
        Who sees a repository that is made now; an existing one stays as it is.
    token : str or None
        Access token, by default that of ``hf auth login``.
    message : str or None
        Of the commit.

    Returns
    -------
    str
        Address of the commit.

    Raises
    ------
    WeightsError
        If the hub cannot be reached or refuses.
    """
    from huggingface_hub import HfApi

    with _one_line(
        f"{repo_id} could not be written on the Hugging Face hub",
        "check the network, the name, and `hf auth login`",
    ):
        api = HfApi(token=token)
        api.create_repo(repo_id, private=private, exist_ok=True)
        done = api.upload_folder(
            repo_id=repo_id,
            folder_path=folder,
            allow_patterns=list(FILES),
            commit_message=message or "Upload decoder with neurodecode",
        )
    return str(done.commit_url)


@contextmanager
def _one_line(action: str, fix: str) -> Iterator[None]:
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError

    try:
        yield
    # errors of the connection have the class of the HTTP library, which differs between versions
    # of the client; its own errors are made from that class and OSError
    except (*HfHubHTTPError.__bases__, OSError, HFValidationError) as error:
        raise WeightsError(f"{action} ({type(error).__name__}); {fix}") from error
