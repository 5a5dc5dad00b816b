"""`neurodecode attend extract`: take whoever is attended out of what both ears hear."""

from __future__ import annotations

import argparse
import logging
from pathlib import Path
from typing import TYPE_CHECKING

from neurodecode.errors import ConfigError

if TYPE_CHECKING:
    from torch import Tensor

    from neurodecode.hearing.encoder import SpeakerEncoder
    from neurodecode.hearing.extractor import TalkerExtractor

_LOG = logging.getLogger(__name__)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options.

    Parameters
    ----------
    parser : argparse.ArgumentParser
        Parser of this step.
    """
    add = parser.add_argument
    add("--sound", type=Path, required=True, help="WAV file of both ears")
    add("--voice", nargs="+", default=[], metavar="[NAME=]FILE",
        help="recordings of the voices, a second or more of each alone")  # fmt: skip
    add("--wanted", metavar="NAME", help="which voice (not needed if there is one)")
    add("--posterior", type=Path, metavar="CSV",
        help="how likely each is attended: column `second` (end of a window),"
        " and one a voice")  # fmt: skip
    add("--candidates", nargs="+", default=[], metavar="[NAME=]FILE",
        help="instead of --voice: the sounds the decoder chose among; the voice is learned where"
        " the posterior is confident")  # fmt: skip
    add("--confidence", type=float, default=0.9, metavar="P",
        help="with --candidates: learn from windows as sure as that"
        " (default: %(default)g)")  # fmt: skip
    add("--weights", type=Path, metavar="DIR", help="networks (default: the bundled ones)")
    add("--speaker", metavar="PATH",
        help="speaker encoder the extractor was trained with: folder, checkpoint, or ecapa:FOLDER"
        " (default: that of --weights)")  # fmt: skip
    add("--out", type=Path, required=True, help="WAV file to write, 8000 Hz, both ears")


def run(args: argparse.Namespace) -> None:
    """Extract.

    Parameters
    ----------
    args : argparse.Namespace
        Options of this step.

    Raises
    ------
    NeurodecodeError
        If sounds, posterior, weights or options cannot be used.
    """
    from neurodecode.hearing.filterbank import CHUNK
    from neurodecode.hearing.sounds import read_binaural, write_sound
    from neurodecode.hearing.streaming import extract
    from neurodecode.hearing.weights import hearing_folder, load_encoder, load_extractor
    from neurodecode.progress import progress_bar

    _check(args)
    sound = read_binaural(args.sound)
    folder = args.weights or hearing_folder()
    encoder, network = load_encoder(args.speaker or folder), load_extractor(folder)
    _fit_together(encoder, network)
    wanted = _learned(args, encoder) if args.candidates else _given(args, encoder)
    n_chunks = -(-(sound.shape[1] + network.delay) // CHUNK)
    with progress_bar("attend extract", n_chunks, quiet=args.quiet) as advance:
        found = extract(network, sound, wanted, advance=advance)
    write_sound(args.out, found)
    _LOG.info("wrote %s", args.out)


def _fit_together(encoder: SpeakerEncoder, network: TalkerExtractor) -> None:
    if encoder.dim != network.options["dim"]:
        raise ConfigError(
            f"the speaker encoder gives {encoder.dim} numbers, the extractor was trained with"
            f" {network.options['dim']}: --speaker has to be the one of its training"
        )


def _check(args: argparse.Namespace) -> None:
    """Refuse options that say nothing, or two things at once."""
    if bool(args.voice) == bool(args.candidates):
        raise ConfigError("give either --voice (recordings of voices) or --candidates")
    if args.candidates and not args.posterior:
        raise ConfigError("--candidates needs --posterior: it says where a voice can be learned")
    if args.wanted and args.posterior:
        raise ConfigError("give either --wanted or --posterior")
    if len(args.voice) > 1 and not (args.wanted or args.posterior):
        raise ConfigError("several voices: say which by --wanted, or how likely by --posterior")
    if not 0 < args.confidence <= 1:
        raise ConfigError(f"--confidence {args.confidence:g}: give a probability")


def named_files(words: list[str]) -> dict[str, Path]:
    """Read ``NAME=FILE``, or ``FILE``, whose stem is the name.

    Parameters
    ----------
    words : list of str
        Of the command line.

    Returns
    -------
    dict of str to Path
        In order.

    Raises
    ------
    ConfigError
        If two have one name.
    """
    found: dict[str, Path] = {}
    for word in words:
        name, equals, file = word.partition("=")
        path = Path(file if equals else word)
        name = name if equals else path.stem
        if name in found:
            raise ConfigError(f"two voices are named {name!r}; say NAME=FILE")
        found[name] = path
    return found


def _given(args: argparse.Namespace, encoder: SpeakerEncoder) -> Tensor:
    """Embedding for all chunks, or one for each, of enrolled voices."""
    import torch

    from neurodecode.hearing.sounds import read_posterior, read_voice
    from neurodecode.hearing.steering import mix_voices, spread_over_chunks
    from neurodecode.hearing.talkers import RATE

    named = named_files(args.voice)
    if args.wanted and args.wanted not in named:
        raise ConfigError(f"--wanted {args.wanted}: the voices are {', '.join(named)}")
    with torch.inference_mode():
        voices = torch.cat(
            [encoder(torch.from_numpy(read_voice(path)).float()[None]) for path in named.values()]
        )
    if not args.posterior:
        return voices[list(named).index(args.wanted) if args.wanted else 0]
    ends, posterior = read_posterior(args.posterior, list(named))
    return spread_over_chunks(mix_voices(posterior, voices), ends, RATE, voices.mean(0))


def _learned(args: argparse.Namespace, encoder: SpeakerEncoder) -> Tensor:
    """Embedding for each chunk, learned from the candidates where the decoder was confident."""
    import numpy as np

    from neurodecode.errors import DataError
    from neurodecode.hearing.sounds import read_posterior, read_voice
    from neurodecode.hearing.steering import embed_windows, self_enrolled, spread_over_chunks
    from neurodecode.hearing.talkers import RATE

    named = named_files(args.candidates)
    ends, posterior = read_posterior(args.posterior, list(named))
    window_s = float(ends[0])
    if not np.allclose(np.diff(ends), window_s, atol=1e-3):
        raise DataError("windows differ in length", file=args.posterior, field="second",
                        fix="give windows end to end")  # fmt: skip
    sounds = [read_voice(path) for path in named.values()]
    n = min(map(len, sounds))
    embedded = embed_windows(encoder, np.stack([each[:n] for each in sounds]), window_s, RATE)
    k = min(len(embedded), len(ends))
    if not k:
        raise DataError(f"the candidates are shorter than a window of {window_s:g} s",
                        file=next(iter(named.values())))  # fmt: skip
    voice, taught = self_enrolled(embedded[:k], posterior[:k], confidence=args.confidence)
    if not taught.any():
        _LOG.warning("no window is as sure as %g: nothing was learned", args.confidence)
    _LOG.info("learned from %d of %d windows", int(np.sum(taught)), k)
    return spread_over_chunks(voice, ends[:k], RATE, embedded[0].mean(0))
