"""THINGS-EEG2 (Gifford et al. 2022): raw recordings, or the published preprocessed arrays."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from neurodecode.datasets.base import DATASETS
from neurodecode.datasets.images import image_side
from neurodecode.datasets.meeg import ContinuousReader, Run
from neurodecode.datasets.names import number_in
from neurodecode.datasets.pickles import read_array_dict
from neurodecode.datasets.pictures import PictureFolder
from neurodecode.datasets.sources import source
from neurodecode.datasets.spool import Spool
from neurodecode.datasets.triggers import find_triggers
from neurodecode.errors import ConfigError, DataError
from neurodecode.preprocess.channels import set_montage
from neurodecode.preprocess.recipe import Recipe
from neurodecode.recording import Recording, StimulusSet

if TYPE_CHECKING:
    import mne

__all__ = ["ThingsEeg2"]

_TARGET = 99999
_PARTS = {"train": "training", "test": "test"}
_VERSIONS = {"raw": "sub-*/ses-*/raw_eeg_training.npy",
             "preprocessed": "sub-*/preprocessed_eeg_training.npy"}  # fmt: skip
_MONTAGE = "colin27_1020"


@DATASETS.register("things-eeg2")
class ThingsEeg2(ContinuousReader):
    """63-channel EEG of ten people, 16,540 training pictures and 200 test pictures, fast.

    Parameters
    ----------
    root : path-like
        Folder with ``image_metadata.npy``, ``training_images/<concept>/<file>``,
        ``test_images/<concept>/<file>`` and either ``sub-<nn>/ses-<nn>/raw_eeg_*.npy`` or
        ``sub-<nn>/preprocessed_eeg_*.npy`` (as published, or as NICE writes them).
    version : str
        ``raw`` or ``preprocessed``; raw if it is there, by default.
    recipe : Recipe or path-like, optional
        Preprocessing of the raw recordings.
    image_size : int, optional
        Crop and resize the pictures to this many pixels.

    Notes
    -----
    The files are pickled dicts; only arrays and plain values are built from them
    (`neurodecode.datasets.pickles`). In the published preprocessed arrays the noise covariance is
    an average over training AND test trials: prefer the raw ones, or NICE's.

    References
    ----------
    Gifford A. T. et al. (2022), "A large and rich EEG dataset for modeling human visual object
    recognition", NeuroImage 264.
    """

    name = "things-eeg2"
    summary = "EEG (63 channels) of 10 people, 16,740 pictures of 1,854 concepts, shown fast"
    licence = "CC BY 4.0; cite Gifford et al. (2022)"
    how_to_get = (
        "raw data: Figshare+ 18470912, preprocessed: OSF 3jk45, pictures: OSF y63gw; give a folder"
        " with sub-*/, image_metadata.npy, training_images/ and test_images/"
    )
    split_scheme = "shared-test"
    layouts = tuple(("image_metadata.npy", pattern) for pattern in _VERSIONS.values())
    default_recipe = Recipe(
        low_hz=None,
        high_hz=100.0,
        sfreq_hz=250.0,
        tmin_s=-0.2,
        tmax_s=1.0,
        scale=None,
        clamp=None,
        whiten="epochs",
        source="NICE (Song et al. 2024)",
    )

    def __init__(
        self,
        root: str | Path,
        version: str = "",
        recipe: Recipe | str | Path | None = None,
        image_size: int | str | None = None,
    ) -> None:
        super().__init__(root, recipe)
        if version not in ("", *_VERSIONS):
            raise ConfigError(f"things-eeg2: version={version}; give raw or preprocessed")
        there = [name for name, pattern in _VERSIONS.items() if any(self.root.glob(pattern))]
        self._version = version or there[0]
        if self._version == "preprocessed":
            if recipe is not None:
                raise ConfigError("things-eeg2: the preprocessed arrays take no recipe")
            self.recipe = None
        self._pictures = PictureFolder(self.root, image_side(image_size))

    @cached_property
    def subjects(self) -> Sequence[str]:
        """Two digits each, sorted."""
        files = self.root.glob(_VERSIONS[self._version])
        up = 1 if self._version == "raw" else 0
        return sorted({file.parents[up].name.removeprefix("sub-") for file in files})

    @cached_property
    def _names(self) -> dict[str, list[str]]:
        """Path of the picture of each code, training and test; code 1 comes first."""
        file = self.root / "image_metadata.npy"
        content = read_array_dict(file)
        names = {}
        for part, word in _PARTS.items():
            keys = (f"{part}_img_concepts", f"{part}_img_files")
            for key in keys:
                if key not in content:
                    raise DataError("entry is missing", file=file, field=key)
            pairs = zip(*(list(content[key]) for key in keys), strict=True)
            names[part] = [f"{word}_images/{concept}/{name}" for concept, name in pairs]
        return names

    def _ids_of(self, part: str, code: np.ndarray, file: Path) -> list[str]:
        names = self._names[part]
        if code.min() < 1 or code.max() > len(names):
            wrong = int(code[(code < 1) | (code > len(names))][0])
            raise DataError(
                f"picture {wrong} is shown, image_metadata.npy lists {len(names)}",
                file=file,
                field="stim",
                fix="check that recording and image_metadata.npy belong together",
            )
        return self._pictures.of([names[each - 1] for each in code.tolist()]).tolist()

    def _runs(self, subject: str) -> Sequence[Run]:
        runs = []
        for folder in sorted((self.root / f"sub-{subject}").glob("ses-*")):
            for run, part in enumerate(_PARTS, start=1):
                file = folder / f"raw_eeg_{_PARTS[part]}.npy"
                opener = lambda file=file, part=part: self._open(file, part)  # noqa: E731
                runs.append(Run(file, number_in(folder.name), run, opener))
        return runs

    def _open(self, file: Path, part: str) -> tuple[mne.io.BaseRaw, np.ndarray, Sequence[str]]:
        import mne

        content = read_array_dict(file)
        data = _array(content, "raw_eeg_data", 2, file)
        names = [str(name) for name in content.get("ch_names", ())]
        if len(names) != len(data) or "stim" not in names:
            raise DataError(
                f"{len(names)} channel names for {len(data)} channels, one of them stim",
                file=file,
                field="ch_names",
            )
        types = ["stim" if name == "stim" else "eeg" for name in names]
        info = mne.create_info(names, float(content["sfreq"]), types)
        raw = mne.io.RawArray(data, info, copy="auto", verbose="ERROR")
        set_montage(raw, _MONTAGE)
        onset, code = find_triggers(raw, "stim", file)
        shown = code != _TARGET
        return raw, onset[shown], self._ids_of(part, code[shown], file)

    def recording(self, subject: str) -> Recording:
        """Open one subject; see `DatasetReader.recording`."""
        if self._version == "raw":
            return super().recording(subject)
        self.check_subject(subject)
        with Spool() as spool:
            return self._preprocessed(subject, spool)

    def _preprocessed(self, subject: str, spool: Spool) -> Recording:
        stimulus: list[str] = []
        run: list[int] = []
        files = [self.root / f"sub-{subject}" / f"preprocessed_eeg_{word}.npy"
                 for word in _PARTS.values()]  # fmt: skip
        for number, (part, file) in enumerate(zip(_PARTS, files, strict=True), start=1):
            content = read_array_dict(file)
            data = _array(content, "preprocessed_eeg_data", 4, file)
            ids = self._ids_of(part, np.arange(1, len(data) + 1), file)
            spool.append(data.reshape(-1, *data.shape[2:]).astype(np.float32))
            stimulus += [name for name in ids for _ in range(data.shape[1])]
            run += [number] * (data.shape[0] * data.shape[1])
            times = np.asarray(content["times"], dtype=float)
            names = [str(name) for name in content["ch_names"]]
            del content, data
        if len(times) != spool.shape[1]:
            times = times[-spool.shape[1] :]  # NICE's files keep the baseline's times
        return Recording(
            subject=subject,
            modality="eeg",
            responses=spool.finish(),
            stimulus_id=np.array(stimulus),
            session=np.ones(len(stimulus), dtype=np.int32),
            run=np.array(run, dtype=np.int32),
            features=_features(names),
            units="noise standard deviations",
            sfreq=round(1 / float(np.diff(times).mean()), 6),
            info={
                "tmin": float(times[0]),
                "preprocess": {
                    "published": True,
                    "note": "repeats are not in the order of sessions; the covariance of the"
                    " published 17-channel files averages training and test trials",
                },
            },
            sources=[source(file) for file in files],
        )

    def stimuli(self, subjects: Iterable[str] | None = None) -> StimulusSet:
        """Open the pictures, of which everybody saw all; see `DatasetReader.stimuli`."""
        for subject in subjects or ():
            self.check_subject(subject)
        names = [*self._names["train"], *self._names["test"]]
        # training_images/00001_aardvark/aardvark_01b.jpg
        concepts = {name: name.split("/")[1].partition("_")[2] for name in names}
        return self._pictures.stimuli(names, concepts)

    def test_stimuli(self) -> Collection[str]:
        """The 200 pictures of 200 concepts of their own."""
        return frozenset(self._pictures.of(self._names["test"]).tolist())


def _array(content: dict[str, Any], key: str, ndim: int, file: Path) -> np.ndarray:
    values = content.get(key)
    if not isinstance(values, np.ndarray) or values.ndim != ndim or values.dtype.kind not in "iuf":
        found = f"{type(values).__name__}" if values is None else f"{np.shape(values)}"
        raise DataError(f"expected {ndim} axes of numbers, found {found}", file=file, field=key)
    return values


def _features(names: list[str]) -> dict[str, np.ndarray]:
    """Places of the electrodes in MNE's standard montage."""
    import mne

    from neurodecode.preprocess.channels import channel_features

    info = mne.create_info(names, 1.0, "eeg")
    info.set_montage(_MONTAGE, match_case=False, on_missing="ignore", verbose="ERROR")
    return channel_features(info)
