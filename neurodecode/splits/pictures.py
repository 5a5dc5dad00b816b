"""Dividing pictures that viewers looked at, by content."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from neurodecode.errors import ConfigError
from neurodecode.recording import StimulusSet, content_id
from neurodecode.registry import Registry
from neurodecode.splits.checks import check
from neurodecode.splits.duplicates import near_duplicates
from neurodecode.splits.schemes import make_split
from neurodecode.splits.types import Fold, Split

__all__ = ["PICTURE_SCHEMES", "picture_names", "split_pictures"]

#: How pictures may be divided.
PICTURE_SCHEMES: Registry[str] = Registry("scheme for pictures")
PICTURE_SCHEMES |= {
    "kfold": "random folds over contents",
    "every-seventh": "one fold: every seventh in the order of names is test, nothing validation",
    "published": "one fold: the sides that the publisher names",
}
_SIDES = {"train": "train", "valid": "validation", "validation": "validation", "test": "test"}
_SIDE = 64


@dataclass(frozen=True)
class _Shown:
    """Stimuli as a recording of one subject has them."""

    stimulus_id: np.ndarray

    @property
    def session(self) -> np.ndarray:
        return np.zeros(len(self.stimulus_id))

    run = session


def split_pictures(
    names: Sequence[str],
    pictures: Mapping[str, np.ndarray],
    scheme: str = "kfold",
    *,
    n_folds: int = 5,
    val_share: float = 0.1,
    published: Mapping[str, str] | None = None,
    seed: int = 0,
) -> Split:
    """Divide pictures so that no content, and nothing that looks like it, is on two sides.

    Parameters
    ----------
    names : sequence of str
        Stimuli.
    pictures : mapping of str to array of shape (height, width, 3), uint8
        Their pixels; a stimulus without a picture counts for itself.
    scheme : str
        A key of `PICTURE_SCHEMES`.
    n_folds, val_share : optional
        Of ``kfold``, as of `make_split`.
    published : mapping of str to str
        Stimulus -> ``train``, ``valid`` or ``test``, for the scheme of that name.
    seed : int
        Of the random choices.

    Returns
    -------
    Split
        Sides list content ids; ``info["names"]`` gives the names of each.

    Raises
    ------
    ConfigError
        If the scheme is unknown or cannot be followed.
    LeakError
        If a published division has one content on two sides.
    """
    PICTURE_SCHEMES[scheme]
    ids: dict[str, str] = {}
    small: dict[str, np.ndarray] = {}
    for name in sorted(set(names)):
        if name in pictures:
            image = pictures[name]
            ids[name] = content_id(image)
            small.setdefault(ids[name], _thumbnail(image))
        else:
            ids[name] = f"name:{name}"
    info = {"names": _names_of(ids)}
    alike = near_duplicates(list(small), np.stack(list(small.values()))) if small else []
    if scheme == "kfold":
        shown = {"viewers": _Shown(np.array(sorted(set(ids.values()))))}
        seen = StimulusSet(list(small), np.stack(list(small.values()))) if small else None
        folds = make_split(
            "kfold", shown, stimuli=seen, n_folds=n_folds, val_share=val_share, seed=seed
        ).folds
    elif scheme == "every-seventh":
        ordered = sorted(ids)
        test = {ids[name] for name in ordered[::7]}
        folds = (Fold(tuple(sorted(set(ids.values()) - test)), (), tuple(sorted(test))),)
        folds = tuple(_together(fold, alike) for fold in folds)
    else:
        folds = (_published(ids, published or {}),)
    split = Split(scheme, "stimulus", folds, seed, tuple(alike), info=info)
    check(split)
    return split


def picture_names(split: Split, fold: int) -> dict[str, list[str]]:
    """Names of the stimuli on each side of a fold.

    Parameters
    ----------
    split : Split
        Of `split_pictures`.
    fold : int
        Which fold.

    Returns
    -------
    dict of str to list of str
        ``train``, ``validation``, ``test``.
    """
    known = split.info["names"]
    return {
        side: sorted(name for key in keys for name in known[key])
        for side, keys in split.folds[fold].sides().items()
    }


def _names_of(ids: Mapping[str, str]) -> dict[str, list[str]]:
    names: dict[str, list[str]] = {}
    for name, key in ids.items():
        names.setdefault(key, []).append(name)
    return names


def _thumbnail(image: np.ndarray) -> np.ndarray:
    from PIL import Image

    resized = Image.fromarray(image).resize((_SIDE, _SIDE), Image.Resampling.BOX)
    return np.asarray(resized)


def _together(fold: Fold, alike: Sequence[Sequence[str]]) -> Fold:
    """Bring pictures that look alike to the side of the first, test before training."""
    side_of = {key: side for side, keys in fold.sides().items() for key in keys}
    for group in alike:
        sides = {side_of[key] for key in group if key in side_of}
        wanted = next((s for s in ("test", "validation", "train") if s in sides), None)
        for key in group:
            if key in side_of:
                side_of[key] = wanted
    return Fold(
        **{s: tuple(sorted(k for k, side in side_of.items() if side == s)) for s in fold.sides()}
    )


def _published(ids: Mapping[str, str], published: Mapping[str, str]) -> Fold:
    sides: dict[str, list[str]] = {"train": [], "validation": [], "test": []}
    for name, key in ids.items():
        side = _SIDES.get(published.get(name, ""))
        if side is None:
            raise ConfigError(f"the data set does not say on which side {name} is; use kfold")
        if key not in sides[side]:
            sides[side].append(key)
    return Fold(**{side: tuple(sorted(keys)) for side, keys in sides.items()})
