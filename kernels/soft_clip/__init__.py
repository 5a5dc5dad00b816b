"""SoftCLIP and InfoNCE without a matrix of all pairs."""

from __future__ import annotations

import torch
from torch import Tensor

from neurodecode_kernels.dispatch import (
    Backend,
    KernelError,
    check_alike,
    take_triton,
    why_not_triton,
)
from neurodecode_kernels.soft_clip.reference import contrast

__all__ = ["info_nce", "soft_clip", "why_not"]


def why_not(
    predictions: Tensor,
    targets: Tensor,
    temperature: float | Tensor,
    *,
    soft: bool = True,
    detach_targets: bool = True,
    negatives: Tensor | None = None,
) -> str | None:
    """Reason for which a call takes the reference path.

    Parameters
    ----------
    predictions, targets, temperature, detach_targets, negatives
        As in `soft_clip`.
    soft : bool
        SoftCLIP, or InfoNCE.

    Returns
    -------
    str or None
        The reason; None if the Triton kernel runs.
    """
    if negatives is not None:
        return "there are negatives"
    if soft and isinstance(temperature, Tensor) and temperature.requires_grad:
        return "the temperature is learned"
    if soft and targets.requires_grad and not detach_targets:
        return "the targets are learned"
    return why_not_triton([predictions, targets])


def soft_clip(
    predictions: Tensor,
    targets: Tensor,
    temperature: float | Tensor,
    *,
    bidirectional: bool = True,
    detach_targets: bool = True,
    negatives: Tensor | None = None,
    backend: Backend = "auto",
) -> Tensor:
    r"""Contrast against the similarity of the targets among themselves.

    With :math:`q_{ij} = \mathrm{softmax}_j(t_i \cdot t_j / \tau)` and
    :math:`z_{ij} = p_i \cdot t_j / \tau`,

    .. math:: L = -\frac{1}{2N} \sum_{ij} q_{ij} \log\mathrm{softmax}_j(z_{ij})
                  -\frac{1}{2N} \sum_{ij} q_{ji} \log\mathrm{softmax}_i(z_{ij}).

    Parameters
    ----------
    predictions : Tensor of shape (n_items, dim)
        Decoded embeddings, rows of unit norm.
    targets : Tensor of shape (n_items, dim)
        True embeddings, rows of unit norm.
    temperature : float or scalar Tensor
        :math:`\tau`.
    bidirectional : bool
        Both directions, or the first alone.
    detach_targets : bool
        Keep gradients out of the targets.
    negatives : Tensor of shape (n_negatives, dim), optional
        More columns of the first direction.
    backend : {"auto", "reference", "triton"}
        Path to take.

    Returns
    -------
    Tensor
        Scalar, in at least single precision.

    Raises
    ------
    KernelError
        If shapes or types do not fit.

    References
    ----------
    Scotti et al. 2023, "Reconstructing the mind's eye", equation 2.
    """
    _check("soft_clip", predictions, targets, negatives)
    reason = why_not(
        predictions, targets, temperature, detach_targets=detach_targets, negatives=negatives
    )
    targets = targets.detach() if detach_targets else targets
    if take_triton("soft_clip", reason, backend):
        from neurodecode_kernels.soft_clip.triton import contrast as fused

        return fused(predictions, targets, _inverse(temperature, predictions), bidirectional, True)
    scale = _inverse(temperature, predictions)
    return contrast(predictions, targets, scale, bidirectional, soft=True, negatives=negatives)


def info_nce(
    predictions: Tensor,
    targets: Tensor,
    temperature: float | Tensor,
    *,
    bidirectional: bool = True,
    backend: Backend = "auto",
) -> Tensor:
    """Every item against all others: the same with row i of the targets as the only right answer.

    Parameters
    ----------
    predictions, targets, temperature, bidirectional, backend
        As in `soft_clip`; targets and temperature may be learned.

    Returns
    -------
    Tensor
        Scalar, in at least single precision.

    Raises
    ------
    KernelError
        If shapes or types do not fit.

    References
    ----------
    Radford et al. 2021, figure 3.
    """
    _check("info_nce", predictions, targets, None)
    reason = why_not(predictions, targets, temperature, soft=False)
    scale = _inverse(temperature, predictions)
    if take_triton("info_nce", reason, backend):
        from neurodecode_kernels.soft_clip.triton import contrast as fused

        return fused(predictions, targets, scale, bidirectional, False)
    return contrast(predictions, targets, scale, bidirectional, soft=False)


def _check(name: str, predictions: Tensor, targets: Tensor, negatives: Tensor | None) -> None:
    given = [predictions, targets] + ([] if negatives is None else [negatives])
    check_alike(name, given)
    shapes = [tuple(each.shape) for each in given]
    if any(each.dim() != 2 or each.shape[1] != targets.shape[1] for each in given):
        raise KernelError(f"{name}: rows of one dimension, not shapes {shapes}")
    if len(predictions) != len(targets) or not len(targets):
        raise KernelError(f"{name}: as many predictions as targets, at least one, not {shapes}")


def _inverse(temperature: float | Tensor, like: Tensor) -> Tensor:
    """Factor of the dot products, in at least single precision."""
    precise = torch.promote_types(like.dtype, torch.float32)
    return 1 / torch.as_tensor(temperature, device=like.device).to(precise)
