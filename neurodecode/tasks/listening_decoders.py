"""Listening networks behind the interface of attention decoders."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, TypeVar

import numpy as np
import torch

from neurodecode.auditory.canonical import CanonicalDecoder
from neurodecode.auditory.decoder import ATTENTION_DECODERS, AttentionDecoder, Inner, Parts, samples
from neurodecode.auditory.excerpts import Excerpts
from neurodecode.auditory.windows import window_starts, windowed
from neurodecode.auditory_trials import AuditoryTrial, one_rate
from neurodecode.errors import ConfigError
from neurodecode.nn.listening.base import ListeningNetwork
from neurodecode.nn.listening.dilated import DilatedMatch
from neurodecode.nn.listening.inception import InceptionAttention
from neurodecode.tasks.listening_training import Course, train_network

__all__ = ["DilatedDecoder", "InceptionDecoder", "NeuralDecoder"]

Network = TypeVar("Network", bound=ListeningNetwork)


class NeuralDecoder(AttentionDecoder):
    """Trains a network to tell the attended from the other candidates.

    How long is chosen within the training set: parts are left out by the division that is
    tested (another subject and other stories, if that is what it is), the epoch is taken in which
    they lose least, and everything is trained on for so long.

    Parameters
    ----------
    network : mapping, optional
        Options of the network.
    n_inner : int
        Divisions within the training set.
    align : float, optional
        See `AttentionDecoder`.
    causal : bool
        See `AttentionDecoder`. The end of a window, whose answers come after it, is left out.
    **course
        Fields of `Course`.
    """

    def __init__(
        self,
        *,
        network: Mapping[str, Any] | None = None,
        n_inner: int = 1,
        align: float | None = 0.05,
        causal: bool = False,
        **course: Any,
    ) -> None:
        super().__init__(causal=causal, align=None if causal else align)
        self.options, self.n_inner = dict(network or {}), n_inner
        self.course = Course(**course)
        self._ready: dict[int, tuple[AuditoryTrial, AuditoryTrial]] = {}
        self._seen: tuple[np.ndarray, np.ndarray] | None = None

    @abstractmethod
    def begin(self, parts: Parts, inner: Inner | None) -> ListeningNetwork:
        """Make the network as training begins with it.

        Parameters
        ----------
        parts : sequence of sequence of AuditoryTrial
            Training trials, aligned.
        inner : sequence of sequence of int, optional
            As for `fit`.

        Returns
        -------
        ListeningNetwork
            Fresh.
        """

    def build(self, network: type[Network], parts: Parts) -> Network:
        """Make a network of the options.

        Parameters
        ----------
        network : type
            Its class.
        parts : sequence of sequence of AuditoryTrial
            Whose numbers of channels and features it is made for.

        Returns
        -------
        ListeningNetwork
            Fresh.

        Raises
        ------
        ConfigError
            If it has no such option.
        """
        try:
            return network(*_sizes(parts), **self.options)
        except TypeError as error:
            raise ConfigError(f"options of the network of {self.name}: {error}") from error

    def fit(self, parts: Parts, inner: Inner | None = None) -> AttentionDecoder:
        """Choose the number of epochs within the training set, and train on all of it."""
        self.sfreq = one_rate([trial for part in parts for trial in part])
        self._seen = None
        ready = [[self._prepare(trial) for trial in part] for part in parts]
        everyone = [[other for other in range(len(ready)) if other != k] for k in range(len(ready))]
        inner = inner or everyone
        self._held_out: list[tuple[ListeningNetwork, list[AuditoryTrial]]] = []
        curves = [self._try(ready, inner, k) for k in self._left_out(ready)]
        self.curve_ = np.mean(curves, axis=0)
        self.epochs_ = int(np.argmin(self.curve_))
        trials = [trial for part in ready for trial in part]
        self.network, _ = self._train(ready, inner, trials, epochs=self.epochs_)
        return self

    def _left_out(self, ready: Parts) -> list[int]:
        """Parts far from each other in the order, that is of different subjects where there are."""
        if len(ready) < 2:
            raise ConfigError("networks need at least two parts to train on")
        count = min(self.n_inner, len(ready))
        return [(2 * k + 1) * len(ready) // (2 * count) for k in range(count)]

    def _try(self, ready: Parts, inner: Inner, k: int) -> list[float]:
        """Losses on one part by epoch, trained on those that may."""
        own = [ready[number] for number in inner[k]]
        train = [trial for part in own for trial in part]
        network, losses = self._train(own, None, train, validation=ready[k])
        self._held_out.append((network, list(ready[k])))
        return losses

    def _train(
        self, parts: Parts, inner: Inner | None, trials: list[AuditoryTrial],
        validation: Any = None, epochs: int | None = None,
    ) -> tuple[ListeningNetwork, list[float]]:  # fmt: skip
        torch.manual_seed(self.course.seed)
        first = self.begin(parts, inner)
        window, after = self.course.window_s, first.reach
        data = Excerpts(trials, window, after, self.course.hop_s)
        checks = None if validation is None else Excerpts(validation, window, after, window / 2)
        return train_network(lambda: first, data, self.course, validation=checks, epochs=epochs)

    def _prepare(self, trial: AuditoryTrial) -> AuditoryTrial:
        """Align a trial once, however many folds it trains in."""
        known = self._ready.get(id(trial))
        if known is None:
            eeg = self.prepared(trial.eeg[:]).astype(np.float32)
            done = replace(trial, eeg=eeg, candidates=np.asarray(trial.candidates[:]))
            known = self._ready[id(trial)] = (trial, done)
        return known[1]

    def scores(self, eeg: np.ndarray, candidates: np.ndarray, window_s: float) -> np.ndarray:
        """Logits of the network; of a causal decoder without the end of each window."""
        if self._seen is None or not _same(self._seen[0], eeg):
            self._seen = (eeg, _series(self.network, self.prepared(eeg)))
        return self._compared(self.network, self._seen[1], candidates, window_s)

    def _compared(
        self, network: ListeningNetwork, brain: np.ndarray, candidates: np.ndarray, window_s: float
    ) -> np.ndarray:
        length = samples(window_s, self.sfreq)
        starts = window_starts(len(brain), length)
        lost = network.reach if self.causal else 0
        if length - lost < 3:
            raise ConfigError(
                f"a causal decoder that reads {lost / self.sfreq:g} s ahead needs windows longer"
                " than that"
            )
        heard = torch.as_tensor(np.ascontiguousarray(candidates, dtype=np.float32))
        with torch.inference_mode():
            sounds = network.sound(heard[None])[0].numpy()
        cut = [windowed(each, starts, length - lost) for each in (brain, sounds)]
        with torch.inference_mode():
            windows = torch.as_tensor(cut[0]), torch.as_tensor(cut[1]).transpose(0, 1)
            return network.compare(*windows).double().numpy()

    def within(self, window_s: float) -> list[tuple[AuditoryTrial, np.ndarray]]:
        """Scores of training trials by networks that were not trained on them.

        Parameters
        ----------
        window_s : float
            Length of a window in s.

        Returns
        -------
        list of (AuditoryTrial, array of shape (n_windows, n_candidates))
            What a score is worth is learned from them.
        """
        return [
            (
                trial,
                self._compared(network, _series(network, trial.eeg), trial.candidates, window_s),
            )
            for network, trials in self._held_out
            for trial in trials
            if trial.seconds >= window_s
        ]

    def describe(self) -> dict[str, Any]:
        """Epochs that were chosen, and parameters of the network."""
        count = sum(each.numel() for each in self.network.parameters())
        return {"epochs": self.epochs_, "n_parameters": count}


def _same(one: np.ndarray, other: np.ndarray) -> bool:
    """Whether two arrays are the same memory; the first is kept, so that it is not given away."""
    ends = [(each.ctypes.data, each.shape, each.strides, each.dtype) for each in (one, other)]
    return ends[0] == ends[1]


def _series(network: ListeningNetwork, eeg: np.ndarray) -> np.ndarray:
    with torch.inference_mode():
        return network.brain(torch.as_tensor(eeg, dtype=torch.float32)[None])[0].numpy()


def _sizes(parts: Parts) -> tuple[int, int]:
    first = parts[0][0]
    return first.eeg.shape[1], first.candidates.shape[2]


@ATTENTION_DECODERS.register("dilated")
class DilatedDecoder(NeuralDecoder):
    """Dilated convolutions on both sides, from random beginnings.

    Parameters
    ----------
    network, n_inner, align, causal, **course
        See `NeuralDecoder` and `neurodecode.nn.listening.dilated.DilatedMatch`.
    """

    name = "dilated"

    def __init__(self, **options: Any) -> None:
        super().__init__(**{"epochs": 12, "lr": 3e-3, "mixing": 0.0, **options})

    def begin(self, parts: Parts, inner: Inner | None) -> ListeningNetwork:
        """See `NeuralDecoder.begin`."""
        return self.build(DilatedMatch, parts)


@ATTENTION_DECODERS.register("aadnet")
class InceptionDecoder(NeuralDecoder):
    """Inception branches and attention, begun with the canonical filters of the training set.

    Parameters
    ----------
    n_components : int
        Canonical components; 0 for random beginnings.
    network, n_inner, align, causal, **course
        See `NeuralDecoder` and `neurodecode.nn.listening.inception.InceptionAttention`.
    """

    name = "aadnet"

    def __init__(self, *, n_components: int = 5, **options: Any) -> None:
        super().__init__(**options)
        self.n_components = n_components
        self._canonical = CanonicalDecoder(n_components=max(n_components, 1))

    def begin(self, parts: Parts, inner: Inner | None) -> ListeningNetwork:
        """See `NeuralDecoder.begin`."""
        n_channels, n_features = _sizes(parts)
        network = self.build(InceptionAttention, parts)
        if self.n_components and len(parts) > 1:
            network.begin(*self._filters(parts, inner, n_channels, n_features))
        return network

    def _filters(
        self, parts: Parts, inner: Inner | None, n_channels: int, n_features: int
    ) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Canonical filters as convolutions have them: lag 0 first."""
        found = self._canonical.fit(parts, inner)
        shapes = ((found.filters_.x_weights_, n_channels), (found.filters_.y_weights_, n_features))
        brain, sound = (
            torch.as_tensor(weights.reshape(-1, count, weights.shape[1]), dtype=torch.float32)
            for weights, count in shapes
        )
        return brain.flip(0), sound, torch.as_tensor(found.logit_weight_)
