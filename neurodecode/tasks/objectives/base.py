"""What every term of the loss has: a name, a weight, and what it needs."""

from __future__ import annotations

from abc import ABC, abstractmethod

from torch import Tensor, nn

from neurodecode.context import BuildContext
from neurodecode.nn.decoder import BrainDecoder
from neurodecode.tasks.objectives.step import Step

__all__ = ["Objective"]


class Objective(ABC):
    """One term of the loss.

    Parameters
    ----------
    weight : float
        Of the term.
    mixing_weight : float, optional
        While trials are mixed; `weight` by default.
    """

    #: Name in the logs.
    name: str
    #: Weights that are learned together with the decoder's.
    module: nn.Module | None = None

    def __init__(self, weight: float, mixing_weight: float | None = None) -> None:
        self.weight = weight
        self.mixing_weight = weight if mixing_weight is None else mixing_weight

    def weight_at(self, step: Step) -> float:
        """Weight of the term in one batch.

        Parameters
        ----------
        step : Step
            The batch.

        Returns
        -------
        float
            Weight.
        """
        return self.weight if step.mixup is None else self.mixing_weight

    def targets(self, decoder: BrainDecoder) -> tuple[str, ...]:
        """Targets that every training picture must have.

        Parameters
        ----------
        decoder : BrainDecoder
            The network.

        Returns
        -------
        tuple of str
            Their names.
        """
        return ()

    def check(self, decoder: BrainDecoder, context: BuildContext) -> None:  # noqa: B027
        """Refuse a decoder or data that the term cannot work with.

        Parameters
        ----------
        decoder : BrainDecoder
            The network.
        context : BuildContext
            Sizes of the data.

        Raises
        ------
        ConfigError
            Saying what is missing.
        """

    @abstractmethod
    def __call__(self, step: Step) -> Tensor | None:
        """Value of the term.

        Parameters
        ----------
        step : Step
            The batch.

        Returns
        -------
        scalar Tensor or None
            None if the batch has nothing for it.
        """
