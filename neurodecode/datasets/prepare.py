"""From a data set as published to the stores that every later stage reads."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from joblib import Parallel, delayed, effective_n_jobs

from neurodecode.datasets.base import DatasetReader
from neurodecode.datasets.quality import WatchedArray
from neurodecode.errors import ConfigError, DataError, about
from neurodecode.folders import atomic_folder, reserve
from neurodecode.progress import progress_bar
from neurodecode.recording import Recording, StimulusSet
from neurodecode.splits import Split, check, make_split, write_split
from neurodecode.store import ResponseStore, read_stimuli, write_stimuli

if TYPE_CHECKING:
    from neurodecode.preprocess.recipe import Recipe

__all__ = ["Found", "PrepareOptions", "prepare"]


@dataclass(frozen=True)
class PrepareOptions:
    """How a data set is prepared.

    Parameters
    ----------
    subjects : sequence of str
        Which subjects; all if empty.
    dtype : {"float32", "float16"}
        Type of the responses on disk.
    drop_bad_voxels : bool
        Leave out features that are NaN or constant instead of refusing them.
    scheme : str
        Split scheme; the data set's own if empty.
    val_share : float
        Share of what is not test that becomes validation.
    n_folds : int
        Number of folds of the scheme ``kfold``.
    seed : int
        Seed of the split.
    like : Split, optional
        Divide as this split does, instead of making one: that of another data set with the same
        stimuli.
    fold : int, optional
        Keep only this fold. What a recipe fits to training trials needs a split of one fold.
    unshown : int
        Pictures to store besides, which none of the subjects was shown.
    jobs : int, optional
        Subjects read at the same time, each in a process of its own; one after the other by
        default, or as joblib is told.
    quiet : bool
        No progress bars.
    """

    subjects: Sequence[str] = ()
    dtype: str = "float32"
    drop_bad_voxels: bool = False
    scheme: str = ""
    val_share: float = 0.1
    n_folds: int = 5
    seed: int = 0
    like: Split | None = None
    fold: int | None = None
    unshown: int = 0
    jobs: int | None = None
    quiet: bool = False


@dataclass(frozen=True)
class Found:
    """What was found and written.

    Parameters
    ----------
    stores : dict of str to ResponseStore
        Store of each subject.
    dropped : dict of str to int
        How many features of each subject were left out.
    n_stimuli : int
        Number of different stimuli with a picture.
    split : Split
        The split.
    """

    stores: dict[str, ResponseStore]
    dropped: dict[str, int]
    n_stimuli: int
    split: Split


def prepare(reader: DatasetReader, out: str | Path, options: PrepareOptions) -> Found:
    """Write ``stimuli.h5``, ``sub-<subject>.h5`` and ``splits.json``, all or nothing.

    Parameters
    ----------
    reader : DatasetReader
        The opened data set.
    out : path-like
        Folder to write.
    options : PrepareOptions
        How.

    Returns
    -------
    Found
        What was found.

    Raises
    ------
    DataError
        If something is missing, broken or does not fit, or features are NaN or constant.
    ConfigError
        If the options ask for something impossible.
    """
    reader.quiet = options.quiet
    subjects = list(options.subjects) or list(reader.subjects)
    for subject in subjects:
        reader.check_subject(subject)
    if not subjects:
        raise DataError("no subject found", file=reader.root, fix=reader.how_to_get)
    with atomic_folder(out) as folder:
        stimuli = _store_stimuli(reader, subjects, options.unshown, folder)
        parallel = Parallel(n_jobs=options.jobs)
        if effective_n_jobs(options.jobs) > 1:
            options = replace(options, quiet=True)  # bars of several processes overwrite each other
        jobs = [
            delayed(_store_subject)(reader, name, stimuli, folder, options) for name in subjects
        ]
        dropped = dict(zip(subjects, parallel(jobs), strict=True))
        stores = {subject: ResponseStore(folder / f"sub-{subject}.h5") for subject in subjects}
        split = _divide(reader, stores, stimuli, options)
        if reader.recipe is not None and reader.recipe.is_fitted:
            _apply_fitted(reader.recipe, stores, split, options.dtype)
        write_split(folder / "splits.json", split)
    stores = {subject: ResponseStore(Path(out) / f"sub-{subject}.h5") for subject in subjects}
    return Found(stores, dropped, 0 if stimuli is None else len(stimuli), split)


def _divide(
    reader: DatasetReader,
    stores: Mapping[str, ResponseStore],
    stimuli: StimulusSet | None,
    options: PrepareOptions,
) -> Split:
    """Make the split, or take the one that is given."""
    if options.like is not None:
        split = options.like
        check(split, stores, stimuli)
    else:
        split = make_split(
            options.scheme or reader.split_scheme,
            stores,
            stimuli=stimuli,
            test=reader.test_stimuli(),
            n_folds=options.n_folds,
            val_share=options.val_share,
            seed=options.seed,
        )
    if options.fold is not None:
        if not 0 <= options.fold < len(split.folds):
            raise ConfigError(f"--fold {options.fold} does not exist; there are {len(split.folds)}")
        split = replace(split, folds=(split.folds[options.fold],))
    return replace(split, info={**split.info, "dataset": reader.name})


def _apply_fitted(
    recipe: Recipe, stores: Mapping[str, ResponseStore], split: Split, dtype: str
) -> None:
    """Fit the rest of the recipe to training trials and rewrite the stores."""
    from neurodecode.preprocess.rewrite import apply_to_store

    if len(split.folds) > 1:
        raise ConfigError(
            f"the recipe fits scale or whiten to training trials, which differ between the"
            f" {len(split.folds)} folds of this split; choose one with --fold, or give"
            " a recipe with scale, clamp and whiten null"
        )
    for store in stores.values():
        apply_to_store(store.path, split.trials(0, store)["train"], recipe, dtype)


def _store_stimuli(
    reader: DatasetReader, subjects: Sequence[str], unshown: int, folder: Path
) -> StimulusSet | None:
    if unshown < 0:
        raise ConfigError(f"--unshown is {unshown}; give 0 or more")
    if unshown and not reader.more_pictures:
        raise ConfigError(f"--unshown: {reader.name} has no pictures that nobody was shown")
    more: dict[str, int] = {"n_unshown": unshown} if unshown else {}
    stimuli = reader.stimuli(subjects, **more)
    if stimuli is None:
        return None
    reserve(folder, int(np.prod(stimuli.images.shape)))
    write_stimuli(folder / "stimuli.h5", stimuli)
    return read_stimuli(folder / "stimuli.h5")


def _store_subject(
    reader: DatasetReader,
    subject: str,
    stimuli: StimulusSet | None,
    folder: Path,
    options: PrepareOptions,
) -> int:
    """Read and write one subject; return how many features were left out."""
    with about(file=reader.root, subject=subject):
        recording = reader.recording(subject)
        if stimuli is not None:
            stimuli.rows(list(recording.stimulus_id))
        path = folder / f"sub-{subject}.h5"
        if reader.recipe is not None:
            if options.dtype == "float16" and not reader.recipe.is_fitted:
                raise ConfigError("float16 cannot hold volts and tesla; scale them, or use float32")
            options = replace(options, dtype="float32")  # until the recipe has scaled them
        return _store_responses(recording, path, reader.name, options)


def _store_responses(
    recording: Recording, path: Path, dataset: str, options: PrepareOptions
) -> int:
    """Write one subject; return how many features were left out."""
    n_values = int(np.prod(recording.responses.shape))
    reserve(path.parent, n_values * np.dtype(options.dtype).itemsize)
    watched = WatchedArray(recording.responses, recording.session)
    text = f"{dataset} {recording.subject}"
    with progress_bar(text, recording.n_trials, quiet=options.quiet) as advance:
        store = ResponseStore.write(
            path,
            replace(recording, responses=watched),
            dataset=dataset,
            dtype=options.dtype,
            progress=advance,
        )
    bad = watched.bad()
    if bad.any() and not options.drop_bad_voxels:
        raise DataError(
            watched.describe(recording.features.get("xyz")),
            file=recording.sources[0].file if recording.sources else None,
            subject=recording.subject,
            field="responses",
            fix="exclude them with --drop-bad-voxels",
        )
    if bad.all():
        raise DataError("no usable feature is left", subject=recording.subject)
    if watched.largest(~bad) > float(np.finfo(options.dtype).max):
        raise ConfigError(f"responses of {recording.subject} do not fit into {options.dtype}")
    if bad.any():
        # the first pass found them: copy the good ones from the store, not from the source again
        kept = replace(recording, responses=_Reread(store))
        ResponseStore.write(path, kept, dataset=dataset, dtype=options.dtype, keep=~bad)
        store.close()
    return int(bad.sum())


class _Reread:
    """Slices of a store, for `ResponseStore.write`."""

    def __init__(self, store: ResponseStore) -> None:
        self._store, self.shape = store, store.shape

    def __getitem__(self, index: slice) -> np.ndarray:
        return self._store.read(np.arange(self.shape[0])[index])
