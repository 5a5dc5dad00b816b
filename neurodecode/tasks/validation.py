"""Retrieval within the validation set, gathered over batches and devices."""

from __future__ import annotations

from collections.abc import Iterable

import torch
import torch.distributed as dist
from torch import Tensor

from neurodecode.losses import unit_rows
from neurodecode.metrics.functional.retrieval import top_k_credit

__all__ = ["RetrievalLog"]


class RetrievalLog:
    """Decoded and true embeddings of the validation stimuli, by subject."""

    def __init__(self) -> None:
        self._rows: dict[str, dict[int, tuple[Tensor, Tensor]]] = {}

    def add(self, subject: str, stimulus: Iterable[int], decoded: Tensor, target: Tensor) -> None:
        """Take in rows of one subject.

        Parameters
        ----------
        subject : str
            Subject.
        stimulus : iterable of int of length n
            Stimulus of each row.
        decoded, target : Tensor of shape (n, ...)
            Embeddings; kept as unit rows in half precision on the CPU.
        """
        rows = self._rows.setdefault(subject, {})
        pairs = zip(unit_rows(decoded).half().cpu(), unit_rows(target).half().cpu(), strict=True)
        rows.update(zip((int(number) for number in stimulus), pairs, strict=True))

    def gather(self) -> None:
        """Bring the rows of all devices together."""
        if not (dist.is_available() and dist.is_initialized()):
            return
        parts: list[dict] = [{}] * dist.get_world_size()
        dist.all_gather_object(parts, self._rows)
        for part in parts:
            for subject, rows in part.items():
                self._rows.setdefault(subject, {}).update(rows)

    def embeddings(self, subject: str) -> tuple[Tensor, Tensor]:
        """Rows of a subject in the order of their stimuli.

        Parameters
        ----------
        subject : str
            Subject.

        Returns
        -------
        decoded, target : Tensor of shape (n_stimuli, n_values)
            Unit rows.
        """
        rows = [pair for _, pair in sorted(self._rows[subject].items())]
        decoded, target = zip(*rows, strict=True)
        return torch.stack(decoded).float(), torch.stack(target).float()

    def top1(self) -> dict[str, float]:
        """How often the true stimulus is the most similar one, for each subject.

        Returns
        -------
        dict of str to float
            Share of the subject's stimuli, each sought among all of them.
        """
        return {subject: self._top1(subject) for subject in sorted(self._rows)}

    def _top1(self, subject: str) -> float:
        decoded, target = self.embeddings(subject)
        return float(top_k_credit(decoded @ target.T).mean())

    def clear(self) -> None:
        """Forget everything."""
        self._rows = {}
