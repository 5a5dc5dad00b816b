"""What a checkpoint says about the data it was trained on, and models rebuilt from it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any, TypeVar

import torch
from jsonargparse import ArgumentParser
from lightning.pytorch import LightningModule

from neurodecode.context import BuildContext
from neurodecode.errors import ConfigError, WeightsError, unknown_subject

__all__ = [
    "build_task", "check_context", "load_task", "plain_context", "plain_hyperparameters",
    "read_checkpoint",
]  # fmt: skip

#: Entry of a checkpoint that holds the sizes of its data.
CONTEXT_KEY = "neurodecode_context"

Task = TypeVar("Task", bound=LightningModule)


def plain_context(context: BuildContext) -> dict[str, Any]:
    """Write a build context with plain types, for a checkpoint that is loaded safely.

    Parameters
    ----------
    context : BuildContext
        Sizes of the data.

    Returns
    -------
    dict
        Dicts, lists, numbers and strings only.
    """
    return {name: _plain(value) for name, value in asdict(context).items()}


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return value


def check_context(saved: Mapping[str, Any], context: BuildContext) -> None:
    """Refuse a checkpoint that was trained on data of other sizes.

    Targets that the data have besides those of the training do no harm.

    Parameters
    ----------
    saved : mapping
        From `plain_context`.
    context : BuildContext
        Sizes of the data at hand.

    Raises
    ------
    ConfigError
        Saying which subjects or sizes differ.
    """
    here = plain_context(context)
    for subject in here["n_features"]:
        if subject not in saved["n_features"]:
            raise unknown_subject(subject, saved["n_features"])
    differences = []
    for name, value in here.items():
        # `modality` is not in checkpoints from before there was more than one
        if name in ("positions", "modality") or saved.get(name) == value:
            continue
        if not isinstance(value, dict):
            differences.append(f"{name} {saved.get(name)} (here {value})")
            continue
        before = saved.get(name) or {}
        if name == "targets":
            value = {key: shape for key, shape in value.items() if key in before}
        differences += [
            f"{name} of {key}: {before.get(key, 'none')} (here {value.get(key, 'none')})"
            for key in sorted(set(before) | set(value))
            if before.get(key) != value.get(key)
        ]
    if differences:
        raise ConfigError(
            "the checkpoint was trained on other data: " + ", ".join(differences)
            + "; use the data of its config.yaml, or train again"
        )  # fmt: skip


def plain_hyperparameters(values: Mapping[str, Any]) -> dict[str, Any]:
    """Keep what can be loaded safely; a model built in Python may hold classes and functions.

    Parameters
    ----------
    values : mapping
        Hyper-parameters as Lightning saves them.

    Returns
    -------
    dict
        Entries of plain types.
    """

    def is_plain(value: Any) -> bool:
        """Whether a value consists of numbers, strings, lists and dicts."""
        if isinstance(value, Mapping):
            return all(is_plain(item) for item in value.values())
        if isinstance(value, list | tuple):
            return all(is_plain(item) for item in value)
        return value is None or isinstance(value, str | int | float | bool)

    return {name: value for name, value in values.items() if is_plain(value)}


def read_checkpoint(path: str | Path) -> dict[str, Any]:
    """Read a checkpoint without running anything that it may hold.

    Parameters
    ----------
    path : path-like
        File written by ``neurodecode fit``.

    Returns
    -------
    dict
        Its content; tensors are mapped, not read.

    Raises
    ------
    WeightsError
        If the file is missing, broken, holds more than tensors and plain values, or no training
        state.
    """
    path = Path(path)
    if not path.is_file():
        raise WeightsError(f"file {path}: checkpoint is missing; run the stage that trains it")
    try:
        content = torch.load(path, map_location="cpu", weights_only=True, mmap=True)
    except Exception as error:
        raise WeightsError(
            f"file {path}: not a checkpoint, or one that holds more than tensors and plain values,"
            " which can run code and is refused; use one that `neurodecode fit` wrote"
        ) from error
    if not isinstance(content, dict) or "state_dict" not in content:
        raise WeightsError(f"file {path}: no training state; use what `neurodecode fit` wrote")
    return content


def load_task(path: str | Path, task: type[Task], context: BuildContext) -> Task:
    """Rebuild a trained model from a checkpoint of ``neurodecode fit``.

    Parameters
    ----------
    path : path-like
        Checkpoint.
    task : type
        Class of the model.
    context : BuildContext
        Sizes of the data at hand; must be those of the training.

    Returns
    -------
    LightningModule
        With the trained weights, in evaluation mode.

    Raises
    ------
    WeightsError
        If the file is missing, or was not written by ``neurodecode fit`` with such a model.
    ConfigError
        If the data have other sizes.
    """
    checkpoint = read_checkpoint(path)
    model = build_task(path, checkpoint, task, context)
    check_context(checkpoint[CONTEXT_KEY], context)
    model.load_state_dict(checkpoint["state_dict"])
    return model.eval()


def build_task(
    path: str | Path, checkpoint: Mapping[str, Any], task: type[Task], context: BuildContext
) -> Task:
    """Build the model of a checkpoint with new weights, for whatever data.

    Parameters
    ----------
    path : path-like
        Where the checkpoint is from, for errors.
    checkpoint : mapping
        From `read_checkpoint`.
    task : type
        Class of the model.
    context : BuildContext
        Sizes of the data at hand.

    Returns
    -------
    LightningModule
        With random weights.

    Raises
    ------
    WeightsError
        If the checkpoint was not written by ``neurodecode fit`` with such a model.
    """
    arguments = dict(checkpoint.get("hyper_parameters", {}))
    class_path = arguments.pop("_class_path", None)
    arguments.pop("_instantiator", None)
    if class_path != f"{task.__module__}.{task.__qualname__}":
        raise WeightsError(
            f"file {path}: checkpoint of {class_path or 'an unknown model'}, not of"
            f" {task.__qualname__}; use one that `neurodecode fit` wrote"
        )
    parser = ArgumentParser(exit_on_error=False)
    parser.add_class_arguments(task, "task", skip={"context"}, instantiate=False)
    parsed = parser.instantiate(parser.parse_object({"task": arguments}))
    return task(context=context, **parsed.task.as_dict())
