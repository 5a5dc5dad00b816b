"""All scores of all methods on one data set."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from neurodecode.datasets.gaze.base import GazeData
from neurodecode.errors import ConfigError
from neurodecode.evaluation.scanpath.chosen import only_stimuli
from neurodecode.evaluation.scanpath.examples import Example, pick_examples
from neurodecode.evaluation.scanpath.items import PairOptions, density_items, pair_items
from neurodecode.evaluation.scanpath.questions import question_keys
from neurodecode.evaluation.scanpath.records import (
    HUMAN,
    About,
    difference_table,
    item_records,
)
from neurodecode.evaluation.scanpath.search import behaviour_table, found_curve
from neurodecode.evaluation.scanpath.search_records import search_records
from neurodecode.metrics.records import MetricRecord
from neurodecode.scanpaths import Scanpaths
from neurodecode.store.gaze_predictions import GazePrediction

__all__ = ["EvaluateOptions", "Evaluation", "evaluate"]


@dataclass(frozen=True)
class EvaluateOptions:
    """How predictions are scored.

    Parameters
    ----------
    profile : str
        Name of the set of runs.
    reference : str
        Method over which information is gained.
    pairs : PairOptions
        How scanpaths are compared.
    longest_curve : int
        Fixations of the curves of what was found.
    n_examples : int
        Stimuli that the report draws.
    baselines : tuple of str
        Methods that all others are compared with, besides the reference and the other viewers.
    stimuli : tuple of str
        Only stimuli whose name fits one of these patterns (``array-2x4-*``); all if empty.
    """

    profile: str
    reference: str = "centre_bias"
    pairs: PairOptions = field(default_factory=PairOptions)
    longest_curve: int = 15
    n_examples: int = 6
    baselines: tuple[str, ...] = ()
    stimuli: tuple[str, ...] = ()


@dataclass(frozen=True)
class Evaluation:
    """What was found out.

    Parameters
    ----------
    records : list of MetricRecord
        Every score.
    items, differences, found, behaviour : DataFrame
        Scores of stimuli; methods against baselines; curves of what was found; means of search
        behaviour.
    examples : list of Example
        Stimuli to be drawn.
    """

    records: list[MetricRecord]
    items: pd.DataFrame
    differences: pd.DataFrame
    found: pd.DataFrame
    behaviour: pd.DataFrame
    examples: list[Example]


def evaluate(
    data: GazeData, predictions: Sequence[GazePrediction], options: EvaluateOptions
) -> Evaluation:
    """Compare predictions with what viewers did.

    Parameters
    ----------
    data : GazeData
        Viewers.
    predictions : sequence of GazePrediction
        One for each method, made with the same splits and tasks.
    options : EvaluateOptions
        How.

    Returns
    -------
    Evaluation
        Records and tables.

    Raises
    ------
    ConfigError
        If two files are of one method, or of different sides, if a baseline is not among them, or
        no stimulus fits.
    """
    by_name = {each.method: each for each in predictions}
    if len(by_name) != len(predictions):
        raise ConfigError("two files of predictions are of one method; give each method once")
    missing = [name for name in options.baselines if name not in by_name]
    if missing:
        raise ConfigError(f"no predictions of the baseline {missing[0]}; there are those of"
                          f" {', '.join(by_name)}")  # fmt: skip
    if options.stimuli:
        predictions = [only_stimuli(each, data.scanpaths, options.stimuli) for each in predictions]
        by_name = {each.method: each for each in predictions}
    sides = {str(each.attrs.get("side", "test")) for each in predictions}
    if len(sides) > 1:
        raise ConfigError("some predictions are of validation stimuli, some of test stimuli")
    reference = by_name.get(options.reference)
    tables = []
    for each in predictions:
        tables += [density_items(each, data, reference), pair_items(each, data, options.pairs)]
    items = pd.concat([table for table in tables if len(table)], ignore_index=True)
    about = About(
        options.profile,
        data.name,
        {name: each.attrs for name, each in by_name.items()},
        {"bandwidth": options.pairs.bandwidth, "side": sides.pop()}
        | ({"stimuli": " ".join(options.stimuli)} if options.stimuli else {}),
    )
    records = item_records(items, about)
    asked = data.scanpaths.select(_asked(data.scanpaths, predictions))
    found, behaviour, more = _search(asked, by_name, data, about, options.longest_curve)
    named = dict.fromkeys((options.reference, HUMAN, *options.baselines))
    baselines = tuple(name for name in named if name in by_name)
    return Evaluation(
        records + more,
        items,
        difference_table(items, data.name, baselines),
        found,
        behaviour,
        pick_examples(data, predictions, options.n_examples),
    )


def _asked(human: Scanpaths, predictions: Sequence[GazePrediction]) -> np.ndarray:
    known = np.concatenate([question_keys(each.scanpaths) for each in predictions])
    return np.isin(question_keys(human), known)


def _search(
    human: Scanpaths,
    by_name: dict[str, GazePrediction],
    data: GazeData,
    about: About,
    longest: int,
) -> tuple[pd.DataFrame, pd.DataFrame, list[MetricRecord]]:
    people = behaviour_table(human, data)
    if not len(people):
        return pd.DataFrame(), pd.DataFrame(), []
    tables = {
        name: table
        for name, each in by_name.items()
        if name != HUMAN and len(table := behaviour_table(each.scanpaths, data))
    }
    records = search_records(people, tables, about, longest)
    everybody = {HUMAN: people, **tables}
    curves = [
        found_curve(table, longest).assign(dataset=data.name, method=name)
        for name, table in everybody.items()
    ]
    means = [
        table.drop(columns=["stimulus", "viewer"]).mean().to_frame().T.assign(method=name)
        for name, table in everybody.items()
    ]
    behaviour = pd.concat(means, ignore_index=True).assign(dataset=data.name)
    return pd.concat(curves, ignore_index=True), behaviour, records
