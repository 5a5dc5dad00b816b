"""The table of units: how well every voxel or neuron is predicted."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from neurodecode.evaluation.encoding import UnitScores
from neurodecode.evaluation.units import Units
from neurodecode.store import Prediction

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["unit_table"]


def unit_table(
    prediction: Prediction, method: str, dataset: str, scores: UnitScores, units: Units
) -> pd.DataFrame:
    """List the units of one subject and fold.

    Parameters
    ----------
    prediction : Prediction
        Whose.
    method, dataset : str
        Which.
    scores : UnitScores
        Scores of the units.
    units : Units
        Their regions and ceilings.

    Returns
    -------
    pandas.DataFrame
        dataset, subject, method, fold, unit (number in the store), region, pearson_r, r2,
        noise_ceiling, p, q.
    """
    import pandas as pd

    n = len(scores.r)
    return pd.DataFrame(
        {
            "dataset": dataset,
            "subject": prediction.subject,
            "method": method,
            "fold": prediction.fold,
            "unit": np.arange(n),
            "region": np.full(n, "") if units.label is None else units.label,
            "pearson_r": scores.r,
            "r2": scores.r2,
            "noise_ceiling": np.full(n, np.nan) if units.ceiling is None else units.ceiling,
            "p": scores.p,
            "q": scores.q,
        }
    )
