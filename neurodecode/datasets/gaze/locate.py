"""Finding gaze data sets on this machine."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

__all__ = ["LAYOUTS", "locate_gaze"]

#: Data set -> files (patterns) one of which it must have.
LAYOUTS: Mapping[str, tuple[str, ...]] = {
    "osie": ("data/eye/fixations.mat", "fixations.mat"),
    "coco-search18": ("coco_search18_fixations_*.json",),
    "coco-freeview": ("COCOFreeView_fixations_*.json",),
    "mit1003": ("DATA/*/*.mat",),
    "capmit1003": ("capmit1003.db",),
    "object-arrays": ("ObjArr/fix/human_all.npy",),
    "natural-design": ("NaturalDesign/fix/human_all.npy",),
    "waldo": ("Waldo/fix/human_all.npy",),
    "amazon": ("Amazon.json",),
}
#: These three lie side by side; each has a folder of its own below what is found.
_BELOW = {"object-arrays": "ObjArr", "natural-design": "NaturalDesign", "waldo": "Waldo"}


def locate_gaze(folder: str | Path) -> dict[str, Path]:
    """Look for gaze data sets in a folder and in the folders directly below it.

    Parameters
    ----------
    folder : path-like
        Where to look. What a simulation wrote (``world.json``) is passed over.

    Returns
    -------
    dict of str to Path
        Root of each data set found, absolute.
    """
    folder = Path(folder)
    places = [folder, *sorted(path for path in folder.iterdir() if path.is_dir())]
    found: dict[str, Path] = {}
    for name, patterns in LAYOUTS.items():
        for place in places:
            known = any(next(place.glob(pattern), None) for pattern in patterns)
            if known and not (place / "world.json").exists():
                found[name] = (place / _BELOW.get(name, "")).resolve()
                break
    return found
