"""`neurodecode attend prepare`: brain and sound of a listening experiment, at one rate."""

from __future__ import annotations

import argparse
import logging
from pathlib import Path

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
    add(
        "--dataset",
        required=True,
        metavar="NAME",
        help="layout: kul, dtu, dtu-raw, dtu-preprocessed, nju, sparrkulee or raw-trials",
    )
    add("--root", type=Path, required=True, help="its folder")
    add("--name", help="name in the records (default: that of the layout)")
    add("--features", nargs="+", default=["gammatone"], metavar="NAME",
        help="of the sound: gammatone, gammatone_bands, broadband, onset, mel, phoneme_rate"
        " (default: gammatone)")  # fmt: skip
    add("--sfreq", type=float, default=64.0, help="common rate in Hz (default: %(default)g)")
    add("--low", type=float, default=1.0, metavar="HZ",
        help="lower edge of the band of both, 0 for none (default: %(default)g)")  # fmt: skip
    add("--high", type=float, default=9.0, metavar="HZ",
        help="upper edge, 0 for none (default: %(default)g)")  # fmt: skip
    add("--causal", action="store_true", help="filters that look back only, as a stream has them")
    add("--reference", default="average",
        help="of the EEG: average, none or a channel (default: %(default)s)")  # fmt: skip
    add("--subjects", nargs="+", default=[], help="which subjects (default: all)")
    add("--out", type=Path, required=True, help="folder; gets sub-SUBJECT.h5")


def run(args: argparse.Namespace) -> None:
    """Write the stores.

    Parameters
    ----------
    args : argparse.Namespace
        Options of this step.

    Raises
    ------
    NeurodecodeError
        If a recording or sound cannot be used.
    """
    from dataclasses import asdict

    from neurodecode.datasets.auditory import AUDITORY
    from neurodecode.preprocess.audio.features import SoundRecipe
    from neurodecode.progress import progress_bar
    from neurodecode.store.auditory import write_auditory

    for option in ("low", "high"):
        if getattr(args, option) < 0:
            raise ConfigError(f"--{option} is {getattr(args, option):g}; give 0 for none")
    recipe = SoundRecipe(
        tuple(args.features), args.sfreq, args.low or None, args.high or None, args.causal,
        args.reference,
    )  # fmt: skip
    reader = AUDITORY[args.dataset](args.root)
    subjects = args.subjects or list(reader.subjects)
    with progress_bar(f"prepare {args.dataset}", len(subjects), quiet=args.quiet) as advance:
        for number, subject in enumerate(subjects, start=1):
            n = write_auditory(
                args.out / f"sub-{subject}.h5",
                args.name or args.dataset,
                reader.trials(subject, recipe),
                asdict(recipe),
            )
            _LOG.info("subject %s: %d trials", subject, n)
            advance(number)
