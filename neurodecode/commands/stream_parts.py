"""The parts of `neurodecode stream`, made from its options."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from neurodecode.errors import ConfigError, DataError, unknown_subject

if TYPE_CHECKING:
    from neurodecode.preprocess.front_end import FrontEnd
    from neurodecode.pretrained import PretrainedDecoder
    from neurodecode.realtime.pictures import PictureDecider
    from neurodecode.realtime.types import MarkerSource, Output, Source
    from neurodecode.recording import StimulusSet

__all__ = [
    "choose_session",
    "choose_subject",
    "front_end_of",
    "load_decoder",
    "make_decider",
    "open_markers",
    "open_outputs",
    "open_source",
    "read_pictures",
]


def load_decoder(name: str) -> PretrainedDecoder:
    """Load an exported decoder, or that of a training.

    Parameters
    ----------
    name : str
        Folder of ``neurodecode export``, model on the hub, folder of ``neurodecode fit`` (its
        ``best.ckpt``), or a checkpoint.

    Returns
    -------
    PretrainedDecoder
        In evaluation mode.
    """
    path = Path(name)
    checkpoint = path / "best.ckpt" if path.is_dir() else path
    if checkpoint.is_file():
        from neurodecode.pretrained.checkpoint import from_checkpoint

        return from_checkpoint(checkpoint)
    from neurodecode.pretrained import PretrainedDecoder

    return PretrainedDecoder.from_pretrained(name)


def choose_subject(model: PretrainedDecoder, subject: str | None) -> str:
    """Find out whose brain is streamed.

    Parameters
    ----------
    model : PretrainedDecoder
        The decoder.
    subject : str or None
        Who was asked for.

    Returns
    -------
    str
        A subject whose responses have a time axis.

    Raises
    ------
    ConfigError
        If it is unknown, not told, or one of fMRI.
    """
    context = model.config.context
    if subject is None:
        if len(model.subjects) > 1:
            raise ConfigError(f"--subject is missing; the decoder has {', '.join(model.subjects)}")
        subject = model.subjects[0]
    if subject not in model.subjects:
        raise unknown_subject(subject, model.subjects)
    if subject not in context.n_times:
        kind = context.modality.get(subject, "responses")
        raise ConfigError(
            f"subject {subject} of this decoder has no sensors: {kind} without a time axis; a"
            " stream needs a decoder of MEG or EEG"
        )
    return subject


def front_end_of(model: PretrainedDecoder, subject: str, *, causal_anyway: bool) -> FrontEnd:
    """Take what prepares a subject's samples.

    Parameters
    ----------
    model : PretrainedDecoder
        The decoder.
    subject : str
        Who is streamed.
    causal_anyway : bool
        Filter forwards although the training did not.

    Returns
    -------
    FrontEnd
        With a causal recipe.

    Raises
    ------
    ConfigError
        If the decoder was exported without it, or its filters need the future.
    """
    found = model.front_ends.get(subject)
    if found is None:
        raise ConfigError(
            f"the decoder does not tell how recordings of subject {subject} were prepared; export"
            " it again where the stores of its training (prepared by this version) are"
        )
    if found.recipe.causal or (found.recipe.low_hz, found.recipe.high_hz) == (None, None):
        return found
    if not causal_anyway:
        raise ConfigError(
            "the decoder was trained on signals that were filtered forwards and backwards, which"
            " no stream can be; prepare with causal: true in the recipe and train again, or give"
            " --causal-anyway and expect worse decisions"
        )
    return replace(found, recipe=replace(found.recipe, causal=True))


def choose_session(model: PretrainedDecoder, subject: str, session: int | None) -> int:
    """Choose whose statistics standardise the stream.

    Parameters
    ----------
    model : PretrainedDecoder
        The decoder.
    subject : str
        Who is streamed.
    session : int or None
        What was asked for.

    Returns
    -------
    int
        A session of the training; by default the last, the nearest in time.

    Raises
    ------
    ConfigError
        If it is unknown.
    """
    known = model.sessions(subject)
    if session is not None and session not in known:
        raise ConfigError(
            f"--session {session}: the decoder knows {', '.join(map(str, known))} of subject"
            f" {subject}"
        )
    return known[-1] if session is None else session


def read_pictures(path: Path | None) -> tuple[StimulusSet | None, dict[str, str]]:
    """Open the stimuli that are shown for choices.

    Parameters
    ----------
    path : Path or None
        ``stimuli.h5``.

    Returns
    -------
    stimuli : StimulusSet or None
        Pixels are read when they are asked for.
    captions : dict of str to str
        By id.
    """
    if path is None:
        return None, {}
    from neurodecode.store import read_stimuli

    stimuli = read_stimuli(path)
    if stimuli.captions is None:
        return stimuli, {}
    first = (next(iter(each), "") for each in stimuli.captions)
    return stimuli, dict(zip(stimuli.ids, first, strict=True))


def make_decider(
    args: argparse.Namespace,
    model: PretrainedDecoder,
    subject: str,
    session: int,
    captions: Mapping[str, str],
) -> PictureDecider:
    """Put decoder, pictures and calibration together.

    Parameters
    ----------
    args : argparse.Namespace
        ``bank``, ``embeddings``, ``array``, ``calibrate``, ``top_k``.
    model : PretrainedDecoder
        The decoder.
    subject, session
        Who is streamed, and whose statistics are used.
    captions : mapping of str to str
        By id.

    Returns
    -------
    PictureDecider
        Ready.

    Raises
    ------
    ConfigError
        If the pictures are embedded in another way than the decoder decodes.
    """
    from neurodecode.realtime.confidence import fit_sharpness
    from neurodecode.realtime.gallery import open_gallery
    from neurodecode.realtime.pictures import PictureDecider

    target = str(getattr(model.decoder, "target", "tokens"))
    gallery = open_gallery(args.bank, args.embeddings, args.array or target, captions)
    embedding = model.config.embeddings.get(target, "")
    gallery.check(embedding, target, int(np.prod(model.config.context.targets[target])))
    sharpness = None
    if args.calibrate is not None:
        sharpness = fit_sharpness(args.calibrate, subject, gallery, "tokens", embedding)

    def decode(trial: np.ndarray) -> np.ndarray:
        return model.decode({subject: trial[None]}, session={subject: session}).tokens[0].numpy()

    return PictureDecider(decode, gallery, args.top_k, sharpness)


def open_source(args: argparse.Namespace) -> Source:
    """Connect to the stream, or open the recording.

    Parameters
    ----------
    args : argparse.Namespace
        ``stream``, ``timeout``, ``replay``, ``speed``.

    Returns
    -------
    Source
        Samples.
    """
    if args.replay is not None:
        from neurodecode.realtime.replay import Replay, open_recording

        return Replay(open_recording(args.replay), args.replay.name, args.speed)
    from neurodecode.realtime.lsl import LSLSource

    return LSLSource(args.stream, args.timeout)


def open_markers(args: argparse.Namespace) -> MarkerSource | None:
    """Connect to the stream of markers, if there is one.

    Parameters
    ----------
    args : argparse.Namespace
        ``markers``, ``timeout``.

    Returns
    -------
    MarkerSource or None
        Markers.
    """
    if args.markers is None:
        return None
    from neurodecode.realtime.lsl import LSLMarkers

    return LSLMarkers(args.markers, args.timeout)


def open_outputs(
    args: argparse.Namespace,
    title: str,
    stimuli: StimulusSet | None,
    adopt: Callable[[Output], Output],
) -> list[Output]:
    """Open everything that decisions go to.

    Parameters
    ----------
    args : argparse.Namespace
        ``quiet``, ``log``, ``outlet``, ``serve``, ``top_k``.
    title : str
        Of the page.
    stimuli : StimulusSet or None
        Pictures for the page.
    adopt : callable
        Given every output at once, to close it whatever happens next.

    Returns
    -------
    list of Output
        In the order in which they are told.
    """
    from neurodecode.realtime.outlets import LogFile, LSLOutlet, Terminal

    found: list[Output] = []
    if args.outlet is not None:
        found.append(adopt(LSLOutlet(args.outlet)))
    if args.log is not None:
        found.append(adopt(LogFile(args.log, args.top_k)))
    if args.serve is not None:
        from neurodecode.realtime.web import WebPage

        page = WebPage(args.serve, title, None if stimuli is None else _png(stimuli))
        found.append(adopt(page))
        sys.stderr.write(f"decisions at {page.url}\n")
    if not args.quiet:
        found.append(adopt(Terminal(sys.stdout)))
    return found


def _png(stimuli: StimulusSet) -> Callable[[str], bytes | None]:
    """PNG file of a stimulus."""
    from io import BytesIO

    from PIL import Image

    def encode(name: str) -> bytes | None:
        try:
            row = int(stimuli.rows([name])[0])
        except DataError:
            return None
        file = BytesIO()
        Image.fromarray(np.asarray(stimuli.images[row])).save(file, "PNG")
        return file.getvalue()

    return encode
