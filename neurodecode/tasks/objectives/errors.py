"""Errors of the decoded tokens and the decoded latent, element by element."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor

from neurodecode.tasks.objectives.base import Objective
from neurodecode.tasks.objectives.step import Step

__all__ = ["LatentError", "TokenError"]


class TokenError(Objective):
    """Squared error of the condition tokens, averaged over all elements."""

    name = "token"

    def __call__(self, step: Step) -> Tensor | None:
        """Error against the mixed targets."""
        tokens, condition = step.targets[step.decoder.target], step.decoded.condition
        return F.mse_loss(condition, step.mixed(tokens).view_as(condition))


class LatentError(Objective):
    """Absolute error of the low-level latent, averaged over all elements."""

    name = "latent"

    def __call__(self, step: Step) -> Tensor | None:
        """Error against the mixed targets, of the rows that have one."""
        decoded = step.decoded.latent
        if decoded is None or not len(decoded):
            return None
        latents = step.mixed(step.targets[step.decoder.latent])
        return F.l1_loss(decoded, latents if step.known is None else latents[step.known])
