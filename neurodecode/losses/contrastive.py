"""Contrastive objectives between predicted and true embeddings.

The functions take rows as they are. Where the published loss works on unit vectors, pass
`unit_rows(...)`: token grids are flattened first and normalised as one vector, as MindEye does.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from neurodecode.losses.precision import full_precision, no_autocast

__all__ = [
    "MANY",
    "ClipMse",
    "clip_mse",
    "info_nce",
    "plain_soft_clip",
    "scaled_similarity",
    "soft_clip",
    "soft_contrastive",
    "soft_cross_entropy",
    "unit_rows",
]

#: Items from which on pairs are made in tiles: 8192 x 8192 of single precision are 268 MB, and a
#: plain loss holds several of them.
MANY = 8192


def unit_rows(embeddings: Tensor) -> Tensor:
    """Flatten every item to one vector of unit length.

    Parameters
    ----------
    embeddings : Tensor of shape (n_items, ...)
        Pooled embeddings, or tokens of shape (n_items, n_tokens, dim).

    Returns
    -------
    Tensor of shape (n_items, n_values)
        Rows of unit Euclidean norm, at least float32.
    """
    return F.normalize(full_precision(embeddings).flatten(1), dim=-1)


def scaled_similarity(rows: Tensor, columns: Tensor, temperature: float | Tensor) -> Tensor:
    """Dot products divided by a temperature, in at least single precision.

    Parameters
    ----------
    rows : Tensor of shape (n_rows, dim)
        Usually predictions.
    columns : Tensor of shape (n_columns, dim)
        Usually targets.
    temperature : float or scalar Tensor
        Positive.

    Returns
    -------
    Tensor of shape (n_rows, n_columns)
        Logits.
    """
    with no_autocast(rows):
        return full_precision(rows) @ full_precision(columns).T / temperature


def soft_cross_entropy(logits: Tensor, weights: Tensor) -> Tensor:
    """Cross-entropy of each row of `logits` against a row of target weights, averaged.

    Parameters
    ----------
    logits : Tensor of shape (n_rows, n_columns)
        Unnormalised log-probabilities.
    weights : Tensor of shape (n_rows, n_columns)
        Target mass; rows need not sum to one.

    Returns
    -------
    Tensor
        Scalar.
    """
    return -(weights * logits.log_softmax(dim=-1)).sum(dim=-1).mean()


def soft_clip(
    predictions: Tensor,
    targets: Tensor,
    temperature: float | Tensor,
    *,
    bidirectional: bool = True,
    detach_targets: bool = True,
    negatives: Tensor | None = None,
) -> Tensor:
    r"""SoftCLIP: contrast against the similarity of the targets among themselves.

    With :math:`q_{ij} = \mathrm{softmax}_j(t_i \cdot t_j / \tau)` and
    :math:`z_{ij} = p_i \cdot t_j / \tau`,

    .. math:: L = -\frac{1}{2B} \sum_{ij} q_{ij} \log\mathrm{softmax}_j(z_{ij})
                  -\frac{1}{2B} \sum_{ij} q_{ji} \log\mathrm{softmax}_i(z_{ij}).

    Parameters
    ----------
    predictions : Tensor of shape (n_items, dim)
        Decoded embeddings, rows of unit norm.
    targets : Tensor of shape (n_items, dim)
        True embeddings, rows of unit norm.
    temperature : float or scalar Tensor
        :math:`\tau`, .004 to .0075 in MindEye.
    bidirectional : bool
        Average brain-to-target and target-to-brain, or use the first alone.
    detach_targets : bool
        Keep gradients out of the targets. The similarities :math:`q` move with the targets,
        so a trainable target could lower this loss by making all stimuli alike.
    negatives : Tensor of shape (n_negatives, dim), optional
        Embeddings of further stimuli, unit rows: more columns of the first direction, in the
        logits as in the weights.

    Returns
    -------
    Tensor
        Scalar. Its minimum is the entropy of :math:`q`, not zero.

    Notes
    -----
    From `MANY` items on no matrix of all pairs is made (`neurodecode_kernels.soft_clip`).

    References
    ----------
    Scotti et al. 2023, "Reconstructing the mind's eye", equation 2.
    """
    if len(predictions) < MANY:
        return plain_soft_clip(
            predictions, targets, temperature, bidirectional=bidirectional,
            detach_targets=detach_targets, negatives=negatives,
        )  # fmt: skip
    from neurodecode_kernels.soft_clip import soft_clip as lean_soft_clip

    return lean_soft_clip(
        predictions, targets, temperature, bidirectional=bidirectional,
        detach_targets=detach_targets, negatives=negatives,
    )  # fmt: skip


def plain_soft_clip(
    predictions: Tensor,
    targets: Tensor,
    temperature: float | Tensor,
    *,
    bidirectional: bool = True,
    detach_targets: bool = True,
    negatives: Tensor | None = None,
) -> Tensor:
    """`soft_clip` with all pairs in memory, which is the fastest way for a few hundred items.

    Parameters
    ----------
    predictions, targets, temperature, bidirectional, detach_targets, negatives
        As in `soft_clip`.

    Returns
    -------
    Tensor
        Scalar.
    """
    if detach_targets:
        targets = targets.detach()
    logits = scaled_similarity(predictions, targets, temperature)
    alike = scaled_similarity(targets, targets, temperature)
    backward = soft_cross_entropy(logits.T, alike.softmax(dim=-1)) if bidirectional else None
    if negatives is not None:
        logits = torch.cat([logits, scaled_similarity(predictions, negatives, temperature)], dim=1)
        alike = torch.cat([alike, scaled_similarity(targets, negatives, temperature)], dim=1)
    forward = soft_cross_entropy(logits, alike.softmax(dim=-1))
    return forward if backward is None else (forward + backward) / 2


def info_nce(
    predictions: Tensor,
    targets: Tensor,
    temperature: float | Tensor,
    *,
    bidirectional: bool = True,
) -> Tensor:
    """InfoNCE: every item against all others of the batch.

    Parameters
    ----------
    predictions : Tensor of shape (n_items, dim)
        Decoded embeddings, rows of unit norm.
    targets : Tensor of shape (n_items, dim)
        True embeddings, rows of unit norm. Two rows with the same stimulus act as each
        other's negatives; draw batches without repeats, or use `soft_clip`.
    temperature : float or scalar Tensor
        Positive; for a learned logit scale ``s`` pass ``exp(-s)``.
    bidirectional : bool
        Average both directions, or rank targets for each prediction alone.

    Returns
    -------
    Tensor
        Scalar.

    References
    ----------
    Radford et al. 2021, figure 3.
    """
    logits = scaled_similarity(predictions, targets, temperature)
    labels = torch.arange(len(logits), device=logits.device)
    forward = F.cross_entropy(logits, labels)
    return (forward + F.cross_entropy(logits.T, labels)) / 2 if bidirectional else forward


def soft_contrastive(
    student: Tensor, teacher: Tensor, teacher_augmented: Tensor, temperature: float = 0.2
) -> Tensor:
    r"""Make a student relate to an augmented view as its teacher does (low-level branch).

    .. math:: L = \tfrac12 \{ \mathrm{CE}(\mathrm{softmax}(t a^T/\tau), s a^T/\tau)
                  + \mathrm{CE}(\mathrm{softmax}(a t^T/\tau), a s^T/\tau) \}

    Parameters
    ----------
    student : Tensor of shape (..., dim)
        Decoded features, one unit vector per token.
    teacher : Tensor of shape (..., dim)
        Features of the picture, unit vectors.
    teacher_augmented : Tensor of shape (..., dim)
        Features of an augmented picture, unit vectors.
    temperature : float
        .2 in MindEye2, .075 in MindEye1.

    Returns
    -------
    Tensor
        Scalar. Tokens of all items are pooled into one contrast.
    """
    student, teacher, teacher_augmented = (
        features.flatten(0, -2) for features in (student, teacher, teacher_augmented)
    )
    logits = scaled_similarity(student, teacher_augmented, temperature)
    relation = scaled_similarity(teacher, teacher_augmented, temperature)
    forward = soft_cross_entropy(logits, relation.softmax(dim=-1))
    backward = soft_cross_entropy(logits.T, relation.T.softmax(dim=-1))
    return (forward + backward) / 2


class ClipMse(NamedTuple):
    """The weighted M/EEG objective and its two parts, for logging."""

    total: Tensor
    clip: Tensor
    mse: Tensor


def clip_mse(
    targets: Tensor,
    z_clip: Tensor,
    z_mse: Tensor,
    log_scale: float | Tensor,
    weight: float = 0.75,
) -> ClipMse:
    """Contrast one head and regress with the other: weight * CLIP + (1 - weight) * MSE.

    Parameters
    ----------
    targets : Tensor of shape (n_items, ...)
        True embeddings, not normalised: the MSE head must also learn their length.
    z_clip : Tensor of shape (n_items, ...)
        Output of the contrastive head; only its direction counts.
    z_mse : Tensor of shape (n_items, ...)
        Output of the regression head.
    log_scale : float or scalar Tensor
        Logarithm of the factor on the cosines; learned.
    weight : float
        Share of the contrastive term, between 0 and 1.

    Returns
    -------
    ClipMse
        Total, contrastive part (both directions averaged), and squared error averaged over
        all elements.

    References
    ----------
    Benchetrit, Banville and King 2024.
    """
    inverse_scale = torch.exp(-torch.as_tensor(log_scale, device=targets.device))
    clip = info_nce(unit_rows(z_clip), unit_rows(targets), inverse_scale)
    mse = F.mse_loss(full_precision(z_mse), full_precision(targets))
    return ClipMse(weight * clip + (1 - weight) * mse, clip, mse)
