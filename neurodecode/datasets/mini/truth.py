"""What the miniature world knows of its voxels, for checking what is found."""

from __future__ import annotations

from pathlib import Path

import h5py
import numpy as np

from neurodecode.datasets.mini.early import FIELD_DEGREES
from neurodecode.errors import DataError

__all__ = ["FIELD_DEGREES", "receptive_fields"]


def receptive_fields(folder: str | Path, subject: str, xyz: np.ndarray) -> np.ndarray:
    """Read the centres of receptive fields.

    Parameters
    ----------
    folder : path-like
        ``truth`` of a simulated world.
    subject : str
        Two digits.
    xyz : array of int of shape (n_voxels, 3)
        Voxels that are asked for, as the store lists them.

    Returns
    -------
    array of shape (n_voxels, 2)
        To the right and up from fixation, in degrees of visual angle.

    Raises
    ------
    DataError
        If the file is missing or broken, or does not know a voxel.
    """
    path = Path(folder) / f"subj{subject}.h5"
    try:
        with h5py.File(path) as file:
            known = {tuple(each): row for row, each in enumerate(file["xyz"][:].tolist())}
            centres = np.stack([file["prf/x"][:], file["prf/y"][:]], axis=1)
    except (OSError, KeyError) as error:
        raise DataError(
            "no truth of a simulated world", file=path, subject=subject,
            fix="name the folder `truth` that `neurodecode simulate` wrote",
        ) from error  # fmt: skip
    missing = [each for each in map(tuple, np.asarray(xyz).tolist()) if each not in known]
    if missing:
        raise DataError(
            f"does not know voxel {missing[0]}", file=path, subject=subject, field="xyz",
            fix="prepare the stores from this world",
        )  # fmt: skip
    return centres[[known[tuple(each)] for each in np.asarray(xyz).tolist()]]
