"""Which units there are: their regions, and how much of their responses can be explained."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from neurodecode.metrics.functional import noise_ceiling

if TYPE_CHECKING:
    from neurodecode.store import ResponseStore

__all__ = ["CATEGORY_SELECTIVE", "EARLY_VISUAL", "Units"]

#: Names of the two groups of regions that NSD maps by localisers: moving bars, and categories.
EARLY_VISUAL, CATEGORY_SELECTIVE = "early visual", "category-selective"
_GROUPS = {EARLY_VISUAL: "prf-visualrois", CATEGORY_SELECTIVE: "floc-"}
#: Units whose responses say less than this share of their variance have no normalised score.
LOWEST_CEILING = 0.05


@dataclass(frozen=True)
class Units:
    """What a store tells of the units of a subject.

    Parameters
    ----------
    regions : mapping of str to array of bool of shape (n_units,)
        Members of each region, and of the groups of regions. Empty where the store knows none.
    label : array of str of shape (n_units,)
        Region of each unit; "" where unknown.
    ceiling : array of float of shape (n_units,), or None
        Share of the variance of the test responses that can be explained.
    """

    regions: Mapping[str, np.ndarray] = field(default_factory=dict)
    label: np.ndarray | None = None
    ceiling: np.ndarray | None = None

    @classmethod
    def of(cls, store: ResponseStore, n_averaged: float) -> Units:
        """Read the features of a store.

        Parameters
        ----------
        store : ResponseStore
            Of one subject.
        n_averaged : float
            Repeats averaged into each test response.

        Returns
        -------
        Units
            With a ceiling if the store has NSD's ``ncsnr``.
        """
        names = store.feature_names()
        ceiling = None
        if "ncsnr" in names:
            ceiling = noise_ceiling(np.asarray(store.feature("ncsnr")), n_averaged)
        if "roi" not in names:
            return cls(ceiling=ceiling)
        label = np.asarray(store.feature("roi")).astype(str)
        regions = {name: label == name for name in sorted(set(label) - {""})}
        for group, prefix in _GROUPS.items():
            parts = [store.feature(name) for name in names if name.startswith(prefix)]
            members = np.any([np.asarray(part).astype(str) != "" for part in parts], axis=0)
            if parts and members.any():
                regions[group] = members
        return cls(regions, label, ceiling)

    def parts(self) -> dict[str, np.ndarray | slice]:
        """All units as "", and the regions.

        Returns
        -------
        dict of str to index of units
            What medians are taken over.
        """
        return {"": slice(None), **self.regions}
