"""Train a decoder fold by fold and score what was held out."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from neurodecode.auditory.decoder import AttentionDecoder, Parts
from neurodecode.auditory.leaks import check_fold
from neurodecode.auditory.schemes import AttentionFold
from neurodecode.auditory_trials import AuditoryTrial
from neurodecode.errors import ConfigError
from neurodecode.store.attention import TrialScores

__all__ = ["ScoringPlan", "only_gaze", "run_folds", "worth_of_scores"]


@dataclass(frozen=True)
class ScoringPlan:
    """What is scored.

    Parameters
    ----------
    windows_s : tuple of float
        Lengths of decision windows.
    mismatch_s : tuple of float
        Lengths of windows that are compared with the sound of other windows.
    n_shifts : int
        Shifts of the null; 0 for none.
    shortest_shift_s : float
        Least distance from no shift, longer than sound remembers itself.
    decision_s : float
        Length of the short windows that are joined over time; 0 for none.
    context_s : float
        How far lags and filters reach.
    seed : int
        Of the shifts.
    """

    windows_s: tuple[float, ...] = (1.0, 2.0, 5.0, 10.0, 20.0, 30.0)
    mismatch_s: tuple[float, ...] = (5.0, 10.0)
    n_shifts: int = 20
    shortest_shift_s: float = 3.0
    decision_s: float = 2.0
    context_s: float = 1.0
    seed: int = 0


def only_gaze(trial: AuditoryTrial) -> AuditoryTrial:
    """Replace the brain by the eye channels, for the confound probe.

    Parameters
    ----------
    trial : AuditoryTrial
        With gaze.

    Returns
    -------
    AuditoryTrial
        The same with ``eeg`` of shape (n_times, n_gaze).

    Raises
    ------
    ConfigError
        If no eye channel was recorded.
    """
    if trial.gaze is None:
        raise ConfigError(
            f"subject {trial.subject}, trial {trial.trial}: no eye channel was recorded, so there"
            " is no probe by gaze alone"
        )
    names = tuple(f"gaze {number + 1}" for number in range(trial.gaze.shape[1]))
    return replace(trial, eeg=trial.gaze, channels=names)


def run_folds(
    make: Callable[[], AttentionDecoder],
    folds: Iterable[AttentionFold],
    plan: ScoringPlan,
    *,
    allow_leak: bool = False,
    fitted: Callable[[AttentionDecoder], None] | None = None,
) -> Iterator[TrialScores]:
    """Train on each fold and score its test trials.

    Parameters
    ----------
    make : callable
        Gives a decoder; called once, so that what it computed of a trial serves all folds.
    folds : iterable of AttentionFold
        Divisions.
    plan : ScoringPlan
        What is scored.
    allow_leak : bool
        Whether folds of leaking protocols are run.
    fitted : callable, optional
        Called with the decoder after each training.

    Yields
    ------
    TrialScores
        Of each test trial.

    Raises
    ------
    LeakError
        If something of the test is in training, and that was not asked for.
    """
    decoder = make()
    for fold in folds:
        if not (fold.leak and allow_leak):
            check_fold(fold, plan.context_s, decoder.reads_sound)
        if fold.leak == "filters-before-split":
            prefit = getattr(decoder, "prefit", None)
            if prefit is None:
                raise ConfigError(f"{decoder.name} has no spatial filters to fit before the split")
            prefit([*fold.trained_on, *fold.test])
        within = getattr(decoder, "within", None)
        evidence = None if within else _evidence(decoder, fold, plan)
        decoder.fit(fold.train, fold.inner or None)
        if within and _joins(fold, plan):
            evidence = _worth(
                _difference(*each, plan.decision_s) for each in within(plan.decision_s)
            )
        if fitted is not None:
            fitted(decoder)
        for trial in fold.test:
            yield score(decoder, trial, fold, plan, evidence)


def score(
    decoder: AttentionDecoder,
    trial: AuditoryTrial,
    fold: AttentionFold,
    plan: ScoringPlan,
    evidence: float | None = None,
) -> TrialScores:
    """Score one test trial.

    Parameters
    ----------
    decoder : AttentionDecoder
        Trained.
    trial : AuditoryTrial
        Held out.
    fold : AttentionFold
        By what.
    plan : ScoringPlan
        What is scored.
    evidence : float, optional
        By what a score of a short window is multiplied to become a log-likelihood.

    Returns
    -------
    TrialScores
        Windows longer than the trial are left out.
    """
    fits = [each for each in plan.windows_s if each <= trial.seconds + 1e-9]
    if not fits:
        raise ConfigError(
            f"subject {trial.subject}, trial {trial.trial}: {trial.seconds:g} s are shorter than"
            f" every window ({min(plan.windows_s):g} s); give shorter windows"
        )
    extra = {}
    if decoder.reads_sound and not fold.leak.endswith(("windows", "trial")):
        eeg, sound = np.asarray(trial.eeg[:]), np.asarray(trial.candidates[:])
        extra["mismatch"] = {
            each: _mismatch(decoder, eeg, sound, each, trial.sfreq)
            for each in plan.mismatch_s
            if 2 * each <= trial.seconds + 1e-9
        }
        # half a sample less, so that rounding does not ask for more than there is
        whole = (trial.n_times - 0.5) / trial.sfreq
        extra["whole"] = decoder.scores(eeg, sound, whole)[0]
        if plan.n_shifts and trial.seconds > 3 * plan.shortest_shift_s:
            extra["null"] = _null(decoder, eeg, sound, whole, plan, trial.sfreq)
    if evidence is not None and plan.decision_s <= trial.seconds:
        extra["log_likelihood"] = evidence * decoder.score_trial(trial, plan.decision_s)
    return TrialScores(
        subject=trial.subject,
        trial=trial.trial,
        source=trial.source,
        fold=fold.name,
        start_s=trial.start_s,
        seconds=trial.seconds,
        windows={each: decoder.score_trial(trial, each) for each in fits},
        chosen=decoder.describe(),
        **extra,
    )


def _evidence(decoder: AttentionDecoder, fold: AttentionFold, plan: ScoringPlan) -> float | None:
    r"""What a score is worth, learned within the training set: half of it scores the other half.

    Differences of attended and ignored scores are taken for normal, :math:`N(m, v)`; the
    log-likelihood of a talker is then the score times :math:`2 m / v`.
    """
    # each half has to hold parts enough to choose something within it
    if len(fold.train) < 4 or not _joins(fold, plan):
        return None
    if not decoder.reads_sound:
        return 1.0  # log-probabilities already
    return worth_of_scores(decoder, fold.train, plan.decision_s)


def worth_of_scores(decoder: AttentionDecoder, parts: Parts, window_s: float) -> float:
    """Learn by what a score is multiplied to be a log-likelihood; refits the decoder.

    Parameters
    ----------
    decoder : AttentionDecoder
        Fitted to each half of the parts in turn.
    parts : sequence of sequence of AuditoryTrial
        Training trials.
    window_s : float
        Length of a window in s.

    Returns
    -------
    float
        Not negative.
    """
    differences: list[np.ndarray] = []
    for half in (0, 1):
        decoder.fit(parts[1 - half :: 2])
        for trial in (trial for part in parts[half::2] for trial in part):
            found = decoder.score_trial(trial, window_s)
            differences.append(_difference(trial, found, window_s))
    return _worth(differences)


def _joins(fold: AttentionFold, plan: ScoringPlan) -> bool:
    """Whether short windows are to be joined over time, and there is something to decide."""
    talkers = min(trial.n_candidates for trial in fold.trained_on)
    return bool(plan.decision_s) and talkers > 1 and not fold.leak


def _worth(differences: Iterable[np.ndarray]) -> float:
    every = np.concatenate(list(differences))
    return float(max(2 * every.mean() / max(every.var(), 1e-12), 0.0))


def _difference(trial: AuditoryTrial, found: np.ndarray, seconds: float) -> np.ndarray:
    """Score of the attended talker less the best other, in each window: (n_windows,)."""
    at = (np.arange(len(found)) + 1) * round(seconds * trial.sfreq) - 1
    attended = np.asarray(trial.attended)[at]
    rows = np.arange(len(found))
    others = found.copy()
    others[rows, attended] = -np.inf
    return found[rows, attended] - others.max(axis=1)


def _mismatch(
    decoder: AttentionDecoder, eeg: np.ndarray, sound: np.ndarray, seconds: float, sfreq: float
) -> np.ndarray:
    """Brain of each window with the sound of each: (n_candidates, n_windows, n_windows)."""
    length = round(seconds * sfreq)
    n = len(eeg) // length
    eeg, sound = eeg[: n * length], sound[:, : n * length]
    out = np.empty((len(sound), n, n))
    for shift in range(n):
        moved = np.roll(sound, -shift * length, axis=1)
        found = decoder.scores(eeg, moved, seconds)
        rows = np.arange(n)
        out[:, rows, (rows + shift) % n] = found.T
    return out


def _null(
    decoder: AttentionDecoder, eeg: np.ndarray, sound: np.ndarray, seconds: float,
    plan: ScoringPlan, sfreq: float,
) -> np.ndarray:  # fmt: skip
    """Scores with sound that is turned around the trial: (n_candidates, n_shifts)."""
    least, n = round(plan.shortest_shift_s * sfreq), len(eeg)
    rng = np.random.default_rng(plan.seed)
    shifts: Sequence[int] = rng.integers(least, n - least, plan.n_shifts).tolist()
    found = [decoder.scores(eeg, np.roll(sound, shift, axis=1), seconds)[0] for shift in shifts]
    return np.stack(found, axis=1)
