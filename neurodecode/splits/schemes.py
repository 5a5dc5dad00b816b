"""The ways of dividing a data set."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from neurodecode.errors import ConfigError
from neurodecode.recording import StimulusSet
from neurodecode.registry import Registry
from neurodecode.splits.categories import category_groups
from neurodecode.splits.checks import check
from neurodecode.splits.duplicates import near_duplicates
from neurodecode.splits.types import Fold, Split, Trials, run_keys

__all__ = ["SCHEMES", "make_split"]

Group = tuple[str, ...]


@dataclass(frozen=True)
class _Request:
    """What a scheme is asked for."""

    subjects: Mapping[str, Trials]
    duplicates: Sequence[Group]
    test: Collection[str] | None
    n_folds: int
    val_share: float
    rng: np.random.Generator
    categories: Sequence[Group] = ()


SCHEMES: Registry[Callable[[_Request], list[Fold]]] = Registry("split scheme")
"""Name -> function that makes the folds."""

_UNITS = {"leave-one-run-out": "run"}
_HELD_OUT = "held-out-categories"


def make_split(
    scheme: str,
    subjects: Mapping[str, Trials],
    *,
    stimuli: StimulusSet | None = None,
    test: Collection[str] | None = None,
    n_folds: int = 5,
    val_share: float = 0.1,
    seed: int = 0,
) -> Split:
    """Divide a data set, and check the result.

    ``shared-test``
        One fold. The test set is `test`, or what every subject saw; validation is a share of
        the rest, by content.
    ``kfold``
        Random folds over contents. Contents are dealt out separately for each set of subjects
        that saw them, so that every subject has about an equal share in every fold; validation
        is cut from the training part in the same way.
    ``leave-one-run-out``
        Each run is the test set of one fold; the following run or runs validate.
    ``held-out-categories``
        Random folds over main categories: every category is in the test set of one fold as a
        whole, and validation takes whole categories of the rest. Stimuli without a category are
        in training. Pictures may show objects of other categories besides.

    Parameters
    ----------
    scheme : str
        A name in `SCHEMES`.
    subjects : mapping of str to Trials
        Recording or store of each subject.
    stimuli : StimulusSet, optional
        If given, pictures that look the same are found and kept on one side.
    test : collection of str, optional
        Stimuli that the publisher sets aside, for ``shared-test``.
    n_folds : int
        Number of folds of ``kfold`` and ``held-out-categories``.
    val_share : float
        Share of what is not test that becomes validation, from 0 up to but excluding 1.
    seed : int
        Seed of the random choices.

    Returns
    -------
    Split
        The checked split.

    Raises
    ------
    ConfigError
        If the scheme is unknown, or the data are too few for it.
    """
    if not 0 <= val_share < 1:
        raise ConfigError(f"val_share is {val_share}; give a share from 0 to below 1")
    if not subjects:
        raise ConfigError("no subjects to split")
    unit = _UNITS.get(scheme, "stimulus")
    duplicates: list[Group] = []
    if stimuli is not None and unit == "stimulus":
        duplicates = near_duplicates(stimuli.ids, stimuli.images)
    rng = np.random.default_rng(seed)
    groups = tuple(category_groups(stimuli, duplicates)) if scheme == _HELD_OUT else ()
    folds = SCHEMES[scheme](_Request(subjects, duplicates, test, n_folds, val_share, rng, groups))
    info = {"val_share": val_share, "subjects": sorted(subjects)}
    split = Split(scheme, unit, tuple(folds), seed, tuple(duplicates), groups, info)
    check(split, subjects)
    return split


@SCHEMES.register("shared-test")
def _shared_test(request: _Request) -> list[Fold]:
    seen = [set(map(str, trials.stimulus_id)) for trials in request.subjects.values()]
    wanted = set.intersection(*seen) if request.test is None else set(request.test)
    strata = _strata(request)
    groups = [group for stratum in strata for group in stratum]
    test = [group for group in groups if wanted.intersection(group)]
    if not test or len(test) == len(groups):
        raise ConfigError(
            f"{len(test)} of {len(groups)} stimuli are shared by all subjects; shared-test needs"
            " some that are and some that are not (try the scheme kfold)"
        )
    return [_fold(strata, test, request)]


@SCHEMES.register("kfold")
def _kfold(request: _Request) -> list[Fold]:
    strata = _strata(request)
    n_groups = sum(len(stratum) for stratum in strata)
    if not 2 <= request.n_folds <= n_groups:
        raise ConfigError(f"cannot make {request.n_folds} folds of {n_groups} stimuli")
    dealt: list[list[Group]] = [[] for _ in range(request.n_folds)]
    turn = 0
    for stratum in strata:
        for number in request.rng.permutation(len(stratum)):
            dealt[turn % request.n_folds].append(stratum[number])
            turn += 1
    return [_fold(strata, test, request) for test in dealt]


@SCHEMES.register("leave-one-run-out")
def _leave_one_run_out(request: _Request) -> list[Fold]:
    found = [set(run_keys(trials.session, trials.run)) for trials in request.subjects.values()]
    runs = sorted(map(str, set.union(*found)))
    n_validation = _n_validation(len(runs) - 1, request.val_share)
    if len(runs) < 2 + n_validation:
        raise ConfigError(f"leave-one-run-out needs at least {2 + n_validation} runs")
    folds = []
    for number, test in enumerate(runs):
        others = runs[number + 1 :] + runs[:number]
        folds.append(
            Fold(
                train=tuple(sorted(others[n_validation:])),
                validation=tuple(sorted(others[:n_validation])),
                test=(test,),
            )
        )
    return folds


@SCHEMES.register(_HELD_OUT)
def _held_out_categories(request: _Request) -> list[Fold]:
    shown = {str(name) for trials in request.subjects.values() for name in trials.stimulus_id}
    found = [tuple(name for name in group if name in shown) for group in request.categories]
    groups = [group for group in found if group]
    n_validation = _n_validation(len(groups) - -(-len(groups) // request.n_folds),
                                 request.val_share)  # fmt: skip
    if request.n_folds < 2 or len(groups) < max(request.n_folds, 2 + n_validation):
        raise ConfigError(
            f"cannot make {request.n_folds} folds of {len(groups)} categories that were shown"
        )
    order = request.rng.permutation(len(groups)).tolist()
    rest = shown - {name for group in groups for name in group}
    folds = []
    for number in range(request.n_folds):
        test = order[number :: request.n_folds]
        others = [place for place in order if place not in test]
        chosen = request.rng.permutation(others)[:n_validation].tolist()
        train = [place for place in others if place not in chosen]
        sides = [sorted(name for place in side for name in groups[place])
                 for side in (train, chosen, test)]  # fmt: skip
        folds.append(Fold(tuple(sorted([*sides[0], *rest])), tuple(sides[1]), tuple(sides[2])))
    return folds


def _n_validation(n: int, share: float) -> int:
    """At least one if any are asked for."""
    return max(1, round(share * n)) if share else 0


def _strata(request: _Request) -> list[list[Group]]:
    """List groups of look-alikes by who saw them, in an order free of hashing."""
    seen_by: dict[str, set[str]] = {}
    for subject, trials in request.subjects.items():
        for stimulus in set(map(str, trials.stimulus_id)):
            seen_by.setdefault(stimulus, set()).add(subject)
    groups = [
        shown
        for group in request.duplicates
        if (shown := tuple(stimulus for stimulus in group if stimulus in seen_by))
    ]
    grouped = {stimulus for group in groups for stimulus in group}
    groups += [(stimulus,) for stimulus in seen_by if stimulus not in grouped]
    strata: dict[tuple[str, ...], list[Group]] = {}
    for group in sorted(groups):
        key = tuple(sorted(set().union(*(seen_by[stimulus] for stimulus in group))))
        strata.setdefault(key, []).append(group)
    return [strata[key] for key in sorted(strata)]


def _fold(strata: list[list[Group]], test: Collection[Group], request: _Request) -> Fold:
    """Cut validation from what is not test, stratum by stratum."""
    held_out = set(test)
    rest = [[group for group in stratum if group not in held_out] for stratum in strata]
    validation = set(_share(rest, request.val_share, request.rng))
    train = [group for stratum in rest for group in stratum if group not in validation]
    return Fold(*(tuple(sorted(sum(side, ()))) for side in (train, validation, held_out)))


def _share(strata: list[list[Group]], share: float, rng: np.random.Generator) -> Iterator[Group]:
    """Draw a share of each stratum; fractions carry over to the next stratum."""
    carried = 0.0
    for stratum in strata:
        carried += share * len(stratum)
        count = min(round(carried), len(stratum))
        carried -= count
        yield from (stratum[number] for number in rng.permutation(len(stratum))[:count])
