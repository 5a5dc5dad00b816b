"""`neurodecode routes`: where the queries of an attention-routing encoder look."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

    from neurodecode.adaptation.run import TrainedRun
    from neurodecode.analysis.routes import Routes
    from neurodecode.loaders.encoding import EncodingDataModule

HELP = "attention maps of an encoder, beside what occlusion says and, if known, the truth"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options.

    Parameters
    ----------
    parser : argparse.ArgumentParser
        Parser of this command.
    """
    add = parser.add_argument
    add("--run", type=Path, required=True, dest="source", metavar="RUN",
        help="folder of `neurodecode fit` of a RoutingEncoder")  # fmt: skip
    add("--pictures", type=int, default=48, metavar="N",
        help="validation pictures to look at (default: %(default)s)")  # fmt: skip
    add("--fields", type=Path, metavar="FOLDER",
        help="`truth` of a simulated world: compares with receptive fields")  # fmt: skip
    add("--profile", default="encoding", help="of the records (default: %(default)s)")
    add("--out", type=Path, required=True,
        help="folder: routes.csv, sub-*.npz, overview.png, with --fields metrics.json")  # fmt: skip


def run(args: argparse.Namespace) -> None:
    """Make the maps of all subjects.

    Parameters
    ----------
    args : argparse.Namespace
        Options of this command.

    Raises
    ------
    ConfigError
        If the run is of another encoder, or no pictures are asked for.
    NeurodecodeError
        If run, stores or truth are missing or broken.
    """
    import numpy as np
    import pandas as pd

    from neurodecode.adaptation.run import TrainedRun
    from neurodecode.analysis.routes import find_routes
    from neurodecode.errors import ConfigError
    from neurodecode.evaluation.items import write_table
    from neurodecode.folders import atomic_folder
    from neurodecode.nn.encoders import RoutingEncoder
    from neurodecode.progress import progress_bar
    from neurodecode.tasks.checkpoints import load_task
    from neurodecode.tasks.encode import EncodeTask, standardise_images

    if args.pictures < 1:
        raise ConfigError(f"--pictures is {args.pictures}; give a positive number")
    source = TrainedRun.open(args.source)
    data = source.data()
    task = load_task(source.checkpoint, EncodeTask, data.context).eval()
    if not isinstance(task.encoder, RoutingEncoder):
        raise ConfigError(
            f"run {args.source}: encoder {type(task.encoder).__name__} has no queries; routes takes"
            " a RoutingEncoder"
        )
    tables, pictures = [], {}
    with (
        atomic_folder(args.out) as folder,
        progress_bar("routes", len(data.stores) * args.pictures, quiet=args.quiet) as advance,
    ):
        for number, subject in enumerate(data.stores):
            images = _validation_pictures(data, number, args.pictures)
            done = number * args.pictures
            routes = find_routes(
                task.encoder, standardise_images(images), subject,
                advance=lambda n, done=done: advance(done + n),
            )  # fmt: skip
            tables.append(_table(routes, data, args.fields))
            np.savez_compressed(
                folder / f"sub-{subject}.npz", queries=np.array(routes.queries), maps=routes.maps,
                examples=routes.examples, saliency=routes.saliency,
            )  # fmt: skip
            pictures[subject] = images, routes
        table = pd.concat(tables, ignore_index=True)
        write_table(folder / "routes.csv", table)
        _draw(folder, pictures, table)
        if args.fields is not None:
            _write_records(folder, table, source, args.profile)


def _validation_pictures(data: EncodingDataModule, subject: int, n: int) -> Any:
    """Pictures of a subject's validation side, at equal distances in their order."""
    import numpy as np

    names = data.rows("validation")[list(data.stores)[subject]].stimulus
    kept = np.unique(np.linspace(0, len(names) - 1, min(n, len(names))).round().astype(int))
    number = {name: row for row, name in enumerate(data.stimuli)}
    return data.bank.read("image", np.array([number[names[each]] for each in kept]))


def _table(routes: Routes, data: EncodingDataModule, fields: Path | None) -> pd.DataFrame:
    import numpy as np
    import pandas as pd

    labels = data.context.regions.get(routes.subject) or ()
    by_unit = routes.queries == [str(unit) for unit in range(data.stores[routes.subject].shape[1])]
    table = pd.DataFrame(
        {
            "subject": routes.subject,
            "query": routes.queries,
            "region": list(labels) if by_unit and labels else routes.queries,
            "saliency_r": routes.agreement(),
        }
    )
    peaks = routes.maps.reshape(len(table), -1).argmax(axis=1)
    table["peak_row"], table["peak_column"] = np.unravel_index(peaks, routes.maps.shape[1:])
    if fields is None:
        return table
    from neurodecode.errors import ConfigError

    if not by_unit:
        raise ConfigError("--fields: a region has many receptive fields; train with queries=unit")
    return table.join(_fields(routes, data, fields))


