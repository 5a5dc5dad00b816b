"""Telling records apart: subjects from means, methods from controls."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

__all__ = [
    "CONTROL_WORDS",
    "control_methods",
    "is_control",
    "is_mean",
    "order_methods",
    "split_mean",
]

#: Words in a method's name that mark it as a control: something that must fail.
CONTROL_WORDS = (
    "shuffled", "prior_only", "untrained", "random", "permuted", "null", "mean_image",
)  # fmt: skip
#: The order in which methods are told, by the beginning of their names: what the project
#: proposes first, baselines after it.
_STORY = (
    "adapted", "from_scratch", "decoder", "guided", "unguided", "prior", "posterior", "stacked",
    "routing", "factorised", "core", "combined", "conv", "joint", "alone", "left_out",
    "encoder_likelihood", "logistic", "ridge", "low_level", "probe", "finetune", "attentive_probe",
    "scratch", "mean_activity", "dynamic_connectivity", "connectivity",
)  # fmt: skip


def is_mean(subject: str) -> bool:
    """Whether a record's subject is a mean over subjects.

    Parameters
    ----------
    subject : str
        The record's subject: a name, ``mean``, or several names joined by ``+``.

    Returns
    -------
    bool
        True for a mean.
    """
    return subject == "mean" or "+" in subject


def split_mean(records: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Separate means over subjects from single subjects.

    Parameters
    ----------
    records : DataFrame
        Records of one data set, task and metric, any methods.

    Returns
    -------
    mean, subjects : DataFrame
        With a single subject there is no mean over subjects, and that subject's records stand
        for it; `subjects` is empty for that method then.
    """
    means = records["subject"].map(is_mean).astype(bool)
    lonely = ~means & (records.groupby("method")["subject"].transform("size") == 1)
    return records[means | lonely], records[~means & ~lonely]


def control_methods(records: pd.DataFrame) -> list[str]:
    """Find the methods that are controls.

    Parameters
    ----------
    records : DataFrame
        Any records. A method is a control if an extra key ``control`` says so, or if its name
        contains one of `CONTROL_WORDS`.

    Returns
    -------
    list of str
        Sorted names.
    """
    names = set(records["method"])
    found = {name for name in names if any(word in name for word in CONTROL_WORDS)}
    if "control" in records:
        marked = records["control"].map(lambda value: value is True or value == 1)
        found |= set(records.loc[marked.astype(bool), "method"])
    return sorted(found)


def is_control(method: str, attrs: Mapping[str, object]) -> bool:
    """Whether a file of predictions is a control.

    Parameters
    ----------
    method : str
        Name of the method.
    attrs : mapping
        How the predictions were made.

    Returns
    -------
    bool
        True if ``control`` or ``shuffled`` is set, or the name says so.
    """
    marked = bool(attrs.get("control") or attrs.get("shuffled"))
    return marked or any(word in method for word in CONTROL_WORDS)


def order_methods(methods: list[str], controls: list[str]) -> list[str]:
    """Put methods in the order of the story: proposed, baselines, controls.

    Parameters
    ----------
    methods : list of str
        Names.
    controls : list of str
        Which of them are controls.

    Returns
    -------
    list of str
        The same names. The order never depends on the scores.
    """

    def place(name: str) -> tuple[bool, int, str]:
        """Controls last; known methods in the order of the story, others after them."""
        story = [i for i, start in enumerate(_STORY) if name.startswith(start)]
        return (name in controls, story[0] if story else len(_STORY), name)

    return sorted(set(methods), key=place)
