"""Bringing the responses of all subjects into one space, learned from training data alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from neurodecode.errors import ConfigError, DataError, LeakError
from neurodecode.linear.alignment import FunctionalAlignment
from neurodecode.loaders.table import TrialTable
from neurodecode.recording import Recording
from neurodecode.splits import Split
from neurodecode.store import ResponseStore
from neurodecode.store.synthetic import read_synthetic

__all__ = ["align_subjects", "fit_alignment", "synthetic_responses"]

#: Responses and stimuli of each subject.
Shared = tuple[dict[str, np.ndarray], dict[str, list[str]]]


def fit_alignment(
    alignment: FunctionalAlignment, tables: Mapping[str, TrialTable], synthetic: Shared | None
) -> FunctionalAlignment:
    """Learn the common space of one fold.

    Parameters
    ----------
    alignment : FunctionalAlignment
        How.
    tables : mapping of str to TrialTable
        Trials of each subject, standardised by training trials.
    synthetic : tuple of dict or None
        From `synthetic_responses`; by default the mean responses to training stimuli.

    Returns
    -------
    FunctionalAlignment
        Fitted.

    Raises
    ------
    ConfigError
        If the subjects share too few training stimuli.
    DataError
        See `FunctionalAlignment.fit`.
    """
    if synthetic is not None:
        return alignment.fit(*synthetic)
    means = {name: table.average("train") for name, table in tables.items()}
    ids = {name: own.stimulus_id.tolist() for name, own in means.items()}
    n_shared = len(set.intersection(*map(set, ids.values())))
    if n_shared <= alignment.n_components:
        raise ConfigError(
            f"all subjects share {n_shared} training stimuli, and --components"
            f" {alignment.n_components} needs {alignment.n_components + 1} or more; shared test"
            " stimuli may not be used: give predicted responses of `neurodecode augment` as"
            " --synthetic, or choose fewer components"
        )
    return alignment.fit({name: own.responses for name, own in means.items()}, ids)


def synthetic_responses(folder: Path, subjects: Sequence[str], digest: str) -> Shared:
    """Read what encoders predict for pictures that nobody was shown.

    Parameters
    ----------
    folder : Path
        Written by ``neurodecode augment``.
    subjects : sequence of str
        Which.
    digest : str
        Of the fold (`neurodecode.splits.Fold.digest`).

    Returns
    -------
    responses : dict of str to array of float32 of shape (n_stimuli, n_features)
        Predicted means.
    stimulus_ids : dict of str to list of str
        Stimulus of each row.

    Raises
    ------
    DataError
        If a subject has no file.
    LeakError
        If a file is of another division: its encoder may know the test stimuli.
    """
    responses, ids = {}, {}
    for subject in subjects:
        path = folder / f"sub-{subject}.h5"
        if not path.is_file():
            raise DataError("no predicted responses", file=path, subject=subject,
                            fix="run `neurodecode augment`")  # fmt: skip
        own = read_synthetic(path)
        if own.split != digest:
            raise LeakError(
                f"file {path}: made for another division of the stimuli; run `neurodecode augment`"
                " again with this split and fold"
            )
        responses[subject] = own.responses.astype(np.float32)
        ids[subject] = list(own.stimulus_id)
    return responses, ids


def align_subjects(
    stores: Mapping[str, ResponseStore],
    split: Split,
    fold: int,
    alignment: FunctionalAlignment,
    synthetic: Path | None = None,
) -> dict[str, Recording]:
    """Express the trials of every subject in the common space.

    Parameters
    ----------
    stores : mapping of str to ResponseStore
        Responses of two subjects or more.
    split : Split
        The checked split; by stimulus.
    fold : int
        Which fold.
    alignment : FunctionalAlignment
        How; fitted here.
    synthetic : Path, optional
        Folder of ``neurodecode augment``.

    Returns
    -------
    dict of str to Recording
        The same trials with ``n_components`` features. Training trials decided about the space;
        trials of the other sides were only carried along.

    Raises
    ------
    ConfigError
        If the split divides runs, or the subjects share too few training stimuli.
    DataError, LeakError
        See `fit_alignment` and `synthetic_responses`.
    """
    if split.unit != "stimulus":
        raise ConfigError(f"split {split.scheme} divides runs: training and test share stimuli")
    tables = {
        name: TrialTable.load(store, split, fold, fit_sides=("train",))
        for name, store in stores.items()
    }
    digest = split.folds[fold].digest
    shared = None if synthetic is None else synthetic_responses(synthetic, list(stores), digest)
    fit_alignment(alignment, tables, shared)
    return {
        name: Recording(
            subject=name,
            # components of square roots of counts are no counts
            modality="aligned" if store.modality == "spikes" else store.modality,
            responses=alignment.transform(tables[name].responses, name),
            stimulus_id=tables[name].stimulus_id,
            session=store.session,
            run=store.run,
            units="standardised",
            n_averaged=store.n_averaged,
            info={
                "alignment": {
                    "of": store.modality,
                    "method": alignment.method,
                    "n_components": alignment.n_components,
                    "n_shared": len(alignment.shared_),
                    "shared": "predicted" if synthetic is not None else "measured",
                    "split": digest,
                    "fold": fold,
                }
            },
        )
        for name, store in stores.items()
    }
