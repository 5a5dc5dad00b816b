"""Join what a decoder said with what was attended."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from neurodecode.auditory.decisions import switches
from neurodecode.auditory.markov import filtered, smoothed, stay_matrix
from neurodecode.auditory_trials import AuditoryTrial
from neurodecode.errors import DataError
from neurodecode.metrics.functional.attention import match_mismatch_credit
from neurodecode.store.attention import TrialScores
from neurodecode.store.auditory import read_folder

__all__ = ["Outcomes", "read_truth"]

Truth = Mapping[tuple[str, str], AuditoryTrial]
#: Seconds for which attention stays with a talker, on average, in the chain of decisions.
_DWELL_S = 60.0


def read_truth(folder: str | Path) -> dict[tuple[str, str], AuditoryTrial]:
    """Read labels.

    Parameters
    ----------
    folder : path-like
        Stores of the data set.

    Returns
    -------
    dict of (subject, trial) to AuditoryTrial
        Whole trials.
    """
    return {trial.key: trial for store in read_folder(folder) for trial in store.trials()}


class Outcomes:
    """What one method got right.

    Parameters
    ----------
    attrs : mapping
        Attributes of the file of scores.
    scores : iterable of TrialScores
        Its content.
    truth : mapping of (subject, trial) to AuditoryTrial
        From `read_truth`.

    Raises
    ------
    DataError
        If a trial is not in the stores.
    """

    def __init__(
        self, attrs: Mapping[str, Any], scores: Iterable[TrialScores], truth: Truth
    ) -> None:
        self.attrs = attrs
        self.pairs = []
        for each in scores:
            if (each.subject, each.source) not in truth:
                raise DataError(
                    f"trial {each.source} is not in the stores", subject=each.subject,
                    fix="evaluate with the stores that were trained on",
                )  # fmt: skip
            self.pairs.append((each, truth[each.subject, each.source]))

    def _labels(
        self, each: TrialScores, trial: AuditoryTrial, seconds: float, n: int
    ) -> np.ndarray:
        """Attended candidate of each window, -1 where it changes within: (n,)."""
        edges = (each.start_s + np.arange(n + 1) * seconds) * trial.sfreq
        # scores may come from stores of another rate, whose trials end a sample later
        edges = np.minimum(edges.round().astype(int), len(trial.attended))
        labels = []
        for start, stop in pairwise(edges.tolist()):
            heard = np.unique(np.asarray(trial.attended)[start:stop])
            labels.append(int(heard[0]) if len(heard) == 1 else -1)
        return np.array(labels)

    def windows(self) -> pd.DataFrame:
        """Judge every decision.

        Returns
        -------
        pandas.DataFrame
            ``subject``, ``trial``, ``condition``, ``window_s``, ``credit`` (half for a tie),
            ``attended`` and ``ignored`` (their scores). Windows in which attention changes, and
            trials with a single talker, are left out.
        """
        from neurodecode.metrics.functional.retrieval import top_k_credit

        parts = []
        for each, trial in self.pairs:
            if trial.n_candidates < 2:
                continue
            for seconds, found in each.windows.items():
                labels = self._labels(each, trial, seconds, len(found))
                keep = labels >= 0
                found, labels = found[keep], labels[keep]
                if not len(found):
                    continue
                rows = np.arange(len(found))
                others = found.copy()
                others[rows, labels] = -np.inf
                parts.append(
                    pd.DataFrame(
                        {
                            "subject": each.subject,
                            "trial": each.source,
                            "condition": trial.condition,
                            "window_s": seconds,
                            "credit": top_k_credit(found, truth=labels, tolerance=0).numpy(),
                            "attended": found[rows, labels],
                            "ignored": others.max(axis=1),
                        }
                    )
                )
        columns = ["subject", "trial", "condition", "window_s", "credit", "attended", "ignored"]
        return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=columns)

    def matches(self) -> pd.DataFrame:
        """Compare the sound of each window with that of the others of its trial.

        Returns
        -------
        pandas.DataFrame
            ``subject``, ``trial``, ``window_s``, ``credit``: expected two-way accuracy.
        """
        rows = []
        for each, trial in self.pairs:
            for seconds, found in each.mismatch.items():
                n = found.shape[1]
                labels = self._labels(each, trial, seconds, n)
                if (labels < 0).any():
                    continue
                own = found[labels, np.arange(n)]  # brain of the row, sound of its talker
                others = np.where(np.eye(n, dtype=bool), np.nan, own)
                credit = match_mismatch_credit(np.diag(own).copy(), others)
                rows += [(each.subject, each.source, seconds, value) for value in credit]
        return pd.DataFrame(rows, columns=["subject", "trial", "window_s", "credit"])

    def tracking(self) -> pd.DataFrame:
        """Score of the attended sound over whole trials, and with the sound shifted.

        Returns
        -------
        pandas.DataFrame
            ``subject``, ``trial``, ``r``, ``null`` (mean over shifts), ``null_0``, ... (each).
            Trials in which attention changes are left out.
        """
        rows = []
        for each, trial in self.pairs:
            start = round(each.start_s * trial.sfreq)
            stop = start + round(each.seconds * trial.sfreq)
            heard = np.unique(np.asarray(trial.attended)[start:stop])
            if each.whole is None or len(heard) != 1:
                continue
            row = {"subject": each.subject, "trial": each.source, "r": each.whole[heard[0]]}
            if each.null is not None:
                shifted = each.null[heard[0]]
                row |= {"null": float(shifted.mean())}
                row |= {f"null_{number}": value for number, value in enumerate(shifted)}
            rows.append(row)
        return pd.DataFrame(rows)

    def posteriors(self) -> pd.DataFrame:
        """Join short windows over time by a hidden Markov chain.

        Returns
        -------
        pandas.DataFrame
            ``subject``, ``trial``, ``condition``, ``second`` (end of the window), ``attended``,
            ``filtered`` and ``smoothed`` (probability of what is attended), ``decided``
            (candidate by the filter), ``switched``.
        """
        parts = []
        for each, trial in self.pairs:
            like = each.log_likelihood
            if like is None or not len(like):
                continue
            seconds = float(self.attrs["decision_s"])
            n_talkers = like.shape[1]
            chain = (
                stay_matrix(n_talkers, 1 - seconds / _DWELL_S),
                np.full(n_talkers, 1 / n_talkers),
            )
            forward, both = filtered(like, *chain), smoothed(like, *chain)
            at = (each.start_s + (np.arange(len(like)) + 1) * seconds) * trial.sfreq
            at = np.minimum(at.round().astype(int), len(trial.attended))
            attended = np.asarray(trial.attended)[at - 1]
            moved = np.zeros(len(like), dtype=bool)
            moved[switches(forward)] = True
            rows = np.arange(len(like))
            parts.append(
                pd.DataFrame(
                    {
                        "subject": each.subject,
                        "trial": each.source,
                        "condition": trial.condition,
                        "second": at / trial.sfreq,
                        "attended": attended,
                        "filtered": forward[rows, attended],
                        "smoothed": both[rows, attended],
                        "decided": forward.argmax(axis=1),
                        "switched": moved,
                    }
                )
            )
        return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame()
