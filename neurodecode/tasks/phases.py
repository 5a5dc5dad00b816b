"""The two phases of contrastive training, epoch by epoch."""

from __future__ import annotations

from dataclasses import dataclass

from neurodecode.losses import cosine_temperature, n_mixup_epochs

__all__ = ["Phases"]


@dataclass(frozen=True)
class Phases:
    """BiMixCo at one temperature, then SoftCLIP at temperatures along half a cosine.

    Parameters
    ----------
    mixup_share : float
        Share of the epochs in the first phase.
    mixup_temperature : float
        Temperature of the first phase.
    temperature : tuple of float
        First and last temperature of the second.
    """

    mixup_share: float
    mixup_temperature: float
    temperature: tuple[float, float]

    def at(self, epoch: int, n_epochs: int) -> tuple[bool, float]:
        """Say what an epoch is trained with.

        Parameters
        ----------
        epoch : int
            From 0.
        n_epochs : int
            Length of the training.

        Returns
        -------
        mixing : bool
            Whether trials are mixed.
        temperature : float
            Of the contrast.
        """
        n_mixing = n_mixup_epochs(n_epochs, self.mixup_share)
        if epoch < n_mixing:
            return True, self.mixup_temperature
        return False, cosine_temperature(epoch - n_mixing, n_epochs - n_mixing, *self.temperature)
