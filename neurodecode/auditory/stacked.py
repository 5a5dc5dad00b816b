"""Several decoders, each counted for what it was worth within the training set."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from neurodecode.auditory.canonical import CanonicalDecoder
from neurodecode.auditory.decoder import ATTENTION_DECODERS, AttentionDecoder, Inner, Parts
from neurodecode.auditory.reconstruction import BackwardTRF, ForwardTRF
from neurodecode.auditory_trials import AuditoryTrial
from neurodecode.errors import ConfigError

__all__ = ["StackedDecoder"]

_MEMBERS: dict[str, type[AttentionDecoder]] = {
    each.name: each for each in (BackwardTRF, ForwardTRF, CanonicalDecoder)
}
_DEFAULT = (
    {"method": "trf_backward", "tmax": 0.45},
    {"method": "trf_backward", "tmax": 0.45, "align": 0.1},
    {"method": "trf_forward", "tmax": 0.45, "align": 0.1},
)
#: Of one talker, how far its own sound is turned to be a wrong one, in parts of the trial.
_TURNS = (0.3, 0.4, 0.5, 0.6, 0.7)


@ATTENTION_DECODERS.register("stacked")
class StackedDecoder(AttentionDecoder):
    """Weighs linear decoders by a discriminant of what they said of parts left out in training.

    Parameters
    ----------
    members : sequence of mapping
        ``method`` (``trf_backward``, ``trf_forward``, ``cca``) and its options.
    stacking_s : float
        Windows in s in which members are compared.
    causal : bool
        See `AttentionDecoder`; members then do not align.
    """

    name = "stacked"

    def __init__(
        self,
        *,
        members: Sequence[Mapping[str, Any]] = _DEFAULT,
        stacking_s: float = 3.0,
        causal: bool = False,
    ) -> None:
        super().__init__(causal=causal)
        self.stacking_s = stacking_s
        self.members = [_make(member, causal) for member in members]
        if not self.members:
            raise ConfigError("stacked: give at least one member")

    def fit(self, parts: Parts, inner: Inner | None = None) -> AttentionDecoder:
        """Fit the members to what may train each part, weigh them there, and fit them to all."""
        if len(parts) < 3:
            raise ConfigError("decoders that are stacked need at least three parts to train on")
        inner = inner or [[k for k in range(len(parts)) if k != own] for own in range(len(parts))]
        rows: list[np.ndarray] = []
        for own, part in enumerate(parts):
            train = [parts[k] for k in inner[own]]
            for member in self.members:
                member.fit(train)
            rows += [self._contrast(trial) for trial in part]
        contrast = np.concatenate(rows)
        self.weight_ = _discriminant(contrast)
        for member in self.members:
            member.fit(parts, inner)
        return self

    def _contrast(self, trial: AuditoryTrial) -> np.ndarray:
        """Scores of the attended less those of other sounds: (n, n_members)."""
        heard = trial.heard()
        if trial.n_candidates > 1:
            others = [trial.ignored()]
        else:
            others = [np.roll(heard, round(turn * trial.n_times), axis=0) for turn in _TURNS]
        window = min(self.stacking_s, trial.seconds / 2)
        found = self._all(np.asarray(trial.eeg[:]), np.stack([heard, *others]), window)
        return (found[:, :, :1] - found[:, :, 1:]).reshape(len(found), -1).T

    def _all(self, eeg: np.ndarray, candidates: np.ndarray, window_s: float) -> np.ndarray:
        """Scores of every member: (n_members, n_windows, n_candidates)."""
        return np.stack([each.scores(eeg, candidates, window_s) for each in self.members])

    def scores(self, eeg: np.ndarray, candidates: np.ndarray, window_s: float) -> np.ndarray:
        """Weighted sum of the scores of the members."""
        return np.tensordot(self.weight_, self._all(eeg, candidates, window_s), axes=1)

    def describe(self) -> dict[str, Any]:
        """Weight of each member."""
        return {f"weight_{k}": float(each) for k, each in enumerate(self.weight_)}


def _make(member: Mapping[str, Any], causal: bool) -> AttentionDecoder:
    options = {**member, "align": None} if causal else dict(member)
    method = options.pop("method", None)
    if method not in _MEMBERS:
        raise ConfigError(f"stacked: no member {method!r}; known: {', '.join(_MEMBERS)}")
    try:
        return _MEMBERS[method](causal=causal, **options)
    except TypeError as error:
        raise ConfigError(f"stacked, member {method}: {error}") from error


def _discriminant(contrast: np.ndarray) -> np.ndarray:
    """Weights in units of each member's spread, shrunk and never negative: (n_members,)."""
    spread = np.maximum(contrast.std(axis=0), 1e-12)
    unit = contrast / spread
    covariance = np.cov(unit.T).reshape(2 * (unit.shape[1],)) + 0.5 * np.eye(unit.shape[1])
    weight = np.maximum(np.linalg.solve(covariance, unit.mean(axis=0)), 0)
    if not weight.any():
        weight = np.ones_like(weight)
    return weight / weight.sum() / spread
