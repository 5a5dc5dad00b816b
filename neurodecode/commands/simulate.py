"""``neurodecode simulate``: write the bundled miniature world: fMRI, MEG, EEG or gaze."""

from __future__ import annotations

import argparse
import logging
import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from neurodecode.datasets.mini.plan import MiniOptions

HELP = (
    "write the bundled miniature world: fMRI in NSD's layout, MEG or EEG as FIF,"
    " gaze in COCO-Search18's, listeners in KUL's"
)

_LOG = logging.getLogger(__name__)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options.

    Parameters
    ----------
    parser : argparse.ArgumentParser
        Parser of this command.
    """
    add = parser.add_argument
    add("--out", required=True, help="folder to write, e.g. data/raw/mini-fmri")
    add("--world", choices=("fmri", "meg", "eeg", "gaze", "gaze-eeg", "speech", "talkers"),
        default="fmri",
        help="what is recorded; MEG and EEG viewers see pictures of the fMRI world, which the"
        " options below and the seed name; speech: two talkers, and listeners; talkers: many"
        " voices, to train steered hearing on")  # fmt: skip
    add("--subjects", type=int, default=4, help="number of fMRI subjects")
    add("--images-per-subject", type=int, default=900, help="pictures only one subject sees")
    add("--shared", type=int, default=100, help="pictures all subjects see: the test set")
    add("--unshown", type=int, default=0,
        help="further pictures that nobody sees (default: none)")  # fmt: skip
    add("--repeats", type=int, default=3, help="how often each picture is shown")
    add("--viewers", type=int,
        help="number of viewers (default: meg, eeg 2; gaze 8)")  # fmt: skip
    add("--train-images", type=int, default=3500,
        help="meg, eeg: how many of the unshared pictures every viewer sees")  # fmt: skip
    add("--train-repeats", type=int, default=2, help="meg, eeg: showings of each of these")
    add("--test-repeats", type=int, default=12, help="meg, eeg: showings of each shared picture")
    add("--scenes", type=int, default=160,
        help="gaze: pictures for free and captioned viewing and search (default: 160)")  # fmt: skip
    add("--arrays", type=int, default=280,
        help="gaze: arrays of objects for search (default: 280)")  # fmt: skip
    add("--image-size", type=int,
        help="side of the pictures in pixels (default: 64; gaze 128)")  # fmt: skip
    add("--gaze", metavar="DIR", default="data/raw/mini-gaze",
        help="gaze-eeg: what `--world gaze` wrote; its first 2 viewers wear a cap")  # fmt: skip
    add("--listeners", type=int, default=4, help="speech: number of listeners")
    add("--trials", type=int, default=16, help="speech: pairs of stories that each one hears")
    add("--heard-again", type=int, default=2,
        help="speech: how many of these are heard again, by half")  # fmt: skip
    add("--trial-seconds", type=float, default=60.0, help="speech: length of a trial")
    add("--talkers", type=int, nargs=3, default=(160, 20, 40), metavar="N",
        help="talkers: how many to train, validate, test with (default: 160 20 40)")  # fmt: skip
    add("--talker-seconds", type=float, nargs=2, default=(10.0, 24.0), metavar="S",
        help="talkers: length of what a voice is enrolled by, and of what is mixed")  # fmt: skip
    add("--seed", type=int, default=0, help="seed of everything")
    add("--jobs", type=int, default=min(4, os.cpu_count() or 1), help="processes")


def run(args: argparse.Namespace) -> None:
    """Run the command.

    Parameters
    ----------
    args : argparse.Namespace
        Parsed options.

    Raises
    ------
    NeurodecodeError
        If the world cannot be written; nothing is written then.
    """
    from neurodecode.datasets.mini.plan import MiniOptions

    if args.world == "gaze":
        _LOG.info("wrote %s", _look(args))
        return
    if args.world == "talkers":
        from neurodecode.hearing.corpus import CorpusOptions, simulate_corpus

        size = CorpusOptions(*args.talkers, *args.talker_seconds, args.seed)
        _LOG.info("wrote %s", simulate_corpus(args.out, size, quiet=args.quiet))
        return
    if args.world == "gaze-eeg":
        from neurodecode.datasets.gaze import load_gaze
        from neurodecode.datasets.mini.gaze_eeg import simulate_gaze_eeg

        data, viewers = load_gaze("mini-gaze", args.gaze), args.viewers
        made = simulate_gaze_eeg(args.out, data, 2 if viewers is None else viewers, args.seed)
        _LOG.info("wrote %s", made)
        return
    if args.world == "speech":
        _LOG.info("wrote %s", _speak(args))
        return
    options = MiniOptions(
        n_subjects=args.subjects,
        images_per_subject=args.images_per_subject,
        shared=args.shared,
        repeats=args.repeats,
        seed=args.seed,
        image_size=64 if args.image_size is None else args.image_size,
        unshown=args.unshown,
    )
    if args.world == "fmri":
        from neurodecode.datasets.mini.simulate import simulate

        out = simulate(args.out, options, n_jobs=args.jobs, quiet=args.quiet)
    else:
        out = _record(args, options)
    _LOG.info("wrote %s", out)


def _speak(args: argparse.Namespace) -> Path:
    from neurodecode.datasets.mini.speech.simulate import SpeechOptions, simulate_speech

    options = SpeechOptions(
        args.listeners, args.trials, args.heard_again, args.trial_seconds, args.seed
    )
    return simulate_speech(args.out, options, quiet=args.quiet)


def _record(args: argparse.Namespace, world: MiniOptions) -> Path:
    from neurodecode.datasets.mini.meeg_plan import MeegOptions
    from neurodecode.datasets.mini.simulate_meeg import simulate_meeg

    options = MeegOptions(
        modality=args.world,
        world=world,
        viewers=2 if args.viewers is None else args.viewers,
        train_images=args.train_images,
        train_repeats=args.train_repeats,
        test_repeats=args.test_repeats,
    )
    return simulate_meeg(args.out, options, n_jobs=args.jobs, quiet=args.quiet)


def _look(args: argparse.Namespace) -> Path:
    from neurodecode.datasets.mini.simulate_gaze import GazeOptions, simulate_gaze

    given = {"viewers": args.viewers, "image_size": args.image_size}
    options = GazeOptions(
        scenes=args.scenes,
        arrays=args.arrays,
        seed=args.seed,
        **{name: value for name, value in given.items() if value is not None},
    )
    return simulate_gaze(args.out, options, quiet=args.quiet)
