"""A pointer: which of any number of tokens comes next?"""

from __future__ import annotations

import torch
from torch import Tensor, nn

__all__ = ["Pointer"]


class Pointer(nn.Module):
    """Scores of tokens for each step, the weighted sum of a few bilinear heads.

    Head h scores ``(D_h step) . (E_h token) / sqrt(scale)``. OAT appends a column of zeros for
    padded steps; steps that are padding are left out of the loss here, so it is not needed and
    does not take probability from the tokens.

    Parameters
    ----------
    width : int
        Width of steps and tokens.
    n_heads : int
        Heads; 2 in OAT.
    scale : float or None
        Divisor under the root; the width by default (512 in OAT, for a width of 512).

    References
    ----------
    Fang et al. 2024 (OAT), "object attention"; Vinyals et al. 2015, "Pointer networks".
    """

    def __init__(self, width: int, n_heads: int = 2, scale: float | None = None) -> None:
        super().__init__()
        self.encode = nn.ModuleList(nn.Linear(width, width) for _ in range(n_heads))
        self.decode = nn.ModuleList(nn.Linear(width, width) for _ in range(n_heads))
        self.join = nn.Linear(n_heads, 1)
        # from its random beginning a head may be switched off for the whole training
        nn.init.constant_(self.join.weight, 1 / n_heads)
        self.scale = (scale or width) ** -0.5

    def heads(self, steps: Tensor, tokens: Tensor) -> Tensor:
        """Score by each head.

        Parameters
        ----------
        steps : Tensor of shape (n_batch, n_steps, width)
            Output of the decoder.
        tokens : Tensor of shape (n_batch, n_tokens, width)
            Output of the encoder.

        Returns
        -------
        Tensor of shape (n_batch, n_steps, n_tokens, n_heads)
            Scores.
        """
        scores = [
            decode(steps) @ encode(tokens).transpose(1, 2) * self.scale
            for encode, decode in zip(self.encode, self.decode, strict=True)
        ]
        return torch.stack(scores, dim=-1)

    def forward(self, steps: Tensor, tokens: Tensor) -> Tensor:
        """Score tokens.

        Parameters
        ----------
        steps, tokens : Tensor
            As in `heads`.

        Returns
        -------
        Tensor of shape (n_batch, n_steps, n_tokens)
            Logits.
        """
        return self.join(self.heads(steps, tokens))[..., 0]
