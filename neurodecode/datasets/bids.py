"""Single-trial betas in a BIDS derivative: one 4-D NIfTI file and one event table a run."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path

import numpy as np

from neurodecode.datasets.base import DATASETS, DatasetReader
from neurodecode.datasets.images import image_side
from neurodecode.datasets.names import entity, natural, natural_text, number_in
from neurodecode.datasets.pictures import PictureFolder
from neurodecode.datasets.sessions import Part, Sessions
from neurodecode.datasets.sources import source
from neurodecode.datasets.tables import read_table
from neurodecode.datasets.volumes import check_same_space, open_nifti, read_mask
from neurodecode.errors import DataError
from neurodecode.recording import Recording, StimulusSet

__all__ = ["BidsBetas"]

_VOLUMES_AT_ONCE = 64
_NO_STIMULUS = ("", "n/a")


@dataclass(frozen=True)
class _Run:
    """One run's files, and which of its volumes are trials."""

    betas: Path
    events: Path
    session: str
    run: int
    volumes: np.ndarray
    files: tuple[str, ...]


@DATASETS.register("bids-betas")
class BidsBetas(DatasetReader):
    """Any data set whose single-trial betas are BIDS derivatives.

    There is no ratified suffix for single-trial betas; the layout of the THINGS-fMRI betas is
    followed, with BIDS names: ``sub-01[/ses-a]/func/sub-01[_ses-a]_task-x_run-1[...]_betas.nii.gz``
    with one volume a trial (in units the publisher gives), ``..._run-1_events.tsv`` beside it
    with the column ``stim_file`` (``n/a`` where no picture was shown), a mask
    ``sub-01/**/sub-01*_mask.nii.gz`` in the same space, and the pictures in ``stimuli/``.

    Parameters
    ----------
    root : path-like
        Folder of the derivative.
    mask : str, optional
        Part of the name of the mask, where a subject has several.
    stimuli : path-like, optional
        Folder of the pictures; ``stimuli`` inside the root by default.
    image_size : int, optional
        Crop and resize the pictures to this many pixels; needed if their sizes differ.
    """

    name = "bids-betas"
    summary = "any fMRI study with single-trial betas as BIDS derivatives"
    licence = "that of the study"
    how_to_get = (
        "place sub-*/[ses-*/]func/*_betas.nii.gz (4-D, one volume a trial), *_events.tsv with a"
        " column stim_file beside them, sub-*/**/*_mask.nii.gz, and the pictures in stimuli/"
    )
    split_scheme = "kfold"
    layouts = (("sub-*/**/*_betas.nii.gz", "sub-*/**/*_events.tsv"),)

    def __init__(
        self,
        root: str | Path,
        mask: str = "",
        stimuli: str | Path | None = None,
        image_size: int | str | None = None,
    ) -> None:
        super().__init__(root)
        self._mask = mask
        folder = self.root / "stimuli" if stimuli is None else Path(stimuli)
        self._pictures = PictureFolder(folder, image_side(image_size))

    @cached_property
    def subjects(self) -> Sequence[str]:
        """Labels of the subjects with betas, sorted."""
        files = self.root.glob("sub-*/**/*_betas.nii.gz")
        return sorted({file.relative_to(self.root).parts[0][4:] for file in files})

    def _runs(self, subject: str) -> list[_Run]:
        files = sorted(self.root.glob(f"sub-{subject}/**/*_betas.nii.gz"), key=natural)
        return [_open_run(file, subject) for file in files]

    def _mask_file(self, subject: str) -> Path:
        masks = sorted(self.root.glob(f"sub-{subject}/**/sub-{subject}*_mask.nii.gz"))
        chosen = [file for file in masks if self._mask in file.name]
        if len(chosen) != 1:
            names = ", ".join(file.name for file in masks) or "none"
            raise DataError(
                f"{len(chosen)} masks match, one is needed (found: {names})",
                file=self.root / f"sub-{subject}",
                subject=subject,
                fix="name one with --option mask=PART_OF_NAME",
            )
        return chosen[0]

    def recording(self, subject: str) -> Recording:
        """Open one subject; see `DatasetReader.recording`."""
        self.check_subject(subject)
        mask_file = self._mask_file(subject)
        mask, affine = read_mask(mask_file, subject)
        runs = self._runs(subject)
        for run in runs:
            image = open_nifti(run.betas)
            check_same_space(
                mask_file,
                mask.shape,
                affine,
                other=run.betas,
                other_shape=image.shape[:3],
                other_affine=np.asarray(image.affine),
                subject=subject,
            )
        parts = [Part(len(run.volumes), partial(_read_run, run, mask)) for run in runs]
        sessions = sorted({run.session for run in runs}, key=natural_text)
        lengths = [len(run.volumes) for run in runs]
        return Recording(
            subject=subject,
            modality="fmri",
            responses=Sessions(parts, int(mask.sum())),
            stimulus_id=self._pictures.of([name for run in runs for name in run.files]),
            session=np.repeat([sessions.index(run.session) + 1 for run in runs], lengths),
            run=np.repeat([run.run for run in runs], lengths),
            features={"xyz": np.argwhere(mask).astype(np.int32)},
            units="as published",
            info={
                "affine": affine.tolist(),
                "volume_shape": list(mask.shape),
                "mask": mask_file.name,
                "sessions": sessions,
            },
            sources=[source(file) for run in runs for file in (run.betas, run.events)],
        )

    def stimuli(self, subjects: Iterable[str] | None = None) -> StimulusSet:
        """Open the pictures; see `DatasetReader.stimuli`."""
        names: set[str] = set()
        for subject in self.subjects if subjects is None else subjects:
            self.check_subject(subject)
            names.update(name for run in self._runs(subject) for name in run.files)
        return self._pictures.stimuli(names)


