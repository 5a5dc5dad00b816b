"""`neurodecode evaluate`: compare predictions with the truth, write every score as a record."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd

    from neurodecode.evaluation.items import Scores
    from neurodecode.evaluation.reconstruction import Features
    from neurodecode.store.predictions import PredictionFile

HELP = "compare predictions with the truth: metrics.json"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options.

    Parameters
    ----------
    parser : argparse.ArgumentParser
        Parser of this command.
    """
    parser.add_argument("--profile", required=True, help="name of the set of runs (mini, real)")
    parser.add_argument(
        "--dataset",
        action="append",
        required=True,
        dest="datasets",
        metavar="NAME",
        help="data set; once for each, followed by its --predictions",
    )
    parser.add_argument("--stores", type=Path, default=Path("data/stores"))
    parser.add_argument("--embeddings", type=Path, default=Path("data/embeddings"))
    parser.add_argument(
        "--predictions",
        type=Path,
        nargs="+",
        action="append",
        required=True,
        metavar="FILE",
        help="predictions of any methods on the data set named before",
    )
    parser.add_argument(
        "--clip", default="mini-clip", help="embedder whose pooled embedding two_way_clip uses"
    )
    parser.add_argument("--out", type=Path, required=True, help="folder: metrics.json, tables/")


def run(args: argparse.Namespace) -> None:
    """Score all predictions.

    Parameters
    ----------
    args : argparse.Namespace
        Options of this command.

    Raises
    ------
    ConfigError
        If there is not one group of predictions for each data set.
    """
    import pandas as pd

    from neurodecode.errors import ConfigError
    from neurodecode.evaluation.items import items_frame, write_table
    from neurodecode.evaluation.summary import summarise_items
    from neurodecode.metrics.records import write_records
    from neurodecode.store import read_predictions

    if len(args.datasets) != len(args.predictions):
        raise ConfigError("give --predictions once after each --dataset")
    items: list[pd.DataFrame] = []
    tables: dict[str, list[pd.DataFrame]] = {"candidates": [], "confusion": []}
    records = []
    for dataset, files in zip(args.datasets, args.predictions, strict=True):
        scores: list[Scores] = []
        made: dict[str, dict[str, Any]] = {}
        for content in (read_predictions(path) for path in files):
            made[content.method] = dict(content.attrs)
            found, more = _score(content, dataset, args)
            scores += found
            made |= {score.method: made[content.method] for score in found}
            for name, table in more:
                tables[name].append(table)
        frame = items_frame(scores, dataset)
        records += summarise_items(frame, args.profile, made)
        items.append(frame)
    write_table(args.out / "tables" / "items.csv", pd.concat(items, ignore_index=True))
    for name, parts in tables.items():
        if parts:
            write_table(args.out / "tables" / f"{name}.csv", pd.concat(parts, ignore_index=True))
    write_records(args.out / "metrics.json", records)


def _score(
    content: PredictionFile, dataset: str, args: argparse.Namespace
) -> tuple[list[Scores], list[tuple[str, pd.DataFrame]]]:
    """Score one file of predictions by its task."""
    from neurodecode.evaluation.classification import accuracy_scores, confusion_table
    from neurodecode.evaluation.identification import (
        candidate_table,
        identification_scores,
        score_matrix,
    )
    from neurodecode.evaluation.reconstruction import reconstruction_scores

    task = content.attrs.get("task", "identification")
    if task == "classification":
        scores = [accuracy_scores(each, content.method) for each in content.predictions]
        return scores, [
            ("confusion", confusion_table(content.predictions, content.method, dataset))
        ]
    if task == "reconstruction":
        stimuli = _stimuli(args.stores / dataset / "stimuli.h5")
        features = {"clip": _clip(args.clip)}
        scores = []
        for each in content.predictions:
            truth = stimuli.images[stimuli.rows(each.stimulus_id)]
            methods = {content.method: "images"}
            if "low_level" in each.arrays and content.method == "decoder":
                methods["low_level"] = "low_level"
            for method, array in methods.items():
                images = each.arrays[array]
                scores += reconstruction_scores(each, images, truth, method, features)
        return scores, []
    scores, parts = [], []
    array = content.attrs.get("target", "tokens")
    for each in content.predictions:
        matrix, names = score_matrix(each, array, _targets(content.attrs, dataset, args))
        likelihood = "scores" in each.arrays
        scores += identification_scores(
            each, content.method, matrix, names, both_ways=not likelihood
        )
        tags = {"dataset": dataset, "method": content.method}
        parts.append(("candidates", candidate_table(each, matrix, names, tags)))
    return scores, parts


def _targets(attrs: dict[str, Any], dataset: str, args: argparse.Namespace) -> Any:
    """Reader of the target embeddings the predictions aim at."""
    from neurodecode.store import EmbeddingStore

    if "embedding" not in attrs:
        return None
    store = EmbeddingStore(args.embeddings / dataset / f"{attrs['embedding']}.h5")
    name = attrs.get("target", "tokens")
    return lambda ids: store.read(name, ids)


def _stimuli(path: Path) -> Any:
    from neurodecode.store import read_stimuli

    return read_stimuli(path)


def _clip(model: str) -> Features:
    from neurodecode.embed import make_embedder

    embedder = make_embedder(model)
    return lambda images: embedder.encode_images(images)["pooled"]


__all__: Sequence[str] = ["HELP", "add_arguments", "run"]
