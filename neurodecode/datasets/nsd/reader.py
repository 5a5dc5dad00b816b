"""The Natural Scenes Dataset (Allen et al. 2022), and the miniature world in its layout."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Sequence
from functools import cached_property
from pathlib import Path

import numpy as np

from neurodecode.datasets.base import DATASETS, DatasetReader
from neurodecode.datasets.images import image_side
from neurodecode.datasets.nsd.betas import BETA_SCALE, open_session
from neurodecode.datasets.nsd.design import Design, read_design
from neurodecode.datasets.nsd.paths import NsdPaths
from neurodecode.datasets.nsd.rois import read_labels
from neurodecode.datasets.nsd.stimuli import ImageBrick, read_annotations
from neurodecode.datasets.sessions import Sessions
from neurodecode.datasets.sources import source
from neurodecode.datasets.volumes import read_mask, read_voxels
from neurodecode.errors import DataError
from neurodecode.progress import progress_bar
from neurodecode.recording import Recording, StimulusSet, content_id

__all__ = ["MiniFmri", "NaturalScenes"]

_IMAGES_AT_ONCE = 64


@DATASETS.register("nsd")
class NaturalScenes(DatasetReader):
    """Single-trial betas of 7-T fMRI, eight people, 73,000 pictures of COCO.

    The sessions that are there are read; HDF5 is preferred where both forms are there.

    Parameters
    ----------
    root : path-like
        Folder with ``nsddata``, ``nsddata_betas`` and ``nsddata_stimuli``.
    betas : str
        Version of the betas.
    space : str
        ``func1pt8mm`` or ``func1mm``.
    mask : str
        Region whose voxels (label > 0) are read.
    image_size : int, optional
        Resize the pictures to this many pixels; ids are taken before.

    References
    ----------
    Allen E. J. et al. (2022), "A massive 7T fMRI dataset to bridge cognitive neuroscience and
    artificial intelligence", Nature Neuroscience 25. Layout: naturalscenesdataset.org and
    cvnlab.slite.page.
    """

    name = "nsd"
    summary = "7-T fMRI of 8 people, single-trial betas to 73,000 COCO pictures"
    licence = "NSD Data Access Agreement: research only, no redistribution; cite Allen et al. 2022"
    how_to_get = (
        "sign the agreement at naturalscenesdataset.org, then copy nsddata, nsddata_betas and"
        " nsddata_stimuli from the AWS bucket natural-scenes-dataset into this folder"
        " (COCO annotations go to nsddata_stimuli/stimuli/nsd/annotations)"
    )
    split_scheme = "shared-test"
    more_pictures = True
    layouts = (("nsddata/experiments/nsd/nsd_expdesign.mat", "nsddata_betas/ppdata/subj*"),)

    def __init__(
        self,
        root: str | Path,
        betas: str = "betas_fithrf_GLMdenoise_RR",
        space: str = "func1pt8mm",
        mask: str = "nsdgeneral",
        image_size: int | str | None = None,
    ) -> None:
        super().__init__(root)
        self._paths = NsdPaths(self.root, space, betas)
        self._mask_name = mask
        self._image_size = image_side(image_size)
        self._content: dict[int, str] = {}
        self._designs: dict[str, Design] = {}

    @cached_property
    def subjects(self) -> Sequence[str]:
        """Two digits each, for subjects with at least one session of betas, sorted."""
        folders = (self.root / "nsddata_betas" / "ppdata").glob("subj*")
        names = (folder.name.removeprefix("subj") for folder in folders)
        return sorted(name for name in names if name.isdigit() and self._sessions(name))

    def _sessions(self, subject: str) -> dict[int, Path]:
        """Beta file of each session that is there."""
        found: dict[int, Path] = {}
        files = sorted(self._paths.betas_folder(subject).glob("betas_session*"), reverse=True)
        for file in files:  # .nii.gz before .hdf5, so that the latter wins
            match = re.fullmatch(r"betas_session(\d\d)\.(hdf5|nii\.gz)", file.name)
            if match:
                found[int(match[1])] = file
        return dict(sorted(found.items()))

    def _design(self, subject: str) -> Design:
        if subject not in self._designs:
            self._designs[subject] = read_design(self._paths, subject)
        return self._designs[subject]

    def _shown(self, subject: str) -> np.ndarray:
        """Trials of the design whose session is there."""
        return np.flatnonzero(np.isin(self._design(subject).session, list(self._sessions(subject))))

    def _ids(self, rows: np.ndarray) -> np.ndarray:
        """Content ids of pictures by row of `imgBrick`; every picture is read once."""
        todo = np.setdiff1d(rows, np.fromiter(self._content, dtype=np.int64))
        brick = ImageBrick(self._paths.images, todo)
        with progress_bar("naming pictures by content", len(todo), quiet=self.quiet) as advance:
            for start in range(0, len(todo), _IMAGES_AT_ONCE):
                chosen = todo[start : start + _IMAGES_AT_ONCE]
                for row, image in zip(
                    chosen.tolist(), brick[start : start + _IMAGES_AT_ONCE], strict=True
                ):
                    self._content[row] = content_id(image)
                advance(start + len(chosen))
        return np.array([self._content[row] for row in rows.tolist()])

    def recording(self, subject: str) -> Recording:
        """Open one subject; see `DatasetReader.recording`."""
        self.check_subject(subject)
        mask_file = self._paths.roi(subject, self._mask_name)
        mask, affine = read_mask(mask_file, subject)
        design, shown = self._design(subject), self._shown(subject)
        files = self._sessions(subject)
        parts = []
        for session, file in files.items():
            part = open_session(file, mask, affine, subject)
            planned = int((design.session == session).sum())
            if part.n_trials != planned:
                raise DataError(
                    f"{part.n_trials} betas for {planned} trials of session {session}",
                    file=file,
                    subject=subject,
                    field="betas",
                    fix="download the betas and the design again",
                )
            parts.append(part)
        return Recording(
            subject=subject,
            modality="fmri",
            responses=Sessions(parts, int(mask.sum()), scale=BETA_SCALE),
            stimulus_id=self._ids(design.image[shown]),
            session=design.session[shown],
            run=design.run[shown],
            features=self._features(subject, mask, affine),
            units="percent signal change",
            info={
                "affine": affine.tolist(),
                "volume_shape": list(mask.shape),
                "mask": self._mask_name,
                "betas": self._paths.betas,
                "space": self._paths.space,
            },
            sources=[source(file) for file in (*files.values(), mask_file, self._paths.design)],
        )

    def _features(
        self, subject: str, mask: np.ndarray, affine: np.ndarray
    ) -> dict[str, np.ndarray]:
        features = read_labels(self._paths, subject, mask, affine)
        features["xyz"] = np.argwhere(mask).astype(np.int32)
        path = self._paths.betas_folder(subject) / "ncsnr.nii.gz"
        if path.is_file():
            features["ncsnr"] = read_voxels(path, mask, affine, subject)
        return features

    def stimuli(self, subjects: Iterable[str] | None = None, n_unshown: int = 0) -> StimulusSet:
        """Open the pictures; see `DatasetReader.stimuli`.

        Parameters
        ----------
        subjects : iterable of str, optional
            Only what these subjects were shown; everybody by default.
        n_unshown : int
            Further pictures, evenly spaced among those that none of the subjects was shown and
            that are not planned for all.

        Returns
        -------
        StimulusSet
            The pictures.

        Raises
        ------
        DataError
            If there are not so many.
        """
        chosen = list(self.subjects if subjects is None else subjects)
        rows: set[int] = set()
        for subject in chosen:
            self.check_subject(subject)
            rows.update(self._design(subject).image[self._shown(subject)].tolist())
        if n_unshown:
            rows.update(self._unshown(rows, chosen, n_unshown))
        ordered = np.array(sorted(rows), dtype=np.int64)
        first: dict[str, int] = {}
        for content, row in zip(self._ids(ordered), ordered.tolist(), strict=True):
            first.setdefault(str(content), row)
        kept = np.array(list(first.values()), dtype=np.int64)
        images = ImageBrick(self._paths.images, kept, self._image_size)
        notes = read_annotations(self._paths, kept, images.shape[1:3])
        return StimulusSet(
            ids=list(first),
            images=images,
            captions=None if notes is None else [list(note.captions) for note in notes],
            categories=None if notes is None else [note.category for note in notes],
            boxes=None if notes is None else [list(note.boxes) for note in notes],
            names=[f"nsd-{row:05d}" for row in kept.tolist()],
        )

    def _unshown(self, shown: set[int], subjects: Sequence[str], n: int) -> list[int]:
        """Rows of pictures that are neither shown nor planned for everybody."""
        planned = {row for subject in subjects for row in self._design(subject).shared.tolist()}
        others = np.setdiff1d(ImageBrick(self._paths.images).rows, sorted(shown | planned))
        if n > len(others):
            raise DataError(
                f"{n} pictures that nobody was shown are asked for, there are {len(others)}",
                file=self._paths.images,
                field="imgBrick",
                fix="give a smaller --unshown",
            )
        return others[np.arange(n) * len(others) // n].tolist()

    def test_stimuli(self) -> Collection[str]:
        """Pictures planned for every subject (the shared 1000)."""
        if not self.subjects:
            return frozenset()
        return frozenset(self._ids(self._design(self.subjects[0]).shared).tolist())

    @classmethod
    def find(cls, folder: str | Path) -> Path | None:
        """Look for NSD; the miniature world in its layout does not count."""
        found = super().find(folder)
        if found is not None and cls is NaturalScenes and MiniFmri.find(found) == found:
            return None
        return found


@DATASETS.register("mini-fmri")
class MiniFmri(NaturalScenes):
    """The bundled miniature world, written by ``neurodecode simulate`` in NSD's layout."""

    name = "mini-fmri"
    summary = "simulated fMRI of 4 subjects, single-trial betas to procedural scenes"
    licence = "made by this program; no restrictions"
    how_to_get = "run `neurodecode simulate --out <this folder>`"
    layouts = ((*NaturalScenes.layouts[0], "truth/subj*.h5"),)
