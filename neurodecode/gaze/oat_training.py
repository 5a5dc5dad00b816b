"""Training OAT outside Lightning, as the models' common interface asks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch.optim import AdamW
from torch.optim.lr_scheduler import OneCycleLR

from neurodecode.gaze.object_sequences import Search, collate
from neurodecode.nn.scanpath.oat import ObjectAttentionTransformer
from neurodecode.nn.scanpath.object_sequences import sequence_loss

__all__ = ["OatTraining"]


@dataclass(frozen=True)
class OatTraining:
    """AdamW under a one-cycle rate; the epoch of the lowest validation loss is kept.

    Parameters
    ----------
    epochs, batch : int
        Passes over the searches, and searches in a step; 20 in OAT.
    lr, weight_decay : float
        Peak rate, and decay.
    max_norm : float
        Gradients are scaled down to this norm; 1 in OAT.
    seed : int
        Of weights, order and dropout.
    """

    epochs: int = 12
    batch: int = 32
    lr: float = 1e-3
    weight_decay: float = 1e-2
    max_norm: float = 1.0
    seed: int = 0

    def __call__(
        self,
        model: ObjectAttentionTransformer,
        train: Sequence[Search],
        validation: Sequence[Search],
    ) -> list[float]:
        """Train in place.

        Parameters
        ----------
        model : ObjectAttentionTransformer
            With new weights.
        train, validation : sequence of Search
            Observed searches.

        Returns
        -------
        list of float
            Validation loss after each epoch, in nats a step.
        """
        optimizer = AdamW(model.parameters(), self.lr, weight_decay=self.weight_decay)
        steps = self.epochs * -(-len(train) // self.batch)
        schedule = OneCycleLR(optimizer, self.lr, total_steps=steps, cycle_momentum=False)
        best, history = None, []
        for _ in range(self.epochs):
            model.train()
            for rows in torch.randperm(len(train)).split(self.batch):
                scene, fixated, lengths = collate([train[i] for i in rows])
                optimizer.zero_grad()
                sequence_loss(model(scene, fixated), fixated, lengths).backward()
                torch.nn.utils.clip_grad_norm_(model.parameters(), self.max_norm)
                optimizer.step()
                schedule.step()
            history.append(self._loss(model, validation))
            if history[-1] == min(history):
                best = {name: value.clone() for name, value in model.state_dict().items()}
        if best is not None:
            model.load_state_dict(best)
        model.eval()
        return history

    @torch.no_grad()
    def _loss(self, model: ObjectAttentionTransformer, searches: Sequence[Search]) -> float:
        model.eval()
        total = steps = 0.0
        for start in range(0, len(searches), self.batch):
            scene, fixated, lengths = collate(searches[start : start + self.batch])
            n = float((lengths + 1).sum())
            total += n * float(sequence_loss(model(scene, fixated), fixated, lengths))
            steps += n
        return total / steps
