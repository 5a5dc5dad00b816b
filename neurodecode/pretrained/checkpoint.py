"""From what ``neurodecode fit`` leaves to a decoder that stands alone."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import yaml

from neurodecode.errors import DataError, WeightsError
from neurodecode.loaders.scaler import TrialScaler
from neurodecode.pretrained.card import write_card
from neurodecode.pretrained.classes import build_decoder
from neurodecode.pretrained.config import DecoderConfig, context_from_plain
from neurodecode.pretrained.decoder import PretrainedDecoder
from neurodecode.pretrained.front_ends import front_ends_of
from neurodecode.pretrained.scores import own_scores
from neurodecode.tasks.checkpoints import CONTEXT_KEY, read_checkpoint

__all__ = ["from_checkpoint"]

_NETWORK = "decoder."


def from_checkpoint(
    path: str | Path,
    config: str | Path | None = None,
    metrics: str | Path | None = None,
    method: str = "decoder",
) -> PretrainedDecoder:
    """Take decoder and statistics out of a checkpoint.

    Parameters
    ----------
    path : path-like
        Checkpoint of a `DecodeTask` that ``neurodecode fit`` wrote.
    config : path-like, optional
        The ``config.yaml`` of that training; by default the one beside the checkpoint.
    metrics : path-like, optional
        ``metrics.json`` with scores of this decoder, for the card.
    method : str
        Name of the decoder in `metrics`.

    Returns
    -------
    PretrainedDecoder
        With its card.

    Raises
    ------
    WeightsError
        If the checkpoint is missing, broken, or not one of a decoder.
    DataError
        If the configuration is missing or broken, or the scores are not those of this decoder.
    """
    path = Path(path)
    checkpoint = read_checkpoint(path)
    spec = _network(checkpoint, path)
    state = _data_state(checkpoint, path)
    context = context_from_plain(checkpoint[CONTEXT_KEY], path)
    scalers = _scalers(state["scalers"], context.n_features, path)
    data, seed = _training_config(Path(config) if config else path.with_name("config.yaml"))
    about = DecoderConfig(
        decoder=spec,
        context=context,
        embeddings={name: Path(file).stem for name, file in data["embeddings"].items()},
        training={
            # the contract between the stages: data/stores/<dataset>
            "dataset": Path(data["stores"]).name,
            "split": state["fingerprint"],
            "fold": data.get("fold", 0),
            "seed": seed,
            "repeats": data.get("repeats", 1),
            "epoch": checkpoint.get("epoch"),
        },
    )
    scores = own_scores(metrics, about, method) if metrics else []
    # what could be trained here may be built here; who loads the folder elsewhere has to say so
    packages = {each.split(".")[0] for each in _class_paths(spec)}
    decoder = build_decoder(spec, context, packages)
    decoder.load_state_dict(
        {
            name.removeprefix(_NETWORK): value
            for name, value in checkpoint["state_dict"].items()
            if name.startswith(_NETWORK)
        }
    )
    card = write_card(about, {name: each.sessions for name, each in scalers.items()}, scores)
    found = front_ends_of(data["stores"], context)
    return PretrainedDecoder(about, decoder, scalers, card, found)


def _network(checkpoint: Mapping[str, Any], path: Path) -> Mapping[str, Any]:
    """Class and arguments of the network, as ``fit`` was given them."""
    arguments = checkpoint.get("hyper_parameters", {})
    spec = arguments.get("decoder")
    has_weights = any(name.startswith(_NETWORK) for name in checkpoint["state_dict"])
    if not isinstance(spec, dict) or "class_path" not in spec or not has_weights:
        model = arguments.get("_class_path", "a model that was made in Python")
        raise WeightsError(
            f"file {path}: checkpoint of {model}, which names no decoder; export takes the"
            " checkpoint of a DecodeTask that `neurodecode fit` wrote"
        )
    return spec


def _data_state(checkpoint: Mapping[str, Any], path: Path) -> Mapping[str, Any]:
    """Statistics of the training trials and digest of the split, as the DataModule left them."""
    for state in checkpoint.values():
        if isinstance(state, dict) and {"scalers", "fingerprint"} <= set(state):
            return state
    raise WeightsError(
        f"file {path}: no statistics of the responses; train with ResponseDataModule"
    )


def _scalers(
    states: Mapping[str, dict[str, Any]], subjects: Iterable[str], path: Path
) -> dict[str, TrialScaler]:
    absent = sorted(set(subjects) - set(states))
    if absent:
        raise WeightsError(
            f"file {path}: no statistics of subject {', '.join(absent)}; use what"
            " `neurodecode fit` wrote"
        )
    return {name: TrialScaler.from_state_dict(states[name]) for name in subjects}


def _training_config(path: Path) -> tuple[dict[str, Any], int | None]:
    """Arguments of the DataModule, and seed of the run."""
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
        data = content["data"]["init_args"]
        seed = content.get("seed_everything")
        if not (isinstance(data["embeddings"], dict) and isinstance(data["stores"], str)):
            raise TypeError
    except FileNotFoundError as error:
        raise DataError(
            "file is missing", file=path, fix="name the config.yaml of the training with --config"
        ) from error
    except (yaml.YAMLError, UnicodeDecodeError, KeyError, TypeError, AttributeError) as error:
        raise DataError(
            "not the configuration of a training (stores and embeddings under data.init_args)",
            file=path,
            fix="name the config.yaml that `neurodecode fit` wrote",
        ) from error
    return data, seed if isinstance(seed, int) and not isinstance(seed, bool) else None


def _class_paths(value: Any) -> list[str]:
    if isinstance(value, Mapping):
        own = [value["class_path"]] if "class_path" in value else []
        return own + [path for item in value.values() for path in _class_paths(item)]
    if isinstance(value, list | tuple):
        return [path for item in value for path in _class_paths(item)]
    return []
