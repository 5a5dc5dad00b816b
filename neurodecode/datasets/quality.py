"""Finding features that carry nothing while they are copied."""

from __future__ import annotations

from typing import Any

import numpy as np

from neurodecode.recording import LazyArray

__all__ = ["WatchedArray"]

_NAMED = 5


class WatchedArray:
    """Responses that note, as they are read, which features are NaN or constant.

    Parameters
    ----------
    responses : LazyArray of shape (n_trials, n_features, ...)
        Read in slices of trials, each once.
    session : array of int of shape (n_trials,)
        Session of each trial. A feature that is constant within a session is bad, as it cannot
        be standardised there.
    """

    def __init__(self, responses: LazyArray, session: np.ndarray) -> None:
        self._responses = responses
        self.shape = responses.shape
        names, self._session, counts = np.unique(session, return_inverse=True, return_counts=True)
        self._enough = counts * int(np.prod(self.shape[2:])) > 1
        self._low = np.full((len(names), self.shape[1]), np.inf)
        self._high = np.full((len(names), self.shape[1]), -np.inf)
        self._finite = np.ones(self.shape[1], dtype=bool)

    def __getitem__(self, index: Any) -> np.ndarray:
        values = np.asarray(self._responses[index])
        flat = values.reshape(*values.shape[:2], -1)
        self._finite &= np.isfinite(flat).all(axis=(0, 2))
        sessions = self._session[index]
        for session in np.unique(sessions):
            chosen = flat[sessions == session]
            self._low[session] = np.fmin(self._low[session], chosen.min(axis=(0, 2)))
            self._high[session] = np.fmax(self._high[session], chosen.max(axis=(0, 2)))
        return values

    def _constant(self) -> np.ndarray:
        return ((self._low == self._high) & self._enough[:, None]).any(axis=0) & self._finite

    def bad(self) -> np.ndarray:
        """Tell which features are NaN, infinite, or constant within a session.

        Returns
        -------
        array of bool of shape (n_features,)
            True for bad ones, as far as the trials were read.
        """
        return ~self._finite | self._constant()

    def largest(self, chosen: np.ndarray) -> float:
        """Largest magnitude among some features.

        Parameters
        ----------
        chosen : array of bool of shape (n_features,)
            Which features.

        Returns
        -------
        float
            Maximum of the absolute values read so far.
        """
        return float(max(-self._low[:, chosen].min(), self._high[:, chosen].max()))

    def describe(self, xyz: np.ndarray | None = None) -> str:
        """Count and name the bad features.

        Parameters
        ----------
        xyz : array of int of shape (n_features, 3), optional
            Voxel indices, to name voxels by their place.

        Returns
        -------
        str
            One line.
        """
        bad = np.flatnonzero(self.bad())
        kinds = f"{int((~self._finite).sum())} NaN, {int(self._constant().sum())} constant"
        names = [
            str(number) if xyz is None else f"{number} at {tuple(np.asarray(xyz)[number].tolist())}"
            for number in bad[:_NAMED].tolist()
        ]
        more = ", ..." if len(bad) > _NAMED else ""
        what = "features" if xyz is None else "voxels"
        return f"{len(bad)} of {self.shape[1]} {what} are bad ({kinds}): {', '.join(names)}{more}"
