"""Protocols that let the test into training: refused, unless one asks to see what they do.

Each of them is in published work. A decoder of direction or talker that meets windows of one
trial on both sides learns the trial; a decoder of envelopes that meets the test stimulus in
training learns the stimulus.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from neurodecode.auditory.schemes import AttentionFold, make_folds
from neurodecode.auditory.shuffled import shuffled_windows
from neurodecode.auditory.stories import choose_scheme
from neurodecode.auditory_trials import AuditoryTrial
from neurodecode.errors import ConfigError, LeakError

__all__ = ["PROTOCOLS", "check_fold", "leaking_folds", "refuse"]

#: The five leaking protocols, and what is wrong with each.
PROTOCOLS: dict[str, str] = {
    "overlapping-windows": "windows that overlap are split afterwards, so that training has samples"
    " of the test",
    "within-trial": "windows of one trial are on both sides, and every trial is told by its noise",
    "filters-before-split": "spatial filters are fitted to training and test together",
    "shared-stimulus": "sound that is tested is in training",
    "speaker-identity": "the attended talker is read from the brain alone, with windows of one"
    " trial on both sides",
}
#: Windows in s of the protocols that deal windows out, their folds, and how much they overlap.
_WINDOW_S, _FOLDS, _OVERLAP = 5.0, 5, 0.5


def refuse(name: str, allow_leak: bool) -> None:
    """Refuse a leaking protocol.

    Parameters
    ----------
    name : str
        Key of `PROTOCOLS`.
    allow_leak : bool
        Whether the user has asked to see it nevertheless.

    Raises
    ------
    LeakError
        Unless that is allowed.
    ConfigError
        If there is no such protocol.
    """
    if name not in PROTOCOLS:
        raise ConfigError(f"unknown protocol {name!r}; known: {', '.join(PROTOCOLS)}")
    if not allow_leak:
        raise LeakError(
            f"protocol {name}: {PROTOCOLS[name]}; leave --protocol out, or give --allow-leak to see"
            " by how much it flatters (the scores are marked)"
        )


def leaking_folds(
    trials: Sequence[AuditoryTrial], name: str, training: str, *, seed: int = 0, gap_s: float = 2.0
) -> Iterator[AttentionFold]:
    """Divide as a leaking protocol does.

    Parameters
    ----------
    trials : sequence of AuditoryTrial
        Of all subjects.
    name : str
        Key of `PROTOCOLS`.
    training : {"same-subject", "other-subjects"}
        Who is trained on, where the protocol leaves that open.
    seed : int
        Of random divisions.
    gap_s : float
        As for `make_folds`.

    Yields
    ------
    AttentionFold
        Marked with the name of the protocol.
    """
    if name in ("overlapping-windows", "within-trial", "speaker-identity"):
        shortest = min(trial.seconds for trial in trials)
        yield from shuffled_windows(
            trials,
            min(_WINDOW_S, shortest / 2),
            overlap=_OVERLAP if name == "overlapping-windows" else 0.0,
            n_folds=_FOLDS,
            seed=seed,
            leak=name,
        )
        return
    if name == "shared-stimulus":
        scheme = "subject" if training == "other-subjects" else "trial"
    else:
        scheme = choose_scheme(
            trials, "other-subjects" if training == "other-subjects" else "same-subject"
        )
    for fold in make_folds(trials, scheme, gap_s=gap_s):
        yield replace(fold, leak=name)


def check_fold(fold: AttentionFold, context_s: float, reads_sound: bool = True) -> None:
    """Refuse a fold in which something of the test is in training.

    Parameters
    ----------
    fold : AttentionFold
        Any.
    context_s : float
        How far lags and filters reach, in s.
    reads_sound : bool
        Whether the decoder compares brain with sound.

    Raises
    ------
    LeakError
        If a sound or story, a subject that is to be new, or neighbouring stretches of one trial
        are on both sides; or if labels are read from the brain alone and a trial is on both
        sides.
    """
    blocked, train = "block" in fold.scheme, fold.trained_on
    if not train or not fold.test:
        raise ConfigError(f"fold {fold.name} of {fold.subject} has an empty side")
    sounds = {name for trial in train for name in trial.sound}
    stories = {name for trial in train for name in trial.story if name}
    known = {trial.subject for trial in train}
    spans: dict[tuple[str, str], list[tuple[float, float]]] = {}
    everywhere = [(trial.start_s, trial.start_s + trial.seconds) for trial in train]
    for trial in train:
        span = (trial.start_s, trial.start_s + trial.seconds)
        spans.setdefault((trial.subject, trial.source), []).append(span)
    for trial in fold.test:
        where = f"{trial.subject}, trial {trial.trial}"
        if set(trial.sound) & sounds:
            raise LeakError(
                f"{where}: its sound is in training, too (protocol shared-stimulus); use scheme"
                " story, or block if all trials have one sound"
            )
        if not blocked and set(trial.story) & stories:
            raise LeakError(f"{where}: its story is in training, too; use scheme story")
        if fold.scheme.startswith("subject") and trial.subject in known:
            raise LeakError(f"{where}: the subject is in training, too")
        same = spans.get((trial.subject, trial.source), [])
        if same and not reads_sound:
            raise LeakError(
                f"{where}: this decoder reads labels from the brain alone, and parts of the trial"
                " are in training; use scheme trial or story"
            )
        near = everywhere if blocked else same
        if _touch(trial, near, context_s):
            raise LeakError(
                f"{where}: training comes within {context_s:g} s of it; leave a longer gap"
            )


def _touch(trial: AuditoryTrial, spans: list[tuple[float, float]], context_s: float) -> bool:
    start, stop = trial.start_s - context_s, trial.start_s + trial.seconds + context_s
    return any(start < high - 1e-6 and low < stop - 1e-6 for low, high in spans)
