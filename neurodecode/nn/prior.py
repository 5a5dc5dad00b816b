"""The network of the diffusion prior: decoded tokens, time and noised tokens in one sequence."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any, Literal

import torch
from torch import Tensor, nn

from neurodecode.errors import ConfigError
from neurodecode.nn.attention import Attention, make_attention

__all__ = ["PriorTransformer", "PriorTransformerFactory"]

#: Makes the network from (n_tokens, dim) of the embedding and (n_condition, condition_dim).
PriorTransformerFactory = Callable[[tuple[int, int], tuple[int, int]], nn.Module]


class PriorTransformer(nn.Module):
    """Transformer that estimates the clean embedding from a noised one and a decoded one.

    All of condition tokens, time and noised tokens attend to one another. Learned queries
    say which token is asked for: they are added to the noised tokens (``position``, MindEye2)
    or follow them as tokens of their own (``token``). The outputs at the queries are the
    estimate.

    Parameters
    ----------
    shape : tuple of int
        Number and dimension of the embedding's tokens.
    condition_shape : tuple of int
        Number and dimension of the condition tokens.
    width : int or None
        Width of the transformer; the token dimension by default.
    depth, n_heads : int
        Blocks, and attention heads in each; 6 and 32 in MindEye2.
    expansion : float
        Hidden width of the perceptrons relative to `width`.
    dropout : float
        After attention and perceptron.
    queries : {"position", "token"}
        Where the learned queries go.
    residual : bool
        Estimate what the condition lacks: the condition is added to the output. For conditions
        that are themselves an estimate of the embedding, on the same scale; then the network need
        not learn to copy.
    attention : str
        Mechanism by which tokens attend to one another, a name of
        `neurodecode.nn.attention.ATTENTION`.
    attention_options : mapping, optional
        Its options.

    Raises
    ------
    ConfigError
        If the output is to be added to conditions of another shape.

    References
    ----------
    Ramesh et al. 2022 (unCLIP); Scotti et al. 2024 (MindEye2), section 2.3.
    """

    def __init__(
        self,
        shape: tuple[int, int],
        condition_shape: tuple[int, int],
        width: int | None = None,
        depth: int = 6,
        n_heads: int = 8,
        expansion: float = 4.0,
        dropout: float = 0.0,
        queries: Literal["position", "token"] = "position",
        residual: bool = False,
        attention: str = "softmax",
        attention_options: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__()
        if residual and shape != condition_shape:
            raise ConfigError(
                f"residual needs conditions of the embedding's shape {shape}, not {condition_shape}"
            )
        self.residual = residual
        n_tokens, dim = shape
        width = width or dim
        self.n_tokens, self.as_tokens = n_tokens, queries == "token"
        self.width = width
        self.read_condition = nn.Linear(condition_shape[1], width)
        self.read_noised = nn.Linear(dim, width)
        self.time = nn.Sequential(nn.Linear(width, width), nn.SiLU(), nn.Linear(width, width))
        self.condition_position = nn.Parameter(0.02 * torch.randn(condition_shape[0], width))
        self.queries = nn.Parameter(0.02 * torch.randn(n_tokens, width))
        # what stands in for a dropped condition and for dropped noised tokens
        self.null_condition = nn.Parameter(0.02 * torch.randn(condition_shape[0], width))
        self.null_noised = nn.Parameter(0.02 * torch.randn(n_tokens, width))
        self.blocks = nn.ModuleList(
            _Block(
                width,
                make_attention(attention, n_heads, width // n_heads, attention_options),
                int(expansion * width),
                dropout,
            )
            for _ in range(depth)
        )
        self.write = nn.Sequential(nn.LayerNorm(width), nn.Linear(width, dim))

    def forward(
        self,
        noised: Tensor,
        time: Tensor,
        condition: Tensor,
        keep_condition: Tensor | None = None,
        keep_noised: Tensor | None = None,
    ) -> Tensor:
        """Estimate the clean embedding.

        Parameters
        ----------
        noised : Tensor of shape (n_batch, n_tokens, dim)
            Noised embedding.
        time : Tensor of shape (n_batch,)
            Diffusion step, from 0.
        condition : Tensor of shape (n_batch, n_condition, condition_dim)
            Decoded tokens.
        keep_condition, keep_noised : Tensor of bool of shape (n_batch,), optional
            Items that keep their condition and their noised tokens; the others see learned
            null tokens instead. All keep both by default.

        Returns
        -------
        Tensor of shape (n_batch, n_tokens, dim)
            Estimate of the clean embedding.
        """
        given = _keep(self.read_condition(condition), self.null_condition, keep_condition)
        seen = _keep(self.read_noised(noised), self.null_noised, keep_noised)
        moment = self.time(_sinusoids(time, self.width).to(seen))[:, None]
        queries = self.queries.expand(len(seen), -1, -1)
        last = [seen, queries] if self.as_tokens else [seen + queries]
        sequence = torch.cat([given + self.condition_position, moment, *last], dim=1)
        for block in self.blocks:
            sequence = block(sequence)
        estimate = self.write(sequence[:, -self.n_tokens :])
        if not self.residual:
            return estimate
        return estimate + _keep(condition, torch.zeros_like(condition), keep_condition)


class _Block(nn.Module):
    """Pre-norm self-attention without a mask, and a perceptron."""

    def __init__(self, width: int, attention: Attention, hidden: int, dropout: float) -> None:
        super().__init__()
        self.attention = attention
        self.norm = nn.LayerNorm(width)
        self.qkv = nn.Linear(width, 3 * width, bias=False)
        self.out = nn.Linear(width, width)
        self.drop = nn.Dropout(dropout)
        self.perceptron = nn.Sequential(
            nn.LayerNorm(width), nn.Linear(width, hidden), nn.GELU(), nn.Linear(hidden, width)
        )

    def forward(self, sequence: Tensor) -> Tensor:
        """Let all tokens attend to one another, (n_batch, length, width) in and out."""
        n_batch, length, width = sequence.shape
        qkv = self.qkv(self.norm(sequence)).view(n_batch, length, 3, self.attention.n_heads, -1)
        attended = self.attention(*qkv.permute(2, 0, 3, 1, 4))
        joined = attended.transpose(1, 2).reshape(n_batch, length, width)
        sequence = sequence + self.drop(self.out(joined))
        return sequence + self.drop(self.perceptron(sequence))


def _keep(tokens: Tensor, null: Tensor, keep: Tensor | None) -> Tensor:
    return tokens if keep is None else torch.where(keep[:, None, None], tokens, null.to(tokens))


def _sinusoids(time: Tensor, width: int) -> Tensor:
    """Sines and cosines of the step at geometrically spaced frequencies (Vaswani et al. 2017)."""
    half = -(-width // 2)
    rates = torch.exp(-math.log(10_000) * torch.arange(half, device=time.device) / half)
    angles = time[:, None].float() * rates
    return torch.cat([angles.sin(), angles.cos()], dim=1)[:, :width]
