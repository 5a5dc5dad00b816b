"""What all readers of continuous MEG and EEG share: runs in, epochs by a recipe out."""

from __future__ import annotations

from abc import abstractmethod
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from neurodecode.datasets.base import DatasetReader
from neurodecode.datasets.sources import source
from neurodecode.datasets.spool import Spool
from neurodecode.errors import DataError, about
from neurodecode.preprocess.reading import legible
from neurodecode.preprocess.recipe import Recipe, read_recipe
from neurodecode.progress import progress_bar
from neurodecode.recording import Recording

if TYPE_CHECKING:
    import mne

    from neurodecode.preprocess.epochs import Epoched

__all__ = ["ContinuousReader", "Run", "opened"]

#: Unit of a channel type as MNE holds it.
UNITS = {"eeg": "V", "mag": "T", "grad": "T/m"}


@dataclass(frozen=True)
class Run:
    """One continuous recording and what was shown in it.

    Parameters
    ----------
    file : Path
        The recording.
    session, run : int
        Where it belongs, from 1.
    open : callable
        Opens it (without loading the samples) and returns it with its events: the samples of
        the onsets (n_events,), from the first of the run, and the stimulus of each.
    tables : sequence of Path
        Further files the events came from.
    """

    file: Path
    session: int
    run: int
    open: Callable[[], tuple[mne.io.BaseRaw, np.ndarray, Sequence[str]]]
    tables: Sequence[Path] = ()


def opened(read: Callable[..., mne.io.BaseRaw], file: str | Path, **options: Any) -> mne.io.BaseRaw:
    """Open a recording, naming the file if that fails.

    Parameters
    ----------
    read : callable
        One of MNE's readers.
    file : path-like
        The recording.
    **options
        For the reader.

    Returns
    -------
    mne.io.BaseRaw
        Not loaded.

    Raises
    ------
    DataError
        If the file, or a part of a split file, is missing or unreadable.
    """
    file = Path(file)
    if not file.exists():
        raise DataError("file is missing", file=file, fix="download it")
    with legible(file):
        recording = read(file, verbose="ERROR", **options)
        # types that MNE does not know are noticed when they are asked for, and no earlier
        recording.get_channel_types()
        return recording


class ContinuousReader(DatasetReader):
    """Reads runs of continuous MEG or EEG and cuts them into epochs.

    Parameters
    ----------
    root : path-like
        Folder of the data set.
    recipe : Recipe or path-like, optional
        Preprocessing; the data set's own by default.
    """

    default_recipe: ClassVar[Recipe]
    """What is done unless another recipe is given."""

    def __init__(self, root: str | Path, recipe: Recipe | str | Path | None = None) -> None:
        super().__init__(root)
        if recipe is None:
            recipe = self.default_recipe
        self.recipe = recipe if isinstance(recipe, Recipe) else read_recipe(recipe)

    @abstractmethod
    def _runs(self, subject: str) -> Sequence[Run]:
        """Runs of a subject in the order of recording."""

    def recording(self, subject: str) -> Recording:
        """Preprocess one subject, up to what is fitted to training trials.

        Parameters
        ----------
        subject : str
            One of `subjects`.

        Returns
        -------
        Recording
            Epochs in V, T or T/m, on a temporary file.

        Raises
        ------
        DataError
            If a run is missing, broken, or does not fit its events or the recipe.
        """
        self.check_subject(subject)
        runs, trials = self._runs(subject), _Trials()
        first: Epoched | None = None
        with (
            Spool() as spool,
            progress_bar(f"{self.name} {subject}", len(runs), quiet=self.quiet) as advance,
        ):
            for done, run in enumerate(runs, start=1):
                with about(file=run.file, subject=subject):
                    epochs, stimulus = self._epochs(run)
                    first = first or epochs
                    _check_same(epochs.info, first.info)
                spool.append(epochs.data)
                trials.add(run, epochs, stimulus)
                advance(done)
            if first is None or not trials.stimulus:
                raise self._nothing_left(subject, trials)
            return self._recording(subject, runs, spool, trials, first)

    def _nothing_left(self, subject: str, trials: _Trials) -> DataError:
        counts = ", ".join(f"{n} {reason}" for reason, n in trials.rejected.most_common())
        return DataError(
            f"no epoch is left ({counts or 'there were no events'})",
            file=self.root,
            subject=subject,
            field="reject",
            fix="raise the limits of the recipe, or leave the subject out",
        )

    def _epochs(self, run: Run) -> tuple[Epoched, Sequence[str]]:
        from neurodecode.preprocess.epochs import epoch_run

        raw, onset, stimulus = run.open()
        return epoch_run(raw, np.asarray(onset), self.recipe), stimulus

    def _recording(
        self, subject: str, runs: Sequence[Run], spool: Spool, trials: _Trials, first: Epoched
    ) -> Recording:
        from neurodecode.preprocess.channels import channel_features

        types = sorted(set(first.info.get_channel_types()))
        sfreq = float(first.info["sfreq"])
        return Recording(
            subject=subject,
            modality="eeg" if types == ["eeg"] else "meg",
            responses=spool.finish(),
            stimulus_id=np.array(trials.stimulus),
            session=np.array(trials.session, dtype=np.int32),
            run=np.array(trials.run, dtype=np.int32),
            features=channel_features(first.info),
            units=", ".join(UNITS[kind] for kind in types),
            sfreq=sfreq,
            info={
                "tmin": round(self.recipe.tmin_s * sfreq) / sfreq,
                "preprocess": {
                    "recipe": self.recipe.plain(),
                    "n_events": trials.n_events,
                    "rejected": dict(trials.rejected),
                    "bad_channels": trials.bad,
                },
            },
            sources=[source(file) for run in runs for file in (run.file, *run.tables)
                     if file.is_file()],
        )  # fmt: skip


class _Trials:
    """What is known about the epochs that were kept."""

    def __init__(self) -> None:
        self.stimulus: list[str] = []
        self.session: list[int] = []
        self.run: list[int] = []
        self.rejected: Counter[str] = Counter()
        self.bad: dict[str, list[str]] = {}
        self.n_events = 0

    def add(self, run: Run, epochs: Epoched, stimulus: Sequence[str]) -> None:
        """Take in a run."""
        self.stimulus += [str(stimulus[number]) for number in epochs.kept.tolist()]
        self.session += [run.session] * len(epochs.kept)
        self.run += [run.run] * len(epochs.kept)
        self.rejected += epochs.rejected
        self.n_events += len(stimulus)
        if epochs.bad:
            self.bad[f"ses-{run.session:02d}_run-{run.run:02d}"] = epochs.bad


def _check_same(info: mne.Info, first: mne.Info) -> None:
    if info["ch_names"] != first["ch_names"]:
        missing = sorted(set(first["ch_names"]) - set(info["ch_names"]))
        added = sorted(set(info["ch_names"]) - set(first["ch_names"]))
        words = [f"lacks {', '.join(missing[:3])}"] * bool(missing)
        words += [f"has {', '.join(added[:3])} besides"] * bool(added)
        raise DataError(
            f"channels differ from those of the first run: {' and '.join(words) or 'other order'}",
            field="channels",
            fix="choose common channels in the recipe, or bad_channels: interpolate",
        )
    if info["sfreq"] != first["sfreq"]:
        raise DataError(
            f"sampled at {info['sfreq']:g} Hz, the first run at {first['sfreq']:g} Hz",
            field="sfreq",
            fix="give sfreq_hz in the recipe",
        )
