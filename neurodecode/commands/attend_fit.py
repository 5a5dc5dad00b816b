"""`neurodecode attend fit`: train an attention decoder fold by fold, and score held-out trials."""

from __future__ import annotations

import argparse
import importlib
import json
import logging
from pathlib import Path
from typing import TYPE_CHECKING, Any

from neurodecode.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from neurodecode.auditory.decoder import AttentionDecoder
    from neurodecode.auditory.schemes import AttentionFold
    from neurodecode.auditory_trials import AuditoryTrial
    from neurodecode.store.attention import Patterns

_LOG = logging.getLogger(__name__)
_DECODERS = (
    "trf_backward, trf_forward, trf_unsupervised, cca, dilated, aadnet, csp, mean_direction,"
    " talker_signature"
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options.

    Parameters
    ----------
    parser : argparse.ArgumentParser
        Parser of this step.
    """
    add = parser.add_argument
    add("--stores", type=Path, required=True, help="folder of `attend prepare`")
    add("--method", default="trf_backward", help=f"{_DECODERS} (default: %(default)s)")
    add("--name", help="in the records, to tell options apart (default: the method)")
    add("--options", type=json.loads, default={}, metavar="JSON",
        help='of the decoder, e.g. \'{"tmax": 0.3}\'')  # fmt: skip
    add("--training", choices=("same-subject", "other-subjects"), default="same-subject",
        help="who is trained on (default: %(default)s)")  # fmt: skip
    add("--scheme", help="what is left out: trial, story, block, subject, subject-story,"
        " subject-block (default: what the stimuli of the data set ask for)")  # fmt: skip
    add("--folds", type=int, default=4, help="groups of trials or stories (default: %(default)s)")
    add("--blocks", type=int, default=2, help="blocks of time (default: %(default)s)")
    add("--gap", type=float, default=2.0, metavar="S",
        help="between blocks, used by nobody (default: %(default)g)")  # fmt: skip
    add("--windows", type=float, nargs="+", default=[1, 2, 5, 10, 20, 30, 60], metavar="S",
        help="decision windows; those longer than a trial are left out")  # fmt: skip
    add("--mismatch", type=float, nargs="*", default=[5, 10], metavar="S",
        help="windows to be told from others of the trial (default: 5 10)")  # fmt: skip
    add("--shifts", type=int, default=20, help="of the shifted-sound null (default: %(default)s)")
    add("--decision", type=float, default=2.0, metavar="S",
        help="short windows, joined over time; 0 for none (default: %(default)g)")  # fmt: skip
    add("--channels", choices=("brain", "gaze"), default="brain",
        help="gaze: the probe by eye channels alone (default: brain)")  # fmt: skip
    add("--condition", nargs="+", default=[], help="only trials of these conditions")
    add("--protocol", help="a leaking protocol of publications, refused without --allow-leak:"
        " overlapping-windows, within-trial, filters-before-split, shared-stimulus,"
        " speaker-identity")  # fmt: skip
    add("--allow-leak", action="store_true",
        help="compute it all the same; the scores are marked")  # fmt: skip
    add("--subjects", nargs="+", default=[], help="which subjects (default: all)")
    add("--seed", type=int, default=0, help="of shifts and random divisions")
    add("--out", type=Path, required=True, help="file of scores, .h5")


def run(args: argparse.Namespace) -> None:
    """Train and score.

    Parameters
    ----------
    args : argparse.Namespace
        Options of this step.

    Raises
    ------
    NeurodecodeError
        If options, stores or division cannot be used, or something of the test is in training.
    """
    from dataclasses import replace

    from neurodecode.auditory.leaks import refuse
    from neurodecode.auditory.run import ScoringPlan, only_gaze, run_folds
    from neurodecode.progress import progress_bar
    from neurodecode.store.attention import write_attention
    from neurodecode.store.auditory import read_folder

    decoder = find_decoder(args.method)
    if args.protocol:
        refuse(args.protocol, args.allow_leak)
    stores = read_folder(args.stores, args.subjects)
    trials = [trial for store in stores for trial in store.trials()]
    trials = [each for each in trials if not args.condition or each.condition in args.condition]
    if not trials:
        raise ConfigError(f"no trial of condition {', '.join(args.condition)}")
    if args.channels == "gaze":
        trials = [only_gaze(trial) for trial in trials]
    # read once: every fold needs most of them
    trials = [replace(each, eeg=each.eeg[:], candidates=each.candidates[:]) for each in trials]
    longest = max(trial.seconds for trial in trials)
    if min(args.windows) > longest:
        raise ConfigError(
            f"--windows {min(args.windows):g}: longer than the longest trial ({longest:g} s)"
        )
    plan = ScoringPlan(
        windows_s=tuple(args.windows),
        mismatch_s=tuple(args.mismatch),
        n_shifts=args.shifts,
        decision_s=args.decision,
        seed=args.seed,
    )
    folds = _folds(args, trials)
    scheme, leak = folds[0].scheme, _leak(args, folds, decoder)
    _LOG.info("%s: leaving out %s, %d folds", args.method, scheme, len(folds))
    scores, kept = [], _Kept(trials[0].channels)
    n_tests = sum(len(fold.test) for fold in folds)
    with progress_bar(f"attend {args.method}", n_tests, quiet=args.quiet) as advance:
        for each in run_folds(lambda: make_decoder(args.method, args.options), folds, plan,
                              allow_leak=args.allow_leak, fitted=kept):  # fmt: skip
            scores.append(each)
            advance(len(scores))
    attrs = _attrs(args, stores[0].dataset, scheme, leak)
    write_attention(args.out, attrs, scores, kept.mean())


class _Kept:
    """Patterns of the trained decoders, averaged as they come."""

    def __init__(self, channels: tuple[str, ...]) -> None:
        self._channels, self._sum, self._lags_s = channels, 0.0, ()

    def __call__(self, decoder: AttentionDecoder) -> None:
        """Take in the patterns of one fold."""
        import numpy as np

        if not hasattr(decoder, "patterns"):
            return
        found = decoder.patterns()[:, :, 0]
        self._sum = self._sum + found / np.linalg.norm(found)
        self._lags_s = tuple(-lag / decoder.sfreq for lag in decoder.model.lags_)

    def mean(self) -> Patterns | None:
        """Mean of unit norm, or None if there were none."""
        import numpy as np

        from neurodecode.store.attention import Patterns

        if not self._lags_s:
            return None
        return Patterns(self._sum / np.linalg.norm(self._sum), self._channels, self._lags_s)


def find_decoder(method: str) -> type[AttentionDecoder]:
    """Look a decoder up, networks among them.

    Parameters
    ----------
    method : str
        Name in the registry.

    Returns
    -------
    type of AttentionDecoder
        Its class.

    Raises
    ------
    ConfigError
        If there is none of this name.
    """
    from neurodecode.auditory.all_decoders import ATTENTION_DECODERS

    if method not in ATTENTION_DECODERS:
        # Lightning takes seconds to import, and linear decoders do without
        importlib.import_module("neurodecode.tasks.listening_decoders")
    return ATTENTION_DECODERS[method]


def make_decoder(method: str, options: dict[str, Any]) -> AttentionDecoder:
    """Make a decoder.

    Parameters
    ----------
    method : str
        Name in the registry.
    options : dict
        Its arguments.

    Returns
    -------
    AttentionDecoder
        Untrained.

    Raises
    ------
    ConfigError
        If there is no such decoder or option.
    """
    decoder = find_decoder(method)
    try:
        return decoder(**options)
    except TypeError as error:
        raise ConfigError(f"--options of {decoder.name}: {error}") from error


def _folds(args: argparse.Namespace, trials: list[AuditoryTrial]) -> list[AttentionFold]:
    from neurodecode.auditory.leaks import leaking_folds
    from neurodecode.auditory.schemes import make_folds
    from neurodecode.auditory.stories import choose_scheme

    found: Iterable[AttentionFold]
    if args.protocol:
        found = leaking_folds(trials, args.protocol, args.training, seed=args.seed, gap_s=args.gap)
    else:
        scheme = args.scheme or choose_scheme(trials, args.training)
        found = make_folds(trials, scheme, n_folds=args.folds, n_blocks=args.blocks, gap_s=args.gap)
    return list(found)


def _leak(
    args: argparse.Namespace, folds: list[AttentionFold], decoder: type[AttentionDecoder]
) -> str:
    """Name of the leak, also of one that comes by a scheme that was forced."""
    from dataclasses import replace

    from neurodecode.auditory.leaks import check_fold
    from neurodecode.errors import LeakError

    if args.protocol:
        return args.protocol
    if not args.allow_leak:
        return ""
    try:
        for fold in folds:
            check_fold(fold, 1.0, decoder.reads_sound)
    except LeakError as error:
        _LOG.warning("%s: going on, as --allow-leak says", error)
        folds[:] = [replace(fold, leak="shared-stimulus") for fold in folds]
        return "shared-stimulus"
    return ""


def _attrs(args: argparse.Namespace, dataset: str, scheme: str, leak: str) -> dict[str, Any]:
    return {
        "task": "auditory_attention",
        "side": "test",
        "dataset": dataset,
        "method": args.name or args.method,
        "options": args.options,
        "training": args.training,
        "scheme": scheme,
        "leak": leak,
        "channels": "" if args.channels == "brain" else args.channels,
        "conditions": args.condition,
        "decision_s": args.decision,
        "selection_split": "train",
        "scale": "pearson_r" if args.method.startswith("trf") else "other",
        "seed": args.seed,
    }
