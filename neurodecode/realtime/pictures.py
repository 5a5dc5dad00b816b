"""Which picture was seen: decode an embedding, seek it among pictures."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from neurodecode.realtime.confidence import confidences
from neurodecode.realtime.gallery import Gallery
from neurodecode.realtime.types import Choice

__all__ = ["PictureDecider"]


class PictureDecider:
    """Ranks pictures by the cosine with what is decoded from a window.

    Parameters
    ----------
    decode : callable
        From a trial (n_channels, n_times) to its embedding (n_tokens, dim).
    gallery : Gallery
        The pictures.
    top_k : int
        How many are named.
    sharpness : float, optional
        From `confidence.fit_sharpness`; without, choices have no confidence.
    """

    def __init__(
        self,
        decode: Callable[[np.ndarray], np.ndarray],
        gallery: Gallery,
        top_k: int = 5,
        sharpness: float | None = None,
    ) -> None:
        self._decode, self._gallery = decode, gallery
        self._top_k, self._sharpness = min(top_k, gallery.n_compared), sharpness

    def __call__(self, trial: np.ndarray) -> list[Choice]:
        """Rank the pictures.

        Parameters
        ----------
        trial : array of float32 of shape (n_channels, n_times)
            Prepared window.

        Returns
        -------
        list of Choice
            The best first.
        """
        cosines, rows = self._gallery.nearest(self._decode(trial)[None])
        sure = None if self._sharpness is None else confidences(cosines[0], self._sharpness)
        kept = [place for place in range(self._top_k) if rows[0, place] >= 0]
        names = self._gallery.describe(rows[0, kept])
        return [
            Choice(
                id=name,
                score=float(cosines[0, place]),
                confidence=None if sure is None else float(sure[place]),
                caption=caption,
            )
            for place, (name, caption) in zip(kept, names, strict=True)
        ]
