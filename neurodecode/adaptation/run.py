"""What a training left: checkpoint and configuration."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from importlib import import_module
from pathlib import Path
from typing import Any

import yaml

from neurodecode.errors import ConfigError, DataError, WeightsError
from neurodecode.tasks.checkpoints import CONTEXT_KEY, read_checkpoint

__all__ = ["TrainedRun"]

_CHECKPOINTS = ("best.ckpt", "checkpoints/best.ckpt")
_DATA = {
    "neurodecode.loaders.ResponseDataModule",
    "neurodecode.loaders.responses.ResponseDataModule",
    "neurodecode.loaders.encoding.EncodingDataModule",
}


@dataclass(frozen=True)
class TrainedRun:
    """Folder of ``neurodecode fit``.

    Parameters
    ----------
    checkpoint : Path
        Its ``best.ckpt``.
    config : mapping
        Its ``config.yaml``.
    """

    checkpoint: Path
    config: Mapping[str, Any]

    @classmethod
    def open(cls, folder: str | Path) -> TrainedRun:
        """Find checkpoint and configuration.

        Parameters
        ----------
        folder : path-like
            With ``config.yaml``, and ``best.ckpt`` in it or in ``checkpoints``.

        Returns
        -------
        TrainedRun
            The run.

        Raises
        ------
        WeightsError
            If there is no checkpoint.
        DataError
            If the configuration is missing or broken.
        """
        folder = Path(folder)
        found = [folder / name for name in _CHECKPOINTS if (folder / name).is_file()]
        if not found:
            raise WeightsError(
                f"folder {folder}: no best.ckpt; name the folder that `neurodecode fit` wrote"
            )
        path = folder / "config.yaml"
        try:
            config = yaml.safe_load(path.read_text(encoding="utf-8"))
            known = config["data"]["class_path"] in _DATA
            usable = known and isinstance(config["data"]["init_args"]["stores"], str)
        except FileNotFoundError as error:
            raise DataError(
                "file is missing", file=path, fix="name the folder that `neurodecode fit` wrote"
            ) from error
        except (yaml.YAMLError, UnicodeDecodeError, KeyError, TypeError) as error:
            raise DataError("not the configuration of a training", file=path) from error
        if not usable:
            raise DataError(
                f"its data module is {config['data']['class_path']}",
                file=path,
                field="data.class_path",
                fix=f"adapt takes trainings on {' or '.join(sorted(_DATA))}",
            )
        return cls(found[0], config)

    @cached_property
    def content(self) -> dict[str, Any]:
        """Content of the checkpoint; tensors are mapped, not read."""
        return read_checkpoint(self.checkpoint)

    @property
    def subjects(self) -> list[str]:
        """Subjects that the run was trained on."""
        return sorted(self.content[CONTEXT_KEY]["n_features"])

    @property
    def task(self) -> str:
        """Path of the class that was trained."""
        return str(self.content.get("hyper_parameters", {}).get("_class_path"))

    @property
    def data_arguments(self) -> dict[str, Any]:
        """Arguments of the data module."""
        return dict(self.config["data"]["init_args"])

    def data(self, **changes: Any) -> Any:
        """Make the data module of the run, or one that differs.

        Parameters
        ----------
        **changes
            Arguments to replace.

        Returns
        -------
        ResponseDataModule
            Of the class in the configuration.
        """
        module, _, name = self.config["data"]["class_path"].rpartition(".")
        return getattr(import_module(module), name)(**{**self.data_arguments, **changes})

    def check_new(self, subject: str) -> None:
        """Refuse a subject that the run was trained on.

        Parameters
        ----------
        subject : str
            To be adapted to.

        Raises
        ------
        ConfigError
            If it is one of `subjects`.
        """
        if subject in self.subjects:
            raise ConfigError(
                f"subject {subject} is one that the run {self.checkpoint.parent} was trained on"
                f" ({', '.join(self.subjects)}); use `neurodecode predict`"
            )
