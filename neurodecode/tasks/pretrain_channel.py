"""What tokens look like after they were decoded from a brain, without any brain."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

__all__ = ["DecodingChannel"]

_SCENES = 10_000


class DecodingChannel(nn.Module):
    r"""Best guesses of tokens that were measured with noise.

    A decoder that is trained by squared error gives the mean of what the tokens may be: the
    better a direction was measured, the less it is shrunk. In the principal components of the
    tokens, with variances :math:`\lambda_k` and noise of variance :math:`s_k`,

    .. math:: c_k = \rho_k t_k + \sqrt{\rho_k (1 - \rho_k) \lambda_k}\,\epsilon,
              \quad \rho_k = \lambda_k / (\lambda_k + s_k),

    so that the mean of :math:`t` given :math:`c` is :math:`c`. The noise of each sample is
    :math:`s_k = s \lambda_1^{1 - g} \lambda_k^{g} e^{j z_k}`: white (g = 0, small
    components are lost), as large everywhere as the tokens themselves (g = 1), or between.

    Parameters
    ----------
    n_tokens, width : int
        Shape of the tokens.
    n_components : int
        Principal components; what is beyond them is lost, except in samples that pass as they
        are.
    levels : tuple of float
        Smallest and largest s, drawn log-uniformly.
    jitter : float
        j, how uneven the noise is over components; z is standard normal.
    clean : float
        Share of the samples that pass as they are.
    """

    def __init__(
        self,
        n_tokens: int,
        width: int,
        n_components: int = 512,
        levels: tuple[float, float] = (0.01, 3.0),
        jitter: float = 0.7,
        clean: float = 0.15,
    ) -> None:
        super().__init__()
        size = n_tokens * width
        self.levels, self.jitter, self.clean = levels, jitter, clean
        # learnt anew from the same tokens whenever training begins: not part of a checkpoint
        self.register_buffer("mean", torch.zeros(size), persistent=False)
        self.register_buffer("basis", torch.zeros(min(n_components, size), size), persistent=False)
        self.register_buffer("variance", torch.zeros(min(n_components, size)), persistent=False)

    @torch.no_grad()
    def fit(self, tokens: Tensor) -> None:
        """Take mean and principal components of the tokens.

        Parameters
        ----------
        tokens : Tensor of shape (n, n_tokens, width)
            Of training scenes; the first 10,000 are used.
        """
        flat = tokens[:_SCENES].float().flatten(1)
        self.mean.copy_(flat.mean(dim=0))
        flat = flat - self.mean
        values, vectors = torch.linalg.eigh(flat.T @ flat / len(flat))
        n = len(self.variance)
        self.variance.copy_(values.flip(0)[:n].clamp(min=1e-8))
        self.basis.copy_(vectors.flip(1)[:, :n].T)

    def forward(self, tokens: Tensor) -> Tensor:
        """Pass tokens through the channel.

        Parameters
        ----------
        tokens : Tensor of shape (n, n_tokens, width)
            True tokens.

        Returns
        -------
        Tensor of shape (n, n_tokens, width)
            As if decoded, each at a level of noise of its own.
        """
        n, device = len(tokens), tokens.device
        true = (tokens.flatten(1) - self.mean) @ self.basis.T
        low, high = (math.log(level) for level in self.levels)
        level = torch.exp(low + (high - low) * torch.rand(n, 1, device=device))
        evenness = torch.rand(n, 1, device=device)
        noise = level * self.variance[0] ** (1 - evenness) * self.variance**evenness
        noise = noise * torch.exp(self.jitter * torch.randn_like(true))
        share = self.variance / (self.variance + noise)
        spread = torch.sqrt(share * (1 - share) * self.variance)
        decoded = self.mean + (share * true + spread * torch.randn_like(true)) @ self.basis
        passed = torch.rand(n, 1, device=device) < self.clean
        return torch.where(passed, tokens.flatten(1), decoded).view_as(tokens)
