"""``neurodecode scanpath``: where do people look? Locate, split, predict, evaluate."""

from __future__ import annotations

import argparse
import logging
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from neurodecode.errors import ConfigError

if TYPE_CHECKING:
    from neurodecode.datasets.gaze.base import GazeData

__all__ = ["HELP", "add_arguments", "run"]

HELP = "predict where people look, and compare models with viewers"

_LOG = logging.getLogger(__name__)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options.

    Parameters
    ----------
    parser : argparse.ArgumentParser
        Parser of this command.
    """
    steps = parser.add_subparsers(dest="step", metavar="STEP", required=True)
    locate = steps.add_parser("locate", help="find gaze data sets and note where they are")
    locate.add_argument("--data", type=Path, required=True, metavar="DIR", help="where to look")
    locate.add_argument("--require", nargs="*", default=[], metavar="NAME",
                        help="data sets that must be there")  # fmt: skip
    locate.add_argument("--out", type=Path, default=Path("data/raw/gaze.yaml"), metavar="FILE",
                        help="file to write (default: data/raw/gaze.yaml)")  # fmt: skip
    split = steps.add_parser("split", help="divide the pictures of a data set by content")
    predict = steps.add_parser("predict", help="fit a model fold by fold and ask it")
    evaluate = steps.add_parser("evaluate", help="compare predictions with viewers")
    decode = steps.add_parser("decode", help="which object was fixated, with EEG and without")
    for part in (split, predict, evaluate, decode):
        part.add_argument("--dataset", required=True, help="name of the data set (osie, ...)")
        part.add_argument("--root", type=Path, metavar="DIR", help="its folder")
        part.add_argument("--sources", type=Path, metavar="FILE",
                          help="instead: file of `scanpath locate`")  # fmt: skip
        part.add_argument("--clip", action="store_true",
                          help="move fixations off the image to its edge")  # fmt: skip
    _split_arguments(split)
    _predict_arguments(predict)
    _evaluate_arguments(evaluate)
    _decode_arguments(decode)


def _split_arguments(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("--scheme", default="kfold",
        help="kfold, every-seventh or published (default: kfold)")  # fmt: skip
    add("--folds", type=int, default=5, help="folds of kfold (default: 5)")
    add("--with-pictures", action="store_true", help="leave out stimuli without a picture")
    add("--seed", type=int, default=0, help="of the random choices")
    add("--out", type=Path, required=True, metavar="FILE", help="splits.json to write")


def _predict_arguments(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("--splits", type=Path, required=True, metavar="FILE", help="of `scanpath split`")
    add("--model", required=True,
        help="name of a model, path of a class, or other_viewers")  # fmt: skip
    add("--option", action="extend", nargs="+", default=[], metavar="NAME=VALUE",
        help="keyword arguments of the model, as YAML; may be repeated")  # fmt: skip
    add("--method", help="name in the records (default: the model's)")
    add("--tasks", nargs="*", default=[],
        help="free_viewing, search_present, captioning, ... (default: all)")  # fmt: skip
    add("--samples", type=int, default=5, help="scanpaths drawn for each stimulus (default: 5)")
    add("--cell", type=int, default=16,
        help="side in pixels of the cells of densities (default: 16)")  # fmt: skip
    add("--side", choices=("test", "validation"), default="test", help="which stimuli")
    add("--kernel", choices=("published", "learned"), default="published",
        help="of other_viewers: as published, or learned from training viewers")  # fmt: skip
    add("--longest", type=int, help="fixations of a drawn scanpath at most")
    add("--seed", type=int, default=0, help="of what is drawn")
    add("--out", type=Path, required=True, metavar="FILE", help="predictions to write (.h5)")


def _evaluate_arguments(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("--predictions", type=Path, nargs="+", required=True, metavar="FILE",
        help="of `scanpath predict`, one for each method")  # fmt: skip
    add("--profile", default="scanpath", help="name of the set of runs")
    add("--reference", default="centre_bias",
        help="method over which information is gained (default: centre_bias)")  # fmt: skip
    add("--bandwidth", type=float, default=0.06,
        help="of the clusters of the sequence score, as a share of the longer side")  # fmt: skip
    add("--baselines", nargs="*", default=[], metavar="NAME",
        help="also compare all methods with these, not only the reference")  # fmt: skip
    add("--stimuli", nargs="*", default=[], metavar="PATTERN",
        help="only stimuli whose names fit, such as 'array-2x4-*' (default: all)")  # fmt: skip
    add("--examples", type=int, default=6, help="stimuli that the report draws (default: 6)")
    add("--out", type=Path, required=True, metavar="DIR", help="folder of the report")


def _decode_arguments(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("--recordings", type=Path, required=True, metavar="DIR",
        help="EEG of the viewers, with tables of fixations")  # fmt: skip
    add("--splits", type=Path, required=True, metavar="FILE", help="of `scanpath split`")
    add("--model", default="saccade_walk",
        help="what is known without the recording, by default saccade_walk")  # fmt: skip
    add("--side", choices=("test", "validation"), default="test", help="which stimuli")
    add("--profile", default="scanpath", help="name of the set of runs")
    add("--out", type=Path, required=True, metavar="DIR", help="folder of metrics.json")


def run(args: argparse.Namespace) -> None:
    """Run the command.

    Parameters
    ----------
    args : argparse.Namespace
        Parsed options.

    Raises
    ------
    NeurodecodeError
        If a file is missing or broken, or the options do not fit together; nothing is written
        then.
    """
    if args.step == "locate":
        _locate(args)
        return
    from neurodecode.datasets.gaze import load_gaze

    data = _flagged(load_gaze(args.dataset, _root(args)), args.clip)
    steps = {"split": _split, "predict": _predict, "evaluate": _evaluate, "decode": _decode}
    steps[args.step](args, data)


def _flagged(data: GazeData, clip: bool) -> GazeData:
    """Say what is unusual, and move what lies off the image if asked to."""
    off = int(data.scanpaths.off_image.sum())
    if off:
        _LOG.info("%d of %d fixations lie off the image: %s", off, len(data.scanpaths.x),
                  "moved to its edge" if clip else "kept (--clip moves them)")  # fmt: skip
    if data.info.get("n_still"):
        _LOG.info("%d scanpaths without a fixation were left out", data.info["n_still"])
    return replace(data, scanpaths=data.scanpaths.clipped()) if clip else data


def _locate(args: argparse.Namespace) -> None:
    from neurodecode.datasets.gaze.locate import LAYOUTS, locate_gaze
    from neurodecode.datasets.locate import write_sources

    if not args.data.is_dir():
        raise ConfigError(f"no folder {args.data}")
    found = locate_gaze(args.data)
    missing = [name for name in args.require if name not in found]
    if missing or not found:
        wanted = missing or list(LAYOUTS)
        looked = "; ".join(f"{name}: {' or '.join(LAYOUTS.get(name, ()))}" for name in wanted)
        raise ConfigError(f"not in {args.data} or a folder directly below (looked for {looked})")
    write_sources(args.out, found, quiet=args.quiet)
    for name, path in found.items():
        _LOG.info("%s: %s", name, path)


def _root(args: argparse.Namespace) -> Path:
    if (args.root is None) == (args.sources is None):
        raise ConfigError("give either --root or --sources")
    if args.root is not None:
        return args.root
    from neurodecode.datasets.locate import read_sources

    known = read_sources(args.sources)
    if args.dataset not in known:
        raise ConfigError(
            f"{args.sources} does not list {args.dataset}; run `neurodecode scanpath locate"
            " --data DIR` on the folder that holds it"
        )
    return known[args.dataset]


def _split(args: argparse.Namespace, data: GazeData) -> None:
    from neurodecode.splits import write_split
    from neurodecode.splits.pictures import split_pictures

    names = sorted(set(data.scanpaths.stimulus.tolist()))
    if args.with_pictures:
        names = [name for name in names if name in data.pictures]
    sides = data.info.get("split", [])
    split = split_pictures(
        names,
        data.pictures,
        args.scheme,
        n_folds=args.folds,
        published=dict(zip(data.scanpaths.stimulus.tolist(), map(str, sides))),
        seed=args.seed,
    )
    write_split(args.out, split)
    _LOG.info("wrote %s: %d stimuli, %d folds", args.out, len(names), len(split.folds))


def _predict(args: argparse.Namespace, data: GazeData) -> None:
    from neurodecode.evaluation.scanpath.predict import PredictOptions, predict, predict_others
    from neurodecode.gaze.models import build_model
    from neurodecode.progress import progress_bar
    from neurodecode.splits import read_split
    from neurodecode.store.gaze_predictions import write_gaze_prediction

    for name in ("samples", "cell"):
        if getattr(args, name) < 1:
            raise ConfigError(f"--{name} is {getattr(args, name)}; give a positive number")
    options = PredictOptions(
        tuple(args.tasks), args.samples, args.cell, args.side, args.longest, args.seed, args.kernel
    )
    split = read_split(args.splits)
    method = args.method or args.model.rpartition(".")[2]
    given = _options(args.option)
    with progress_bar(method, len(set(data.scanpaths.stimulus)), quiet=args.quiet) as advance:
        done = 0

        def step() -> None:
            """Move the bar."""
            nonlocal done
            done += 1
            advance(done)

        if args.model == "other_viewers":
            prediction = predict_others(data, split, options, step)
        else:
            build_model(args.model, given)  # a wrong name or option before any work
            prediction = predict(
                method, lambda: build_model(args.model, given), data, split, options, step
            )
    write_gaze_prediction(args.out, prediction)
    _LOG.info("wrote %s", args.out)


def _options(words: list[str]) -> dict[str, Any]:
    import yaml

    found = {}
    for word in words:
        name, equals, value = word.partition("=")
        if not equals:
            raise ConfigError(f"--option {word}: write NAME=VALUE")
        try:
            found[name] = yaml.safe_load(value)
        except yaml.YAMLError as error:
            raise ConfigError(f"--option {name}: not YAML ({value})") from error
    return found


def _evaluate(args: argparse.Namespace, data: GazeData) -> None:
    from neurodecode.evaluation.items import write_table
    from neurodecode.evaluation.scanpath.evaluate import EvaluateOptions, evaluate
    from neurodecode.evaluation.scanpath.examples import write_examples
    from neurodecode.evaluation.scanpath.items import PairOptions
    from neurodecode.metrics.records import write_records
    from neurodecode.store.gaze_predictions import read_gaze_prediction

    options = EvaluateOptions(
        args.profile,
        args.reference,
        PairOptions(bandwidth=args.bandwidth),
        n_examples=args.examples,
        baselines=tuple(args.baselines),
        stimuli=tuple(args.stimuli),
    )
    done = evaluate(data, [read_gaze_prediction(path) for path in args.predictions], options)
    for name in ("items", "differences", "found", "behaviour"):
        table = getattr(done, name)
        if len(table):
            write_table(args.out / "tables" / f"scanpath-{name}.csv", table)
    write_examples(args.out / "examples.h5", done.examples)
    write_records(args.out / "metrics.json", done.records)
    _LOG.info("wrote %s", args.out / "metrics.json")


def _decode(args: argparse.Namespace, data: GazeData) -> None:
    import numpy as np

    from neurodecode.evaluation.scanpath.recorded import recorded_records
    from neurodecode.evaluation.scanpath.records import About
    from neurodecode.gaze.models import build_model
    from neurodecode.gaze.recorded import read_recorded
    from neurodecode.metrics.records import write_records
    from neurodecode.splits import read_split
    from neurodecode.splits.pictures import picture_names

    model = build_model(args.model)
    if not model.has_density:
        raise ConfigError(f"--model {args.model} has no density; try saccade_walk")
    split = read_split(args.splits)
    if len(split.folds) != 1:
        raise ConfigError(f"{args.splits}: {len(split.folds)} folds; decode takes a split with one")
    recordings, sides = read_recorded(args.recordings), picture_names(split, 0)
    paths = data.scanpaths
    train = np.isin(paths.stimulus, sides["train"]) & (paths.task == "search_present")
    model.fit(paths.select(train), data.pictures, data.objects)
    about = About(args.profile, data.name, {}, {"scheme": split.scheme, "side": args.side})
    names = args.model.rpartition(".")[2], args.side
    records = recorded_records(data, recordings, model, names, sides, about)
    write_records(args.out / "metrics.json", records)
    for each in records:
        _LOG.info("%s %s: %.3f", each.method, each.metric, each.value)
