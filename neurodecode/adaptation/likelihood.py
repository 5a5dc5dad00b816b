"""What the trials of a new subject say about its responses: an encoder with its noise."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from neurodecode.adaptation.known import KnownSubjects
from neurodecode.adaptation.plan import AdaptationPlan
from neurodecode.linear import LikelihoodIdentifier, TransferEncoder, TransferIdentifier
from neurodecode.loaders import ResponseDataModule
from neurodecode.loaders.table import TrialTable
from neurodecode.store import EmbeddingStore, Prediction, ResponseStore
from neurodecode.store.synthetic import SyntheticResponses
from neurodecode.tasks.augment import synthesise_by
from neurodecode.tasks.baselines import FeatureReader, Features
from neurodecode.tasks.linear_encoder import fit_likelihood

__all__ = ["NewSubject"]

_POSITION = "xyz"
_REGION, _BAND = "roi", "prf-eccrois"


class NewSubject:
    """Encoder of a new subject, fitted to the plan's trials.

    Parameters
    ----------
    data : ResponseDataModule
        The new subject alone, with the plan's trials.
    plan : AdaptationPlan
        Whom to adapt to.
    target : str
        Embedding that the encoder predicts from, itself or by way of known subjects.
    known : KnownSubjects or None
        Whose voxels are the prior of the new ones'; without them it is a ridge regression.
    """

    def __init__(
        self,
        data: ResponseDataModule,
        plan: AdaptationPlan,
        target: str,
        known: KnownSubjects | None,
    ) -> None:
        self.data, self.plan, self.target = data, plan, target
        self.store = data.stores[plan.subject]
        self.table = TrialTable.load(self.store, data.split, data.fold, ("train",), plan.draw)
        identifier: LikelihoodIdentifier | None = None
        self.features: FeatureReader = Features([EmbeddingStore(data.embeddings[target])], target)
        if known is not None:
            self.features, identifier = known, transfer(self.store, known.stores)
        self.model = fit_likelihood(
            self.table, self.features, seed=plan.seed, identifier=identifier
        )

    def synthetic(self) -> SyntheticResponses:
        """What the subject would answer to pictures that it was not shown.

        Returns
        -------
        SyntheticResponses
            For every picture that training may use.
        """
        data, draw = self.data, self.plan.draw
        embedded = EmbeddingStore(data.embeddings[self.target]).ids
        return synthesise_by(
            self.model,
            self.features,
            data.split.pool(data.fold, embedded),
            self.table.stimulus_id,
            self.plan.subject,
            draw.digest(data.split.folds[data.fold].digest),
        )

    def likelihood(self, side: str) -> Prediction:
        """Judge all stimuli of a side by the likelihood of each response.

        Parameters
        ----------
        side : {"validation", "test"}
            Which.

        Returns
        -------
        Prediction
            ``scores`` in nats.
        """
        shown = self.table.average(side)
        features = self.features.read(list(shown.stimulus_id))
        scores = self.model.log_likelihood(shown.responses, features, shown.n_averaged)
        return Prediction(
            subject=self.plan.subject,
            stimulus_id=shown.stimulus_id.tolist(),
            arrays={"scores": scores.astype(np.float32)},
            candidate_id=shown.stimulus_id.tolist(),
            n_averaged=float(shown.n_averaged.mean()),
            fold=self.data.fold,
        )


def transfer(store: ResponseStore, known: Sequence[ResponseStore]) -> TransferIdentifier:
    """Make the encoder of a subject from what is known of its voxels.

    Parameters
    ----------
    store : ResponseStore
        The new subject.
    known : sequence of ResponseStore
        Whose voxels are the prior, in their order.

    Returns
    -------
    TransferIdentifier
        Not fitted. Voxels are alike that share a region, and more so with a band of
        eccentricity (from a separate recording of receptive fields, as NSD has it).
    """
    own, theirs = labels([store]), labels(known)
    encoder = TransferEncoder() if own is None or theirs is None else TransferEncoder(own, theirs)
    positions = None
    if _POSITION in store.feature_names():
        positions = np.asarray(store.feature(_POSITION), dtype=np.float64)
    return TransferIdentifier(encoder, positions)


def labels(stores: Sequence[ResponseStore]) -> np.ndarray | None:
    """Region of each voxel of some subjects, and band of eccentricity within the region.

    Parameters
    ----------
    stores : sequence of ResponseStore
        One or more subjects.

    Returns
    -------
    array of str of shape (2, n_voxels) or None
        Voxels of all subjects, one after the other; empty where there is no band. None if a
        store does not know regions.
    """
    if any(_REGION not in store.feature_names() for store in stores):
        return None
    regions, bands = [], []
    for store in stores:
        region = np.asarray(store.feature(_REGION)).astype(str)
        band = np.full(len(region), "")
        if _BAND in store.feature_names():
            band = np.asarray(store.feature(_BAND)).astype(str)
        regions.append(region)
        bands.append([f"{a}, {b}" if b else "" for a, b in zip(region, band, strict=True)])
    return np.array([np.concatenate(regions), np.concatenate(bands)])
