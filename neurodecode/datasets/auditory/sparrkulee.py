"""SparrKULee and the Auditory EEG challenge: preprocessed arrays of single talkers."""

from __future__ import annotations

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

__all__ = ["SparrKULee"]

_SFREQ, _JOIN = 64.0, "_-_"
_FEATURES = {"gammatone": "envelope", "mel": "mel"}


@AUDITORY.register("sparrkulee")
class SparrKULee(AuditoryReader):
    """Eighty-five people, one Flemish talker, 64 channels at 64 Hz, ``derivatives/split_data``.

    Files are ``{train,val,test}_-_sub-XXX_-_STIMULUS_-_{eeg,envelope,mel}.npy``. The published
    arrays are not normalised; here each is divided by its own spread. The part of the name that
    says train, val or test becomes the session of a trial.
    """

    name = "sparrkulee"
    summary = "85 people, one Flemish talker, 64-channel EEG, 64 Hz (Accou, Bollens et al. 2023)"
    licence = "CC BY-NC 4.0, part of it restricted"
    how_to_get = "derivatives/split_data of doi.org/10.48804/K3VSND, made by the challenge's code"

    @property
    def _folder(self) -> Path:
        nested = self.root / "derivatives" / "split_data"
        return nested if nested.is_dir() else self.root

    @property
    def subjects(self) -> Sequence[str]:
        """Second part of the names of files."""
        found = {path.name.split(_JOIN)[1] for path in self._folder.glob("*_-_sub-*_-_eeg.npy")}
        return sorted(found, key=natural_text)

    def _trials(self, subject: str, recipe: SoundRecipe) -> Iterator[AuditoryTrial]:
        unknown = set(recipe.features) - set(_FEATURES)
        if unknown:
            raise DataError(
                f"feature {min(unknown)} is not published for {self.name}",
                file=self._folder,
                fix=f"choose of {', '.join(_FEATURES)}",
            )
        found = self._folder.glob(f"*_-_{subject}_-_*_-_eeg.npy")
        for path in sorted(found, key=lambda p: natural_text(p.name)):
            part, _, stimulus, _ = path.name.split(_JOIN)
            eeg = _load(path)
            arrays = [_load(self._beside(path, _FEATURES[name])) for name in recipe.features]
            lengths = {len(each) for each in (eeg, *arrays)}
            if len(lengths) > 1:
                raise DataError(f"arrays of {sorted(lengths)} samples belong together", file=path)
            features = resample(np.hstack(arrays), _SFREQ, recipe.sfreq)
            features = band_limit(
                features, recipe.sfreq, recipe.low_hz, recipe.high_hz, causal=recipe.causal
            )
            with about(file=path):
                yield assemble(
                    subject=subject,
                    trial=f"{stimulus}/{part}",
                    eeg=eeg[:, : len(BIOSEMI64)],
                    sfreq=_SFREQ,
                    channels=BIOSEMI64[: eeg.shape[1]],
                    features=[features],
                    attended=0,
                    recipe=recipe,
                    story=(stimulus,),
                    talker=("",),
                    session=part,
                )

    def _beside(self, path: Path, feature: str) -> Path:
        return path.with_name(path.name.replace("_-_eeg.npy", f"_-_{feature}.npy"))


def _load(path: Path) -> np.ndarray:
    if not path.is_file():
        raise DataError("file is missing", file=path, fix="make or download it again")
    try:
        values = np.load(path, allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        raise DataError(f"not a readable array ({error})", file=path) from error
    return values[:, None] if values.ndim == 1 else values
