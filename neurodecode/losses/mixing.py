"""MixCo: train on mixtures of two trials, and contrast them with both of their stimuli.

Trials are only mixed within a subject, because voxel 17 of one subject has nothing to do with
voxel 17 of another; the contrast runs over the batch of all subjects. `Mixup` therefore keeps
the permutation in rows of the whole batch, subject after subject.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from neurodecode.losses.contrastive import scaled_similarity, soft_cross_entropy

__all__ = ["Mixup", "bimixco", "draw_mixup", "mix_responses", "mixing_matrix"]


@dataclass(frozen=True)
class Mixup:
    """Which trial was mixed with which, and how much of the first is left.

    Parameters
    ----------
    permutation : Tensor of int of shape (n_trials,)
        Row of the whole batch that was mixed into each row.
    lambdas : Tensor of shape (n_trials,)
        Share of the row itself, in [0, 1]; 1 where it was left alone.
    """

    permutation: Tensor
    lambdas: Tensor

    def mix(self, values: Tensor) -> Tensor:
        """Mix anything that belongs to the rows of the batch, e.g. the targets of a prior.

        Parameters
        ----------
        values : Tensor of shape (n_trials, ...)
            One entry per row of the whole batch.

        Returns
        -------
        Tensor of shape (n_trials, ...)
            A new tensor; `values` is not touched.
        """
        share = self.lambdas.to(values).reshape(-1, *[1] * (values.ndim - 1))
        return share * values + (1 - share) * values[self.permutation.to(values.device)]


def draw_mixup(
    n_trials: Sequence[int],
    *,
    alpha: float = 0.15,
    select: float = 0.5,
    generator: torch.Generator | None = None,
) -> Mixup:
    """Draw partners and shares for a batch that holds the trials of one or more subjects.

    Parameters
    ----------
    n_trials : sequence of int
        Trials of each subject, in the order in which they stand in the batch.
    alpha : float
        Both parameters of the Beta distribution of the shares.
    select : float
        Probability that a trial is mixed at all.
    generator : torch.Generator, optional
        Source of randomness (on the CPU); by default torch's own.

    Returns
    -------
    Mixup
        On the CPU; partners are of the same subject.

    References
    ----------
    Kim et al. 2020 (MixCo); Scotti et al. 2023.
    """
    # torch offers no seeded Beta: one torch number seeds numpy's, so torch's seed still rules
    seed = int(torch.randint(2**62, (), generator=generator))
    rng = np.random.default_rng(seed)
    offsets = np.concatenate([[0], np.cumsum(n_trials)[:-1]]) if len(n_trials) else []
    partners = [offset + rng.permutation(n) for offset, n in zip(offsets, n_trials, strict=True)]
    total = sum(n_trials)
    lambdas = np.where(rng.random(total) < select, rng.beta(alpha, alpha, total), 1.0)
    permutation = np.concatenate([np.empty(0, dtype=np.int64), *partners])
    return Mixup(torch.from_numpy(permutation.astype(np.int64)), torch.from_numpy(lambdas).float())


def mix_responses(
    responses: Mapping[str, Tensor],
    *,
    alpha: float = 0.15,
    select: float = 0.5,
    generator: torch.Generator | None = None,
) -> tuple[dict[str, Tensor], Mixup]:
    """Mix the trials of each subject with one another.

    Parameters
    ----------
    responses : mapping of str to Tensor of shape (n_trials, n_features, ...)
        Responses of each subject; not modified. Rows of the batch are counted in this order.
    alpha, select, generator
        As for `draw_mixup`.

    Returns
    -------
    mixed : dict of str to Tensor of shape (n_trials, n_features, ...)
        New tensors, same order of subjects.
    mixup : Mixup
        Partners and shares in rows of the whole batch, on the device of the responses: for
        `bimixco`, and for mixing the targets of other losses alike.
    """
    drawn = draw_mixup(
        [len(trials) for trials in responses.values()],
        alpha=alpha,
        select=select,
        generator=generator,
    )
    mixed: dict[str, Tensor] = {}
    start = 0
    for subject, trials in responses.items():
        rows = slice(start, start + len(trials))
        own = Mixup(drawn.permutation[rows] - start, drawn.lambdas[rows])
        mixed[subject] = own.mix(trials)
        start += len(trials)
    device = next((trials.device for trials in responses.values()), torch.device("cpu"))
    return mixed, Mixup(drawn.permutation.to(device), drawn.lambdas.to(device))


def mixing_matrix(permutation: Tensor, lambdas: Tensor) -> Tensor:
    r"""Target mass of each mixed row: :math:`W_{ii}` += share, :math:`W_{i,\pi(i)}` += rest.

    Both parts are added, so a trial that was drawn as its own partner keeps its full mass.

    Parameters
    ----------
    permutation : Tensor of int of shape (n_trials,)
        Partner of each row, as a row of the whole batch.
    lambdas : Tensor of shape (n_trials,)
        Share of the row itself.

    Returns
    -------
    Tensor of shape (n_trials, n_trials)
        Rows sum to one.
    """
    own = torch.eye(len(lambdas), dtype=lambdas.dtype, device=lambdas.device)
    return lambdas[:, None] * own + (1 - lambdas)[:, None] * own[permutation]


def bimixco(
    predictions: Tensor,
    targets: Tensor,
    mixup: Mixup,
    temperature: float | Tensor = 0.006,
    *,
    bidirectional: bool = True,
    negatives: Tensor | None = None,
) -> Tensor:
    r"""BiMixCo: contrast mixed trials with the stimuli of both their parts.

    .. math:: L = -\frac{1}{2B} \Big[ \sum_{ij} W_{ij} \log\mathrm{softmax}_j(z_{ij})
                  + \sum_{ij} W_{ij} \log\mathrm{softmax}_i(z_{ij}) \Big],
              \quad z_{ij} = p_i \cdot t_j / \tau

    Parameters
    ----------
    predictions : Tensor of shape (n_trials, dim)
        Decoded from the mixed responses of all subjects, in batch order; unit rows.
    targets : Tensor of shape (n_trials, dim)
        Embeddings of the unmixed stimuli, in batch order; unit rows.
    mixup : Mixup
        As returned by `mix_responses`.
    temperature : float or scalar Tensor
        Positive.
    bidirectional : bool
        Average both directions, or use the first alone.
    negatives : Tensor of shape (n_negatives, dim), optional
        Embeddings of further stimuli, unit rows: wrong answers in the first direction.

    Returns
    -------
    Tensor
        Scalar.

    Notes
    -----
    In the second direction the weights of one stimulus (a column of W) need not sum to one;
    that is the published form. Unlike the published code, a fixed point of the permutation
    keeps its mass and the partners of later subjects point at those subjects' own rows.

    References
    ----------
    Scotti et al. 2023, "Reconstructing the mind's eye", equation 1.
    """
    logits = scaled_similarity(predictions, targets, temperature)
    weights = mixing_matrix(mixup.permutation.to(logits.device), mixup.lambdas.to(logits))
    backward = soft_cross_entropy(logits.T, weights.T) if bidirectional else None
    if negatives is not None:
        others = scaled_similarity(predictions, negatives, temperature)
        logits = torch.cat([logits, others], dim=1)
        weights = F.pad(weights, (0, len(negatives)))
    forward = soft_cross_entropy(logits, weights)
    return forward if backward is None else (forward + backward) / 2
