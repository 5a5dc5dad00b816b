"""``front_end.h5``: how further trials of MEG and EEG are prepared, subject by subject."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import h5py

from neurodecode.context import BuildContext
from neurodecode.errors import DataError
from neurodecode.store.hdf5 import FORMAT_VERSION, open_store

if TYPE_CHECKING:
    from neurodecode.preprocess.front_end import FrontEnd

__all__ = ["FRONT_ENDS", "front_ends_of", "read_front_ends", "write_front_ends"]

FRONT_ENDS = "front_end.h5"
_KIND = "front ends"
log = logging.getLogger(__name__)


def front_ends_of(folder: str | Path, context: BuildContext) -> dict[str, FrontEnd]:
    """Take the front ends out of the stores that a decoder was trained on.

    Parameters
    ----------
    folder : path-like
        Folder of the stores.
    context : BuildContext
        Subjects of the decoder.

    Returns
    -------
    dict of str to FrontEnd
        Of the subjects with a time axis whose store is at hand; a warning names the others.
    """
    if not context.n_times:
        return {}
    from neurodecode.preprocess.front_end import FrontEnd
    from neurodecode.store import ResponseStore

    found = {}
    for subject in context.n_times:
        try:
            store = ResponseStore(Path(folder) / f"sub-{subject}.h5")
            found[subject] = FrontEnd.from_store(store)
        except DataError as error:
            log.warning("decoder of subject %s cannot be streamed: %s", subject, error)
    return found


def write_front_ends(path: Path, front_ends: Mapping[str, FrontEnd]) -> None:
    """Write the file.

    Parameters
    ----------
    path : Path
        File to write.
    front_ends : mapping of str to FrontEnd
        By subject.
    """
    with h5py.File(path, "w", libver="latest") as file:
        file.attrs.update(kind=_KIND, format_version=FORMAT_VERSION)
        for number, (subject, front_end) in enumerate(front_ends.items()):
            group = file.create_group(f"{number:04d}")
            group.attrs["subject"] = subject
            front_end.write(group)


def read_front_ends(path: Path) -> dict[str, FrontEnd]:
    """Read the file.

    Parameters
    ----------
    path : Path
        From `write_front_ends`.

    Returns
    -------
    dict of str to FrontEnd
        By subject.

    Raises
    ------
    DataError
        If it is missing or broken.
    """
    from neurodecode.preprocess.front_end import FrontEnd

    with open_store(path, _KIND) as file:
        return {
            str(group.attrs["subject"]): FrontEnd.read(group) for _, group in sorted(file.items())
        }
