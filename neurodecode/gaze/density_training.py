"""Training the density model outside Lightning, as the models' common interface asks."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.optim import AdamW
from torch.optim.lr_scheduler import OneCycleLR

from neurodecode.gaze.likelihood import fit_beginnings, likelihood
from neurodecode.gaze.looks import Looks
from neurodecode.nn.scanpath.density import FixationDensity

__all__ = ["DensityTraining", "density_loss"]


def density_loss(
    model: FixationDensity, features: Tensor, looks: Looks, duration_weight: float
) -> Tensor:
    """Negative log likelihood of a fixation, in nats.

    Parameters
    ----------
    model : FixationDensity
        The model.
    features : Tensor of shape (n_pictures, features, rows, columns)
        Frozen features.
    looks : Looks
        What viewers did.
    duration_weight : float
        Weight of the durations.

    Returns
    -------
    Tensor
        Mean over fixations.
    """
    found = likelihood(model, model.encode(features), looks)
    total = found.where.sum() + duration_weight * found.how_long.sum()
    return -total / looks.valid.sum()


@dataclass(frozen=True)
class DensityTraining:
    """AdamW under a one-cycle rate; the epoch that was best on held-out pictures is kept.

    Parameters
    ----------
    epochs, batch : int
        Passes over the pictures, and pictures in a step.
    lr, weight_decay : float
        Peak rate, and decay.
    duration_weight : float
        Weight of the durations' likelihood.
    flip : bool
        Mirror half of the training pictures, with their fixations.
    seed : int
        Of weights, order, dropout and flips.
    """

    epochs: int = 40
    batch: int = 8
    lr: float = 3e-3
    weight_decay: float = 0.1
    duration_weight: float = 0.2
    flip: bool = True
    seed: int = 0

    def __call__(
        self,
        model: FixationDensity,
        train: tuple[Tensor, Looks],
        validation: tuple[Tensor, Looks],
    ) -> list[float]:
        """Train in place.

        Parameters
        ----------
        model : FixationDensity
            With new weights.
        train, validation : tuple of Tensor and Looks
            Features (n_pictures, features, rows, columns) of pictures, and who looked where.

        Returns
        -------
        list of float
            Mean log likelihood of the place of a validation fixation after each epoch, in nats.
        """
        fit_beginnings(model, train[1])
        optimizer = AdamW(model.parameters(), self.lr, weight_decay=self.weight_decay)
        steps = self.epochs * -(-len(train[0]) // self.batch)
        schedule = OneCycleLR(optimizer, self.lr, total_steps=steps, cycle_momentum=False)
        best, history = None, [place_score(model, *validation)]
        for _ in range(self.epochs):
            model.train()
            for rows in torch.randperm(len(train[0])).split(self.batch):
                features, looks = train[0][rows], train[1].pictures(rows)
                if self.flip and torch.rand(()) < 0.5:
                    features, looks = mirrored(features, looks, model.grid[1])
                optimizer.zero_grad()
                density_loss(model, features, looks, self.duration_weight).backward()
                torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
                optimizer.step()
                schedule.step()
            history.append(place_score(model, *validation))
            if history[-1] > max(history[:-1]):
                best = {name: value.clone() for name, value in model.state_dict().items()}
        if best is not None:
            model.load_state_dict(best)
        model.eval()
        return history


def mirrored(features: Tensor, looks: Looks, columns: int) -> tuple[Tensor, Looks]:
    """Swap left and right.

    Parameters
    ----------
    features : Tensor of shape (n_pictures, features, rows, columns)
        Features.
    looks : Looks
        Fixations.
    columns : int
        Columns of the grid.

    Returns
    -------
    tuple of Tensor and Looks
        The same, mirrored.
    """
    row, column = looks.cell // columns, looks.cell % columns
    cell = row * columns + columns - 1 - column
    return features.flip(-1), Looks(cell.where(looks.valid, 0), looks.duration, looks.length)


@torch.no_grad()
def place_score(model: FixationDensity, features: Tensor, looks: Looks) -> float:
    """Mean log likelihood of the place of a fixation.

    Parameters
    ----------
    model : FixationDensity
        The model; it is left in evaluation mode.
    features : Tensor of shape (n_pictures, features, rows, columns)
        Features.
    looks : Looks
        Fixations.

    Returns
    -------
    float
        Nats.
    """
    model.eval()
    total = 0.0
    for rows in torch.arange(len(features)).split(8):
        some = looks.pictures(rows)
        total += float(likelihood(model, model.encode(features[rows]), some).where.sum())
    return total / int(looks.valid.sum())
