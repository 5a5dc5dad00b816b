"""`neurodecode baseline`: fit a linear model to every subject and fold, write its predictions."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from neurodecode.commands.stores import add_stores, store_paths
from neurodecode.errors import ConfigError, DataError

if TYPE_CHECKING:
    from neurodecode.splits import Split
    from neurodecode.store import EmbeddingStore, Prediction, ResponseStore
    from neurodecode.tasks.baselines import Bands, Features, LinearOptions

#: Methods that decode categories.
CLASSIFIERS = ("logistic", "xdawn_tangent", "erp_ensemble")
HELP = "fit a linear baseline and write its predictions"

METHODS = {
    "ridge": "responses -> embedding, ridge regression",
    "encoder_likelihood": "embedding -> responses, then the likelihood of each candidate",
    "logistic": "responses -> category, multinomial logistic regression",
    "xdawn_tangent": "epochs -> category, xDAWN covariances in tangent space, logistic regression",
    "erp_ensemble": "epochs -> category, the same and linear discriminants of windows together",
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options.

    Parameters
    ----------
    parser : argparse.ArgumentParser
        Parser of this command.
    """
    add = parser.add_argument
    methods = "; ".join(f"{name}: {text}" for name, text in METHODS.items())
    add("--method", required=True, choices=sorted(METHODS), help=methods)
    add("--name", default="", help="name under which the scores appear (default: the method)")
    add_stores(parser)
    add("--embeddings", type=Path, nargs="+", default=[], metavar="FILE",
        help="embedding stores: the targets of ridge, or the features of the encoder")  # fmt: skip
    add("--target", nargs="+", default=["tokens"], metavar="NAME",
        help="array of the embedding stores (default: tokens); ridge: of one store each, the first"
        " ranks the candidates, the others are decoded besides (latent, text); with --bands a"
        " feature space each")  # fmt: skip
    add("--bands", action="store_true",
        help="encoder_likelihood: banded ridge, for each voxel a penalty of its own for every"
        " --target")  # fmt: skip
    add("--predicted", type=Path, nargs="+", default=[], metavar="FILE",
        help="encoder_likelihood: responses predicted by trained encoders, one or more files"
        " for each fold; with --embeddings, a ridge encoder is stacked with them")  # fmt: skip
    add("--components", type=int,
        help="principal components of the embedding, fitted in the fold (default: ridge: the"
        " embedding itself; encoder_likelihood: 200)")  # fmt: skip
    add("--whitening", type=float, default=0.0,
        help="ridge: power of its standard deviation by which a component is divided")  # fmt: skip
    add("--n-voxels", type=int, help="encoder_likelihood: use only the best predicted voxels")
    add("--side", choices=("test", "validation"), default="test",
        help="what is predicted; validation: by a model fitted on training alone (--predicted:"
        " with weights of the other validation stimuli), for `neurodecode combine`"
        " (default: %(default)s)")  # fmt: skip
    add("--repeats", type=int, metavar="K",
        help="ridge: average K repeats of a stimulus at a time where it is decoded, 1 for single"
        " trials (default: all there are)")  # fmt: skip
    add("--whiten", choices=("space", "both"),
        help="MEG and EEG: whiten the noise over channels, or over channels and time, with"
        " covariances of training trials")  # fmt: skip
    add("--trials", metavar="N",
        help="fit on N random training trials of each subject and on nothing else, or on `all` of"
        " them: the baseline of `neurodecode adapt`, on the same trials if --seed is the same",
    )  # fmt: skip
    add("--folds", type=int, nargs="+", default=[], help="which folds (default: all)")
    add("--subjects", nargs="+", default=[], help="which subjects (default: all in the folder)")
    add("--jobs", type=int, default=-1, help="processes (default: one for each core)")
    add("--seed", type=int, default=0, help="of the inner folds, and of --trials")
    add("--out", type=Path, required=True, help="predictions.h5 to write")


