"""`neurodecode attend hear`: how well unheard talkers are extracted from mixtures."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np

    from neurodecode.hearing.understanding import HeardScene


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options.

    Parameters
    ----------
    parser : argparse.ArgumentParser
        Parser of this step.
    """
    add = parser.add_argument
    add("--talkers", type=Path, required=True, help="of `simulate --world talkers`")
    add("--weights", type=Path, metavar="DIR", help="networks (default: the bundled ones)")
    add("--side", choices=("validation", "test"), default="test",
        help="whose talkers (default: test)")  # fmt: skip
    add("--scenes", type=int, default=100, help="mixtures without and as many with a room")
    add("--seconds", type=float, default=4.0, help="length of a mixture (default: %(default)g)")
    add("--keep", type=int, default=3, help="mixtures whose sounds are kept, for the report")
    add("--transcripts", type=int, default=10, help="candidates among which one is found")
    add("--chunks", type=int, default=1000, help="chunks that are timed")
    add("--seed", type=int, default=0, help="of the mixtures")
    add("--profile", default="hearing", help="name of the set of runs")
    add("--out", type=Path, required=True, help="folder; gets metrics.json, tables/, sounds/")


def run(args: argparse.Namespace) -> None:
    """Write records, a table of mixtures, and some sounds.

    Parameters
    ----------
    args : argparse.Namespace
        Options of this step.

    Raises
    ------
    NeurodecodeError
        If talkers or weights cannot be used.
    """
    import pandas as pd

    from neurodecode import __version__
    from neurodecode.evaluation.items import write_table
    from neurodecode.hearing.corpus import read_corpus
    from neurodecode.hearing.filterbank import CHUNK
    from neurodecode.hearing.measure import measure_scenes
    from neurodecode.hearing.records import (
        extraction_records,
        timing_records,
        understanding_records,
    )
    from neurodecode.hearing.scenes import SceneOptions
    from neurodecode.hearing.streaming import chunk_times_s
    from neurodecode.hearing.talkers import RATE
    from neurodecode.hearing.understanding import understand
    from neurodecode.hearing.weights import hearing_folder, load_encoder, load_extractor
    from neurodecode.metrics.records import write_records
    from neurodecode.progress import progress_bar

    talkers = read_corpus(args.talkers, args.side)
    folder = args.weights or hearing_folder()
    encoder, network = load_encoder(folder), load_extractor(folder)
    rows, kept = [], []
    with progress_bar("attend hear", 4 * args.scenes, quiet=args.quiet) as advance:
        for share, room in ((0.0, "none"), (1.0, "room")):
            options = SceneOptions(args.seconds, room_share=share)
            keep = _Keep(args.out / "sounds", args.keep if room == "none" else 0)
            kept.append(keep)
            for row in measure_scenes(talkers, encoder, network, options, args.scenes, args.seed,
                                      show=keep):  # fmt: skip
                rows.append(row | {"room": room})
                advance(len(rows))
    table = pd.DataFrame(rows)
    records = [*extraction_records(table, args.profile, __version__, args.seed)]
    understood = pd.DataFrame(understand(kept[0].scenes, RATE, args.transcripts))
    records += understanding_records(
        understood, args.transcripts, args.profile, __version__, args.seed
    )
    count = sum(each.numel() for each in network.parameters())
    times = chunk_times_s(network, args.chunks)
    records += timing_records(times, CHUNK / RATE, count, args.profile, __version__)
    write_table(args.out / "tables" / "extraction.csv", table)
    write_table(args.out / "tables" / "understanding.csv", understood)
    write_records(args.out / "metrics.json", records)


class _Keep:
    """Remembers what was heard, and writes the sounds of the first mixtures."""

    def __init__(self, folder: Path, n: int) -> None:
        self._folder, self._n = folder, n
        self.scenes: list[HeardScene] = []

    def __call__(self, number: int, sounds: dict[str, np.ndarray]) -> None:
        """Keep one mixture."""
        from neurodecode.hearing.sounds import write_sound
        from neurodecode.hearing.understanding import HeardScene

        names = ("right", "mixture", "target", "other")
        self.scenes.append(HeardScene(*(sounds[name].mean(0) for name in names)))
        if number < self._n:
            for name, sound in sounds.items():
                write_sound(self._folder / f"scene-{number}-{name}.wav", sound)
