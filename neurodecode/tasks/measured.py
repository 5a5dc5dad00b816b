"""What a subject answered to held-out stimuli, in the units of its encoder."""

from __future__ import annotations

from collections.abc import Sequence

from neurodecode.errors import DataError, LeakError
from neurodecode.loaders.table import RepeatAverages, TrialTable
from neurodecode.splits import Split
from neurodecode.store import ResponseStore
from neurodecode.store.encoders import LinearEncoder

__all__ = ["held_out_responses", "rows_of"]


def held_out_responses(
    store: ResponseStore, split: Split, fold: int, encoder: LinearEncoder
) -> RepeatAverages:
    """Read what a subject answered to validation and test stimuli.

    Parameters
    ----------
    store : ResponseStore
        Responses of the subject.
    split : Split
        How the data are divided.
    fold : int
        Which division; responses are standardised by its training trials.
    encoder : LinearEncoder
        Fitted to the training trials of this very division.

    Returns
    -------
    RepeatAverages
        In the units in which the encoder predicts.

    Raises
    ------
    LeakError
        If the encoder was fitted to another division: it may know the responses.
    """
    if encoder.split != split.folds[fold].digest:
        raise LeakError(
            f"subject {store.subject}: the encoder was fitted to another division of the data;"
            " fit it again with `neurodecode encoder`"
        )
    return TrialTable.load(store, split, fold, ("train",)).average("validation", "test")


def rows_of(known: RepeatAverages, ids: Sequence[str], subject: str) -> RepeatAverages:
    """Pick the responses to some stimuli.

    Parameters
    ----------
    known : RepeatAverages
        From `held_out_responses`.
    ids : sequence of str of length n
        Stimuli, in any order; repeats are allowed.
    subject : str
        Whose responses they are.

    Returns
    -------
    RepeatAverages
        One row for each of `ids`.

    Raises
    ------
    DataError
        If a stimulus was not shown to the subject, or is one to learn from.
    """
    row_of = {stimulus: row for row, stimulus in enumerate(known.stimulus_id)}
    if missing := [stimulus for stimulus in ids if stimulus not in row_of]:
        raise DataError(
            f"no held-out response to {len(missing)} stimuli, first: {missing[0]}",
            subject=subject,
            field="stimulus_id",
            fix="give the stores and splits that the predictions were made from",
        )
    rows = [row_of[stimulus] for stimulus in ids]
    return RepeatAverages(known.stimulus_id[rows], known.responses[rows], known.n_averaged[rows])
