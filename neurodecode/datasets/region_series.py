"""Whole-brain time series, region by region, from 4-D fMRI."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from neurodecode.datasets.base import DatasetReader
from neurodecode.datasets.parcels import Parcellation, atlas_parcels, spherical_parcels
from neurodecode.datasets.region_means import (
    BoldRun,
    check_series,
    region_means,
    repetition_time,
)
from neurodecode.datasets.sources import source
from neurodecode.datasets.volumes import check_same_space, read_mask
from neurodecode.errors import ConfigError, DataError
from neurodecode.preprocess.fmri import clean_runs
from neurodecode.recording import Recording

__all__ = ["RegionSeriesReader"]


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
        tr_s = self._tr_s or repetition_time(files, subject)
        mask, affine = read_mask(files[0].mask, subject)
        parcels = self._parcels(mask, affine, files[0], subject)
        series = np.concatenate([region_means(each, parcels, subject) for each in files])
        run = np.concatenate([each.run for each in files])
        session = np.concatenate([np.full(len(each.run), each.session) for each in files])
        check_series(series, parcels, subject, files[0].bold)
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


def _resampled(parcels: Parcellation, mask: np.ndarray, affine: np.ndarray) -> Parcellation:
    from nibabel.nifti1 import Nifti1Image
    from nilearn.image import resample_to_img

    target = Nifti1Image(mask.astype(np.uint8), affine)
    labels = resample_to_img(
        parcels.image(), target, interpolation="nearest", force_resample=True, copy_header=True
    )
    return Parcellation(np.asarray(labels.dataobj).astype(np.int32), affine, parcels.names)
