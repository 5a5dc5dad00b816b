"""Where NSD keeps its files."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

__all__ = ["NsdPaths"]


@dataclass(frozen=True)
class NsdPaths:
    """NSD's folders, as on its AWS bucket.

    Parameters
    ----------
    root : Path
        Folder with ``nsddata``, ``nsddata_betas`` and ``nsddata_stimuli``.
    space : str
        ``func1pt8mm`` or ``func1mm``.
    betas : str
        Version of the betas.
    """

    root: Path
    space: str = "func1pt8mm"
    betas: str = "betas_fithrf_GLMdenoise_RR"

    @property
    def design(self) -> Path:
        """Which image was shown when."""
        return self.root / "nsddata" / "experiments" / "nsd" / "nsd_expdesign.mat"

    @property
    def stimulus_table(self) -> Path:
        """One row for each of the 73k images."""
        return self.design.with_name("nsd_stim_info_merged.csv")

    @property
    def images(self) -> Path:
        """Pixels of the 73k images."""
        return self.root / "nsddata_stimuli" / "stimuli" / "nsd" / "nsd_stimuli.hdf5"

    def annotations(self, kind: str, split: str) -> Path:
        """Where COCO's annotations are, e.g. of kind ``captions`` and split ``train2017``."""
        return self.images.parent / "annotations" / f"{kind}_{split}.json"

    def behaviour(self, subject: str) -> Path:
        """One row for each trial of a subject."""
        return self._subject(subject) / "behav" / "responses.tsv"

    def roi(self, subject: str, name: str) -> Path:
        """Label volume of a region of interest."""
        return self._subject(subject) / self.space / "roi" / f"{name}.nii.gz"

    def volume(self, subject: str, name: str) -> Path:
        """Other volume of a subject, e.g. ``brainmask``."""
        return self._subject(subject) / self.space / f"{name}.nii.gz"

    def _subject(self, subject: str) -> Path:
        return self.root / "nsddata" / "ppdata" / f"subj{subject}"

    def labels(self, subject: str, name: str) -> Path:
        """Names of the labels of a region of interest."""
        return (
            self.root / "nsddata" / "freesurfer" / f"subj{subject}" / "label" / f"{name}.mgz.ctab"
        )

    def betas_folder(self, subject: str) -> Path:
        """Folder of the betas of a subject."""
        return self.root / "nsddata_betas" / "ppdata" / f"subj{subject}" / self.space / self.betas

    def session(self, subject: str, number: int, suffix: str = ".hdf5") -> Path:
        """Betas of one session."""
        return self.betas_folder(subject) / f"betas_session{number:02d}{suffix}"
