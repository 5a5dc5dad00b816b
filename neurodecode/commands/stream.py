"""`neurodecode stream`: decode MEG and EEG while they are recorded."""

from __future__ import annotations

import argparse
import logging
import signal
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, TypeVar

from neurodecode.errors import ConfigError

if TYPE_CHECKING:
    from neurodecode.realtime.loop import Latencies
    from neurodecode.realtime.pictures import PictureDecider
    from neurodecode.realtime.types import Source
    from neurodecode.realtime.windows import LiveWindows, WindowOptions

__all__ = ["HELP", "add_arguments", "interruptible", "run"]

HELP = "decode MEG and EEG while they are recorded"
log = logging.getLogger(__name__)


class _Closes(Protocol):
    def close(self) -> None: ...


Part = TypeVar("Part", bound=_Closes)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options.

    Parameters
    ----------
    parser : argparse.ArgumentParser
        Parser of this command.
    """
    add = parser.add_argument
    add("--decoder", required=True, help="folder of `export`, of `fit`, or a model on the hub")
    add("--subject", help="whose brain it is; not needed if the decoder knows one")
    add("--session", type=int,
        help="session of the training whose statistics are used (default: the last)")  # fmt: skip
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument("--stream", metavar="NAME", help="Lab Streaming Layer stream of samples")
    source.add_argument("--replay", type=Path, metavar="FILE", help="a recording instead")
    add("--speed", type=float, default=1.0,
        help="of --replay: 1 is the pace of the recording, 0 as fast as it goes")  # fmt: skip
    add("--timeout", type=float, default=30.0, help="seconds to wait for streams")
    onset = parser.add_mutually_exclusive_group()
    onset.add_argument("--markers", metavar="NAME", help="decode after the markers of this stream")
    onset.add_argument("--stim-channel", metavar="NAME", help="decode after triggers of a channel")
    add("--hop-ms", type=float, default=100.0, help="otherwise: between windows (%(default)s)")
    add("--unit", help="of the samples, if the stream does not tell: uV, fT, ...")
    add("--exclude", nargs="+", default=[], metavar="CHANNEL", help="channels that are broken")
    add("--fill-ms", type=float, default=50.0, help="longest gap that is bridged (%(default)s)")
    add("--jitter-ms", type=float, default=20.0,
        help="time stamps that are later tell of lost samples (%(default)s)")  # fmt: skip
    add("--causal-anyway", action="store_true",
        help="use a decoder whose training was filtered without phase shift")  # fmt: skip
    pictures = parser.add_mutually_exclusive_group(required=True)
    pictures.add_argument("--bank", type=Path, help="pictures to choose from: folder of `bank`")
    pictures.add_argument("--embeddings", type=Path, help="or a store of `embed`")
    add("--array", help="of --embeddings (default: what the decoder decodes)")
    add("--stimuli", type=Path, help="stimuli.h5 with the pictures and captions that are shown")
    add("--calibrate", type=Path, metavar="FILE",
        help="predictions-validation.h5 of single trials; without, no confidence")  # fmt: skip
    add("--top-k", type=int, default=5, help="choices of a decision (%(default)s)")
    add("--max-decisions", type=int, help="stop after as many windows")
    add("--outlet", metavar="NAME", help="send decisions to a Lab Streaming Layer stream, as JSON")
    add("--serve", type=int, metavar="PORT", help="web page at 127.0.0.1 (0: a free port)")
    add("--log", type=Path, metavar="FILE.csv", help="write a table of decisions")


def run(args: argparse.Namespace) -> None:
    """Decode until the stream ends, Ctrl-C is pressed, or there were enough decisions.

    Parameters
    ----------
    args : argparse.Namespace
        Options of this command.

    Raises
    ------
    NeurodecodeError
        If decoder, pictures and stream are missing or do not fit each other.
    """
    from neurodecode.commands import stream_parts as parts
    from neurodecode.realtime.loop import Latencies, Limits, run_loop
    from neurodecode.realtime.windows import LiveWindows

    _check(args)
    model = parts.load_decoder(args.decoder)
    subject = parts.choose_subject(model, args.subject)
    front_end = parts.front_end_of(model, subject, causal_anyway=args.causal_anyway)
    session = parts.choose_session(model, subject, args.session)
    stimuli, captions = parts.read_pictures(args.stimuli)
    decide = parts.make_decider(args, model, subject, session, captions)
    _warm_up(decide, (len(front_end.names), front_end.n_times))
    options = _options(args)

    def make_windows(source: Source) -> LiveWindows:
        return LiveWindows(front_end, session, source.description, options)

    kept = Latencies()
    with ExitStack() as stack, interruptible():

        def adopt(part: Part) -> Part:
            stack.callback(part.close)
            return part

        source = adopt(parts.open_source(args))
        make_windows(source)  # errors come before anything is written
        markers = parts.open_markers(args)
        if markers is not None:
            adopt(markers)
        title = f"{source.description.name}, subject {subject}"
        outputs = parts.open_outputs(args, title, stimuli, adopt)
        limits = Limits(args.max_decisions)
        run_loop(source, make_windows, decide, outputs, markers, limits, kept)
    _summarise(kept)


@contextmanager
def interruptible() -> Iterator[None]:
    """End as Ctrl-C does when another program asks for it, and end in peace.

    Yields
    ------
    None
        While signals end the loop.
    """
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    except KeyboardInterrupt:
        log.info("stopped")
    finally:
        signal.signal(signal.SIGTERM, before)


def _check(args: argparse.Namespace) -> None:
    for option in ("hop_ms", "timeout", "top_k", "max_decisions"):
        value = getattr(args, option)
        if value is not None and not value > 0:
            raise ConfigError(f"--{option.replace('_', '-')} is {value:g}; give a positive number")
    for option in ("fill_ms", "jitter_ms", "speed"):
        value = getattr(args, option)
        if not value >= 0:
            raise ConfigError(f"--{option.replace('_', '-')} is {value:g}; it cannot be negative")
    if args.log is not None and args.log.suffix != ".csv":
        raise ConfigError(f"--log {args.log}: give a name that ends in .csv")


def _options(args: argparse.Namespace) -> WindowOptions:
    from neurodecode.realtime.windows import WindowOptions

    return WindowOptions(
        hop_ms=args.hop_ms,
        trigger_channel=args.stim_channel,
        markers=args.markers is not None,
        unit=args.unit,
        exclude=args.exclude,
        fill_ms=args.fill_ms,
        jitter_ms=args.jitter_ms,
    )


def _warm_up(decide: PictureDecider, shape: tuple[int, int]) -> None:
    """Decode noise: the first call of a network takes many times as long as the others."""
    import numpy as np

    rng = np.random.default_rng(0)
    for _ in range(3):
        decide(rng.standard_normal(shape).astype(np.float32))


def _summarise(kept: Latencies) -> None:
    times = kept.percentiles()
    text = ", ".join(f"{name} {value:.1f}" for name, value in times.items())
    log.info(
        "%d decisions, %d windows not usable%s",
        kept.n_decided,
        kept.n_unusable,
        f"; ms from the last sample to the decision: {text}" if text else "",
    )
