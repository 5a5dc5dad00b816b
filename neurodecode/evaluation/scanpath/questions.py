"""What viewers and models were asked: a stimulus with a task, a target, a caption."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from neurodecode.scanpaths import Scanpaths

__all__ = ["Question", "question_keys", "questions"]

_FIELDS = ("stimulus", "task", "target", "caption")
#: Stimulus, task, target, caption.
Question = tuple[str, str, str, str]


def question_keys(scanpaths: Scanpaths) -> np.ndarray:
    """Name the question of each scanpath.

    Parameters
    ----------
    scanpaths : Scanpaths
        Any.

    Returns
    -------
    array of str of shape (n_scanpaths,)
        The four labels, joined by a character that no file name has.
    """
    rows = zip(*(getattr(scanpaths, name).tolist() for name in _FIELDS))
    return np.array(["|".join(row) for row in rows], dtype=str)


def questions(scanpaths: Scanpaths) -> Iterator[tuple[Question, np.ndarray]]:
    """Group scanpaths by question.

    Parameters
    ----------
    scanpaths : Scanpaths
        Any.

    Yields
    ------
    tuple
        The question, and the rows of its scanpaths in order.
    """
    keys = question_keys(scanpaths)
    order = np.argsort(keys, kind="stable")
    for rows in np.split(order, np.flatnonzero(keys[order][1:] != keys[order][:-1]) + 1):
        if rows.size:
            yield tuple(str(getattr(scanpaths, name)[rows[0]]) for name in _FIELDS), rows
