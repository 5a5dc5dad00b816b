"""Whole-brain time series, region by region, from 4-D fMRI."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from neurodecode.datasets.base import DatasetReader
from neurodecode.datasets.parcels import Parcellation, atlas_parcels, spherical_parcels
from neurodecode.datasets.sources import source
from neurodecode.datasets.volumes import check_same_space, open_nifti, read_mask
from neurodecode.errors import ConfigError, DataError
from neurodecode.preprocess.fmri import clean_runs
from neurodecode.recording import Recording

__all__ = ["BoldRun", "RegionSeriesReader"]


@dataclass(frozen=True)
class BoldRun:
    """One or more runs in one file.

    Parameters
    ----------
    bold : path
        4-D NIfTI.
    mask : path
        Voxels of the brain.
    label : array of str of shape (n_volumes,)
        What was shown or done at each volume, ``rest`` where nothing.
    run : array of int of shape (n_volumes,)
        Number of the run of each volume, from 1.
    session : int
        Which session.
    """

    bold: Path
    mask: Path
    label: np.ndarray
    run: np.ndarray
    session: int = 1


class RegionSeriesReader(DatasetReader):
    """Volumes as trials, regions as features.

    The mean over the voxels of each region is linearly detrended and z-scored within its run.

    Parameters
    ----------
    root : path-like
        Folder of the data set.
    regions : int
        Spheres to spread over the mask, if no atlas is given.
    radius_mm : float
        Radius of these spheres; by default every voxel belongs to the nearest one.
    atlas : path-like, optional
        Label volume in the space of the data.
    names : path-like, optional
        Names of its regions, see `atlas_parcels`.
    resample : str
        ``yes``: bring an atlas in another grid of the same space to that of the data (nearest
        neighbour).
    tr_s : float, optional
        Repetition time in seconds, where the files do not tell it.
    """

    def __init__(
        self,
        root: str | Path,
        regions: int | str = 48,
        radius_mm: float | str = np.inf,
        atlas: str | Path | None = None,
        names: str | Path | None = None,
        resample: str = "no",
        tr_s: float | str | None = None,
    ) -> None:
        super().__init__(root)
        self._regions, self._radius = _number("regions", regions, int), float(radius_mm)
        self._atlas, self._names, self._resample = atlas, names, resample == "yes"
        self._tr_s = None if tr_s is None else _number("tr_s", tr_s, float)

    @abstractmethod
    def bold(self, subject: str) -> list[BoldRun]:
        """Find the files of a subject.

        Parameters
        ----------
        subject : str
            One of `subjects`.

        Returns
        -------
        list of BoldRun
            In the order of the recording.
        """

    def recording(self, subject: str) -> Recording:
        """Read one subject; see `DatasetReader.recording`.

        Parameters
        ----------
        subject : str
            One of `subjects`.

        Returns
        -------
        Recording
            Volumes as trials, whose "stimulus" is the label; features ``name``, ``network`` and
            ``centre`` (mm); ``tr_s`` and the voxels of each region in ``info``.
        """
        self.check_subject(subject)
        files = self.bold(subject)
        tr_s = self._repetition(files, subject)
        mask, affine = read_mask(files[0].mask, subject)
        parcels = self._parcels(mask, affine, files[0], subject)
        series = np.concatenate([_means(each, parcels, subject) for each in files])
        run = np.concatenate([each.run for each in files])
        session = np.concatenate([np.full(len(each.run), each.session) for each in files])
        _check_series(series, parcels, subject, files[0].bold)
        used = [path for each in files for path in (each.bold, each.mask)]
        return Recording(
            subject=subject,
            modality="fmri",
            responses=clean_runs(series, 1000 * session + run),
            stimulus_id=np.concatenate([each.label for each in files]),
            session=session,
            run=run,
            features={
                "name": np.array(parcels.names),
                "network": np.array(parcels.networks),
                "centre": parcels.centres_mm().astype(np.float32),
            },
            units="z",
            info={
                "tr_s": tr_s,
                "parcels": "spheres" if self._atlas is None else Path(self._atlas).name,
                "voxels": np.bincount(parcels.labels[mask], minlength=len(parcels.names) + 1)[
                    1:
                ].tolist(),
                "preprocessing": "mean over voxels, linear detrend and z-score per run",
            },
            sources=[source(path) for path in dict.fromkeys(used)],
        )

    def stimuli(self, subjects: Iterable[str] | None = None) -> None:
        """Return None: blocks and tasks have no pictures.

        Parameters
        ----------
        subjects : iterable of str, optional
            Checked, as by every reader.
        """
        for subject in subjects or ():
            self.check_subject(subject)

    def _repetition(self, files: list[BoldRun], subject: str) -> float:
        if self._tr_s is not None:
            return self._tr_s
        known = {each.bold: _header_tr(each.bold) for each in files}
        missing = [path for path, tr_s in known.items() if not tr_s > 0]
        if missing:
            raise DataError("no repetition time in the header", file=missing[0], subject=subject,
                            field="pixdim[4]", fix="give it: --option tr_s=SECONDS")  # fmt: skip
        first, tr_s = next(iter(known.items()))
        for path, other in known.items():
            if abs(other - tr_s) > 1e-3:
                raise DataError(
                    f"TR is {other:g} s, but {tr_s:g} s in {first.name}", file=path,
                    subject=subject, field="pixdim[4]",
                    fix="prepare runs of one TR, or give the true one: --option tr_s=SECONDS",
                )  # fmt: skip
        return tr_s

    def _parcels(
        self, mask: np.ndarray, affine: np.ndarray, files: BoldRun, subject: str
    ) -> Parcellation:
        if self._atlas is None:
            return spherical_parcels(mask, affine, self._regions, self._radius)
        parcels = atlas_parcels(self._atlas, self._names)
        if self._resample:
            parcels = _resampled(parcels, mask, affine)
        check_same_space(
            self._atlas, parcels.labels.shape, parcels.affine, other=files.mask,
            other_shape=mask.shape, other_affine=affine, subject=subject,
        )  # fmt: skip
        count = np.bincount(parcels.labels[mask], minlength=len(parcels.names) + 1)[1:]
        if not count.any():
            raise DataError(
                f"no region has a voxel within {files.mask.name}", file=self._atlas,
                subject=subject, fix="take an atlas of the space the data are in",
            )  # fmt: skip
        if not count.all():
            keep = np.flatnonzero(count)
            raise DataError(
                f"{int((count == 0).sum())} of {len(count)} regions have no voxel within"
                f" {files.mask.name}, first: {parcels.names[int(np.argmin(count))]}",
                file=self._atlas, subject=subject,
                fix=f"take an atlas of the {len(keep)} regions that were recorded",
            )  # fmt: skip
        return parcels


def _number(name: str, text: object, kind: type) -> float:
    try:
        return kind(text)
    except (TypeError, ValueError) as error:
        raise ConfigError(f"--option {name}={text}: not a number") from error


def _header_tr(path: Path) -> float:
    header = open_nifti(path).header
    zooms = header.get_zooms()
    unit = header.get_xyzt_units()[1]
    value = float(zooms[3]) if len(zooms) > 3 else 0.0
    return value * {"msec": 1e-3, "usec": 1e-6}.get(unit, 1.0)


def _resampled(parcels: Parcellation, mask: np.ndarray, affine: np.ndarray) -> Parcellation:
    from nibabel.nifti1 import Nifti1Image
    from nilearn.image import resample_to_img

    target = Nifti1Image(mask.astype(np.uint8), affine)
    labels = resample_to_img(
        parcels.image(), target, interpolation="nearest", force_resample=True, copy_header=True
    )
    return Parcellation(np.asarray(labels.dataobj).astype(np.int32), affine, parcels.names)


def _means(files: BoldRun, parcels: Parcellation, subject: str) -> np.ndarray:
    """Mean over the voxels of each region, by nilearn."""
    from nibabel.nifti1 import Nifti1Image
    from nilearn.regions import img_to_signals_labels

    bold = open_nifti(files.bold)
    mask, affine = read_mask(files.mask, subject)
    check_same_space(
        files.bold, bold.shape[:3], np.asarray(bold.affine), other=files.mask,
        other_shape=mask.shape, other_affine=affine, subject=subject,
    )  # fmt: skip
    if len(bold.shape) != 4 or bold.shape[3] != len(files.label):
        raise DataError(f"{len(files.label)} labels for volumes of shape {bold.shape}",
                        file=files.bold, subject=subject)  # fmt: skip
    inside = np.where(mask, parcels.labels, 0).astype(np.int32)
    try:
        values = np.asarray(bold.dataobj, dtype=np.float32)
    except (OSError, EOFError, ValueError) as error:
        raise DataError("file is truncated or unreadable", file=files.bold, subject=subject,
                        fix="download it again") from error  # fmt: skip
    _check_finite(values, inside, parcels, subject, files.bold)
    means, found, _ = img_to_signals_labels(
        Nifti1Image(values, affine), Nifti1Image(inside, affine), return_masked_atlas=True
    )
    return np.asarray(means)[:, np.argsort(found)]


def _check_finite(
    values: np.ndarray, inside: np.ndarray, parcels: Parcellation, subject: str, path: Path
) -> None:
    """Refuse what nilearn would take for zeros."""
    bad = ~np.isfinite(values).all(axis=3)
    spoiled = np.unique(inside[bad & (inside > 0)])
    if len(spoiled):
        raise DataError(
            f"{len(spoiled)} of {len(parcels.names)} regions have NaN in their voxels, first:"
            f" {parcels.names[spoiled[0] - 1]}",
            file=path, subject=subject, field="responses",
            fix="leave these voxels out of the mask",
        )  # fmt: skip


def _check_series(series: np.ndarray, parcels: Parcellation, subject: str, path: Path) -> None:
    constant = series.std(axis=0) == 0
    if constant.any():
        raise DataError(
            f"{int(constant.sum())} of {len(constant)} regions are constant, first:"
            f" {parcels.names[int(np.argmax(constant))]}",
            file=path, subject=subject, field="responses",
            fix="leave their voxels out of the mask, or take an atlas without them",
        )  # fmt: skip
