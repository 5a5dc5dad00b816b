"""How well each voxel is predicted, slice by slice."""

from __future__ import annotations

import pandas as pd

from neurodecode.analysis.profile import Profile
from neurodecode.analysis.volumes import score_volume
from neurodecode.report.figures.volumes import slices_figure
from neurodecode.report.glossary import method_label
from neurodecode.report.pictures import Picture
from neurodecode.report.sections.first_subject import first_subjects
from neurodecode.report.svg import drawing, svg_uri

__all__ = ["volume_pictures"]


def volume_pictures(profile: Profile, datasets: list[str]) -> list[Picture]:
    """Draw the voxels of the first subject of each data set that says where they are.

    Parameters
    ----------
    profile : Profile
        The results.
    datasets : list of str
        Data sets in the order of the page.

    Returns
    -------
    list of Picture
        One row of slices for each encoder; empty where no store has voxel indices.
    """
    return [
        _picture(rows, store.feature("xyz"), subject)
        for subject, rows, store in first_subjects(profile, datasets, {"xyz"})
    ]


def _picture(units: pd.DataFrame, xyz: object, subject: str) -> Picture:
    volumes = {
        method_label(name): score_volume(units[units["method"] == name], xyz)
        for name in dict.fromkeys(units["method"])
    }
    with drawing():
        source = svg_uri(slices_figure(volumes, "r of the voxel"))
    return {
        "src": source,
        "alt": f"Slices through the voxels of subject {subject}, from bottom to top, front"
        f" upwards: correlation of predicted and measured responses, by {', '.join(volumes)}.",
    }
