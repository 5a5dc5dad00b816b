"""A small world of listeners whose brains follow what they hear, for tests."""

from __future__ import annotations

import numpy as np

from neurodecode.auditory_trials import AuditoryTrial, sound_id

SFREQ = 16.0


def listeners(
    n_subjects=3, n_trials=6, seconds=24.0, gain=1.0, single=False, one_sound=False, seed=0
):
    """Trials of several people who hear the same stories; what is attended drives 7 channels."""
    rng = np.random.default_rng(seed)
    n, n_channels, n_candidates = int(seconds * SFREQ), 7, 1 if single else 2
    sounds = rng.standard_normal((1 if one_sound else n_trials, 2, n, 1))
    mix = rng.standard_normal(n_channels)
    trials = []
    for subject in range(n_subjects):
        own = mix + 0.3 * rng.standard_normal(n_channels)
        for number in range(n_trials):
            pair = sounds[0 if one_sound else number][:n_candidates]
            attended = 0 if single else int(rng.integers(2))
            response = np.roll(pair[attended][:, 0], 2)
            eeg = rng.standard_normal((n, n_channels)) + gain * 0.2 * np.outer(response, own)
            gaze = rng.standard_normal((n, 2)) + (2 * attended - 1)
            trials.append(
                AuditoryTrial(
                    subject=f"S{subject + 1}",
                    trial=str(number),
                    eeg=eeg,
                    candidates=pair,
                    attended=np.full(n, attended),
                    sfreq=SFREQ,
                    channels=tuple("abcdefg"),
                    sound=tuple(sound_id(each) for each in pair),
                    story=tuple(f"part{number}_{k}" for k in range(n_candidates)),
                    talker=("ann", "bob")[:n_candidates],
                    direction=("left", "right") if not single else (),
                    gaze=gaze,
                    condition=("plain", "other")[number % 2],
                )
            )
    return trials
