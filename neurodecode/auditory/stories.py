"""Which trials have sound or stories in common, and what a division has to leave out for it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from neurodecode.auditory_trials import AuditoryTrial
from neurodecode.errors import ConfigError

__all__ = ["choose_scheme", "story_groups"]

Trials = Sequence[AuditoryTrial]


def story_groups(trials: Trials) -> list[int]:
    """Number trials so that those with a sound or story in common have one number.

    Parameters
    ----------
    trials : sequence of AuditoryTrial
        Of any subjects.

    Returns
    -------
    list of int
        Group of each trial (connected components), in order of first appearance.
    """
    group = list(range(len(trials)))

    def root(k: int) -> int:
        """First trial of the group."""
        while group[k] != k:
            k = group[k]
        return k

    first: dict[str, int] = {}
    for k, trial in enumerate(trials):
        for name in trial.groups:
            if name in first:
                a, b = sorted((root(first[name]), root(k)))
                group[b] = a
            else:
                first[name] = k
    numbers: dict[int, int] = {}
    return [numbers.setdefault(root(k), len(numbers)) for k in range(len(trials))]


def choose_scheme(trials: Trials, training: Literal["same-subject", "other-subjects"]) -> str:
    """Find the scheme under which nothing of the test is in training.

    Parameters
    ----------
    trials : sequence of AuditoryTrial
        Of all subjects.
    training : {"same-subject", "other-subjects"}
        Who is trained on.

    Returns
    -------
    str
        Blocks of time where everybody hears one sound throughout; stories where sounds or
        stories come again; otherwise trials, or subjects.

    Raises
    ------
    ConfigError
        If there is only one subject and others are asked for.
    """
    others = training == "other-subjects"
    if others and len({trial.subject for trial in trials}) < 2:
        raise ConfigError("training on other subjects needs at least two subjects")
    groups = story_groups(trials)
    if len(set(groups)) == 1:
        return "subject-block" if others else "block"
    counted = [(trial.subject, group) for trial, group in zip(trials, groups, strict=True)]
    if others:
        shared = len(set(groups)) < len(set(counted))
        return "subject-story" if shared else "subject"
    return "story" if len(set(counted)) < len(counted) else "trial"
