"""The whole way on a listening experiment: the decoder's posterior steers the extraction."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from neurodecode.auditory.markov import filtered, stay_matrix
from neurodecode.auditory_trials import AuditoryTrial
from neurodecode.errors import DataError
from neurodecode.hearing.encoder import SpeakerEncoder
from neurodecode.hearing.extractor import TalkerExtractor
from neurodecode.hearing.head import at_ears
from neurodecode.hearing.sounds import read_voice
from neurodecode.hearing.steering import (
    embed_windows,
    mix_voices,
    self_enrolled,
    spread_over_chunks,
)
from neurodecode.hearing.streaming import extract
from neurodecode.hearing.talkers import RATE
from neurodecode.metrics.functional import si_sdr
from neurodecode.store.attention import TrialScores

__all__ = ["HeardTrial", "heard_trial", "posterior_of", "steer"]

#: Where the talkers of an experiment in two ears are put, in degrees, and how long attention
#: stays with one, on average, in s.
_AZIMUTHS_DEG = {"left": -45.0, "right": 45.0}
_DWELL_S = 60.0


@dataclass(frozen=True)
class HeardTrial:
    """Sounds of a trial.

    Parameters
    ----------
    sounds : array of float32 of shape (n_candidates, n_samples)
        What each talker says.
    images : array of float32 of shape (n_candidates, 2, n_samples)
        The same at the ears, all equally loud.
    attended : array of int of shape (n_samples,)
        Who is attended.
    """

    sounds: np.ndarray
    images: np.ndarray
    attended: np.ndarray


def heard_trial(trial: AuditoryTrial, stimuli: Path) -> HeardTrial:
    """Put the talkers of a trial at two places.

    Parameters
    ----------
    trial : AuditoryTrial
        Of KU Leuven's layout: its stories name files.
    stimuli : Path
        Folder of the dry recordings.

    Returns
    -------
    HeardTrial
        At `RATE`; root mean square of the mixture .05.

    Raises
    ------
    DataError
        If a sound is missing, or it is not known where talkers are.
    """
    if sorted(trial.direction) != sorted(_AZIMUTHS_DEG):
        raise DataError("one talker left and one right are needed", subject=trial.subject,
                        field=f"trial {trial.trial}")  # fmt: skip
    n = round(len(trial.attended) / trial.sfreq * RATE)
    sounds = [read_voice(stimuli / f"{story}_dry.wav")[:n] for story in trial.story]
    n = min(map(len, sounds))
    images = np.stack(
        [at_ears(sound[:n], RATE, _AZIMUTHS_DEG[where])
         for sound, where in zip(sounds, trial.direction, strict=True)]
    )  # fmt: skip
    images /= np.sqrt((images**2).mean((1, 2), keepdims=True))
    images *= 0.05 / np.sqrt((images.sum(0) ** 2).mean())
    at = np.minimum((np.arange(n) * trial.sfreq / RATE).astype(int), len(trial.attended) - 1)
    dry = np.stack([sound[:n] for sound in sounds]).astype(np.float32)
    return HeardTrial(dry, images.astype(np.float32), np.asarray(trial.attended)[at])


def posterior_of(scores: TrialScores, window_s: float) -> np.ndarray:
    """What is known after each window, by a chain in which attention stays for a minute.

    Parameters
    ----------
    scores : TrialScores
        With the log likelihood of short windows.
    window_s : float
        Their length.

    Returns
    -------
    array of shape (n_windows, n_candidates)
        Rows sum to 1; nothing later than the window is used.

    Raises
    ------
    DataError
        If the scores have no likelihood.
    """
    like = scores.log_likelihood
    if like is None or not len(like):
        raise DataError("no decisions over time", subject=scores.subject, field=scores.trial,
                        fix="run attend fit with --decision 2")  # fmt: skip
    n = like.shape[1]
    return filtered(like, stay_matrix(n, 1 - window_s / _DWELL_S), np.full(n, 1 / n))


def steer(
    heard: HeardTrial,
    posterior: np.ndarray,
    window_s: float,
    encoder: SpeakerEncoder,
    network: TalkerExtractor,
    voices: Tensor,
) -> Iterator[tuple[str, np.ndarray, dict[str, Any]]]:
    """Extract in several ways.

    Parameters
    ----------
    heard : HeardTrial
        Sounds.
    posterior : array of shape (n_windows, n_candidates)
        From `posterior_of`.
    window_s : float
        Length of its windows.
    encoder, network : Module
        Trained.
    voices : Tensor of shape (n_candidates, dim)
        Enrolled voices, of other recordings.

    Yields
    ------
    steering : str
        ``decoded`` (soft posterior over enrolled voices), ``self-enrolled`` (the voice is learned
        where the decoder is confident), ``undecided`` (always half and half), ``truth``.
    found : array of shape (2, n_samples)
        What was extracted.
    scores : dict
        Of each window in which attention does not change: `windows_gain`.
    """
    ends = (np.arange(len(posterior)) + 1) * window_s
    embedded = embed_windows(encoder, heard.sounds, window_s, RATE)
    learned, _ = self_enrolled(embedded[: len(posterior)], posterior[: len(embedded)])
    even = np.full_like(posterior, 1 / posterior.shape[1])
    middle = voices.mean(0)
    starts = np.minimum((ends - window_s) * RATE, len(heard.attended) - 1).astype(int)
    truth = np.eye(posterior.shape[1])[heard.attended[starts]]
    # the truth is known when a window begins, the posterior only when it has ended
    known = spread_over_chunks(mix_voices(truth[1:], voices), ends[:-1], RATE,
                               mix_voices(truth[:1], voices)[0])  # fmt: skip
    wishes = {
        "decoded": spread_over_chunks(mix_voices(posterior, voices), ends, RATE, middle),
        "self-enrolled": spread_over_chunks(
            learned, ends[: len(learned)], RATE, embedded[0].mean(0)
        ),
        "undecided": spread_over_chunks(mix_voices(even, voices), ends, RATE, middle),
        "truth": known,
    }
    n = min(map(len, wishes.values()))
    together = torch.stack([wanted[:n] for wanted in wishes.values()])
    extracted = extract(network, heard.images.sum(0), together)
    for name, found in zip(wishes, extracted, strict=True):
        yield name, found, windows_gain(heard, found, window_s)


def windows_gain(heard: HeardTrial, found: np.ndarray, window_s: float) -> dict[str, Any]:
    """Improvement of the attended talker's SI-SDR, window by window.

    Parameters
    ----------
    heard : HeardTrial
        What there was.
    found : array of shape (2, n_samples)
        What was extracted.
    window_s : float
        Length of a window.

    Returns
    -------
    dict
        ``second`` (ends), ``attended``, ``gain_db``: lists; windows in which attention changes
        or the attended talker pauses throughout are left out.
    """
    n = round(window_s * RATE)
    out: dict[str, Any] = {"second": [], "attended": [], "gain_db": []}
    usual = float((heard.images**2).mean())
    for start in range(0, found.shape[1] - n + 1, n):
        part = slice(start, start + n)
        who = np.unique(heard.attended[part])
        target = heard.images[who[0]][:, part]
        if len(who) > 1 or (target**2).mean() < 0.05 * usual:
            continue
        right = torch.as_tensor(target).double()
        mixture, made = (
            torch.as_tensor(each[:, part]).double() for each in (heard.images.sum(0), found)
        )
        gain = (si_sdr(made, right) - si_sdr(mixture, right)).mean()
        for name, value in (("second", (start + n) / RATE), ("attended", int(who[0])),
                            ("gain_db", float(gain))):  # fmt: skip
            out[name].append(value)
    return out
