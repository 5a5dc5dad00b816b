"""Writing what ``neurodecode predict`` decodes to one file."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from lightning.pytorch import LightningModule, Trainer
from lightning.pytorch.callbacks import BasePredictionWriter

from neurodecode.loaders import ResponseDataModule
from neurodecode.loaders.ranks import gathered
from neurodecode.store import EmbeddingStore, Prediction, write_predictions

__all__ = ["PredictionWriter", "dataset_path", "repeats_path", "side_path"]


def side_path(path: Path, side: str) -> Path:
    """Name the file of one side.

    Parameters
    ----------
    path : Path
        File of the test predictions.
    side : {"test", "validation", "train"}
        What is predicted.

    Returns
    -------
    Path
        `path` for the test side, else with the side in its name.
    """
    return path if side == "test" else path.with_stem(f"{path.stem}-{side}")


def dataset_path(path: Path, dataset: str, several: bool) -> Path:
    """Name the file of one data set.

    Parameters
    ----------
    path : Path
        File of all predictions.
    dataset : str
        Name of the folder of its stores.
    several : bool
        Whether there are others.

    Returns
    -------
    Path
        `path`, with the data set in its name if there are several.
    """
    return path.with_stem(f"{path.stem}-{dataset}") if several else path


def repeats_path(path: Path, repeats: int | None) -> Path:
    """Name the file of predictions from a given number of repeats.

    Parameters
    ----------
    path : Path
        File of the predictions from averages of all repeats.
    repeats : int or None
        How many were averaged.

    Returns
    -------
    Path
        `path` for None, else with the number in its name.
    """
    return path if repeats is None else path.with_stem(f"{path.stem}-{repeats}-repeats")


class PredictionWriter(BasePredictionWriter):
    """Write predictions of all subjects when ``predict`` is through.

    Parameters
    ----------
    path : path
        File of the test predictions. Those of another side go beside it, ``predictions.h5``
        becoming ``predictions-validation.h5``, so that neither takes the other's place; so do
        those of several data sets, as ``predictions-mini-meg.h5``, and those of averages of some
        repeats (``data.predict_repeats``), as ``predictions-1-repeats.h5``.
    method : str
        Name under which the method appears in tables; with ``data.predict_repeats``
        ``<method>@<repeats>``, so that both can be scored side by side.
    dtype : {"float32", "float16"}
        Type on disk.
    """

    def __init__(
        self, path: Path, method: str = "decoder", dtype: Literal["float32", "float16"] = "float32"
    ) -> None:
        super().__init__(write_interval="epoch")
        self.path, self.method, self.dtype = Path(path), method, dtype

    def write_on_epoch_end(
        self,
        trainer: Trainer,
        pl_module: LightningModule,
        predictions: Sequence[Any],
        batch_indices: Sequence[Any],
    ) -> None:
        """Join the batches of all devices and write them, one file a data set.

        Parameters
        ----------
        trainer : Trainer
            Gives the DataModule.
        pl_module : LightningModule
            The model.
        predictions : sequence of dict
            For each batch, by subject and array.
        batch_indices : sequence
            Not used.
        """
        parts = [part for rank in gathered(list(predictions)) for part in rank]
        if not trainer.is_global_zero:
            return
        data: ResponseDataModule = trainer.datamodule
        folders = data.recordings.folder
        names = dict.fromkeys(folders.values())
        for name in names:
            subjects = [
                subject
                for subject, folder in folders.items()
                if folder == name and any(subject in part for part in parts)
            ]
            if subjects:
                path = dataset_path(side_path(self.path, data.predict_on), name, len(names) > 1)
                repeats = data.predict_repeats
                write_predictions(
                    repeats_path(path, repeats),
                    self.method if repeats is None else f"{self.method}@{repeats}",
                    [self._join(subject, parts, data) for subject in subjects],
                    self._attrs(data, pl_module) | {"dataset": data.stores[subjects[0]].dataset},
                )

    def _join(self, subject: str, parts: Sequence[Any], data: ResponseDataModule) -> Prediction:
        own = [part[subject] for part in parts if subject in part]
        joined = {name: torch.cat([part[name] for part in own]).numpy() for name in own[0]}
        # devices take batches in turn, and a first one may come twice; ids are sorted, so row
        # order is the order of the ids, and of the trials of one stimulus
        keys = np.stack([joined.pop("stimulus"), joined.pop("trial")], axis=1)
        unique, first = np.unique(keys, axis=0, return_index=True)
        n_averaged = joined.pop("n_averaged")[first]
        store = data.stores[subject]
        return Prediction(
            subject=store.subject,
            stimulus_id=[data.stimuli[row] for row in unique[:, 0]],
            arrays={name: values[first].astype(self.dtype) for name, values in joined.items()},
            n_averaged=float(n_averaged.mean()) * store.n_averaged,
            fold=data.fold,
        )

    def _attrs(self, data: ResponseDataModule, module: LightningModule) -> dict[str, Any]:
        target = module.decoder.target
        made_by = EmbeddingStore(data.embeddings[target]).attrs.get("embedder")
        return {
            "task": "identification",
            "embedding": Path(data.embeddings[target]).stem,
            "embedding_fingerprint": EmbeddingStore(data.embeddings[target]).fingerprint,
            "target": target,
            # `reconstruct` gives it to no generator of another embedding
            **({"embedding_model": made_by} if made_by else {}),
            "side": data.predict_on,
            "selection_split": "validation",
            "transductive": False,
            **({"subject_in_training": False} if data.left_out else {}),
            # Lightning keeps the seed of the run here
            "seed": int(os.environ.get("PL_GLOBAL_SEED", data.seed)),
        }
