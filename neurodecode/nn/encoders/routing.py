"""The attention-routing encoder: regions or units ask the picture for what concerns them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal

import torch
from torch import Tensor, nn

from neurodecode.context import BuildContext
from neurodecode.errors import ConfigError, unknown_subject
from neurodecode.nn.attention import make_attention
from neurodecode.nn.encoders.core import ConvCore
from neurodecode.nn.encoders.places import grid_places, sine_places
from neurodecode.nn.encoders.queries import QueryReadout, assign_queries
from neurodecode.nn.encoders.token_block import TokenBlock

__all__ = ["RoutingEncoder"]


class RoutingEncoder(nn.Module):
    """Pictures -> responses of every subject, by learned queries that look at patches.

    A core makes features of patches, blocks of self-attention may follow, and each query takes
    by cross-attention what its region or unit needs; a linear readout of the answer gives the
    responses. Positions are part of the keys, not of the values: they say where to look, not
    what is there.

    Parameters
    ----------
    context : BuildContext
        Subjects, units and their regions, and picture size.
    core : callable
        Makes the features; it needs ``out_shape(height, width)``. A frozen tower will do.
    width : int
        Width of tokens, queries and answers; a multiple of 4 and of `n_heads`.
    n_heads : int
        Attention heads.
    depth : int
        Blocks of self-attention over the patches.
    attention, attention_options : str, mapping
        Mechanism of these blocks, a name of `neurodecode.nn.attention.ATTENTION`.
    routing, routing_options : str, mapping
        Mechanism of the queries. Mechanisms on grids need places of queries and cannot be used.
    queries : {"region", "unit"}
        One query for each region of a subject, or for each unit.
    regions : list of str, optional
        Regions that get a query; the units of all others share one. All by default.
    dropout : float
        In the blocks, and of tokens before they are asked.

    Raises
    ------
    ConfigError
        If the data has no pictures, sizes do not fit together, or regions are unknown.

    References
    ----------
    Adeli et al. 2025, "Transformer brain encoders explain human high-level visual responses".
    """

    def __init__(
        self,
        context: BuildContext,
        core: Callable[[], nn.Module] = ConvCore,
        width: int = 64,
        n_heads: int = 4,
        depth: int = 0,
        attention: str = "softmax",
        attention_options: Mapping[str, Any] | None = None,
        routing: str = "softmax",
        routing_options: Mapping[str, Any] | None = None,
        queries: Literal["region", "unit"] = "unit",
        regions: Sequence[str] | None = None,
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        if context.image_size is None:
            raise ConfigError(
                "an encoder needs pictures; use neurodecode.loaders.EncodingDataModule"
            )
        if width % n_heads or width % 4:
            raise ConfigError(f"width {width} of a routing encoder: a multiple of 4 and of heads")
        self.core = core().to(memory_format=torch.channels_last)
        self.shape = tuple(self.core.out_shape(*context.image_size))
        channels, *grid = self.shape
        self.read = nn.Sequential(
            nn.Linear(channels, width), nn.LayerNorm(width), nn.Dropout(dropout)
        )
        head_dim = width // n_heads
        self.blocks = nn.ModuleList(
            TokenBlock(
                width, make_attention(attention, n_heads, head_dim, attention_options),
                dropout=dropout,
            )
            for _ in range(depth)
        )  # fmt: skip
        self.route = make_attention(routing, n_heads, head_dim, routing_options)
        # a bias would add the same to the scores of all patches
        self.key = nn.Linear(width, width, bias=False)
        self.place = nn.Linear(width, width, bias=False)
        self.value = nn.Linear(width, width)
        self.places: Tensor
        self.sines: Tensor
        self.register_buffer("places", grid_places(*grid), persistent=False)
        self.register_buffer("sines", sine_places(*grid, width), persistent=False)
        assigned = assign_queries(context, queries, regions)
        # names of subjects may hold dots, which names of modules may not
        self.subjects = list(assigned)
        self.readouts = nn.ModuleList(
            QueryReadout(names, numbers, width) for names, numbers in assigned.values()
        )

    def forward(self, images: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Predict responses.

        Parameters
        ----------
        images : mapping of str to Tensor of shape (n_images, 3, height, width)
            Pictures with values of order one, by subject; subjects may be absent.

        Returns
        -------
        dict of str to Tensor of shape (n_images, n_units)
            Predicted responses of each subject to its pictures.

        Raises
        ------
        ConfigError
            If a subject is unknown, or the features have another shape than announced.
        """
        keys, values = self._patches(images)
        out = {}
        for subject, of_keys, of_values in _by_subject(images, keys, values):
            readout = self.readouts[self.subjects.index(subject)]
            answers = self.route(self._heads(readout, len(of_keys)), of_keys, of_values)
            out[subject] = readout(answers.transpose(1, 2).flatten(2))
        return out

    def maps(self, images: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Where each query looks, averaged over heads.

        Parameters
        ----------
        images : mapping of str to Tensor of shape (n_images, 3, height, width)
            Pictures, by subject.

        Returns
        -------
        dict of str to Tensor of shape (n_images, n_queries, grid_height, grid_width)
            Weights of the patches; the names of the queries are ``readouts[i].names``.
        """
        keys, values = self._patches(images)
        out = {}
        for subject, of_keys, of_values in _by_subject(images, keys, values):
            readout = self.readouts[self.subjects.index(subject)]
            queries = self._heads(readout, len(of_keys))
            out[subject] = self._map(queries, of_keys, of_values).unflatten(2, self.shape[1:])
        return out

    def _map(self, queries: Tensor, keys: Tensor, values: Tensor) -> Tensor:
        """Weights (n_images, n_queries, n_tokens) averaged over heads."""
        from neurodecode.nn.attention.mechanisms.softmax import Softmax

        if type(self.route) is Softmax:
            from neurodecode_kernels.routed_attention import routed_attention

            given = (each.contiguous() for each in (queries, keys, values))
            return routed_attention(*given)[1]
        return self.route(queries, keys, values, need_weights=True)[1].mean(1)

    def _heads(self, readout: nn.Module, n_images: int) -> Tensor:
        """Queries of a subject (n_images, n_heads, n_queries, head_dim)."""
        split = readout.queries.unflatten(1, (self.route.n_heads, -1)).transpose(0, 1)
        return split.expand(n_images, -1, -1, -1)

    def _patches(self, images: Mapping[str, Tensor]) -> tuple[Tensor, Tensor]:
        """Keys and values (n_images, n_heads, n_tokens, head_dim) of all pictures together."""
        if unknown := [subject for subject in images if subject not in self.subjects]:
            raise unknown_subject(unknown[0], self.subjects)
        joined = torch.cat(list(images.values())).contiguous(memory_format=torch.channels_last)
        features = self.core(joined)
        if tuple(features.shape[1:]) != self.shape:
            raise ConfigError(
                f"routing encoder: features of shape {tuple(features.shape[1:])}, but the core"
                f" announced {self.shape} (channels, height, width) for pictures of this size"
            )
        tokens = self.read(features.flatten(2).transpose(1, 2))
        for block in self.blocks:
            tokens = block(tokens, self.places)
        keys = self.key(tokens) + self.place(self.sines)
        return tuple(
            each.unflatten(2, (self.route.n_heads, -1)).transpose(1, 2)
            for each in (keys, self.value(tokens))
        )


def _by_subject(
    images: Mapping[str, Tensor], keys: Tensor, values: Tensor
) -> list[tuple[str, Tensor, Tensor]]:
    counts = [len(each) for each in images.values()]
    return list(zip(images, keys.split(counts), values.split(counts), strict=True))
