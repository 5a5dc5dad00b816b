"""Object categories in ventral temporal cortex (Haxby et al. 2001)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cached_property
from pathlib import Path

import numpy as np

from neurodecode.datasets.base import DATASETS, DatasetReader
from neurodecode.datasets.sources import source
from neurodecode.datasets.volumes import check_same_space, open_nifti, read_mask
from neurodecode.errors import DataError
from neurodecode.preprocess.fmri import block_means, clean_runs
from neurodecode.recording import Recording

__all__ = ["Haxby2001", "read_labels"]


@DATASETS.register("haxby2001")
class Haxby2001(DatasetReader):
    """Block responses to eight object categories; the category is the stimulus.

    Two layouts are read: PyMVPA's example folder (``bold.nii.gz``, ``mask.nii.gz``,
    ``attributes_literal.txt``; one subject, called ``1``), and the folders ``subj1`` ... ``subj6``
    (``bold.nii.gz``, ``mask4_vt.nii.gz``, ``labels.txt``) that `nilearn.datasets.fetch_haxby`
    makes. Each voxel is linearly detrended and z-scored within its run, then the volumes of each
    block are averaged (12 runs x 8 blocks = 96 responses).

    Parameters
    ----------
    root : path-like
        Folder of the data set.
    mask : str, optional
        File name of another mask in the subject's folder.

    References
    ----------
    Haxby J. V. et al. (2001), "Distributed and overlapping representations of faces and objects
    in ventral temporal cortex", Science 293.
    """

    name = "haxby2001"
    summary = "fMRI, 8 object categories in blocks, 12 runs, block means"
    licence = "MIT (PyMVPA example data); original data CC BY-SA 3.0; cite Haxby et al. (2001)"
    how_to_get = (
        "run nilearn.datasets.fetch_haxby(subjects=[1, 2, 3, 4, 5, 6]) and give the folder with"
        " subj1 ... subj6, or use PyMVPA's example data (bold.nii.gz, mask.nii.gz,"
        " attributes_literal.txt)"
    )
    split_scheme = "leave-one-run-out"
    layouts = (
        ("bold.nii.gz", "attributes_literal.txt"),
        ("subj*/bold.nii.gz", "subj*/labels.txt"),
    )

    def __init__(self, root: str | Path, mask: str | None = None) -> None:
        super().__init__(root)
        self._mask = mask

    @cached_property
    def subjects(self) -> Sequence[str]:
        """Subject numbers, sorted."""
        if (self.root / "bold.nii.gz").is_file():
            return ["1"]
        folders = (file.parent.name for file in self.root.glob("subj*/bold.nii.gz"))
        return sorted(name.removeprefix("subj") for name in folders)

    def files(self, subject: str) -> tuple[Path, Path, Path]:
        """Find the files of a subject.

        Parameters
        ----------
        subject : str
            One of `subjects`.

        Returns
        -------
        tuple of path
            Volumes, mask and labels.
        """
        if (self.root / "bold.nii.gz").is_file():
            folder, mask, labels = self.root, "mask.nii.gz", "attributes_literal.txt"
        else:
            folder, mask, labels = self.root / f"subj{subject}", "mask4_vt.nii.gz", "labels.txt"
        return folder / "bold.nii.gz", folder / (self._mask or mask), folder / labels

    def recording(self, subject: str) -> Recording:
        """Open one subject; see `DatasetReader.recording`."""
        self.check_subject(subject)
        bold, mask, labels = self.files(subject)
        volumes, inside, affine = _masked_volumes(bold, mask, subject)
        label, run = read_labels(labels)
        if len(label) != len(volumes):
            raise DataError(
                f"{len(label)} labels for {len(volumes)} volumes", file=labels, subject=subject
            )
        blocks = block_means(clean_runs(volumes, run), label, run)
        return Recording(
            subject=subject,
            modality="fmri",
            responses=blocks.responses,
            stimulus_id=blocks.label,
            session=np.ones(len(blocks.run), dtype=np.int32),
            run=blocks.run + 1,
            features={"xyz": np.argwhere(inside).astype(np.int32)},
            units="z",
            info={
                "affine": affine.tolist(),
                "volume_shape": list(inside.shape),
                "preprocessing": "linear detrend and z-score per run, mean over block volumes",
            },
            sources=[source(file) for file in (bold, mask, labels)],
        )

    def stimuli(self, subjects: Iterable[str] | None = None) -> None:
        """Return None: the data set is published without its pictures."""
        for subject in subjects or ():
            self.check_subject(subject)


def _masked_volumes(
    bold: Path, mask: Path, subject: str
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Time series inside the mask, the mask, and the affine."""
    from nilearn.image import new_img_like
    from nilearn.masking import apply_mask

    image = open_nifti(bold)
    inside, affine = read_mask(mask, subject)
    check_same_space(
        mask,
        inside.shape,
        affine,
        other=bold,
        other_shape=image.shape[:3],
        other_affine=np.asarray(image.affine),
        subject=subject,
    )
    try:
        volumes = apply_mask(image, new_img_like(image, inside.astype(np.uint8), image.affine))
    except (OSError, EOFError, ValueError) as error:
        raise DataError(
            "file is truncated or unreadable", file=bold, subject=subject, fix="download it again"
        ) from error
    return volumes, inside, affine


def read_labels(path: Path) -> tuple[np.ndarray, np.ndarray]:
    """Read what was shown at each volume; a header line ``labels chunks`` is skipped.

    Parameters
    ----------
    path : path
        Lines of ``label run``.

    Returns
    -------
    array of str of shape (n_volumes,)
        Label of each volume, ``rest`` between blocks.
    array of int of shape (n_volumes,)
        Run of each volume, from 0.

    Raises
    ------
    DataError
        If the file is missing or has other lines.
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise DataError("labels cannot be read", file=path, fix="download it again") from error
    rows = [line.split() for line in lines if line.strip()]
    if rows and rows[0] == ["labels", "chunks"]:
        rows = rows[1:]
    if not rows or any(len(row) != 2 or not row[1].isdigit() for row in rows):
        raise DataError("expected lines of `label run`", file=path, fix="download it again")
    return np.array([row[0] for row in rows]), np.array([int(row[1]) for row in rows])
