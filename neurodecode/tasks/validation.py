"""What validation keeps, gathered over batches and devices: embeddings and losses."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

import torch
from torch import Tensor

from neurodecode.loaders.ranks import gathered
from neurodecode.losses import unit_rows
from neurodecode.metrics.functional.retrieval import top_k_credit
from neurodecode.metrics.functional.two_way import two_way_from_scores

__all__ = ["LossLog", "RetrievalLog", "RowLog"]


class RowLog:
    """Predicted and true rows of the validation stimuli, by subject; each stimulus once."""

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
            Predicted and true; kept on the CPU.
        """
        rows = self._rows.setdefault(subject, {})
        pairs = zip(decoded.detach().cpu(), target.detach().cpu(), strict=True)
        rows.update(zip((int(number) for number in stimulus), pairs, strict=True))

    def gather(self) -> None:
        """Bring the rows of all devices together."""
        for part in gathered(self._rows):
            for subject, rows in part.items():
                self._rows.setdefault(subject, {}).update(rows)

    @property
    def subjects(self) -> list[str]:
        """Subjects with rows, sorted."""
        return sorted(self._rows)

    def pairs(self, subject: str) -> tuple[Tensor, Tensor]:
        """Rows of a subject in the order of their stimuli.

        Parameters
        ----------
        subject : str
            Subject.

        Returns
        -------
        decoded, target : Tensor of float32 of shape (n_stimuli, ...)
            As taken in.
        """
        rows = [pair for _, pair in sorted(self._rows[subject].items())]
        decoded, target = zip(*rows, strict=True)
        return torch.stack(decoded).float(), torch.stack(target).float()

    def clear(self) -> None:
        """Forget everything."""
        self._rows = {}


class RetrievalLog(RowLog):
    """Decoded and true embeddings of the validation stimuli, by subject."""

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
        super().add(subject, stimulus, unit_rows(decoded).half(), unit_rows(target).half())

    def top1(self) -> dict[str, float]:
        """How often the true stimulus is the most similar one, for each subject.

        Returns
        -------
        dict of str to float
            Share of the subject's stimuli, each sought among all of them.
        """
        return {subject: self._top1(subject) for subject in self.subjects}

    def two_way(self) -> dict[str, float]:
        """Share of wrong stimuli that are less similar than the true one, for each subject.

        Where hardly anything is found, as in single trials of MEG, it tells models apart that
        `top1` does not.

        Returns
        -------
        dict of str to float
            Mean over the subject's stimuli; .5 by chance. nan for a single stimulus.
        """
        return {subject: self._mean(two_way_from_scores, subject) for subject in self.subjects}

    def _top1(self, subject: str) -> float:
        return self._mean(top_k_credit, subject)

    def _mean(self, score: Callable[[Tensor], Tensor], subject: str) -> float:
        decoded, target = self.pairs(subject)
        return float(score(decoded @ target.T).mean())


class LossLog:
    """Losses of the validation batches; each batch once, whichever device had it."""

    def __init__(self) -> None:
        self._batches: dict[tuple[str, int], tuple[int, dict[str, float]]] = {}

    def add(self, subject: str, stimulus: int, n_rows: int, losses: Mapping[str, Tensor]) -> None:
        """Take in one batch.

        Parameters
        ----------
        subject : str
            Subject of the first row, which with its stimulus names the batch.
        stimulus : int
            Stimulus of the first row.
        n_rows : int
            Rows of the batch.
        losses : mapping of str to scalar Tensor
            Means over these rows.
        """
        values = {name: float(value) for name, value in losses.items()}
        self._batches[subject, int(stimulus)] = (n_rows, values)

    def means(self) -> dict[str, float]:
        """Means over the rows of all batches of all devices; forgets them.

        Returns
        -------
        dict of str to float
            By name.
        """
        joined: dict[tuple[str, int], tuple[int, dict[str, float]]] = {}
        for part in gathered(self._batches):
            joined.update(part)
        self._batches = {}
        names = {name: None for _, losses in joined.values() for name in losses}
        return {name: _weighted_mean(joined.values(), name) for name in names}


def _weighted_mean(batches: Iterable[tuple[int, dict[str, float]]], name: str) -> float:
    known = [(n, losses[name]) for n, losses in batches if name in losses]
    return sum(n * value for n, value in known) / sum(n for n, _ in known)