def run(args: argparse.Namespace) -> None:
    """Fit and predict all subjects and folds.

    Parameters
    ----------
    args : argparse.Namespace
        Options of this command.

    Raises
    ------
    ConfigError
        If the options do not fit together.
    DataError
        If a store is missing or does not fit the split.
    """
    from joblib import Parallel

    from neurodecode.loaders.counts import open_responses
    from neurodecode.loaders.draw import TrialDraw
    from neurodecode.progress import progress_bar
    from neurodecode.splits import read_split
    from neurodecode.store import write_predictions
    from neurodecode.tasks.fewer_trials import counted

    _check(args)
    split = read_split(args.splits)
    opened = [open_responses(path) for path in store_paths(args.stores, args.subjects)]
    stores = {store.subject: store for store in opened}
    if unknown := [fold for fold in args.folds if not 0 <= fold < len(split.folds)]:
        raise ConfigError(f"--folds {unknown[0]} does not exist; there are {len(split.folds)}")
    jobs = list(_jobs(args, opened, split))
    predictions = []
    name = args.name or args.method
    with progress_bar(name, len(jobs), quiet=args.quiet) as advance:
        # each job reads its own files; results come back in the order of the jobs
        for prediction in Parallel(n_jobs=args.jobs, return_as="generator")(jobs):
            predictions.append(prediction)
            advance(len(predictions))
    if args.trials is not None:
        predictions = [
            counted(each, stores[each.subject], split, TrialDraw.of(args.trials, args.seed))
            for each in predictions
        ]
    write_predictions(args.out, name, predictions, _attrs(args, opened[0].dataset))


def _check(args: argparse.Namespace) -> None:
    if args.method in CLASSIFIERS and args.embeddings:
        raise ConfigError(f"--method {args.method} decodes categories: leave --embeddings out")
    if args.method == "ridge" and not args.embeddings:
        raise ConfigError("--method ridge needs --embeddings, its targets")
    if args.bands and (args.method != "encoder_likelihood" or args.predicted):
        raise ConfigError("--bands belongs to --method encoder_likelihood without --predicted")
    if args.bands and len(args.target) < 2:
        raise ConfigError("--bands needs several --target, one for each band")
    if args.method != "ridge" and len(args.target) > 1 and not args.bands:
        raise ConfigError("several --target are for --method ridge, or with --bands; give one")
    if len(set(args.target)) < len(args.target):
        raise ConfigError(f"--target {' '.join(args.target)}: name each only once")
    if args.trials is not None and args.method in CLASSIFIERS:
        raise ConfigError("--trials belongs to methods that identify stimuli")
    if args.predicted and args.method != "encoder_likelihood":
        raise ConfigError("--predicted belongs to --method encoder_likelihood")
    if args.method == "encoder_likelihood" and not (args.embeddings or args.predicted):
        raise ConfigError("--method encoder_likelihood needs --embeddings or --predicted")
    if args.repeats is not None and args.method != "ridge":
        raise ConfigError("--repeats belongs to --method ridge")
    for option in ("components", "n_voxels", "repeats"):
        value = getattr(args, option)
        if value is not None and value < 1:
            raise ConfigError(f"--{option.replace('_', '-')} is {value}; give a positive number")


