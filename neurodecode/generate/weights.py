"""Finding a public generator's weights: in a folder, or in the hub's cache."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from neurodecode.embed.hub import cached_folder, fetch_files, hub_listing
from neurodecode.errors import WeightsError
from neurodecode.generate.components import Component
from neurodecode.generate.weights_folder import WeightsFolder

__all__ = ["open_folder"]


def open_folder(
    source: str, components: Sequence[Component], *, download: bool, half: bool, what: str
) -> WeightsFolder:
    """Find a pipeline: a local folder, or a repository in the local cache.

    Parameters
    ----------
    source : str
        A folder, or ``owner/name`` on the Hugging Face hub.
    components : sequence of Component
        What is needed of it.
    download : bool
        Whether missing files of a repository may be fetched.
    half : bool
        Prefer weights stored in half precision.
    what : str
        What it is for, for error messages.

    Returns
    -------
    WeightsFolder
        Complete as far as the needed files go.

    Raises
    ------
    WeightsError
        If a file is missing; with the command that gets it.
    """
    local = Path(source).expanduser()
    if local.is_dir() or not _is_repository(source):
        folder = WeightsFolder(local, source, half, what)
        if lacking := folder.missing(components):
            raise WeightsError(f"{what}: file {local / lacking[0]}: missing; {_ADVICE}")
        return folder
    if download:
        listed = set(hub_listing(source, what=what))
        needed = [n for each in components for n in each.wanted(listed.__contains__, half)[1]]
        extra = [name for name in ("model_index.json",) if name in listed]
        fetch_files(source, [*needed, *extra], what=what)
    first = components[0].wanted(lambda _: False, half)[1][0]
    root = cached_folder(source, first)
    folder = WeightsFolder(root or Path(), source, half, what)
    lacking = folder.missing(components) if root else [first]
    if lacking:
        raise WeightsError(
            f"{what}: {lacking[0]} of {source} is not in the local Hugging Face cache; get it with "
            f"`{_command(source, components, half)}`, pass download=true (`--download`), or name "
            "a folder with weights=FOLDER"
        )
    return folder


_ADVICE = (
    "name a folder as diffusers saves a pipeline (safetensors, one sub-folder a network), or the "
    "repository on the Hugging Face hub (docs/generators.md)"
)


def _is_repository(source: str) -> bool:
    owner, _, name = source.partition("/")
    return bool(owner and name) and "/" not in name and owner not in (".", "..", "~")


def _command(source: str, components: Sequence[Component], half: bool) -> str:
    """Command line that fetches the components, without pickles and doubles."""
    patterns = []
    for each in components:
        ends = {"file": [""], "scheduler": ["/*.json"], "tokenizer": ["/*"]}
        found = ends.get(each.kind, ["/*.json", "/*.safetensors"])
        patterns += [f"--include '{each.name}{end}'" for end in found]
    if not half:
        patterns.append("--exclude '*.fp16.*'")
    return f"hf download {source} --include model_index.json {' '.join(patterns)}"
