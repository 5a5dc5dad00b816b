"""NSD on the surface, as the Algonauts 2023 challenge packed it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from neurodecode.datasets.arrays import read_npy
from neurodecode.datasets.base import DATASETS, DatasetReader
from neurodecode.datasets.images import ImageFiles, image_side, unique_contents
from neurodecode.datasets.nsd.rois import ROI_LABELS, most_specific
from neurodecode.datasets.pickles import read_array_dict
from neurodecode.datasets.sources import source
from neurodecode.errors import DataError
from neurodecode.recording import Recording, StimulusSet

__all__ = ["Algonauts2023"]

#: Beginning of file names, and hemisphere.
_SIDES = {"lh": "left", "rh": "right"}


class _SideBySide:
    """Arrays of the same trials, one beside the other; each is read when it is sliced."""

    def __init__(self, parts: Sequence[np.ndarray]) -> None:
        self.parts = parts
        self.shape = (len(parts[0]), sum(part.shape[1] for part in parts))

    def __getitem__(self, index: Any) -> np.ndarray:
        rows, *columns = index if isinstance(index, tuple) else (index,)
        joined = np.concatenate([np.asarray(part[rows]) for part in self.parts], axis=-1)
        return joined[(..., *columns)] if columns else joined


@DATASETS.register("algonauts2023")
class Algonauts2023(DatasetReader):
    """Averaged responses of the vertices of visual cortex to COCO pictures.

    The training side of the challenge; the responses of its test side were withheld.

    Parameters
    ----------
    root : path-like
        Folder with ``subj01/training_split/...``, ``subj01/roi_masks/...``.
    image_size : int, optional
        Resize the pictures to this many pixels; ids are taken before.

    References
    ----------
    Gifford A. T. et al. (2023), "The Algonauts Project 2023 challenge", arXiv 2301.03198.
    """

    name = "algonauts2023"
    summary = "7-T fMRI of 8 people on fsaverage, averaged responses to 8,800 to 9,800 pictures"
    licence = "NSD Data Access Agreement and the terms of the challenge: research only"
    how_to_get = (
        "fill in the form at algonauts.csail.mit.edu/2023 (challenge data), and give the folder"
        " with subj01 to subj08"
    )
    split_scheme = "kfold"
    layouts = (
        (
            "subj*/training_split/training_fmri/?h_training_fmri.npy",
            "subj*/roi_masks/?h.all-vertices_fsaverage_space.npy",
        ),
    )

    def __init__(self, root: str | Path, image_size: int | str | None = None) -> None:
        super().__init__(root)
        self._image_size = image_side(image_size)
        self._contents: dict[str, list[str]] = {}

    @cached_property
    def subjects(self) -> Sequence[str]:
        """Two digits each, for subjects whose responses are there, sorted."""
        files = self.root.glob("subj*/training_split/training_fmri/?h_training_fmri.npy")
        return sorted({file.parents[2].name.removeprefix("subj") for file in files})

    def _folder(self, subject: str) -> Path:
        return self.root / f"subj{subject}"

    def _pictures(self, subject: str) -> list[Path]:
        """Pictures in the order of the rows, which is that of their names."""
        return sorted((self._folder(subject) / "training_split/training_images").glob("*.png"))

    def _ids(self, subject: str) -> list[str]:
        if subject not in self._contents:
            images = ImageFiles([(file, "") for file in self._pictures(subject)])
            self._contents[subject] = unique_contents(images.originals())[0]
        return self._contents[subject]

    def recording(self, subject: str) -> Recording:
        """Open one subject; see `DatasetReader.recording`."""
        self.check_subject(subject)
        folder = self._folder(subject) / "training_split" / "training_fmri"
        files = [folder / f"{side}_training_fmri.npy" for side in _SIDES]
        parts = [read_npy(file, ndim=2, lazy=True) for file in files]
        ids = self._ids(subject)
        for file, part in zip(files, parts, strict=True):
            if len(part) != len(ids):
                raise DataError(
                    f"{len(part)} responses for {len(ids)} pictures in training_images",
                    file=file, subject=subject, fix="download both again",
                )  # fmt: skip
        ones = np.ones(len(ids), dtype=np.int32)
        return Recording(
            subject=subject,
            modality="fmri",
            responses=_SideBySide(parts),
            stimulus_id=np.array(ids),
            session=ones,
            run=ones,
            features=self._features(subject, [part.shape[1] for part in parts]),
            units="standard deviations within sessions",
            n_averaged=3,
            info={"space": "fsaverage", "n_averaged": "3 at most; not published for each picture"},
            sources=[source(file) for file in files],
        )

    def _features(self, subject: str, counts: Sequence[int]) -> dict[str, np.ndarray]:
        """Place and regions of the vertices, left hemisphere first."""
        folder, vertices, labels = self._folder(subject) / "roi_masks", [], {}
        for side, count in zip(_SIDES, counts, strict=True):
            file = folder / f"{side}.all-vertices_fsaverage_space.npy"
            vertices.append(np.flatnonzero(read_npy(file, ndim=1) > 0))
            if len(vertices[-1]) != count:
                raise DataError(
                    f"{len(vertices[-1])} vertices for {count} responses",
                    file=file, subject=subject, fix="download it again",
                )  # fmt: skip
        for kind in ROI_LABELS:
            found = [_labels(folder, side, kind, n) for side, n in zip(_SIDES, counts, strict=True)]
            if any(each is not None for each in found):
                labels[kind] = np.concatenate(
                    [np.full(n, "", "U16") if each is None else each
                     for each, n in zip(found, counts, strict=True)]
                )  # fmt: skip
        return {
            "roi": most_specific(labels, sum(counts)),
            "vertex": np.concatenate(vertices).astype(np.int32),
            "hemisphere": np.repeat(list(_SIDES.values()), counts),
            **labels,
        }

    def stimuli(self, subjects: Iterable[str] | None = None) -> StimulusSet:
        """Open the pictures; see `DatasetReader.stimuli`."""
        places: dict[str, Path] = {}
        for subject in self.subjects if subjects is None else subjects:
            self.check_subject(subject)
            for content, file in zip(self._ids(subject), self._pictures(subject), strict=True):
                places.setdefault(content, file)
        return StimulusSet(
            ids=list(places),
            images=ImageFiles([(file, "") for file in places.values()], self._image_size),
            # train-0001_nsd-00013.png
            names=[file.stem.partition("_")[2] or file.stem for file in places.values()],
        )


def _labels(folder: Path, side: str, kind: str, n: int) -> np.ndarray | None:
    """Names of the regions of one kind, "" where there is none; None without a file."""
    file = folder / f"{side}.{kind}_challenge_space.npy"
    if not file.is_file():
        return None
    numbers = read_npy(file, ndim=1).astype(np.int64)
    if len(numbers) != n:
        raise DataError(
            f"{len(numbers)} labels for {n} vertices", file=file, fix="download it again"
        )
    names = {int(number): str(name) for number, name in _names(folder, kind).items()}
    return np.array(["" if each < 1 else names.get(each, str(each)) for each in numbers.tolist()])


def _names(folder: Path, kind: str) -> dict[Any, Any]:
    file = folder / f"mapping_{kind}.npy"
    if file.is_file():
        return read_array_dict(file)
    return dict(enumerate(ROI_LABELS[kind], start=1))
