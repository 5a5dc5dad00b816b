"""Objectives made of several terms: the diffusion prior, and STTM's composite."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import torch.nn.functional as F
from torch import Tensor

from neurodecode.losses.contrastive import unit_rows
from neurodecode.losses.precision import full_precision

__all__ = ["GlobalTerms", "global_contrastive", "prior_loss", "sttm_total"]


def prior_loss(predicted: Tensor, target: Tensor, scale: float = 1.0) -> Tensor:
    """Squared error of a denoised embedding, averaged over all elements.

    Parameters
    ----------
    predicted : Tensor of shape (n_items, n_tokens, dim)
        The prior's estimate of the clean embedding.
    target : Tensor of shape (n_items, n_tokens, dim)
        The clean embedding.
    scale : float
        Factor on both. MindEye1 and STTM work on embeddings times ``sqrt(dim)``, which
        multiplies this loss by ``dim``; MindEye2 does not. A weight of 30 on the prior means
        different things in the two.

    Returns
    -------
    Tensor
        Scalar.

    References
    ----------
    Ramesh et al. 2022 (unCLIP).
    """
    return scale**2 * F.mse_loss(full_precision(predicted), full_precision(target))


class GlobalTerms(NamedTuple):
    """Contrastive terms on all tokens, and on the class token against image and text."""

    tokens: Tensor
    image: Tensor
    text: Tensor


def global_contrastive(
    predicted: Tensor,
    image: Tensor,
    text: Tensor,
    contrast: Callable[[Tensor, Tensor], Tensor],
) -> GlobalTerms:
    """STTM's three contrasts of one set of decoded tokens.

    Parameters
    ----------
    predicted : Tensor of shape (n_items, n_tokens, dim)
        Decoded tokens; token 0 is the class token.
    image : Tensor of shape (n_items, n_tokens, dim)
        True image tokens.
    text : Tensor of shape (n_items, dim)
        Text embedding of a caption of each image.
    contrast : callable
        Loss of (predictions, targets), both unit rows: `soft_clip` or `bimixco` with
        everything else bound.

    Returns
    -------
    GlobalTerms
        Scalars.
    """
    class_token = unit_rows(predicted[:, 0])
    return GlobalTerms(
        tokens=contrast(unit_rows(predicted), unit_rows(image)),
        image=contrast(class_token, unit_rows(image[:, 0])),
        text=contrast(class_token, unit_rows(text)),
    )


def sttm_total(
    terms: GlobalTerms,
    prior: Tensor | float,
    weights: Tensor,
    *,
    global_weight: float,
    prior_weight: float = 30.0,
) -> Tensor:
    """Weigh STTM's contrastive terms against its prior.

    Parameters
    ----------
    terms : GlobalTerms
        From `global_contrastive`.
    prior : scalar Tensor or float
        From `prior_loss`.
    weights : Tensor of shape (2,)
        Contrastive and prior weight; STTM draws ``randn(2).softmax(0)`` at every step.
    global_weight : float
        On the class-token terms: .5 while mixing, .2 afterwards.
    prior_weight : float
        Constant factor on the prior.

    Returns
    -------
    Tensor
        Scalar.

    References
    ----------
    Liu et al. 2024, "See through their minds".
    """
    contrastive = terms.tokens + global_weight * (terms.image + terms.text)
    return weights[0] * contrastive + weights[1] * prior_weight * prior