def _jobs(args: argparse.Namespace, stores: list[ResponseStore], split: Split) -> Iterator[Any]:
    from joblib import delayed

    from neurodecode.loaders.draw import TrialDraw
    from neurodecode.store import EmbeddingStore
    from neurodecode.tasks import baselines

    features, more = None, []
    if args.embeddings:
        files = [EmbeddingStore(path) for path in args.embeddings]
        if args.method == "ridge":
            features, *more = [ridge_target(files, name) for name in args.target]
        elif args.bands:
            features = baselines.Bands([ridge_target(files, name) for name in args.target])
        else:
            features = baselines.Features(files, args.target[0])
            check_target(features)
    components = args.components
    if components is None and args.method == "encoder_likelihood":
        components = 200
    options = baselines.LinearOptions(
        components, args.whitening, args.n_voxels, args.seed, args.side,
        None if args.trials is None else TrialDraw.of(args.trials, args.seed), args.repeats,
        args.whiten,
    )  # fmt: skip
    predicted = _read_predicted(args.predicted)
    for store in stores:
        for fold in args.folds or range(len(split.folds)):
            key = (store.subject, fold)
            if args.predicted:
                if key not in predicted:
                    raise DataError(
                        f"no predicted responses for fold {fold}",
                        file=args.predicted[0],
                        subject=store.subject,
                        fix="run `neurodecode predict` of the encoder on every fold",
                    )
                yield delayed(baselines.identify_predicted)(
                    store, split, fold, predicted[key], features, options
                )
            else:
                yield _linear_job(args.method, store, split, fold, features, options, more)


def _linear_job(
    method: str,
    store: ResponseStore,
    split: Split,
    fold: int,
    features: Features | Bands | None,
    options: LinearOptions,
    more: list[Features],
) -> Any:
    from joblib import delayed

    from neurodecode.tasks import baselines

    if method in ("xdawn_tangent", "erp_ensemble"):
        from neurodecode.tasks.erp import classify_epochs

        return delayed(classify_epochs)(store, split, fold, method, options)
    if method == "logistic":
        return delayed(baselines.classify)(store, split, fold, options)
    if method == "ridge":
        return delayed(baselines.decode)(store, split, fold, features, options, more)
    return delayed(baselines.identify)(store, split, fold, features, options)


def ridge_target(stores: list[EmbeddingStore], name: str) -> Features:
    """Find the one store that has a target; an array in several would be a guess."""
    from neurodecode.tasks.baselines import Features

    owners = [store for store in stores if name in store.shapes]
    if len(owners) == 1:
        return Features(owners, name)
    if owners:
        raise ConfigError(
            f"--target {name}: is in {', '.join(str(store.path) for store in owners)};"
            " give one of them with --embeddings"
        )
    features = Features(stores, name)
    check_target(features)
    return features


def check_target(features: Features) -> None:
    """Refuse embedding stores without the array that is asked for."""
    for store in features.stores:
        if features.target not in store.shapes:
            raise DataError(
                f"no array {features.target!r} (found: {', '.join(sorted(store.shapes))})",
                file=store.path,
                field="--target",
            )


def _read_predicted(files: list[Path]) -> dict[tuple[str, int], list[Prediction]]:
    from neurodecode.store import read_predictions

    found: dict[tuple[str, int], list[Prediction]] = {}
    for path in files:
        for prediction in read_predictions(path).predictions:
            found.setdefault((prediction.subject, prediction.fold), []).append(prediction)
    return found


def _attrs(args: argparse.Namespace, dataset: str) -> dict[str, Any]:
    from neurodecode.store import EmbeddingStore

    attrs: dict[str, Any] = {
        "task": "classification" if args.method in CLASSIFIERS else "identification",
        "side": args.side,
        "dataset": dataset,
        "selection_split": "validation" if args.predicted else "train",
        "transductive": False,
        "seed": args.seed,
    }
    if args.method == "ridge":
        from neurodecode.store import EmbeddingStore

        # a name that only one of the stores has: `ridge_target` saw to it
        owner = ridge_target([EmbeddingStore(path) for path in args.embeddings], args.target[0])
        store = owner.stores[0]
        attrs |= {
            "embedding": store.path.stem,
            "embedding_fingerprint": store.fingerprint,
            "target": args.target[0],
            "scale": "cosine",
        }
        if made_by := store.attrs.get("embedder"):
            attrs["embedding_model"] = made_by
    else:
        attrs["scale"] = "nats"
    if args.trials is not None:
        attrs |= {"task": "adaptation", "trials": args.trials}
    return attrs
