"""NSD's regions of interest: a label for each voxel."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from neurodecode.datasets.nsd.paths import NsdPaths
from neurodecode.datasets.volumes import read_voxels
from neurodecode.errors import DataError

__all__ = ["ROI_LABELS", "most_specific", "read_labels"]

ROI_LABELS: dict[str, tuple[str, ...]] = {
    "prf-visualrois": ("V1v", "V1d", "V2v", "V2d", "V3v", "V3d", "hV4"),
    "prf-eccrois": ("ecc0pt5", "ecc1", "ecc2", "ecc4", "ecc4+"),
    "floc-faces": ("OFA", "FFA-1", "FFA-2", "mTL-faces", "aTL-faces"),
    "floc-words": ("OWFA", "VWFA-1", "VWFA-2", "mfs-words", "mTL-words"),
    "floc-places": ("OPA", "PPA", "RSC"),
    "floc-bodies": ("EBA", "FBA-1", "FBA-2", "mTL-bodies"),
    "streams": (
        "early", "midventral", "midlateral", "midparietal", "ventral", "lateral", "parietal",
    ),
}  # fmt: skip
"""Label volumes and the names of their labels 1..N, where no colour table says otherwise."""

#: The first of these with a label names the voxel in the feature ``roi``.
_PRIORITY = (
    "prf-visualrois", "floc-faces", "floc-words", "floc-places", "floc-bodies", "streams",
)  # fmt: skip


def read_labels(
    paths: NsdPaths, subject: str, mask: np.ndarray, affine: np.ndarray
) -> dict[str, np.ndarray]:
    """Read the labels of the voxels inside a mask.

    Parameters
    ----------
    paths : NsdPaths
        Where the files are.
    subject : str
        Two digits.
    mask : array of bool of shape (x, y, z)
        Voxels, in C order.
    affine : array of shape (4, 4)
        Affine of the mask, in mm.

    Returns
    -------
    dict of str to array of str of shape (n_voxels,)
        One entry for each label volume that is there, and ``roi``: the voxel's area, category
        region or stream, in this order; empty where there is none.

    Raises
    ------
    DataError
        If a volume is broken or in another space.
    """
    found: dict[str, np.ndarray] = {}
    for name in ROI_LABELS:
        path = paths.roi(subject, name)
        if not path.is_file():
            continue
        # -1: not this hemisphere's cortex, 0: cortex without a label
        numbers = np.round(read_voxels(path, mask, affine, subject)).astype(np.int64)
        names = _label_names(paths, subject, name, int(max(numbers.max(initial=0), 0)))
        found[name] = np.array(names)[np.maximum(numbers, 0)]
    return {"roi": most_specific(found, int(mask.sum())), **found}


def most_specific(found: Mapping[str, np.ndarray], n: int) -> np.ndarray:
    """Name each voxel by its area, category region or stream, in this order.

    Parameters
    ----------
    found : mapping of str to array of str of shape (n,)
        Labels of kinds of region, by the names of `ROI_LABELS`.
    n : int
        Number of voxels or vertices.

    Returns
    -------
    array of str of shape (n,)
        Empty where there is none.
    """
    area = np.full(n, "", dtype="U16")
    for name in reversed(_PRIORITY):
        if name in found:
            area = np.where(found[name] != "", found[name], area)
    return area


def _label_names(paths: NsdPaths, subject: str, name: str, highest: int) -> list[str]:
    """Names of the labels 0..highest; label 0 has none."""
    table = paths.labels(subject, name)
    names = dict(enumerate(ROI_LABELS[name], start=1))
    if table.is_file():
        try:
            lines = [line.split() for line in table.read_text(encoding="utf-8").splitlines()]
            names = {int(line[0]): line[1] for line in lines if line and int(line[0]) > 0}
        except (ValueError, IndexError, UnicodeDecodeError) as error:
            raise DataError("expected lines of `number name`", file=table) from error
    return ["", *(names.get(number, str(number)) for number in range(1, highest + 1))]
