"""Raw responses of a user, checked and standardised as those of the training were."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import torch
from torch import Tensor

from neurodecode.errors import DataError
from neurodecode.loaders.scaler import TrialScaler

__all__ = ["Session", "as_batch", "check_responses", "standardise"]

#: A session number for all trials, one for each trial, or either of them by subject.
Session = int | Sequence[int] | np.ndarray | Mapping[str, "int | Sequence[int] | np.ndarray"]


def check_responses(
    responses: np.ndarray | Tensor,
    subject: str,
    n_features: Mapping[str, int],
    n_times: int | None = None,
) -> np.ndarray:
    """Refuse responses that the decoder cannot take.

    Parameters
    ----------
    responses : array or Tensor of shape (n_trials, n_features) or (n_trials, n_channels, n_times)
        Responses of one subject.
    subject : str
        Whose.
    n_features : mapping of str to int
        Feature count of the subjects that have an adapter.
    n_times : int, optional
        Samples of a trial of time-resolved recordings.

    Returns
    -------
    array of float32 of the same shape
        The responses.

    Raises
    ------
    DataError
        If the subject is unknown, the shape is wrong, or a value is not finite.
    """
    if subject not in n_features:
        raise DataError(
            f"the decoder has no adapter for this subject (known: {', '.join(n_features)})",
            subject=subject,
            fix=f"`neurodecode adapt --from RUN --subject {subject} --trials N` trains one",
        )
    if isinstance(responses, Tensor):
        responses = responses.detach().cpu().numpy()
    values = np.asarray(responses, dtype=np.float32)
    rest = (n_features[subject],) if n_times is None else (n_features[subject], n_times)
    if values.ndim != 1 + len(rest):
        raise DataError(
            f"responses have shape {values.shape}, not (n_trials, {', '.join(map(str, rest))})",
            subject=subject,
        )
    if values.shape[1:] != rest:
        raise DataError(
            f"responses have {_times(values.shape[1:])} features (voxels), the decoder was trained"
            f" on {_times(rest)}",
            subject=subject,
            fix="give the voxels of the training, in the same order",
        )
    bad = int((~np.isfinite(values)).sum())
    if bad:
        raise DataError(f"{bad} of {values.size} responses are not finite", subject=subject)
    return values


def standardise(
    values: np.ndarray, subject: str, scaler: TrialScaler, session: Session
) -> np.ndarray:
    """Standardise trials with the statistics of their sessions.

    Parameters
    ----------
    values : array of float32 of shape (n_trials, n_features) or (n_trials, n_channels, n_times)
        From `check_responses`.
    subject : str
        Whose.
    scaler : TrialScaler
        Statistics of the subject.
    session : int, sequence of int, or mapping of str to one of these
        Session of each trial.

    Returns
    -------
    array of float32 of the same shape
        Standardised responses.

    Raises
    ------
    DataError
        If the number of sessions is not that of the trials, or the decoder has no statistics of
        a session.
    """
    given = session.get(subject) if isinstance(session, Mapping) else session
    numbers = np.asarray(given)
    if given is None or not np.issubdtype(numbers.dtype, np.integer) or numbers.ndim > 1:
        raise DataError("session is not a whole number, or one for each trial", subject=subject)
    if numbers.ndim and len(numbers) != len(values):
        raise DataError(f"{len(numbers)} sessions for {len(values)} trials", subject=subject)
    unknown = np.setdiff1d(numbers, scaler.sessions)
    if len(unknown):
        known = ", ".join(map(str, scaler.sessions))
        raise DataError(
            f"the decoder has no statistics of session {unknown[0]} (known: {known})",
            subject=subject,
            fix="standardise each voxel with mean and deviation of that session, and pass"
            " session=None",
        )
    return scaler.transform(values, np.broadcast_to(numbers, len(values)))


def as_batch(parts: Mapping[str, np.ndarray], device: torch.device) -> dict[str, Tensor]:
    """Move responses to where the network is.

    Parameters
    ----------
    parts : mapping of str to array of shape (n_trials, n_features)
        By subject.
    device : torch.device
        Of the network.

    Returns
    -------
    dict of str to Tensor of the same shapes
        By subject.
    """
    return {name: torch.tensor(part, device=device) for name, part in parts.items()}


def _times(shape: Sequence[int]) -> str:
    return " x ".join(map(str, shape))
