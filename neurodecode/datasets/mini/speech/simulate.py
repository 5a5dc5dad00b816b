"""Write the miniature listeners in the layout of KU Leuven's set: ``S1.mat``, ``stimuli/``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from neurodecode.datasets.auditory.base import BIOSEMI64
from neurodecode.datasets.mini.sensor_noise import make_noise_field, noise
from neurodecode.datasets.mini.speech.eyes import eye_channels, gaze_side, muscle, tension
from neurodecode.datasets.mini.speech.tracking import follow, response_functions, topographies
from neurodecode.datasets.mini.speech.voices import VOICES, speak
from neurodecode.datasets.mini.viewers import LEVELS
from neurodecode.errors import ConfigError
from neurodecode.folders import atomic_folder, reserve
from neurodecode.preprocess.audio.features import FEATURES
from neurodecode.preprocess.audio.rates import band_limit, resample
from neurodecode.progress import progress_bar

if TYPE_CHECKING:
    import mne

__all__ = ["SpeechOptions", "simulate_speech"]

_SOUND_RATE, _SFREQ, _HIGH_PASS = 16000, 128.0, 0.5
#: Every so manyth trial has a change of attention in its middle half.
_SWITCH_EVERY = 4


@dataclass(frozen=True)
class SpeechOptions:
    """Size of the world.

    Parameters
    ----------
    listeners : int
        People.
    trials : int
        Pairs of stories, each heard once by everybody; even.
    repeats : int
        Of these, how many are heard again in their first half, as in KU Leuven's third experiment.
    seconds : float
        Length of a trial.
    seed : int
        Of everything.
    """

    listeners: int = 4
    trials: int = 16
    repeats: int = 2
    seconds: float = 60.0
    seed: int = 0

    def __post_init__(self) -> None:
        if self.listeners < 1 or self.trials < 2 or self.trials % 2 or self.seconds < 4:
            raise ConfigError("give listeners, an even number of trials, and at least 4 s")
        if not 0 <= self.repeats <= self.trials:
            raise ConfigError(f"{self.repeats} repeats of {self.trials} trials")


def simulate_speech(out: str | Path, options: SpeechOptions, *, quiet: bool = True) -> Path:
    """Write sounds and recordings.

    In each trial a low and a high voice talk, one in each ear. Who is attended, and in which ear,
    is balanced over trials. In the first half of the trials the eyes follow attention (condition
    ``gaze-follows``), in the second they do not (``gaze-balanced``).

    Parameters
    ----------
    out : path-like
        Folder.
    options : SpeechOptions
        Size.
    quiet : bool
        No progress bar.

    Returns
    -------
    Path
        The folder.

    Raises
    ------
    DataError
        If there is no space.
    """
    n_trials = options.trials + options.repeats
    n_bytes = options.listeners * n_trials * options.seconds * _SFREQ * 66 * 4
    n_bytes += 2 * n_trials * options.seconds * _SOUND_RATE * 2
    with atomic_folder(out, replace=True) as folder:
        reserve(folder, int(n_bytes))
        (folder / "stimuli").mkdir()
        envelopes = _write_sounds(folder / "stimuli", options)
        with progress_bar("listeners", options.listeners, quiet=quiet) as advance:
            for listener in range(options.listeners):
                _write_listener(folder, listener, envelopes, options)
                advance(listener + 1)
    return Path(out)


def _name(part: int, track: int, repeated: bool) -> str:
    return f"{'rep_' * repeated}part{part + 1}_track{track + 1}_dry.wav"


def _write_sounds(folder: Path, options: SpeechOptions) -> list[np.ndarray]:
    """Write all sounds; give the envelopes of each part, (2, n_times) at the rate of the EEG."""
    from scipy.io import wavfile

    envelopes = []
    for part in range(options.trials):
        pair = []
        for track, voice in enumerate(VOICES):
            rng = np.random.default_rng((options.seed, 7, part, track))
            sound = speak(voice, options.seconds, _SOUND_RATE, rng)
            samples = np.round(sound * 32767).astype(np.int16)
            wavfile.write(folder / _name(part, track, False), _SOUND_RATE, samples)
            if part < options.repeats:
                wavfile.write(
                    folder / _name(part, track, True), _SOUND_RATE, samples[: len(samples) // 2]
                )
            envelope, rate = FEATURES["gammatone"](sound, _SOUND_RATE)
            slow = resample(envelope[:, 0], rate, _SFREQ)
            pair.append((slow - slow.mean()) / slow.std())
        envelopes.append(np.array(pair))
    return envelopes


def _write_listener(
    folder: Path, listener: int, envelopes: Sequence[np.ndarray], options: SpeechOptions
) -> None:
    from scipy.io import savemat

    rng = np.random.default_rng((options.seed, 11, listener))
    info = _cap()
    person = (
        make_noise_field(info, LEVELS["eeg"], rng),
        response_functions(_SFREQ, rng),
        topographies(info, rng),
    )
    n_trials = options.trials + options.repeats
    trials = np.empty(n_trials, dtype=object)
    for number in range(n_trials):
        repeated = number >= options.trials
        part = number - options.trials if repeated else number
        pair = envelopes[part][:, : envelopes[part].shape[1] // (2 if repeated else 1)]
        trials[number] = _trial(number, part, repeated, pair, person, options, rng)
        trials[number]["subject"] = f"S{listener + 1}"
    savemat(folder / f"S{listener + 1}.mat", {"trials": trials[None]}, do_compression=True)


def _cap() -> mne.Info:
    import mne

    info = mne.create_info(list(BIOSEMI64), _SFREQ, "eeg")
    info.set_montage("biosemi64")
    return info


def _trial(
    number: int, part: int, repeated: bool, envelopes: np.ndarray, person: tuple[Any, Any, Any],
    options: SpeechOptions, rng: np.random.Generator,
) -> dict[str, Any]:  # fmt: skip
    """One trial as KU Leuven's struct."""
    field, functions, patterns = person
    n = envelopes.shape[1]
    left = number // 2 % 2  # which talker is in the left ear
    attended = np.full(n, number % 2)
    switch_s: list[float] = []
    if number % _SWITCH_EVERY == _SWITCH_EVERY - 1:
        switch_s = [round(float(rng.uniform(0.25, 0.75)) * n / _SFREQ, 2)]
        attended[round(switch_s[0] * _SFREQ) :] ^= 1
    side = np.where(attended == left, -1, 1)
    follows = number < options.trials // 2
    looks = gaze_side(side, _SFREQ, follows, rng)
    eeg = follow(envelopes, attended, functions, patterns) + noise(field, n, _SFREQ, rng)[0]
    eeg += muscle(looks, _SFREQ, BIOSEMI64, rng) + tension(n, _SFREQ, len(eeg), rng)
    eeg = band_limit(eeg.T, _SFREQ, _HIGH_PASS, None)
    stimuli = np.empty(2, dtype=object)
    stimuli[:] = [_name(part, track, repeated) for track in (left, 1 - left)]
    first = int(attended[0])
    return {
        "RawData": {
            "EegData": (1e6 * eeg).astype(np.float32),
            "Channels": np.arange(1, 65),
            "EyeData": (1e6 * eye_channels(looks, _SFREQ, rng)).astype(np.float32),
        },
        "FileHeader": {"SampleRate": _SFREQ},
        "TrialID": number + 1,
        "attended_ear": "L" if first == left else "R",
        "attended_track": first + 1,
        "switch_s": np.array(switch_s),
        "stimuli": stimuli,
        "condition": "gaze-follows" if follows else "gaze-balanced",
        "experiment": 3 if repeated else 1,
        "part": part + 1,
        "repetition": repeated,
    }
