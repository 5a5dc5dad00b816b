"""Decoding from each window of a trial by itself: one subject and one fold."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from neurodecode.errors import DataError
from neurodecode.linear import (
    EpochTimes,
    FeatureSpace,
    Window,
    fit_ridge,
    growing_windows,
    sliding_windows,
)
from neurodecode.loaders.table import TrialTable
from neurodecode.splits import Split
from neurodecode.store import Prediction, ResponseStore
from neurodecode.tasks.baselines import FeatureReader, LinearOptions

__all__ = ["WindowPlan", "decode_windows", "epoch_times"]


@dataclass(frozen=True)
class WindowPlan:
    """Which windows are decoded.

    Parameters
    ----------
    growing : bool
        From one beginning to later and later ends, or windows of one width.
    width_s, step_s : float
        In seconds; a growing window has no width.
    limits : tuple of float or None
        Times between which the windows lie.
    generalise : bool
        Also decode every window by the model of every other one (sliding windows only).
    decoded : bool
        Also keep what is decoded itself.
    """

    growing: bool = False
    width_s: float = 0.05
    step_s: float = 0.02
    limits: tuple[float, float] | None = None
    generalise: bool = False
    decoded: bool = False

    def windows(self, times: EpochTimes) -> list[Window]:
        """Lay the windows over a trial.

        Parameters
        ----------
        times : EpochTimes
            Of the trial.

        Returns
        -------
        list of Window
            In order of time.
        """
        if self.growing:
            return growing_windows(times, self.step_s, self.limits)
        return sliding_windows(times, self.width_s, self.step_s, self.limits)


def epoch_times(store: ResponseStore) -> EpochTimes:
    """When the samples of a subject's trials were taken.

    Parameters
    ----------
    store : ResponseStore
        Of MEG or EEG.

    Returns
    -------
    EpochTimes
        From sampling rate and ``tmin``.

    Raises
    ------
    DataError
        If the recordings have no time axis, or do not say where it begins.
    """
    about = {"file": store.path, "subject": store.subject}
    if len(store.shape) != 3 or store.sfreq is None:
        raise DataError(
            f"{store.modality} responses without a time axis", **about, field="responses",
            fix="time-resolved decoding takes MEG and EEG",
        )  # fmt: skip
    if "tmin" not in store.info:
        raise DataError(
            "does not say when a trial begins", **about, field="tmin",
            fix="run `neurodecode prepare` again",
        )  # fmt: skip
    return EpochTimes(float(store.info["tmin"]), store.sfreq, store.shape[2])


def decode_windows(
    store: ResponseStore,
    split: Split,
    fold: int,
    targets: Sequence[FeatureReader],
    plan: WindowPlan,
    options: LinearOptions,
) -> list[list[Prediction]]:
    """Fit a ridge regression to each window, and rank the test stimuli by it.

    Channels are standardised once, over whole training trials; the principal components of each
    target are those of the training stimuli. All targets of a window share one decomposition of
    the responses, each output chooses its own penalty by cross-validation within training.

    Parameters
    ----------
    store : ResponseStore
        Responses of the subject.
    split : Split
        The checked split.
    fold : int
        Which fold.
    targets : sequence of FeatureReader
        Embeddings, low-level or high-level.
    plan : WindowPlan
        The windows.
    options : LinearOptions
        ``n_components`` and ``whitening`` of the targets, ``seed``, ``side``, ``repeats``.

    Returns
    -------
    list of list of Prediction
        For each target one prediction a window, with ``scores`` (cosines with all stimuli of the
        side) and, where the plan says so, ``across`` of shape (n, n_windows, n_candidates): the
        scores of every window by the model of this one, and ``tokens``, the decoded embedding in
        the shape of the target.

    Raises
    ------
    DataError
        If the recordings have no time axis, or the fold has nothing to learn or to decode.
    """
    windows = plan.windows(epoch_times(store))
    table = TrialTable.load(store, split, fold, options.fit_sides, options.draw)
    fit = table.average(*options.fit_sides)
    test = table.averages_of(options.repeats, options.side)
    series, held_out = (each.responses.reshape(-1, *store.shape[1:]) for each in (fit, test))
    names = np.unique(test.stimulus_id)
    spaces = [_Target.of(each, fit.stimulus_id, names, options) for each in targets]
    outputs = np.concatenate([each.outputs for each in spaces], axis=1)
    found: list[list[Prediction]] = [[] for _ in targets]
    for window in windows:
        model = fit_ridge(window.cut(series), outputs, seed=options.seed)
        predicted = model.predict(window.cut(held_out))
        arrays = [{"scores": each.astype(np.float32)} for each in _cosines(predicted, spaces)]
        if plan.decoded:
            for own, rows, each in zip(arrays, _split(predicted, spaces), spaces, strict=True):
                own["tokens"] = each.decode(rows)
        if plan.generalise and not plan.growing:
            others = (_cosines(model.predict(other.cut(held_out)), spaces) for other in windows)
            for own, across in zip(arrays, zip(*others, strict=True), strict=True):
                own["across"] = np.stack(across, axis=1).astype(np.float16)
        for own, each in zip(found, arrays, strict=True):
            own.append(
                Prediction(
                    subject=store.subject,
                    stimulus_id=list(test.stimulus_id),
                    arrays=each,
                    candidate_id=list(names),
                    n_averaged=float(test.n_averaged.mean()) * store.n_averaged,
                    fold=fold,
                    window=(window.t_start_s, window.t_stop_s),
                )
            )
    return found


@dataclass(frozen=True)
class _Target:
    """What is decoded: outputs (n_fit, dim) to learn from, unit candidates (n_names, dim)."""

    outputs: np.ndarray
    candidates: np.ndarray
    space: FeatureSpace
    shape: tuple[int, ...]

    @classmethod
    def of(
        cls,
        reader: FeatureReader,
        fit: Sequence[str],
        names: Sequence[str],
        options: LinearOptions,
    ) -> _Target:
        """Read a target; its principal components are those of the stimuli learned from."""
        known = reader.read(fit)
        space = FeatureSpace(options.n_components, options.whitening, options.seed).fit(known)
        candidates = _unit(space.transform(reader.read(names)))
        return cls(space.transform(known), candidates, space, known.shape[1:])

    def decode(self, predicted: np.ndarray) -> np.ndarray:
        """Bring predicted outputs (n, dim) to the shape of the target (n, ...)."""
        return self.space.inverse_transform(predicted).reshape(len(predicted), *self.shape)


def _split(predicted: np.ndarray, targets: Sequence[_Target]) -> list[np.ndarray]:
    """Take the outputs of all targets apart."""
    bounds = np.cumsum([each.outputs.shape[1] for each in targets])[:-1]
    return np.split(predicted, bounds, axis=1)


def _cosines(predicted: np.ndarray, targets: Sequence[_Target]) -> list[np.ndarray]:
    """Cosines (n, n_names) of the decoded outputs of each target with its candidates."""
    parts = zip(_split(predicted, targets), targets, strict=True)
    return [_unit(rows) @ each.candidates.T for rows, each in parts]


def _unit(rows: np.ndarray) -> np.ndarray:
    return rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-12)
