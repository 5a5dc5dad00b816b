"""When mixing ends and how the temperature moves afterwards."""

from __future__ import annotations

import math

__all__ = ["cosine_temperature", "n_mixup_epochs"]


def n_mixup_epochs(n_epochs: int, share: float = 0.33) -> int:
    """Epochs of the first, mixing phase: the floor of a share of all epochs.

    Parameters
    ----------
    n_epochs : int
        Length of the training.
    share : float
        .33 in MindEye, .35 in STTM.

    Returns
    -------
    int
        Number of epochs with BiMixCo; SoftCLIP follows.
    """
    return math.floor(share * n_epochs)


def cosine_temperature(step: int, n_steps: int, start: float = 0.004, end: float = 0.0075) -> float:
    r"""Temperature of one epoch of the SoftCLIP phase.

    .. math:: \tau_e = end + \tfrac12 (start - end) (1 + \cos(\pi e / (n - 1)))

    Parameters
    ----------
    step : int
        Epoch within the phase, from 0; later ones than the last stay at `end`.
    n_steps : int
        Epochs in the phase. A phase of one epoch stays at `start`, where the published
        formula divides by zero.
    start, end : float
        First and last temperature. With the published values it rises.

    Returns
    -------
    float
        Temperature.

    Raises
    ------
    ValueError
        If the phase is empty or the epoch negative.
    """
    if n_steps < 1 or step < 0:
        raise ValueError(f"no temperature for epoch {step} of a phase of {n_steps} epochs")
    progress = min(step / (n_steps - 1), 1.0) if n_steps > 1 else 0.0
    return end + (start - end) / 2 * (1 + math.cos(math.pi * progress))
