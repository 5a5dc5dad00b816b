"""The other viewers of the same picture: what could be known at best."""

from __future__ import annotations

import numpy as np

from neurodecode.errors import DataError
from neurodecode.gaze.baselines import CentreBias
from neurodecode.gaze.estimate import counts, smooth
from neurodecode.gaze.grid import cell_of
from neurodecode.scanpaths import Scanpaths

__all__ = ["OtherViewers", "best_kernel"]

#: Kernels (shares of the longer side) and shares of the centre bias to choose from, and the number
#: of training scanpaths that choose.
_SIGMAS, _SHARES, _TRIED = (0.03, 0.045, 0.07, 0.1), (0.1, 0.3, 0.5), 80


class OtherViewers:
    """Kernel density of the other viewers' fixations on the same picture, with some centre bias.

    No model of a new picture: it knows what people looked at there. The viewer who is predicted is
    left out.

    Parameters
    ----------
    scanpaths : Scanpaths
        Of the stimuli that are scored, all viewers, of one task.
    centre : CentreBias
        Fitted to training stimuli.
    sigma : float
        Deviation of the kernel as a share of the longer side (.03 is 24 of 800 pixels).
    share : float
        Of the centre bias.
    """

    def __init__(
        self, scanpaths: Scanpaths, centre: CentreBias, sigma: float = 0.03, share: float = 0.1
    ) -> None:
        self.scanpaths, self.centre = scanpaths, centre
        self.sigma, self.share = sigma, share

    def others(self, row: int) -> Scanpaths:
        """Scanpaths of other viewers with the same stimulus, target and caption.

        Parameters
        ----------
        row : int
            Scanpath that is predicted.

        Returns
        -------
        Scanpaths
            At least one.

        Raises
        ------
        DataError
            If nobody else saw it.
        """
        s = self.scanpaths
        same = np.ones(len(s), bool)
        for name in ("stimulus", "task", "target", "caption"):
            labels = getattr(s, name)
            same &= labels == labels[row]
        same &= s.viewer != s.viewer[row]
        if not same.any():
            raise DataError(
                f"nobody else looked at {s.stimulus[row]}", subject=str(s.viewer[row]),
                field="viewer", fix="leave the stimulus out of what is compared with other viewers",
            )  # fmt: skip
        return s.select(same)

    def log_density(self, row: int, *, cell: int = 1) -> np.ndarray:
        """Where the viewer of a scanpath looks, by what the others did.

        Parameters
        ----------
        row : int
            Scanpath that is predicted.
        cell : int
            Side of the cells in pixels.

        Returns
        -------
        array of shape (rows, columns)
            Log density per square pixel, the same for all its fixations.
        """
        size = self.scanpaths.size[str(self.scanpaths.stimulus[row])]
        others = self.others(row)
        seen = smooth(counts(others.x, others.y, size, cell), size, cell, self.sigma * max(size))
        middle = np.exp(self.centre.of_size(size, cell))
        return np.log((1 - self.share) * seen + self.share * middle)


def best_kernel(training: Scanpaths, centre: CentreBias, cell: int) -> tuple[float, float]:
    """Choose the kernel and the share of the centre bias by what is likeliest in training.

    With few other viewers, or short scanpaths, the kernel of OSIE's protocol is too narrow for the
    others to be a ceiling.

    Parameters
    ----------
    training : Scanpaths
        Of training stimuli; each is predicted from the other viewers of its stimulus.
    centre : CentreBias
        Fitted to them.
    cell : int
        Side of the cells in pixels.

    Returns
    -------
    tuple of float
        `sigma` and `share` of `OtherViewers`.
    """
    rows = range(0, len(training), max(len(training) // _TRIED, 1))
    scores = {}
    for sigma in _SIGMAS:
        for share in _SHARES:
            others = OtherViewers(training, centre, sigma, share)
            nats = []
            for row in rows:
                path = training[row]
                at = cell_of(path.x, path.y, path.size, cell)
                nats.append(others.log_density(row, cell=cell)[at])
            scores[sigma, share] = float(np.concatenate(nats).mean())
    return max(scores, key=lambda pair: scores[pair])
