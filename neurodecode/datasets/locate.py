"""Finding data sets on this machine, and noting where they are."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from neurodecode.datasets.base import DatasetReader
from neurodecode.datasets.sources import source
from neurodecode.errors import DataError
from neurodecode.files import atomic_path
from neurodecode.progress import progress_bar

__all__ = ["locate", "read_sources", "write_sources"]

_LARGE_SETS_FILES = 2000


def locate(folder: str | Path, readers: Mapping[str, type[DatasetReader]]) -> dict[str, Path]:
    """Look for data sets in a folder and in the folders directly below it.

    Parameters
    ----------
    folder : path-like
        Where to look.
    readers : mapping of str to type of DatasetReader
        What to look for.

    Returns
    -------
    dict of str to Path
        Root of each data set found, absolute.
    """
    found = {name: reader.find(folder) for name, reader in sorted(readers.items())}
    return {name: path.resolve() for name, path in found.items() if path is not None}


def write_sources(path: str | Path, found: Mapping[str, Path], *, quiet: bool = True) -> None:
    """Write ``sources.yaml``: for each data set its path and the checksums of its files.

    Parameters
    ----------
    path : path-like
        File to write.
    found : mapping of str to Path
        Root of each data set.
    quiet : bool
        No progress bars.
    """
    import yaml

    content: dict[str, Any] = {}
    for name, root in found.items():
        files = sorted(file for file in root.rglob("*") if file.is_file())[:_LARGE_SETS_FILES]
        sums: dict[str, str] = {}
        with progress_bar(f"checksums of {name}", len(files), quiet=quiet) as advance:
            for done, file in enumerate(files, start=1):
                sums[file.relative_to(root).as_posix()] = source(file).sha256
                advance(done)
        content[name] = {"path": str(root), "files": sums}
    with atomic_path(path) as temporary:
        temporary.write_text(yaml.safe_dump(content, sort_keys=True), encoding="utf-8")


def read_sources(path: str | Path) -> dict[str, Path]:
    """Read where the data sets are.

    Parameters
    ----------
    path : path-like
        File written by `write_sources`.

    Returns
    -------
    dict of str to Path
        Root of each data set.

    Raises
    ------
    DataError
        If the file is missing or malformed.
    """
    import yaml

    try:
        content = yaml.safe_load(Path(path).read_text(encoding="utf-8"))
        return {name: Path(entry["path"]) for name, entry in content.items()}
    except FileNotFoundError as error:
        raise DataError(
            "file is missing", file=path, fix="run `neurodecode locate --data DIR`"
        ) from error
    except (yaml.YAMLError, AttributeError, KeyError, TypeError) as error:
        raise DataError(
            "not a list of sources", file=path, fix="run `neurodecode locate --data DIR` again"
        ) from error