def _open_run(betas: Path, subject: str) -> _Run:
    """Match the volumes of a run with the rows of its event table."""
    image = open_nifti(betas)
    if len(image.shape) != 4:
        raise DataError(f"expected 4 axes, found shape {image.shape}", file=betas, subject=subject)
    events = _events_file(betas)
    files = read_table(events, ("stim_file",), sep="\t")["stim_file"]
    shown = np.array([name not in _NO_STIMULUS for name in files], dtype=bool)
    n_volumes = image.shape[3]
    # a table may list fixation and the like; their volumes may be there or may be left out
    if n_volumes == len(files):
        volumes = np.flatnonzero(shown)
    elif n_volumes == int(shown.sum()):
        volumes = np.arange(n_volumes)
    else:
        raise DataError(
            f"{n_volumes} betas for {int(shown.sum())} trials with a picture in {events.name}",
            file=betas,
            subject=subject,
            field="stim_file",
            fix="check that both files are of the same run",
        )
    return _Run(
        betas=betas,
        events=events,
        session=entity(betas.name, "ses", "1"),
        run=number_in(entity(betas.name, "run", "1")),
        volumes=volumes,
        files=tuple(name for name, keep in zip(files, shown, strict=True) if keep),
    )


def _events_file(betas: Path) -> Path:
    """Table of a run; entities like ``space`` and ``desc`` are only in the name of the betas."""
    stem = betas.name.removesuffix("_betas.nii.gz")
    parts = stem.split("_")
    for length in range(len(parts), 0, -1):
        candidate = betas.with_name("_".join(parts[:length]) + "_events.tsv")
        if candidate.is_file():
            return candidate
    raise DataError(
        "no event table beside it", file=betas, field=f"{stem}_events.tsv", fix="add the table"
    )


def _read_run(run: _Run, mask: np.ndarray) -> np.ndarray:
    """Read the trials of a run, float32 of shape (n_trials, n_voxels)."""
    import nibabel as nib

    image = nib.load(run.betas, keep_file_open=True)
    out = np.empty((image.shape[3], int(mask.sum())), dtype=np.float32)
    try:
        for start in range(0, len(out), _VOLUMES_AT_ONCE):
            block = np.asarray(image.dataobj[..., start : start + _VOLUMES_AT_ONCE])
            out[start : start + block.shape[3]] = block[mask].T
    except (OSError, EOFError, ValueError) as error:
        raise DataError("file is truncated", file=run.betas, fix="download it again") from error
    return out[run.volumes]
