"""How well each vertex of the cortex is predicted."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.backends.backend_agg import FigureCanvasAgg

from neurodecode.analysis.profile import Profile
from neurodecode.analysis.surfaces import score_surface
from neurodecode.report.figures.surfaces import surface_figure
from neurodecode.report.glossary import method_label
from neurodecode.report.pictures import Picture, picture_uri
from neurodecode.report.sections.first_subject import first_subjects
from neurodecode.report.svg import drawing
from neurodecode.store import ResponseStore

__all__ = ["surface_pictures"]


def surface_pictures(profile: Profile, datasets: list[str]) -> list[Picture]:
    """Draw the vertices of the first subject of each data set that lies on fsaverage.

    Parameters
    ----------
    profile : Profile
        The results.
    datasets : list of str
        Data sets in the order of the page.

    Returns
    -------
    list of Picture
        One row of views for each encoder; empty where no store has vertices.
    """
    return [
        _picture(rows, store, subject)
        for subject, rows, store in first_subjects(profile, datasets, {"vertex", "hemisphere"})
    ]


def _picture(units: pd.DataFrame, store: ResponseStore, subject: str) -> Picture:
    vertex, side = store.feature("vertex"), store.feature("hemisphere")
    scores = {
        method_label(name): score_surface(units[units["method"] == name], vertex, side)
        for name in dict.fromkeys(units["method"])
    }
    with drawing():
        figure = surface_figure(scores, "r of the vertex")
        figure.set_facecolor("white")
        canvas = FigureCanvasAgg(figure)
        figure.set_dpi(144)
        canvas.draw()
    # thousands of faces: a drawing of them would be larger than the picture
    return {
        "src": picture_uri(np.asarray(canvas.buffer_rgba())[..., :3], largest=1400),
        "alt": f"Inflated cortex of fsaverage5, subject {subject}: correlation of predicted and"
        f" measured responses, by {', '.join(scores)}.",
    }
