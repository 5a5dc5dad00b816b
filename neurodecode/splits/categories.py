"""Which stimuli belong to one category, and so on one side of a split."""

from __future__ import annotations

from collections.abc import Sequence

from neurodecode.errors import ConfigError
from neurodecode.recording import StimulusSet

__all__ = ["category_groups"]


def category_groups(
    stimuli: StimulusSet | None, duplicates: Sequence[Sequence[str]]
) -> list[tuple[str, ...]]:
    """Group stimuli by main category.

    Parameters
    ----------
    stimuli : StimulusSet or None
        All stimuli of the data set, shown or not.
    duplicates : sequence of sequence of str
        Stimuli that look the same. Categories that share one are joined: the picture can be on
        one side only.

    Returns
    -------
    list of tuple of str
        Stimuli of each category, sorted; those without a category are in none.

    Raises
    ------
    ConfigError
        If the data set tells no categories.
    """
    if stimuli is None or stimuli.categories is None or not any(stimuli.categories):
        raise ConfigError("the data set tells no categories of its pictures; use another scheme")
    members: dict[str, set[str]] = {}
    for name, category in zip(stimuli.ids, stimuli.categories, strict=True):
        if category:
            members.setdefault(category, set()).add(name)
    groups = [members[category] for category in sorted(members)]
    for alike in map(set, duplicates):
        touched = [group for group in groups if group & alike]
        if touched:
            groups = [group for group in groups if group not in touched]
            groups.append(set().union(alike, *touched))
    return sorted(tuple(sorted(group)) for group in groups)
