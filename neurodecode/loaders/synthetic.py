"""Synthetic trials: an encoder's prediction for a picture, plus noise like that of an average."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import torch

from neurodecode.errors import DataError, LeakError
from neurodecode.loaders.draw import TrialDraw
from neurodecode.loaders.rows import SyntheticRow
from neurodecode.splits import Split
from neurodecode.store import ResponseStore
from neurodecode.store.synthetic import SyntheticResponses, read_synthetic

__all__ = ["SyntheticTrials", "open_synthetic"]


class SyntheticTrials:
    """Synthetic trials of one subject, in memory.

    Parameters
    ----------
    synthetic : SyntheticResponses
        Predicted responses and covariances.
    n_averaged : int
        Trials that each synthetic one stands for.
    row_of : mapping of str to int
        Row of each stimulus in the target bank.
    """

    def __init__(
        self, synthetic: SyntheticResponses, n_averaged: int, row_of: Mapping[str, int]
    ) -> None:
        self.responses, self.n_averaged = synthetic.responses, n_averaged
        self.stimulus = np.array([row_of[name] for name in synthetic.stimulus_id], dtype=np.int64)
        self._factor = torch.from_numpy(synthetic.noise_factor(n_averaged).T.copy())

    def __len__(self) -> int:
        return len(self.stimulus)

    def draw(self, rows: Sequence[SyntheticRow]) -> np.ndarray:
        """Make trials.

        Parameters
        ----------
        rows : sequence of SyntheticRow of length n
            Pictures, and the seed of each one's noise.

        Returns
        -------
        array of float32 of shape (n, n_features)
            In units of responses standardised by training trials.
        """
        n_features = self.responses.shape[1]
        white = np.stack(
            [
                np.random.default_rng(row.seed).standard_normal(n_features, np.float32)
                for row in rows
            ]
        )
        predicted = self.responses[[row.picture for row in rows]]
        # torch's product, not numpy's: the threads of numpy's BLAS spin for a while after each
        # call and take the cores from the training step that follows (a quarter of its time)
        noise = torch.from_numpy(white) @ self._factor
        return predicted.astype(np.float32) + noise.numpy()


def open_synthetic(
    folder: str | Path,
    stores: Mapping[str, ResponseStore],
    split: Split,
    fold: int,
    draw: TrialDraw | None = None,
) -> dict[str, SyntheticResponses]:
    """Read the synthetic responses of some subjects.

    Parameters
    ----------
    folder : path-like
        Folder of ``neurodecode augment``.
    stores : mapping of str to ResponseStore
        Measured responses of each subject.
    split : Split
        The checked split.
    fold : int
        Which fold is trained on.
    draw : TrialDraw, optional
        Which of its trials; all by default.

    Returns
    -------
    dict of str to SyntheticResponses
        By subject.

    Raises
    ------
    DataError
        If a file is missing or broken, or does not fit the measured responses.
    LeakError
        If the encoder was fitted to another division or other trials, so that it may know more
        than training may, or a picture is one that training may not use.
    """
    found = {}
    division = (draw or TrialDraw()).digest(split.folds[fold].digest)
    for name, store in stores.items():
        path = Path(folder) / f"sub-{name}.h5"
        if len(store.shape) == 3:
            raise DataError(
                "synthetic responses have no time axis",
                subject=name,
                field="synthetic",
                fix="leave data.synthetic away for MEG and EEG",
            )
        synthetic = read_synthetic(path)
        if synthetic.responses.shape[1] != store.n_features:
            raise DataError(
                f"{synthetic.responses.shape[1]} features, the measured responses have"
                f" {store.n_features}",
                file=path,
                subject=name,
                field="responses",
                fix="run `neurodecode augment` again",
            )
        if synthetic.split != division:
            raise LeakError(
                f"{path}: the encoder of subject {name} was fitted to another split or fold or to"
                " other trials, and may have seen the test stimuli; run `neurodecode augment` on"
                " this one"
            )
        allowed = set(split.pool(fold, synthetic.stimulus_id))
        if held_out := [each for each in synthetic.stimulus_id if each not in allowed]:
            raise LeakError(
                f"{path}: picture {held_out[0]} is held out, or looks like one that is;"
                " run `neurodecode augment` again"
            )
        found[name] = synthetic
    return found
