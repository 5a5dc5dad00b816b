"""`neurodecode attend describe`: what the attended voice is like, and which transcript is its."""

from __future__ import annotations

import argparse
import logging
from pathlib import Path
from typing import Any

from neurodecode.errors import ConfigError

_LOG = logging.getLogger(__name__)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options.

    Parameters
    ----------
    parser : argparse.ArgumentParser
        Parser of this step.
    """
    add = parser.add_argument
    add("--sound", nargs="+", required=True, metavar="[NAME=]FILE",
        help="what was extracted, or every talker there is")  # fmt: skip
    add("--posterior", type=Path, metavar="CSV",
        help="how likely each is attended: column `second`, and one a talker")  # fmt: skip
    add("--at", type=float, metavar="S", help="when (default: after the last window)")
    add("--transcripts", type=Path, nargs="*", default=[], metavar="TSV",
        help="candidates: onset_s and word of each")  # fmt: skip
    add("--out", type=Path, required=True, help="JSON file")


def run(args: argparse.Namespace) -> None:
    """Write the description.

    Parameters
    ----------
    args : argparse.Namespace
        Options of this step.

    Raises
    ------
    NeurodecodeError
        If sounds, posterior or transcripts cannot be used.
    """
    import numpy as np

    from neurodecode.commands.attend_extract import named_files
    from neurodecode.errors import DataError, about
    from neurodecode.files import write_json
    from neurodecode.hearing.description import describe_voice
    from neurodecode.hearing.sounds import read_posterior, read_voice
    from neurodecode.hearing.talkers import RATE
    from neurodecode.hearing.transcripts import rank_transcripts, read_transcript

    files = named_files(args.sound)
    if len(files) > 1 and not args.posterior:
        raise ConfigError("several talkers: say by --posterior how likely each is attended")
    shares = np.ones(1)
    if args.posterior:
        ends, posterior = read_posterior(args.posterior, list(files))
        when = ends[-1] if args.at is None else args.at
        past = np.flatnonzero(ends <= when + 1e-9)
        if not len(past):
            raise DataError(f"no window has ended at {when:g} s", file=args.posterior,
                            fix=f"the first ends at {ends[0]:g} s")  # fmt: skip
        shares = posterior[past[-1]]
    transcripts = [read_transcript(path) for path in args.transcripts]
    talkers: dict[str, Any] = {}
    fits = np.zeros(len(transcripts))
    for (name, path), share in zip(files.items(), shares, strict=True):
        sound = read_voice(path)
        with about(file=path):
            voice = describe_voice(sound, RATE)
        talkers[name] = {"probability": round(float(share), 4), **voice.as_dict(),
                         "says": voice.sentence()}  # fmt: skip
        if transcripts:
            fits += share * rank_transcripts(sound, RATE, transcripts)
    order = np.argsort(-fits, kind="stable")
    attended = list(files)[int(np.argmax(shares))]
    found = [{"transcript": transcripts[i].name, "fit": round(float(fits[i]), 4),
              "text": transcripts[i].text} for i in order]  # fmt: skip
    write_json(args.out, {"attended": attended, "talkers": talkers, "transcripts": found})
    _LOG.info("%s (%.2f): %s", attended, shares.max(), talkers[attended]["says"])
