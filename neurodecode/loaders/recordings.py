"""Stores of one or more data sets with their splits: whose trials are on which side."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from neurodecode.errors import ConfigError, DataError
from neurodecode.splits import Split, read_split
from neurodecode.store import ResponseStore

__all__ = ["Recordings", "open_recordings"]

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Recordings:
    """Subjects of one or more data sets.

    Parameters
    ----------
    stores : mapping of str to ResponseStore
        By subject; with several data sets by ``<folder>:<subject>``, because each has its own
        subject 01.
    folder : mapping of str to str
        Name of the folder of each subject.
    splits : mapping of str to Split
        By name of the folder.
    fold : int
        Which fold of each.
    """

    stores: Mapping[str, ResponseStore]
    folder: Mapping[str, str]
    splits: Mapping[str, Split]
    fold: int

    @property
    def split(self) -> Split:
        """The one split there is.

        Raises
        ------
        ConfigError
            If there are several.
        """
        if len(self.splits) > 1:
            raise ConfigError(
                f"this takes one data set, not {len(self.splits)} ({', '.join(self.splits)})"
            )
        return next(iter(self.splits.values()))

    @property
    def digest(self) -> str:
        """Name the division: that of the fold, or one of all folds together."""
        digests = [split.folds[self.fold].digest for split in self.splits.values()]
        if len(digests) == 1:
            return digests[0]
        return hashlib.blake2b("".join(sorted(digests)).encode(), digest_size=16).hexdigest()

    def pool(self, stimuli: Collection[str]) -> list[str]:
        """Stimuli that training may use, see `Split.pool`; of several splits, those all allow.

        Parameters
        ----------
        stimuli : collection of str
            Candidates.

        Returns
        -------
        list of str
            Sorted.
        """
        allowed = set(stimuli)
        for split in self.splits.values():
            allowed &= set(split.pool(self.fold, allowed))
        return sorted(allowed)

    def sides(self, subject: str) -> dict[str, np.ndarray]:
        """Trials of a subject on each side.

        With several data sets, a picture that one of them holds out is not trained on in any,
        and one that any tests is not in a validation set: the trunk that all share would know
        it, or be chosen by it.

        Parameters
        ----------
        subject : str
            Key of `stores`.

        Returns
        -------
        dict of str to array of int
            Increasing trial numbers.
        """
        store = self.stores[subject]
        sides = self.splits[self.folder[subject]].trials(self.fold, store)
        if len(self.splits) == 1:
            return sides
        ids = np.asarray(store.stimulus_id).astype(str)
        tested = {name for each in self.splits.values() for name in each.folds[self.fold].test}
        kept = {
            "train": np.isin(ids, self.pool(set(ids.tolist()))),
            "validation": ~np.isin(ids, sorted(tested)),
        }
        for side, keep in kept.items():
            if n_lost := int((~keep[sides[side]]).sum()):
                _log.info("%s: %d %s trials are of pictures that another data set holds out",
                          subject, n_lost, side)  # fmt: skip
            sides[side] = sides[side][keep[sides[side]]]
        return sides


def open_recordings(
    folders: Sequence[Path], splits: Path | None, fold: int, subjects: Sequence[str] | None
) -> Recordings:
    """Open the stores of the chosen subjects, in the order of their names.

    Parameters
    ----------
    folders : sequence of Path
        Folders with ``sub-<subject>.h5``.
    splits : Path or None
        ``splits.json`` of all folders; by default each has its own.
    fold : int
        Which fold.
    subjects : sequence of str or None
        Keys of `Recordings.stores`; all by default.

    Returns
    -------
    Recordings
        The stores, opened lazily.

    Raises
    ------
    DataError
        If there is no store in a folder, or one is broken.
    ConfigError
        If a subject or fold does not exist, or two folders have the same name.
    """
    names = [folder.name for folder in folders]
    if not folders or len(set(names)) < len(names):
        raise ConfigError(f"data.stores names {', '.join(names) or 'no folder'}; give each once")
    paths: dict[str, Path] = {}
    for folder in folders:
        found = sorted(folder.glob("sub-*.h5"))
        if not found:
            raise DataError(
                "no sub-*.h5 in this folder", file=folder, fix="run `neurodecode prepare`"
            )
        prefix = f"{folder.name}:" if len(folders) > 1 else ""
        paths |= {prefix + path.stem.removeprefix("sub-"): path for path in found}
    if unknown := sorted(set(subjects or ()) - set(paths)):
        raise ConfigError(
            f"folder {', '.join(map(str, folders))}: unknown subject {', '.join(unknown)};"
            f" known: {', '.join(paths)}"
        )
    chosen = paths if subjects is None else {name: paths[name] for name in sorted(set(subjects))}
    folder_of = {name: path.parent.name for name, path in chosen.items()}
    divisions = {
        folder.name: read_split(splits or folder / "splits.json")
        for folder in folders
        if folder.name in folder_of.values()
    }
    for split in divisions.values():
        if not 0 <= fold < len(split.folds):
            raise ConfigError(f"fold {fold} does not exist; the split has {len(split.folds)}")
    stores = {name: ResponseStore(path) for name, path in chosen.items()}
    return Recordings(stores, folder_of, divisions, fold)
