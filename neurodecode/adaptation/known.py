"""What the subjects of a run would answer to any picture."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import torch
from torch import nn

from neurodecode.linear import RidgeEncoder
from neurodecode.loaders import ResponseDataModule
from neurodecode.loaders.table import TrialTable
from neurodecode.store import EmbeddingStore
from neurodecode.tasks.baselines import Features

__all__ = ["KnownSubjects"]

_COMPONENTS = 200
_AT_ONCE = 2048


class KnownSubjects:
    """Ridge encoders of the subjects that a decoder was trained on, fitted to its training trials.

    Parameters
    ----------
    data : ResponseDataModule
        Of the decoder's training.
    target : str
        Embedding that the encoders predict from.
    """

    def __init__(self, data: ResponseDataModule, target: str = "tokens") -> None:
        self.stores = list(data.stores.values())
        self.features = Features([EmbeddingStore(data.embeddings[target])], target)
        self.encoders: dict[str, RidgeEncoder] = {}
        for name, store in data.stores.items():
            average = TrialTable.load(store, data.split, data.fold, ("train",)).average("train")
            encoder = RidgeEncoder(_COMPONENTS, seed=data.seed)
            encoder.fit(self.features.read(average.stimulus_id), average.responses)
            self.encoders[name] = encoder

    def predict(self, ids: Sequence[str]) -> dict[str, np.ndarray]:
        """Predict responses of each subject.

        Parameters
        ----------
        ids : sequence of str of length n
            Pictures, shown to the subject or not.

        Returns
        -------
        dict of str to array of float32 of shape (n, n_features)
            Standardised responses by subject.
        """
        parts: dict[str, list[np.ndarray]] = {name: [] for name in self.encoders}
        for start in range(0, len(ids), _AT_ONCE):
            features = self.features.read(list(ids[start : start + _AT_ONCE]))
            for name, encoder in self.encoders.items():
                parts[name].append(encoder.predict(features))
        return {name: np.concatenate(part) for name, part in parts.items()}

    def read(self, ids: Sequence[str]) -> np.ndarray:
        """Predict responses of all subjects together: features for an encoder of a new one.

        Parameters
        ----------
        ids : sequence of str of length n
            Pictures.

        Returns
        -------
        array of float32 of shape (n, n_known)
            Voxels of all subjects, one subject after the other.
        """
        return np.concatenate(list(self.predict(ids).values()), axis=1)

    @torch.no_grad()
    def shared(self, ids: Sequence[str], adapters: Mapping[str, nn.Module]) -> np.ndarray:
        """Where the known subjects' adapters put pictures, on average.

        Parameters
        ----------
        ids : sequence of str of length n
            Pictures.
        adapters : mapping of str to Module
            Trained adapter of each subject, in evaluation mode.

        Returns
        -------
        array of float32 of shape (n, width)
            Mean over subjects of what the trunk is given.
        """
        predicted = self.predict(ids)
        places = [adapters[name](torch.from_numpy(each)) for name, each in predicted.items()]
        return torch.stack(places).mean(dim=0).numpy()
