"""Attention among channels before temporal-spatial convolutions (ATM)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from neurodecode.context import SensorArray
from neurodecode.nn.attention import Attention, make_attention
from neurodecode.nn.meeg.adapter import SensorAdapter, check_sensors
from neurodecode.nn.meeg.nice import ResidualProjection, TSConv

__all__ = ["ATMAdapter", "ChannelAttention"]


class ChannelAttention(nn.Module):
    """Self-attention and a perceptron, each with residual and layer norm after it.

    Parameters
    ----------
    dim : int
        Size of a token.
    attention : Attention
        The mechanism; its heads may leave some values over, as published (250 values, 4 heads of
        62).
    feedforward : int
        Inner width of the perceptron.
    dropout : float
        Of what is added to the residuals.
    """

    def __init__(self, dim: int, attention: Attention, feedforward: int, dropout: float) -> None:
        super().__init__()
        self.attention, inner = attention, attention.n_heads * attention.head_dim
        self.read = nn.Linear(dim, 3 * inner)
        self.write = nn.Linear(inner, dim)
        self.perceptron = nn.Sequential(
            nn.Linear(dim, feedforward), nn.GELU(), nn.Dropout(dropout),
            nn.Linear(feedforward, dim),
        )  # fmt: skip
        self.norms = nn.ModuleList(nn.LayerNorm(dim) for _ in range(2))
        self.dropout = nn.Dropout(dropout)

    def forward(self, tokens: Tensor) -> Tensor:
        """Let tokens attend to one another.

        Parameters
        ----------
        tokens : Tensor of shape (n_trials, n_tokens, dim)
            One a channel.

        Returns
        -------
        Tensor of the same shape
            Tokens.
        """
        heads = self.read(tokens).unflatten(-1, (3, self.attention.n_heads, -1))
        attended = self.attention(*heads.permute(2, 0, 3, 1, 4))
        attended = self.write(attended.transpose(1, 2).flatten(2))
        tokens = self.norms[0](tokens + self.dropout(attended))
        return self.norms[1](tokens + self.dropout(self.perceptron(tokens)))


class _Own(nn.Module):
    """Token of one subject."""

    def __init__(self, dim: int, subject_token: bool) -> None:
        super().__init__()
        self.token = nn.Parameter(torch.zeros(dim)) if subject_token else None


class _Core(nn.Module):
    """Channels as tokens, then `TSConv` over their representations."""

    def __init__(
        self, sensors: SensorArray, width: int, dim: int, attention: nn.Module, dropout: float,
        conv: TSConv,
    ) -> None:  # fmt: skip
        super().__init__()
        self.embed = nn.Linear(sensors.n_times, dim)
        self.place = nn.Parameter(0.02 * torch.randn(sensors.n_channels, dim))
        self.attention, self.dropout = attention, nn.Dropout(dropout)
        self.conv, self.project = conv, ResidualProjection(conv.n_out, width)

    def forward(self, responses: Tensor, own: _Own) -> Tensor:
        """Map (n_trials, n_channels, n_times) to (n_trials, width)."""
        tokens = self.dropout(self.embed(responses) + self.place)
        if own.token is not None:
            tokens = torch.cat([tokens, own.token.expand(len(tokens), 1, -1)], dim=1)
        attended = self.attention(tokens)[:, : responses.shape[1]]
        return self.project(self.conv(attended))


class ATMAdapter(SensorAdapter):
    """Each channel's time series is a token; the tokens attend to one another.

    Parameters
    ----------
    inputs : SensorArray
        Sensors of the subject.
    width : int
        Width of the shared space; 1024 as published.
    dim, n_heads, n_layers, feedforward, attention_dropout
        Of the attention; 250, 4, 1, 256 and .25 as published.
    n_filters, kernel, pool, stride, dropout
        See `TSConv`; it reads `dim` values a channel instead of samples.
    subject_token : bool
        A further token for each subject. Without, a subject that the model was not trained on
        can be decoded.
    share : bool
        Whether subjects share all but that token.
    mechanism : str
        Of attention, a name of `neurodecode.nn.attention.ATTENTION`; most have no dropout of
        weights and want an `attention_dropout` of 0.
    mechanism_options : mapping, optional
        Its options.

    Raises
    ------
    ConfigError
        If responses have no time axis, the kernels are longer than `dim`, or there is no such
        mechanism or option.

    Notes
    -----
    Where a channel is, is learned for each channel; the published code adds sines of its number.

    References
    ----------
    Li et al. 2024, "Visual decoding and reconstruction via EEG embeddings with guided diffusion".
    """

    def __init__(
        self,
        inputs: SensorArray,
        width: int,
        dim: int = 250,
        n_heads: int = 4,
        n_layers: int = 1,
        feedforward: int = 256,
        attention_dropout: float = 0.25,
        n_filters: int = 40,
        kernel: int = 25,
        pool: int = 51,
        stride: int = 5,
        dropout: float = 0.5,
        subject_token: bool = True,
        share: bool = True,
        mechanism: str = "softmax",
        mechanism_options: Mapping[str, Any] | None = None,
    ) -> None:
        sensors = check_sensors(inputs, "ATMAdapter")
        conv = TSConv(sensors.n_channels, dim, n_filters, kernel, pool, stride, dropout)

        def layer() -> ChannelAttention:
            chosen = make_attention(
                mechanism, n_heads, dim // n_heads, mechanism_options, dropout=attention_dropout
            )
            return ChannelAttention(dim, chosen, feedforward, attention_dropout)

        attention = nn.Sequential(*(layer() for _ in range(n_layers)), nn.LayerNorm(dim))
        super().__init__(
            _Own(dim, subject_token),
            _Core(sensors, width, dim, attention, attention_dropout, conv),
            {"channels": sensors.n_channels, "samples": sensors.n_times},
            share,
        )
