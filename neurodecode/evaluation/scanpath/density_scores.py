"""What densities say of the fixations of single viewers."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from neurodecode.gaze.estimate import counts, smooth
from neurodecode.gaze.grid import cell_of
from neurodecode.metrics.functional import scanpath as fn
from neurodecode.scanpaths import Scanpath, Scanpaths

__all__ = ["FIXATION_SCORES", "MAP_SCORES", "DensityScores"]

#: Given for each fixation, and for each scanpath.
FIXATION_SCORES = ("log_density", "nss", "auc")
MAP_SCORES = ("auc_judd", "auc_shuffled", "cc", "sim", "kl")

_OTHERS, _SIGMA = 1000, 0.03


@dataclass
class DensityScores:
    """Collects the scores of one model over scanpaths.

    Maps are compared with the fixations of one viewer at a time, for models as for the other
    viewers, so that ceilings are ceilings; scores against all viewers together are higher.

    Parameters
    ----------
    scanpaths : Scanpaths
        Of the side that is scored: where people look at other stimuli (shuffled AUC).
    cell : int
        Side of the cells in pixels.
    seed : int
        Of the choice among fixations on other stimuli.
    """

    scanpaths: Scanpaths
    cell: int
    seed: int = 0
    fixations: dict[str, list[np.ndarray]] = field(
        default_factory=lambda: {name: [] for name in FIXATION_SCORES}
    )
    of_maps: dict[str, list[float]] = field(
        default_factory=lambda: {name: [] for name in MAP_SCORES}
    )
    _others: dict[str, np.ndarray] = field(default_factory=dict)

    def add(self, log_density: np.ndarray, marginal: np.ndarray, scanpath: Scanpath) -> None:
        """Score the densities for one scanpath.

        Parameters
        ----------
        log_density : array of shape (rows, columns) or (n_fixations, rows, columns)
            Log density per square pixel, one for all fixations or one for each, given those
            before it.
        marginal : array of shape (rows, columns)
            Density of any fixation, made without this scanpath: an average of densities given
            its own earlier fixations would know where they are.
        scanpath : Scanpath
            What the viewer did.
        """
        at = cell_of(scanpath.x, scanpath.y, scanpath.size, self.cell)
        self.fixations["log_density"].append(fn.log_likelihood(log_density, *at))
        self.fixations["nss"].append(fn.nss(np.exp(log_density), *at))
        self.fixations["auc"].append(fn.auc_placements(log_density, *at))
        number = counts(scanpath.x, scanpath.y, scanpath.size, self.cell)
        seen = smooth(number, scanpath.size, self.cell, _SIGMA * max(scanpath.size))
        others = self._elsewhere(scanpath)
        scores = self.of_maps
        scores["auc_judd"].append(fn.auc_judd(marginal, *at, seed=self.seed))
        scores["auc_shuffled"].append(
            fn.auc_shuffled(marginal, *at, *others) if others is not None else float("nan")
        )
        scores["cc"].append(fn.correlation(marginal, seen))
        scores["sim"].append(fn.similarity(marginal, seen))
        scores["kl"].append(fn.kl_divergence(seen, marginal))

    def _elsewhere(self, scanpath: Scanpath) -> tuple[np.ndarray, np.ndarray] | None:
        """Cells that were fixated on other stimuli, brought to the size of this one."""
        if scanpath.stimulus not in self._others:
            s = self.scanpaths
            other = s.select(s.stimulus != scanpath.stimulus)
            if not len(other):
                return None
            sizes = np.array([other.size[name] for name in other.stimulus])[other.owner]
            relative = np.stack([other.x, other.y], axis=1) / sizes
            rng = np.random.default_rng(self.seed)
            picked = rng.choice(len(relative), min(_OTHERS, len(relative)), replace=False)
            self._others = {scanpath.stimulus: relative[np.sort(picked)]}
        x, y = (self._others[scanpath.stimulus] * scanpath.size).T
        return cell_of(x, y, scanpath.size, self.cell)
