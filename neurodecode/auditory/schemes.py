"""What is left out: trials, stories, subjects or blocks of time, as the data set allows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from neurodecode.auditory.stories import story_groups
from neurodecode.auditory_trials import AuditoryTrial, blocks_of
from neurodecode.errors import ConfigError

__all__ = ["SCHEMES", "AttentionFold", "make_folds"]

Trials = Sequence[AuditoryTrial]

#: What each scheme holds out.
SCHEMES = {
    "trial": "one trial of the subject",
    "story": "everything of a subject that shares a story with what is tested",
    "block": "a block of time of the subject's trials",
    "subject": "a subject",
    "subject-story": "a subject, and the stories it is tested with",
    "subject-block": "a subject, and the block of time it is tested with",
}


#: Seed of the order in which stories are dealt to folds.
_SHUFFLE = 0
#: Groups of stories by which a penalty is chosen within training.
_INNER = 6


@dataclass(frozen=True)
class AttentionFold:
    """One division.

    Parameters
    ----------
    subject : str
        Who is tested.
    name : str
        What is left out.
    scheme : str
        Key of `SCHEMES`.
    train : tuple of tuple of AuditoryTrial
        Parts, each of one subject and one story or block.
    test : tuple of AuditoryTrial
        What is tested.
    inner : tuple of tuple of int
        For each part, those that may train what is tried on it: the division is repeated within
        the training set, other subject and other story or block alike.
    leak : str
        Name of a leaking protocol; empty for honest ones.
    """

    subject: str
    name: str
    scheme: str
    train: tuple[tuple[AuditoryTrial, ...], ...]
    test: tuple[AuditoryTrial, ...]
    inner: tuple[tuple[int, ...], ...] = ()
    leak: str = ""

    @property
    def trained_on(self) -> list[AuditoryTrial]:
        """Training trials."""
        return [trial for part in self.train for trial in part]


def make_folds(
    trials: Trials, scheme: str, *, n_folds: int = 4, n_blocks: int = 2, gap_s: float = 2.0
) -> Iterator[AttentionFold]:
    """Divide.

    Parameters
    ----------
    trials : sequence of AuditoryTrial
        Of all subjects.
    scheme : str
        Key of `SCHEMES`.
    n_folds : int
        Into how many folds trials or stories are grouped.
    n_blocks : int
        Blocks of time.
    gap_s : float
        Seconds between blocks that nobody uses.

    Yields
    ------
    AttentionFold
        By subject, then by what is left out.
    """
    if scheme not in SCHEMES:
        raise ConfigError(f"unknown scheme {scheme!r}; known: {', '.join(SCHEMES)}")
    make = _blocked if "block" in scheme else _grouped
    number = n_blocks if "block" in scheme else n_folds
    if number < 2:
        raise ConfigError(f"{number} fold; give at least two")
    yield from make(trials, scheme, number, gap_s)


def _grouped(trials: Trials, scheme: str, n_folds: int, gap_s: float) -> Iterator[AttentionFold]:
    whole = scheme in ("trial", "subject")
    groups = list(range(len(trials))) if whole else story_groups(trials)
    of = {id(trial): group for trial, group in zip(trials, groups, strict=True)}
    for subject in dict.fromkeys(trial.subject for trial in trials):
        own = [trial for trial in trials if trial.subject == subject]
        pool = (
            [trial for trial in trials if trial.subject != subject] if "subject" in scheme else own
        )
        known = list(dict.fromkeys(of[id(trial)] for trial in own))
        # experiments alternate ears and talkers: every fourth trial may have one label. And what a
        # fold has too much of, its training has too little of, which drives scores below chance
        np.random.default_rng(_SHUFFLE).shuffle(known)
        label = {of[id(trial)]: _label(trial) for trial in own}
        known.sort(key=label.__getitem__)
        count = 1 if scheme == "subject" else min(n_folds, len(known))
        for number in range(count):
            held = set(known[number::count])
            test = tuple(trial for trial in own if of[id(trial)] in held)
            train = [t for t in pool if scheme == "subject" or of[id(t)] not in held]
            name = "all" if scheme == "subject" else f"{scheme.split('-')[-1]} {number + 1}"
            left = list(dict.fromkeys(of[id(t)] for t in train))
            place = {
                group: 0 if scheme == "subject" else k % _INNER for k, group in enumerate(left)
            }
            keys = [(t.subject, place[of[id(t)]]) for t in train]
            parts, inner = _parts(train, keys, scheme)
            yield AttentionFold(subject, name, scheme, parts, test, inner)


def _label(trial: AuditoryTrial) -> tuple[str, str]:
    """Place and name of what is attended at first, to be dealt out evenly."""
    first = int(trial.attended[0])
    return trial.direction[first] if trial.direction else "", trial.talker[first]


def _parts(
    trials: Trials, keys: Sequence[tuple[str, int]], scheme: str
) -> tuple[tuple[tuple[AuditoryTrial, ...], ...], tuple[tuple[int, ...], ...]]:
    """Trials with one key, and for each part those that share neither subject nor group."""
    parts: dict[tuple[str, int], list[AuditoryTrial]] = {}
    for trial, key in zip(trials, keys, strict=True):
        parts.setdefault(key, []).append(trial)
    new_subject, same_group = scheme.startswith("subject"), scheme == "subject"
    # where only one subject is left to train on, it cannot be new as well
    new_subject &= len({subject for subject, _ in parts}) > 1
    inner = [
        tuple(
            number
            for number, (subject, group) in enumerate(parts)
            if not (new_subject and subject == own) and (same_group or group != part)
        )
        for own, part in parts
    ]
    return tuple(map(tuple, parts.values())), tuple(inner)


def _blocked(trials: Trials, scheme: str, n_blocks: int, gap_s: float) -> Iterator[AttentionFold]:
    blocks = blocks_of(trials, n_blocks, gap_s)
    others = scheme == "subject-block"
    #: within the training blocks the penalty is chosen by leaving out shorter ones
    inner = [blocks_of(block, 3, gap_s) for block in blocks]
    for subject in dict.fromkeys(trial.subject for trial in trials):
        for number, block in enumerate(blocks):
            found = [
                (each, (each.subject, 3 * place + within))
                for place, parts in enumerate(inner)
                if place != number
                for within, part in enumerate(parts)
                for each in part
                if (each.subject != subject) == others
            ]
            parts, apart = _parts([each for each, _ in found], [key for _, key in found], scheme)
            test = tuple(each for each in block if each.subject == subject)
            yield AttentionFold(subject, f"block {number + 1}", scheme, parts, test, apart)
