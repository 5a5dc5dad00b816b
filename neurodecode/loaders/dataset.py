"""Rows of several subjects as one map-style data set that reads whole batches."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Dataset

from neurodecode.loaders.rows import BatchPlan, Row, SyntheticRow
from neurodecode.loaders.scaler import TrialScaler
from neurodecode.loaders.synthetic import SyntheticTrials
from neurodecode.loaders.targets import TargetBank
from neurodecode.store import ResponseStore

__all__ = ["Batch", "ResponseDataset", "ScaledTrials"]

#: ``responses`` (mapping of subject to Tensor of shape (n_rows, n_features)), ``targets``
#: (mapping of name to Tensor of shape (n_batch, ...)), ``stimulus``, ``n_averaged`` and ``trial``
#: (the first trial of each row, -1 for synthetic ones; Tensors of int of shape (n_batch,)). Rows
#: are counted subject after subject. A subject with a time axis has responses of shape (n_rows,
#: n_channels, n_times). A training batch may hold ``negatives`` besides, targets of other stimuli
#: (mapping of name to Tensor).
Batch = dict[str, Any]


class ScaledTrials:
    """Standardised trials of one subject.

    Parameters
    ----------
    store : ResponseStore
        Responses.
    scaler : TrialScaler
        Fitted on training trials.
    row_of : mapping of str to int
        Row of each stimulus in the target bank.
    in_memory : bool
        Keep all trials, standardised, in memory.
    """

    def __init__(
        self,
        store: ResponseStore,
        scaler: TrialScaler,
        row_of: Mapping[str, int],
        *,
        in_memory: bool,
    ) -> None:
        self.store, self.scaler = store, scaler
        self.stimulus = np.array([row_of[name] for name in store.stimulus_id], dtype=np.int64)
        self._cache: np.ndarray | None = None
        if in_memory:
            self._cache = self._read(np.arange(store.n_trials))
            store.close()

    def _read(self, trials: np.ndarray) -> np.ndarray:
        return self.scaler.transform(self.store.read(trials), self.store.session[trials])

    def averages(self, groups: Sequence[tuple[int, ...]]) -> Tensor:
        """Average standardised trials.

        Parameters
        ----------
        groups : sequence of tuple of int of length n
            Trials of each row.

        Returns
        -------
        Tensor of float32 of shape (n, n_features) or (n, n_channels, n_times)
            One average a row.
        """
        flat = np.array([trial for group in groups for trial in group], dtype=np.int64)
        values = self._read(flat) if self._cache is None else self._cache[flat]
        if len(flat) > len(groups):
            starts = np.cumsum([0, *(len(group) for group in groups)])[:-1]
            counts = np.array([len(group) for group in groups], dtype=np.float32)
            values = np.add.reduceat(values, starts, axis=0)
            values /= counts.reshape(-1, *[1] * (values.ndim - 1))
        return torch.from_numpy(np.ascontiguousarray(values, dtype=np.float32))


class ResponseDataset(Dataset):
    """Batches of averaged trials with the embeddings of their stimuli.

    Parameters
    ----------
    subjects : mapping of str to ScaledTrials
        Trials of every subject.
    bank : TargetBank
        Embeddings.
    rows : sequence of Row
        The rows that integer indices stand for; a sampler asks for a whole `BatchPlan`.
    synthetic : mapping of str to SyntheticTrials, optional
        Synthetic trials of every subject.
    """

    def __init__(
        self,
        subjects: Mapping[str, ScaledTrials],
        bank: TargetBank,
        rows: Sequence[Row] = (),
        synthetic: Mapping[str, SyntheticTrials] | None = None,
    ) -> None:
        self.subjects, self.bank, self.rows = dict(subjects), bank, list(rows)
        self.synthetic = dict(synthetic or {})

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, item: int | BatchPlan) -> Batch:
        if not isinstance(item, BatchPlan):
            return self._batch([self.rows[item]])
        batch = self._batch(item.rows, item.synthetic)
        if item.negatives:
            # a stimulus of the batch would be a wrong answer to itself
            index = np.setdiff1d(item.negatives, batch["stimulus"].numpy())
            batch["negatives"] = {
                name: self.bank.read(name, index) for name in sorted(self.bank.complete)
            }
        return batch

    def __getitems__(self, items: Iterable[int]) -> Batch:
        return self._batch([self.rows[item] for item in items])

    def _batch(self, rows: Sequence[Row], synthetic: Sequence[SyntheticRow] = ()) -> Batch:
        responses: dict[str, Tensor] = {}
        stimulus: list[int] = []
        n_averaged: list[int] = []
        first: list[int] = []
        for number, (name, trials) in enumerate(self.subjects.items()):
            groups = [row.trials for row in rows if row.subject == number]
            drawn = [row for row in synthetic if row.subject == number]
            parts = []
            if groups:
                parts.append(trials.averages(groups))
                stimulus += [int(trials.stimulus[group[0]]) for group in groups]
                n_averaged += [len(group) for group in groups]
                first += [group[0] for group in groups]
            if drawn:
                source = self.synthetic[name]
                parts.append(torch.from_numpy(source.draw(drawn)))
                stimulus += [int(source.stimulus[row.picture]) for row in drawn]
                n_averaged += [source.n_averaged] * len(drawn)
                first += [-1] * len(drawn)
            if parts:
                responses[name] = torch.cat(parts)
        index = np.array(stimulus, dtype=np.int64)
        return {
            "responses": responses,
            "targets": {name: self.bank.read(name, index) for name in self.bank.shapes},
            "stimulus": torch.from_numpy(index),
            "n_averaged": torch.tensor(n_averaged),
            "trial": torch.tensor(first),
        }