def _fields(routes: Routes, data: EncodingDataModule, folder: Path) -> pd.DataFrame:
    import pandas as pd

    from neurodecode.analysis.routes import distance_to_fields, field_places, peak_places
    from neurodecode.datasets.mini.truth import FIELD_DEGREES, receptive_fields
    from neurodecode.evaluation.units import EARLY_VISUAL, Units

    store = data.stores[routes.subject]
    x, y = receptive_fields(folder, routes.subject, store.feature("xyz")).T
    places = field_places(x, y, routes.maps.shape[1:], FIELD_DEGREES)
    needed = peak_places(routes.saliency)
    return pd.DataFrame(
        {
            "field_row": places[:, 0],
            "field_column": places[:, 1],
            "distance": distance_to_fields(routes.maps, places),
            "saliency_row": needed[:, 0],
            "saliency_column": needed[:, 1],
            "saliency_distance": distance_to_fields(routes.saliency, places),
            "early_visual": Units.of(store, 1.0).regions[EARLY_VISUAL],
        }
    )


def _draw(folder: Path, pictures: dict[str, Any], table: pd.DataFrame) -> None:
    """Overlay the maps of the first subject's regions on its first pictures."""
    import numpy as np

    from neurodecode.report.figures.routes import routes_figure
    from neurodecode.report.svg import drawing, save_png

    subject, (images, routes) = next(iter(pictures.items()))
    region = table.loc[table["subject"] == subject, "region"].to_numpy()
    seen = images[: len(routes.examples)].permute(0, 2, 3, 1).numpy()
    rows: dict[str, np.ndarray] = {}
    for name in sorted(set(region)):
        own = region == name
        rows[name] = np.concatenate(
            [routes.examples[:, own].mean(1), routes.maps[own].mean(0)[None],
             routes.saliency[own].mean(0)[None]]
        )  # fmt: skip
    with drawing():
        save_png(routes_figure(list(seen), rows), folder / "overview.png")


def _write_records(folder: Path, table: pd.DataFrame, source: TrainedRun, profile: str) -> None:
    """Share of early visual queries that look at their field."""
    from neurodecode.metrics.records import write_records

    early = table[table["early_visual"]]
    dataset = Path(source.data_arguments["stores"]).name
    records = []
    for method, prefix, column in _JUDGED:
        subjects = {str(name): own for name, own in early.groupby("subject")}
        chances = {name: _chance(own, prefix) for name, own in subjects.items()}
        # of a query drawn from the same subject
        weights = [len(own) / len(early) for own in subjects.values()]
        chances["mean"] = sum(w * c for w, c in zip(weights, chances.values(), strict=True))
        for name, own in (subjects | {"mean": early}).items():
            near = (own[column].to_numpy() <= 1).astype(float)
            records.append(_record(near, chances[name], name, dataset, profile, method))
    write_records(folder / "metrics.json", records)


#: Method of the records, and the columns that hold place and distance of its peaks.
_JUDGED = (("attention", "peak", "distance"), ("occlusion", "saliency", "saliency_distance"))


def _chance(table: pd.DataFrame, prefix: str) -> float:
    from neurodecode.analysis.routes import chance_in_field

    peaks, fields = (
        table[[f"{each}_row", f"{each}_column"]].to_numpy() for each in (prefix, "field")
    )
    return chance_in_field(peaks, fields)


def _record(
    near: np.ndarray, chance: float, subject: str, dataset: str, profile: str, method: str
) -> Any:
    from neurodecode import __version__
    from neurodecode.metrics.bootstrap import bootstrap_ci
    from neurodecode.metrics.records import MetricRecord

    found = bootstrap_ci(near)
    return MetricRecord(
        profile=profile, dataset=dataset, subject=subject, task="encoding", method=method,
        metric="peak_in_field", value=found.value, ci_low=found.low, ci_high=found.high,
        chance=round(chance, 6), n=len(near), n_candidates=None, n_averaged=None,
        selection_split="validation", transductive=False, seed=None, version=__version__,
        extra={"region": "early visual"},
    )  # fmt: skip
