"""From first pictures to refined ones: SDXL, told what they show, and the low level mixed in."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from neurodecode.errors import DataError
from neurodecode.store import Prediction
from neurodecode.tasks.reconstruct import row_seed

__all__ = ["Refiner", "Refining", "refine"]


class Refiner(Protocol):
    """Goes over pictures, see `neurodecode.generate.refine.SdxlRefiner`."""

    def refine(
        self,
        images: np.ndarray,
        captions: Sequence[str],
        *,
        strength: float,
        n_steps: int,
        guidance: float,
        seed: Sequence[int],
    ) -> np.ndarray:
        """Refine pictures."""  # fmt: skip


@dataclass(frozen=True)
class Refining:
    """How pictures are refined; the defaults are MindEye2's.

    Parameters
    ----------
    strength : float
        Share of the schedule that is run.
    n_steps : int
        Steps over the whole schedule.
    guidance : float
        Weight of the caption.
    blend : float
        Share of the refined picture beside the low-level one.
    seed : int
        Seed of all pictures.
    """

    strength: float = 0.48
    n_steps: int = 25
    guidance: float = 5.0
    blend: float = 0.75
    seed: int = 0


def refine(
    prediction: Prediction, captioned: Prediction, refiner: Refiner, how: Refining
) -> Prediction:
    """Refine the pictures of one subject.

    Parameters
    ----------
    prediction : Prediction
        With ``images``, and ``low_level`` if it is to be mixed in.
    captioned : Prediction
        With ``captions`` (UTF-8 bytes) of the same stimuli; never the true ones.
    refiner : Refiner
        Draws.
    how : Refining
        How.

    Returns
    -------
    Prediction
        With ``images``, refined and mixed; ``refined``, before mixing; ``first``, the pictures
        that were given; ``captions``, as they were given; ``low_level`` if there was one.

    Raises
    ------
    DataError
        If pictures or captions are missing, or low-level pictures that are to be mixed in.
    """
    from neurodecode.generate.refine import blend

    first = prediction.array("images")
    mixes = how.blend < 1
    if mixes and "low_level" not in prediction.arrays:
        raise DataError("no array 'low_level' to mix in", subject=prediction.subject,
                        field="arrays", fix="use --blend 1")  # fmt: skip
    texts = captioned.array("captions")
    captions = [text.decode("utf-8") for text in texts]
    seeds = [
        row_seed(how.seed, prediction.subject, name, "refine") for name in prediction.stimulus_id
    ]
    refined = refiner.refine(
        first, captions, strength=how.strength, n_steps=how.n_steps, guidance=how.guidance,
        seed=seeds,
    )  # fmt: skip
    arrays = {
        "images": refined,
        "first": first,
        "captions": texts,
    }
    if "low_level" in prediction.arrays:
        arrays["low_level"] = prediction.arrays["low_level"]
    if mixes:
        arrays |= {"images": blend(refined, arrays["low_level"], how.blend), "refined": refined}
    return Prediction(
        subject=prediction.subject,
        stimulus_id=prediction.stimulus_id,
        arrays=arrays,
        n_averaged=prediction.n_averaged,
        fold=prediction.fold,
    )
