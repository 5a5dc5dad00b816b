"""Who is listened to, while it is recorded: a pure step from samples to decisions."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from neurodecode.auditory.decisions import AttentionState, Decision, start_state, step
from neurodecode.auditory.decoder import AttentionDecoder, samples
from neurodecode.errors import ConfigError
from neurodecode.preprocess.audio.causal import CausalState, causal_start, causal_step
from neurodecode.preprocess.audio.features import SoundRecipe

__all__ = ["LiveDecision", "LiveSettings", "LiveState", "live_start", "live_step"]

#: Longest stretch of a window that may have been held, in s.
_HELD_S = 0.1


@dataclass(frozen=True)
class LiveSettings:
    """What does not change while it runs.

    Parameters
    ----------
    decoder : AttentionDecoder
        Trained, causal.
    candidates : array of shape (n_candidates, n_times, n_features)
        Features of the sounds, from the moment at which they begin.
    recipe : SoundRecipe
        Of brain and sounds, causal.
    rate : float
        Of the recording in Hz.
    window_s, hop_s : float
        Length of a window, and from one to the next.
    worth : float
        By what a score is multiplied to be a log-likelihood.
    transition : array of shape (n_candidates, n_candidates)
        Of attention from one window to the next (`neurodecode.auditory.markov.stay_matrix`).
    threshold : float
        See `neurodecode.auditory.decisions.step`.

    Raises
    ------
    ConfigError
        If the decoder looks ahead or the window is longer than the sounds.
    """

    decoder: AttentionDecoder
    candidates: np.ndarray
    recipe: SoundRecipe
    rate: float
    window_s: float
    hop_s: float
    worth: float
    transition: np.ndarray
    threshold: float = 0.5

    def __post_init__(self) -> None:
        if not self.decoder.causal or not self.recipe.causal:
            raise ConfigError("a stream needs a causal decoder and stores of `prepare --causal`")
        if self.length > self.candidates.shape[1]:
            raise ConfigError(
                f"a window of {self.window_s:g} s is longer than the sounds"
                f" ({self.candidates.shape[1] / self.recipe.sfreq:g} s)"
            )

    @property
    def length(self) -> int:
        """Samples of a window."""
        return samples(self.window_s, self.recipe.sfreq)

    @property
    def hop(self) -> int:
        """Samples from window to window."""
        return max(samples(self.hop_s, self.recipe.sfreq), 1)


@dataclass(frozen=True)
class LiveState:
    """What is remembered between chunks.

    Parameters
    ----------
    front : CausalState
        Of the filters.
    brain : array of shape (n, n_channels)
        Prepared samples that windows still need.
    held : array of int of shape (n,)
        Samples of the recording that were replaced, by prepared sample.
    first : int
        Number of the first of them, from the beginning of the sounds on.
    start : int
        First sample of the next window.
    attention : AttentionState
        Of the chain.
    """

    front: CausalState
    brain: np.ndarray
    held: np.ndarray
    first: int
    start: int
    attention: AttentionState


@dataclass(frozen=True)
class LiveDecision:
    """What a window says.

    Parameters
    ----------
    second : float
        End of the window, from the beginning of the sounds on.
    scores : array of shape (n_candidates,)
        Of the decoder.
    decision : Decision or None
        None where too much of the window was lost; the chain then waits.
    problem : str
        Why.
    """

    second: float
    scores: np.ndarray
    decision: Decision | None
    problem: str = ""


def live_start(n_channels: int, settings: LiveSettings, onset: int = 0) -> LiveState:
    """State before the first chunk.

    Parameters
    ----------
    n_channels : int
        Channels.
    settings : LiveSettings
        Of the stream.
    onset : int
        Samples of the recording before the sounds begin.

    Returns
    -------
    LiveState
        All talkers alike.
    """
    n_talkers = len(settings.candidates)
    return LiveState(
        causal_start(n_channels, settings.rate, settings.recipe, onset),
        np.empty((0, n_channels)), np.empty(0, dtype=int), 0, 0,
        start_state([1 / n_talkers] * n_talkers),
    )  # fmt: skip


def live_step(
    chunk: np.ndarray, state: LiveState, settings: LiveSettings
) -> tuple[list[LiveDecision], LiveState]:
    """Take samples: a pure function of chunk and state.

    Parameters
    ----------
    chunk : array of shape (n_samples, n_channels)
        As recorded, in the order of the decoder's channels.
    state : LiveState
        After the chunk before.
    settings : LiveSettings
        Of the stream.

    Returns
    -------
    decisions : list of LiveDecision
        Of the windows that are complete now; however samples are divided into chunks, they are
        the same.
    state : LiveState
        For the next chunk.
    """
    recipe = settings.recipe
    if recipe.reference == "average":
        chunk = chunk - chunk.mean(axis=1, keepdims=True)
    kept, held, front = causal_step(chunk, state.front, settings.rate, recipe)
    brain, marks = np.concatenate([state.brain, kept]), np.concatenate([state.held, held])
    found, attention, start = [], state.attention, state.start
    last = min(state.first + len(brain), settings.candidates.shape[1])
    while start + settings.length <= last:
        here = slice(start - state.first, start - state.first + settings.length)
        decision, attention = _decide(brain[here], marks[here], start, attention, settings)
        found.append(decision)
        start += settings.hop
    gone = min(start - state.first, len(brain))
    return found, LiveState(front, brain[gone:], marks[gone:], state.first + gone, start, attention)


def _decide(
    brain: np.ndarray, held: np.ndarray, start: int, attention: AttentionState,
    settings: LiveSettings,
) -> tuple[LiveDecision, AttentionState]:  # fmt: skip
    stop, sfreq = start + settings.length, settings.recipe.sfreq
    sounds = settings.candidates[:, start:stop]
    scores = settings.decoder.scores(brain, sounds, settings.window_s)[0]
    about = LiveDecision(stop / sfreq, scores, None)
    if held.sum() > _HELD_S * settings.rate:
        lost = f"{held.sum() / settings.rate:.2f} s of the window are not finite"
        return replace(about, problem=lost), attention
    decision, attention = step(
        settings.worth * scores, attention, settings.transition, threshold=settings.threshold
    )
    return replace(about, decision=decision), attention
