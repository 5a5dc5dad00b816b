"""From the shared space back to responses, of the same subject and of another (MindBridge)."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from neurodecode.context import BuildContext
from neurodecode.errors import ConfigError
from neurodecode.nn.decoder import BrainDecoder
from neurodecode.tasks.objectives.base import Objective
from neurodecode.tasks.objectives.step import Step

__all__ = ["CycleError", "ResponseError"]


class _Built(Objective):
    """A term on responses that are built from the shared space.

    Parameters
    ----------
    weight : float
        Of the term; 1 in MindBridge.
    mixing_weight : float, optional
        While trials are mixed; `weight` by default.
    """

    def __init__(self, weight: float = 1.0, mixing_weight: float | None = None) -> None:
        super().__init__(weight, mixing_weight)

    def check(self, decoder: BrainDecoder, context: BuildContext) -> None:
        """The decoder must have builders."""
        if decoder.builders is None:
            raise ConfigError(
                f"the objective {type(self).__name__} builds responses, which this decoder cannot;"
                " set model.decoder.builder"
            )


def shared_rows(step: Step) -> dict[str, Tensor]:
    """Output of the adapters by subject.

    Parameters
    ----------
    step : Step
        The batch.

    Returns
    -------
    dict of str to Tensor of shape (n_trials, width)
        Rows of each subject.
    """
    sizes = [len(trials) for trials in step.responses.values()]
    return dict(zip(step.responses, step.decoded.shared.split(sizes), strict=True))


class ResponseError(_Built):
    """Squared error of responses built from what the same subject's adapter made of them.

    All values of a subject count alike and so do all rows, whatever the number of voxels.
    """

    name = "response"

    def __call__(self, step: Step) -> Tensor:
        """Average over rows and values."""
        inputs, shared = step.decoder.adapters.inputs(step.responses), shared_rows(step)
        errors = [
            len(given) * F.mse_loss(step.decoder.builders(subject, shared[subject]), given)
            for subject, given in inputs.items()
        ]
        return torch.stack(errors).sum() / len(step.decoded.shared)


class CycleError(_Built):
    """What one subject's responses mean must survive a detour through another's responses.

    The shared representation of subject a is built into responses of subject b, which the adapter
    of b reads again. In training one pair of subjects is drawn for each batch, as published;
    elsewhere it is the first two.

    References
    ----------
    Wang et al. 2024 (MindBridge).
    """

    name = "cycle"

    def check(self, decoder: BrainDecoder, context: BuildContext) -> None:
        """There must be builders, and two subjects."""
        super().check(decoder, context)
        if len(context.n_features) < 2:
            raise ConfigError(
                "the objective CycleError needs two subjects; the data has"
                f" {', '.join(context.n_features)}: leave it out, or choose data.subjects"
            )

    def __call__(self, step: Step) -> Tensor | None:
        """Squared error of the representation; None for a batch of one subject."""
        shared = shared_rows(step)
        names = list(shared)
        if len(names) < 2:
            return None
        if step.decoder.training:
            first, second = (names[k] for k in torch.randperm(len(names))[:2].tolist())
        else:
            first, second = names[:2]
        built = step.decoder.builders(second, shared[first])
        return F.mse_loss(step.decoder.adapters.embed(second, built), shared[first])
