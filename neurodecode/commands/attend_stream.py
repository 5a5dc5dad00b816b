"""`neurodecode attend stream`: who is listened to, while it is recorded."""

from __future__ import annotations

import argparse
import json
import logging
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

from neurodecode.errors import ConfigError, DataError

if TYPE_CHECKING:
    import numpy as np

    from neurodecode.auditory.live import LiveDecision, LiveSettings
    from neurodecode.auditory_trials import AuditoryTrial
    from neurodecode.preprocess.audio.features import SoundRecipe
    from neurodecode.realtime.types import Chunk, Output, Source

log = logging.getLogger(__name__)
_WAIT_S = 0.25


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options.

    Parameters
    ----------
    parser : argparse.ArgumentParser
        Parser of this step.
    """
    add = parser.add_argument
    add("--stores", type=Path, required=True,
        help="folder of `attend prepare --causal`, to train on at the start")  # fmt: skip
    add("--subjects", nargs="+", default=[], help="whom to train on (default: all)")
    add("--leave-out", nargs="+", default=[], metavar="TRIAL",
        help="trials not to train on, as those of a recording that is replayed")  # fmt: skip
    add("--method", default="trf_backward", help="trf_backward, cca (default: %(default)s)")
    add("--options", type=json.loads, default={}, metavar="JSON", help="of the decoder")
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument("--stream", metavar="NAME", help="Lab Streaming Layer stream of samples")
    source.add_argument("--replay", type=Path, metavar="FILE", help="a recording instead")
    add("--speed", type=float, default=1.0,
        help="of --replay: 1 is the pace of the recording, 0 as fast as it goes")  # fmt: skip
    add("--timeout", type=float, default=30.0, help="seconds to wait for streams")
    add("--sounds", type=Path, nargs="+", required=True, metavar="WAV",
        help="what may be listened to; all begin at the same moment")  # fmt: skip
    onset = parser.add_mutually_exclusive_group()
    onset.add_argument("--onset", type=float, default=0.0, metavar="S",
        help="of the sounds, from the first sample on (default: 0)")  # fmt: skip
    onset.add_argument("--markers", metavar="NAME", help="sounds begin at its first marker")
    add("--window", type=float, default=5.0, metavar="S", help="of a decision (%(default)s)")
    add("--hop", type=float, metavar="S",
        help="from window to window (default: the window; overlap counts twice)")  # fmt: skip
    add("--dwell", type=float, default=60.0, metavar="S",
        help="for which attention stays with a talker, on average (%(default)s)")  # fmt: skip
    add("--threshold", type=float, default=0.5,
        help="probability that another talker needs to be decided for (%(default)s)")  # fmt: skip
    add("--outlet", metavar="NAME", help="send decisions to a Lab Streaming Layer stream, as JSON")
    add("--log", type=Path, metavar="FILE.csv", help="write a table of decisions")


def run(args: argparse.Namespace) -> None:
    """Decide until the stream or the sounds end, or Ctrl-C is pressed.

    Parameters
    ----------
    args : argparse.Namespace
        Options of this step.

    Raises
    ------
    NeurodecodeError
        If stores, sounds and stream are missing or do not fit each other.
    """
    from neurodecode.auditory.live import live_start, live_step
    from neurodecode.commands.stream import interruptible
    from neurodecode.commands.stream_parts import open_source

    _check(args)
    with ExitStack() as stack, interruptible():
        source = open_source(args)
        stack.callback(source.close)
        settings, channels = _settings(args, source.description.sfreq)
        columns = _columns(channels, source.description.channels)
        outputs = _outputs(args, stack)
        names = [path.stem for path in args.sounds]
        number, state = 0, None
        for chunk, onset in _from_onset(args, source, stack):
            if state is None:
                state = live_start(len(columns), settings, onset)
            decisions, state = live_step(chunk.samples[:, columns], state, settings)
            for each in decisions:
                for output in outputs:
                    output(_told(number, each, names, settings, chunk))
                number += 1
            if state.start + settings.length > settings.candidates.shape[1]:
                break
        log.info("%d decisions", number)


def _check(args: argparse.Namespace) -> None:
    args.hop = args.window if args.hop is None else args.hop
    for option in ("window", "hop", "timeout", "dwell"):
        if not getattr(args, option) > 0:
            raise ConfigError(f"--{option} is {getattr(args, option):g}; give a positive number")
    for option in ("speed", "onset"):
        if getattr(args, option) < 0:
            raise ConfigError(f"--{option} is {getattr(args, option):g}; it cannot be negative")
    if args.hop >= args.dwell:
        raise ConfigError(f"--dwell {args.dwell:g} is not longer than --hop {args.hop:g}")
    if len(args.sounds) < 2:
        raise ConfigError("--sounds: give at least two, or there is nothing to decide")
    if args.log is not None and args.log.suffix != ".csv":
        raise ConfigError(f"--log {args.log}: give a name that ends in .csv")


def _settings(args: argparse.Namespace, rate: float) -> tuple[LiveSettings, tuple[str, ...]]:
    """Train, and read the sounds."""
    from neurodecode.auditory.live import LiveSettings
    from neurodecode.auditory.markov import stay_matrix
    from neurodecode.auditory.run import worth_of_scores
    from neurodecode.commands.attend_fit import make_decoder
    from neurodecode.preprocess.audio.causal import thinning
    from neurodecode.preprocess.audio.features import SoundRecipe

    trials, about = _trials(args)
    recipe = SoundRecipe(**{**about, "features": tuple(about["features"])})
    if not recipe.causal or thinning(rate, recipe) is None:
        raise DataError(
            f"prepared at {recipe.sfreq:g} Hz{'' if recipe.causal else ', looking ahead'}; the"
            f" stream has {rate:g} Hz",
            file=args.stores, fix="run `attend prepare --causal` at a rate that divides it",
        )  # fmt: skip
    decoder = make_decoder(args.method, {**args.options, "causal": True})
    parts = [[trial] for trial in trials]
    worth = worth_of_scores(decoder, parts, args.window)
    decoder.fit(parts)
    sounds = _sounds(args.sounds, recipe)
    transition = stay_matrix(len(sounds), 1 - args.hop / args.dwell)
    log.info("trained on %d trials; a score counts %.1f nats", len(trials), worth)
    settings = LiveSettings(
        decoder, sounds, recipe, rate, args.window, args.hop, worth, transition, args.threshold
    )
    return settings, trials[0].channels


def _trials(args: argparse.Namespace) -> tuple[list[AuditoryTrial], dict[str, object]]:
    from dataclasses import replace

    from neurodecode.store.auditory import read_folder

    stores = read_folder(args.stores, args.subjects)
    trials = [trial for store in stores for trial in store.trials()]
    names = {trial.trial for trial in trials}
    if unknown := sorted(set(args.leave_out) - names):
        raise ConfigError(f"--leave-out {unknown[0]}: there is no such trial in {args.stores}")
    trials = [
        replace(each, eeg=each.eeg[:], candidates=each.candidates[:])
        for each in trials
        if each.trial not in args.leave_out and each.n_candidates > 1
    ]
    if len(trials) < 4:
        raise DataError(
            f"{len(trials)} trials with several talkers to train on", file=args.stores,
            fix="give at least four",
        )  # fmt: skip
    return trials, stores[0].about


def _sounds(paths: list[Path], recipe: SoundRecipe) -> np.ndarray:
    """Features of all sounds, cut to the shortest: (n, n_times, n_features)."""
    import numpy as np

    from neurodecode.errors import about
    from neurodecode.preprocess.audio.features import sound_features
    from neurodecode.preprocess.audio.wave import read_wave

    found = []
    for path in paths:
        with about(file=path):
            found.append(sound_features(*read_wave(path), recipe))
    shortest = min(map(len, found))
    return np.stack([each[:shortest] for each in found])


def _columns(wanted: tuple[str, ...], offered: tuple[str, ...]) -> list[int]:
    from neurodecode.realtime.channels import match_names

    places = match_names(wanted, offered)
    missing = [name for name, place in zip(wanted, places, strict=True) if place is None]
    if missing:
        raise DataError(
            f"{len(missing)} of {len(wanted)} channels of the decoder are not in it:"
            f" {', '.join(missing[:5])}",
            field="stream", fix="prepare stores of the channels that it has",
        )  # fmt: skip
    return [place for place in places if place is not None]


def _from_onset(
    args: argparse.Namespace, source: Source, stack: ExitStack
) -> Iterator[tuple[Chunk, int]]:
    """Chunks, and how many samples the sounds begin after the first of them."""
    markers = None
    if args.markers is not None:
        from neurodecode.realtime.lsl import LSLMarkers

        markers = LSLMarkers(args.markers, args.timeout)
        stack.callback(markers.close)
    waiting: list[Chunk] = []
    onset = None if markers else round(args.onset * source.description.sfreq)
    while not source.ended:
        chunk = source.pull(_WAIT_S)
        if chunk is None:
            continue
        if onset is None and markers is not None:
            waiting.append(chunk)
            heard = markers.pull()
            if not heard:
                continue
            late = heard[0][0] - waiting[0].stamps[0]
            onset = max(round(late * source.description.sfreq), 0)
            yield from ((each, onset) for each in waiting)
            continue
        assert onset is not None
        yield chunk, onset


def _outputs(args: argparse.Namespace, stack: ExitStack) -> list[Output]:
    from neurodecode.realtime.outlets import LogFile, LSLOutlet, Terminal

    found: list[Output] = []
    if args.outlet is not None:
        found.append(LSLOutlet(args.outlet))
    if args.log is not None:
        found.append(LogFile(args.log, len(args.sounds)))
    if not args.quiet:
        found.append(Terminal(sys.stdout))
    for output in found:
        stack.callback(output.close)
    return found


def _told(
    number: int, each: LiveDecision, names: list[str], settings: LiveSettings, chunk: Chunk
) -> object:
    """A decision as outputs take it, the likeliest talker first."""
    from neurodecode.realtime.types import Choice, Decision

    choices: tuple[Choice, ...] = ()
    if each.decision is not None:
        order = each.decision.posterior.argsort()[::-1]
        choices = tuple(
            Choice(names[k], float(each.scores[k]), float(each.decision.posterior[k]), names[k])
            for k in order
        )
    return Decision(
        number=number, onset_s=each.second - settings.window_s, label="", choices=choices,
        problem=each.problem, filled_ms=0.0,
        latency_ms=1000 * (time.perf_counter() - chunk.arrived), age_ms=None,
    )  # fmt: skip
