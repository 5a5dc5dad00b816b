"""Macaque V4 spike counts to natural images (Cowley, Stan, Pillow and Smith 2023)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import cached_property
from pathlib import Path

import numpy as np

from neurodecode.datasets.arrays import read_npy
from neurodecode.datasets.base import DATASETS, DatasetReader
from neurodecode.datasets.images import ImageFiles, list_zip_images, unique_contents
from neurodecode.datasets.sources import source
from neurodecode.errors import DataError
from neurodecode.recording import Recording, StimulusSet

__all__ = ["V4NaturalImages"]

_README_ROW = re.compile(r"^(\d{6})\s+(\w+)\s+\w+\s+(\d+)\s+(\d+)\s+(\d+)", re.MULTILINE)


@DATASETS.register("v4")
class V4NaturalImages(DatasetReader):
    """Repeat-averaged counts of V4 neurons in 100-ms bins; each session is one subject.

    Counts stay counts. A picture shown twice in a session gives two trials of one stimulus; a
    picture shown in two sessions under two names is one stimulus.

    Parameters
    ----------
    root : path-like
        Folder with ``images/images_<session>.zip`` (112 x 112 JPEG) and
        ``responses_repeat_averaged/responses_<session>.npy`` (n_neurons, n_images).

    References
    ----------
    Cowley B. R. et al. (2023), "Compact deep neural network models of visual cortex", bioRxiv.
    """

    name = "v4"
    summary = "macaque V4, 100-ms spike counts to natural images, each session one subject"
    licence = "GPL-3.0 repository; cite Cowley et al. (2023)"
    how_to_get = (
        "clone github.com/cowleygroup/V4_compact_models (GPL-3.0, no registration) and give its"
        " folder data_V4_responses, with images/*.zip and responses_repeat_averaged/*.npy"
    )
    split_scheme = "kfold"
    layouts = (("images/images_*.zip", "responses_repeat_averaged/responses_*.npy"),)

    def __init__(self, root: str | Path) -> None:
        super().__init__(root)
        self._contents: dict[str, list[str]] = {}

    @cached_property
    def subjects(self) -> Sequence[str]:
        """Sessions with both pictures and responses, sorted."""
        files = self.root.glob("responses_repeat_averaged/responses_*.npy")
        sessions = (file.stem.removeprefix("responses_") for file in files)
        return sorted(session for session in sessions if self._archive(session).is_file())

    def _archive(self, session: str) -> Path:
        return self.root / "images" / f"images_{session}.zip"

    def _places(self, session: str) -> list[tuple[Path, str]]:
        archive = self._archive(session)
        return [(archive, member) for member in list_zip_images(archive)]

    def _ids(self, session: str) -> list[str]:
        if session not in self._contents:
            images = ImageFiles(self._places(session))
            self._contents[session] = unique_contents(images.originals())[0]
        return self._contents[session]

    @cached_property
    def _table(self) -> dict[str, tuple[str, int]]:
        """Animal and repeats per image of each session, from the publisher's readme."""
        readme = self.root / "readme.txt"
        text = readme.read_text(encoding="utf-8", errors="replace") if readme.is_file() else ""
        rows = _README_ROW.findall(text)
        return {session: (animal, int(repeats)) for session, animal, _, repeats, _ in rows}

    def recording(self, subject: str) -> Recording:
        """Open one session; see `DatasetReader.recording`."""
        self.check_subject(subject)
        file = self.root / "responses_repeat_averaged" / f"responses_{subject}.npy"
        counts = read_npy(file, ndim=2, lazy=True).T
        ids = self._ids(subject)
        if len(ids) != len(counts):
            raise DataError(
                f"{len(counts)} responses for {len(ids)} images in {self._archive(subject).name}",
                file=file,
                subject=subject,
                fix="download both files again",
            )
        animal, repeats = self._table.get(subject, ("", 1))
        ones = np.ones(len(ids), dtype=np.int32)
        return Recording(
            subject=subject,
            modality="spikes",
            responses=counts,
            stimulus_id=np.array(ids),
            session=ones,
            run=ones,
            units="spikes per 100 ms",
            n_averaged=repeats,
            info={"animal": animal},
            sources=[source(path) for path in (file, self._archive(subject))],
        )

    def stimuli(self, subjects: Iterable[str] | None = None) -> StimulusSet:
        """Open the pictures; see `DatasetReader.stimuli`."""
        places: dict[str, tuple[Path, str]] = {}
        for session in self.subjects if subjects is None else subjects:
            self.check_subject(session)
            for content, place in zip(self._ids(session), self._places(session), strict=True):
                places.setdefault(content, place)
        names = [
            f"{archive.stem.removeprefix('images_')}/{Path(member).name}"
            for archive, member in places.values()
        ]
        return StimulusSet(ids=list(places), images=ImageFiles(list(places.values())), names=names)
