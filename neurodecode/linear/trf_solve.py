"""Ridge solutions from lagged moments, for many penalties and many left-out trials."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from neurodecode.errors import ConfigError
from neurodecode.linear.moments import Moments, add_moments

__all__ = ["correlation_from_moments", "leave_one_out", "penalty_diagonals", "solve_ridge"]

#: One eigendecomposition costs as much as this many Cholesky factors of the same matrix: 12.2 of
#: 577 inputs, 12.9 of 1089 (processor time, one core).
_EIGEN_WORTH = 13


def penalty_diagonals(
    penalties: Sequence[float] | Sequence[Sequence[float]],
    n_lags: int,
    bands: Sequence[int] | None = None,
) -> Tensor:
    """Lay penalties out over the inputs of the lagged design.

    Parameters
    ----------
    penalties : sequence of float, or sequence of sequence of float of length n_bands
        One penalty for everything, or one for each band.
    n_lags : int
        Lags.
    bands : sequence of int, optional
        Number of input features in each band, in their order.

    Returns
    -------
    tensor of shape (n_penalties, n_lags * n_inputs) or (n_penalties, 1)
        Diagonals; of one column where the penalty is the same for all inputs.

    Raises
    ------
    ConfigError
        If a penalty is negative or there is not one for each band.
    """
    grid = torch.as_tensor(penalties, dtype=torch.float64)
    if not bool((grid >= 0).all()):
        raise ConfigError("a penalty is negative")
    if bands is None:
        if grid.ndim != 1:
            raise ConfigError("a penalty for each band needs the sizes of the bands")
        return grid[:, None]
    if grid.ndim != 2 or grid.shape[1] != len(bands):
        raise ConfigError(f"{len(bands)} bands need {len(bands)} penalties each")
    return grid.repeat_interleave(torch.tensor(bands), dim=1).repeat(1, n_lags)


def solve_ridge(moments: Moments, diagonals: Tensor, sfreq: float) -> tuple[Tensor, Tensor]:
    r"""Solve for the weights, one solution for each penalty.

    .. math:: w = f_s (\bar C_{xx} + \lambda f_s I)^{-1} \bar C_{xy}

    with covariances averaged over trials and an intercept that is not penalised (mTRFpy's
    convention; the one of the MATLAB toolbox sums over trials instead).

    Parameters
    ----------
    moments : Moments
        Of all training trials together, no leading axes.
    diagonals : tensor of shape (n_penalties, p) or (n_penalties, 1)
        From `penalty_diagonals`.
    sfreq : float
        Sampling rate in Hz.

    Returns
    -------
    weights : tensor of shape (n_penalties, p, n_outputs)
        Per second of lag, as in mTRFpy: a prediction is the design times weights / sfreq.
    intercept : tensor of shape (n_penalties, n_outputs)
        On the same scale.
    """
    xx, xy, _ = moments.centred()
    ridge = diagonals.to(xx) * (sfreq * moments.n_trials)
    if ridge.shape[1] == 1 and len(ridge) >= _EIGEN_WORTH:
        values, vectors = torch.linalg.eigh(xx)
        inner = vectors.mT @ xy
        weights = vectors @ (inner / (values + ridge)[..., None])
    else:
        weights = torch.stack([_cholesky_solve(xx, xy, each) for each in ridge])
    mean = moments.x / moments.n
    intercept = moments.y / moments.n - torch.einsum("p,apq->aq", mean, weights)
    return weights * sfreq, intercept * sfreq


def _cholesky_solve(xx: Tensor, xy: Tensor, ridge: Tensor) -> Tensor:
    matrix = xx.clone()
    matrix.diagonal().add_(ridge)
    factor, failed = torch.linalg.cholesky_ex(matrix)
    if int(failed):
        raise ConfigError(
            "the inputs are linearly dependent and the penalty is too small to tell them apart;"
            " give a larger penalty"
        )
    return torch.cholesky_solve(xy, factor)


def correlation_from_moments(moments: Moments, weights: Tensor) -> Tensor:
    """Correlate predictions with outputs without making any prediction.

    Parameters
    ----------
    moments : Moments
        Of the trial to predict.
    weights : tensor of shape (n_penalties, p, n_outputs)
        Solutions.

    Returns
    -------
    tensor of shape (n_penalties, n_outputs)
        Pearson's r over the trial; 0 where a side is constant.
    """
    xx, xy, yy = moments.centred()
    flat = weights.permute(1, 0, 2).flatten(1)
    power = (flat * (xx @ flat)).sum(0).view(weights.shape[0], -1)
    shared = torch.einsum("apq,pq->aq", weights, xy)
    scale = (power * yy).clamp(min=0).sqrt()
    return torch.where(scale > 0, shared / scale.clamp(min=1e-300), torch.zeros_like(shared))


def leave_one_out(
    parts: Sequence[Moments],
    diagonals: Tensor,
    sfreq: float,
    train: Sequence[Sequence[int]] | None = None,
) -> tuple[Tensor, Tensor]:
    """Fit on all parts but one, by subtraction, and correlate on that one.

    Parameters
    ----------
    parts : sequence of Moments
        One for each part (trial, story, subject) that is left out in turn.
    diagonals : tensor of shape (n_penalties, p) or (n_penalties, 1)
        From `penalty_diagonals`.
    sfreq : float
        Sampling rate in Hz.
    train : sequence of sequence of int, optional
        For each part, those to fit on (default: all others).

    Returns
    -------
    r : tensor of shape (n_parts, n_penalties, n_outputs)
        Correlation on the part left out.
    weights : tensor of shape (n_parts, n_penalties, p, n_outputs)
        Solutions without it.

    Raises
    ------
    ConfigError
        If there are fewer than two parts.
    """
    if len(parts) < 2:
        raise ConfigError("leaving one out needs at least two parts")
    total = add_moments(parts)
    scores, solutions = [], []
    for number, part in enumerate(parts):
        rest = total - part
        if train is not None:
            if not train[number]:
                raise ConfigError("a part has no other part that it may be fitted on")
            out = set(range(len(parts))) - set(train[number]) - {number}
            rest = rest - add_moments(parts[k] for k in out) if out else rest
        weights, _ = solve_ridge(rest, diagonals, sfreq)
        scores.append(correlation_from_moments(part, weights))
        solutions.append(weights)
    return torch.stack(scores), torch.stack(solutions)
