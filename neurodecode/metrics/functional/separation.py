"""How well one sound was taken out of a mixture, and what that did to where it seems to be."""

from __future__ import annotations

from torch import Tensor

from neurodecode.metrics.functional.arrays import ArrayLike, as_float

__all__ = ["level_difference", "si_sdr", "time_difference"]


def si_sdr(estimate: ArrayLike, target: ArrayLike, *, zero_mean: bool = True) -> Tensor:
    r"""Scale-invariant ratio of signal to distortion, in dB.

    .. math:: 10 \log_{10} \frac{\lVert a s \rVert^2}{\lVert a s - e \rVert^2}, \quad
        a = \frac{\langle e, s \rangle}{\lVert s \rVert^2}

    Parameters
    ----------
    estimate, target : array of shape (..., n_samples)
        What was extracted, :math:`e`, and what should have been, :math:`s`.
    zero_mean : bool
        Subtract means first; torchmetrics does not unless told to.

    Returns
    -------
    Tensor of shape (...)
        Between -140 and 140 or so: a small number is added above and below the line.

    References
    ----------
    Le Roux et al. 2019, SDR - half-baked or well done?, equation 5.
    """
    e, s = as_float(estimate), as_float(target)
    if zero_mean:
        e, s = e - e.mean(-1, keepdim=True), s - s.mean(-1, keepdim=True)
    tiny = 1e-14 * s.square().sum(-1, keepdim=True) + 1e-20
    scaled = ((e * s).sum(-1, keepdim=True) + tiny) / (s.square().sum(-1, keepdim=True) + tiny) * s
    error = (scaled - e).square().sum(-1) + tiny[..., 0]
    return 10 * ((scaled.square().sum(-1) + tiny[..., 0]) / error).log10()


def level_difference(ears: ArrayLike) -> Tensor:
    """Interaural level difference.

    Parameters
    ----------
    ears : array of shape (..., 2, n_samples)
        Left and right.

    Returns
    -------
    Tensor of shape (...)
        Energy at the right ear over that at the left, in dB.
    """
    energy = as_float(ears).square().sum(-1) + 1e-20
    return 10 * (energy[..., 1] / energy[..., 0]).log10()


def time_difference(ears: ArrayLike, rate: float, longest_s: float = 1e-3) -> Tensor:
    """Interaural time difference: the peak of the phase transform (GCC-PHAT), interpolated.

    Parameters
    ----------
    ears : array of shape (..., 2, n_samples)
        Left and right.
    rate : float
        In Hz.
    longest_s : float
        Largest difference looked for.

    Returns
    -------
    Tensor of shape (...)
        By how much the right ear is later, in s.

    References
    ----------
    Knapp and Carter 1976, The generalized correlation method for estimation of time delay.
    """
    import torch

    both = as_float(ears)
    n, finer = 2 * both.shape[-1], 16
    left, right = torch.fft.rfft(both, n).unbind(-2)
    cross = right * left.conj()
    cross = cross / cross.abs().clamp_min(1e-12 * float(cross.abs().max()) + 1e-30)
    # more samples than were there: the spectrum is continued with zeros
    correlation = torch.fft.irfft(cross, finer * n)
    reach = round(longest_s * rate * finer)
    near = torch.cat([correlation[..., -reach:], correlation[..., : reach + 1]], -1)
    return (near.argmax(-1) - reach) / (rate * finer)
