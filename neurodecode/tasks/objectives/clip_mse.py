"""Contrast of one head and squared error of another (M/EEG)."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from neurodecode.losses import bimixco, clip_mse, unit_rows
from neurodecode.nn.decoder import BrainDecoder
from neurodecode.tasks.objectives.base import Objective
from neurodecode.tasks.objectives.step import Step

__all__ = ["ClipMseError"]


class _LogScale(nn.Module):
    """Logarithm of the factor on cosines."""

    def __init__(self, value: float) -> None:
        super().__init__()
        self.value = nn.Parameter(torch.tensor(value))


class ClipMseError(Objective):
    """lambda CLIP + (1 - lambda) MSE, with a factor on the cosines that is learned.

    The contrast reads the tokens for retrieval, the squared error the condition tokens: give
    ``model.decoder.retrieval_head`` for two heads. Set ``contrastive_weight`` and
    ``token_weight`` of the task to 0. While trials are mixed the contrast is BiMixCo.

    Parameters
    ----------
    share : float
        lambda, between 0 and 1; .75 in published re-implementations. Choose it on validation.
    log_scale : float
        First logarithm of the factor; that of 1 / .07 in CLIP.
    max_log_scale : float
        Bound of the logarithm, that of 100 in CLIP.
    weight : float
        Of the whole term.

    References
    ----------
    Benchetrit, Banville and King 2024, equation 2; Radford et al. 2021 for the factor.
    """

    name = "clip_mse"

    def __init__(
        self,
        share: float = 0.75,
        log_scale: float = math.log(1 / 0.07),
        max_log_scale: float = math.log(100),
        weight: float = 1.0,
    ) -> None:
        super().__init__(weight)
        self.share, self.max_log_scale = share, max_log_scale
        self.module = _LogScale(log_scale)

    def targets(self, decoder: BrainDecoder) -> tuple[str, ...]:
        """Every training picture must have the target."""
        return (decoder.target,)

    def __call__(self, step: Step) -> Tensor:
        """Weigh both terms."""
        true, decoded = step.targets[step.decoder.target], step.decoded
        scale = self.module.value.clamp(max=self.max_log_scale)
        both = clip_mse(
            step.mixed(true).flatten(1),
            decoded.tokens.flatten(1),
            decoded.condition.flatten(1),
            scale,
            self.share,
        )
        if step.mixup is None:
            return both.total
        rows = unit_rows(decoded.tokens), unit_rows(true)
        contrast = bimixco(*rows, step.mixup, torch.exp(-scale))
        return self.share * contrast + (1 - self.share) * both.mse
