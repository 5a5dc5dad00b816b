"""Single-talker files of the VLAAI evaluation set (Accou et al. 2023)."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from neurodecode.auditory_trials import AuditoryTrial
from neurodecode.datasets.auditory.assemble import assemble
from neurodecode.datasets.auditory.base import AUDITORY, BIOSEMI64, AuditoryReader
from neurodecode.datasets.names import natural_text
from neurodecode.errors import DataError, about
from neurodecode.preprocess.audio.features import SoundRecipe
from neurodecode.preprocess.audio.rates import band_limit, resample

__all__ = ["Vlaai", "read_npz"]

_SFREQ = 64.0


def read_npz(path: Path, names: Sequence[str]) -> list[np.ndarray]:
    """Read arrays of a file without unpickling anything.

    Parameters
    ----------
    path : Path
        File.
    names : sequence of str
        Arrays.

    Returns
    -------
    list of array
        In this order.

    Raises
    ------
    DataError
        If the file is broken or lacks one.
    """
    try:
        with np.load(path, allow_pickle=False) as content:
            missing = [name for name in names if name not in content]
            if missing:
                raise DataError(f"there is no array {missing[0]}", file=path, field=missing[0])
            return [content[name] for name in names]
    except (OSError, ValueError, zipfile.BadZipFile, EOFError) as error:
        raise DataError(f"not a readable file of arrays ({error})", file=path) from error


@AUDITORY.register("dtu")
class Vlaai(AuditoryReader):
    """One talker, 64 channels at 64 Hz, 50 s a file, the envelope beside the EEG.

    All published files hold the same envelope: every trial has one and the same identity of
    sound, and no split by trial is honest.
    """

    name = "dtu"
    summary = "18 people, one Danish talker, 64-channel EEG and envelope at 64 Hz (vlaai)"
    licence = "GPL-3 repository exporl/vlaai; recordings from Zenodo 1199011"
    how_to_get = "get evaluation_datasets/DTU/DTU_S*_*.npz of github.com/exporl/vlaai"

    @property
    def subjects(self) -> Sequence[str]:
        """Second part of the names of files."""
        found = {path.stem.split("_")[1] for path in self.root.glob("DTU_S*_*.npz")}
        return sorted(found, key=natural_text)

    def _trials(self, subject: str, recipe: SoundRecipe) -> Iterator[AuditoryTrial]:
        for path in sorted(
            self.root.glob(f"DTU_{subject}_*.npz"), key=lambda p: natural_text(p.name)
        ):
            eeg, envelope = read_npz(path, ("eeg", "envelope"))
            with about(file=path):
                yield assemble(
                    subject=subject,
                    trial=path.stem.split("_")[2],
                    eeg=eeg,
                    sfreq=_SFREQ,
                    channels=BIOSEMI64[: eeg.shape[1]],
                    features=[
                        band_limit(
                            resample(envelope, _SFREQ, recipe.sfreq),
                            recipe.sfreq,
                            recipe.low_hz,
                            recipe.high_hz,
                            causal=recipe.causal,
                        )
                    ],
                    attended=0,
                    recipe=recipe,
                    story=("",),
                    talker=("",),
                )
