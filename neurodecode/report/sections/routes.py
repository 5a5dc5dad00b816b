"""Where the queries of encoders look: folders of `neurodecode routes`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from PIL import Image

from neurodecode.analysis.profile import Profile
from neurodecode.analysis.records import is_mean
from neurodecode.errors import DataError
from neurodecode.metrics.records import read_records
from neurodecode.report.glossary import format_interval, format_value, metric
from neurodecode.report.pictures import Picture, picture_uri

__all__ = ["RoutesPanel", "routes_panels"]

_FIX = "name a folder that `neurodecode routes` wrote"


@dataclass(frozen=True)
class RoutesPanel:
    """One trained encoder.

    Parameters
    ----------
    name : str
        Name of the folder.
    picture : Picture
        Maps of the regions over pictures.
    rows : list of (str, int, str)
        Region, its queries, and the median correlation of map and occlusion saliency.
    shares : list of (str, str, str, int, str)
        Of what (attention, occlusion), share of early visual queries that peak in their field,
        its interval, how many queries there are, and the share by chance ("" where the record
        has none); empty without known fields.
    """

    name: str
    picture: Picture
    rows: list[tuple[str, int, str]]
    shares: list[tuple[str, str, str, int, str]]


def routes_panels(profile: Profile) -> list[RoutesPanel]:
    """Read the folders of the profile.

    Parameters
    ----------
    profile : Profile
        The results, with ``routes``.

    Returns
    -------
    list of RoutesPanel
        One for each folder.

    Raises
    ------
    DataError
        If a folder lacks its table or its picture.
    """
    return [_panel(Path(folder)) for folder in profile.routes]


def _panel(folder: Path) -> RoutesPanel:
    try:
        table = pd.read_csv(folder / "routes.csv", dtype={"region": str})
        drawn = np.asarray(Image.open(folder / "overview.png").convert("RGB"))
    except (OSError, ValueError) as error:
        raise DataError(f"no maps: {error}", file=folder, fix=_FIX) from error
    shown = metric("pearson_r")
    rows = [
        (str(region), len(own), format_value(own["saliency_r"].median(), shown))
        for region, own in table.groupby("region")
    ]
    alt = f"Attention of {folder.name} over pictures, region by region; mean map and occlusion."
    picture = {"src": picture_uri(drawn, largest=1400), "alt": alt}
    records = folder / "metrics.json"
    shares = _shares(records) if records.is_file() else []
    return RoutesPanel(folder.name, picture, rows, shares)


def _shares(path: Path) -> list[tuple[str, str, str, int, str]]:
    shown = metric("peak_in_field")
    return [
        (each.method, format_value(each.value, shown),
         format_interval(each.ci_low, each.ci_high, shown), each.n,
         "" if each.chance is None else format_value(each.chance, shown))
        for each in read_records(path)
        if each.metric == "peak_in_field" and is_mean(each.subject)
    ]  # fmt: skip
