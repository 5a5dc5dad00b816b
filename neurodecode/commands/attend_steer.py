"""`neurodecode attend steer`: a decoder's posterior steers the extraction, trial by trial."""

from __future__ import annotations

import argparse
import logging
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd
    from torch import Tensor

    from neurodecode.hearing.encoder import SpeakerEncoder

_LOG = logging.getLogger(__name__)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options.

    Parameters
    ----------
    parser : argparse.ArgumentParser
        Parser of this step.
    """
    add = parser.add_argument
    add("--stores", type=Path, required=True, help="folder of `attend prepare`")
    add("--scores", type=Path, required=True, metavar="FILE", help="of `attend fit`")
    add("--stimuli", type=Path, required=True, metavar="DIR",
        help="dry recordings, `<story>_dry.wav` (KU Leuven's layout)")  # fmt: skip
    add("--subjects", nargs="+", default=[], help="listeners (default: all)")
    add("--trials", type=int, default=4, help="trials of each listener, from the last one back")
    add("--weights", type=Path, metavar="DIR", help="networks (default: the bundled ones)")
    add("--profile", default="hearing", help="name of the set of runs")
    add("--join", type=Path, metavar="DIR",
        help="folder of `attend hear`: records, tables and sounds are put with these")  # fmt: skip
    add("--out", type=Path, required=True, help="folder; gets metrics.json, tables/, sounds/")


def run(args: argparse.Namespace) -> None:
    """Write records, a table of windows, and the sounds of the first trial.

    Parameters
    ----------
    args : argparse.Namespace
        Options of this step.

    Raises
    ------
    NeurodecodeError
        If stores, scores, sounds or weights cannot be used.
    """
    import pandas as pd

    from neurodecode import __version__
    from neurodecode.errors import DataError
    from neurodecode.evaluation.items import write_table
    from neurodecode.hearing.records import steering_records
    from neurodecode.hearing.sounds import write_sound
    from neurodecode.hearing.trials import heard_trial, posterior_of, steer
    from neurodecode.hearing.weights import hearing_folder, load_encoder, load_extractor
    from neurodecode.metrics.records import read_records, write_records
    from neurodecode.progress import progress_bar
    from neurodecode.store.attention import read_attention
    from neurodecode.store.auditory import read_folder

    stores = read_folder(args.stores, args.subjects)
    trials = {trial.key: trial for store in stores for trial in store.trials()}
    attrs, scores = read_attention(args.scores)
    chosen = [each for each in scores if (each.subject, each.source) in trials]
    chosen = _last(chosen, args.trials)
    if not chosen:
        raise DataError("no trial of these stores", file=args.scores, fix="give its stores")
    folder = args.weights or hearing_folder()
    encoder, network = load_encoder(folder), load_extractor(folder)
    window_s, tables = float(attrs["decision_s"]), []
    with progress_bar("attend steer", len(chosen), quiet=args.quiet) as advance:
        for number, each in enumerate(chosen):
            trial = trials[each.subject, each.source]
            heard = heard_trial(trial, args.stimuli)
            voices = _enrol(encoder, args.stimuli, trial)
            posterior = posterior_of(each, window_s)
            for name, found, gains in steer(heard, posterior, window_s, encoder, network, voices):
                tables.append(_table(gains, posterior, window_s).assign(
                    steering=name, subject=each.subject, trial=each.source))  # fmt: skip
                if not number and name in ("decoded", "self-enrolled"):
                    write_sound(args.out / "sounds" / f"trial-{name}.wav", found)
            if not number:
                write_sound(args.out / "sounds" / "trial-mixture.wav", heard.images.sum(0))
            advance(number + 1)
    table = pd.concat(tables, ignore_index=True)
    write_table(args.out / "tables" / "steering.csv", table)
    records = [
        *steering_records(table, attrs["dataset"], attrs["method"], args.profile, __version__)
    ]
    if args.join:
        records += read_records(args.join / "metrics.json")
        for name in ("tables", "sounds"):
            shutil.copytree(args.join / name, args.out / name, dirs_exist_ok=True)
    write_records(args.out / "metrics.json", records)


def _last(scores: list[Any], n: int) -> list[Any]:
    """The last trials of each listener, in order."""
    kept: dict[str, list[Any]] = {}
    for each in sorted(scores, key=lambda one: (one.subject, int(one.source), one.start_s)):
        kept.setdefault(each.subject, []).append(each)
    return [each for some in kept.values() for each in some[-n:]]


def _enrol(encoder: SpeakerEncoder, stimuli: Path, trial: Any) -> Tensor:
    """Voices by another part of the same talkers' stories: nothing of the trial is heard before."""
    import torch

    from neurodecode.errors import DataError
    from neurodecode.hearing.sounds import read_voice
    from neurodecode.hearing.talkers import RATE

    found = []
    for story, talker in zip(trial.story, trial.talker, strict=True):
        others = sorted(stimuli.glob(f"part*_{talker}_dry.wav"))
        others = [path for path in others if path.name != f"{story}_dry.wav"]
        if not others:
            raise DataError(f"no other recording of {talker}", file=stimuli)
        piece = read_voice(others[0])[: 10 * RATE]
        found.append(encoder(torch.from_numpy(piece).float()[None])[0])
    return torch.stack(found)


def _table(gains: dict[str, Any], posterior: Any, window_s: float) -> pd.DataFrame:
    """Scores of windows, and how likely the attended talker was held to be in them."""
    import numpy as np
    import pandas as pd

    table = pd.DataFrame(gains)
    # what steers a window is what was known before it
    before = (table["second"] / window_s).round().astype(int).to_numpy() - 2
    known = np.vstack([np.full(posterior.shape[1], 1 / posterior.shape[1]), posterior])
    row = np.clip(before + 1, 0, len(known) - 1)
    return table.assign(probability=known[row, table["attended"].to_numpy()])
