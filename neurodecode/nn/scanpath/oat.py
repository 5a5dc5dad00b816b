"""Scanpaths over objects: an encoder of objects and target, and a decoder that points at them."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from neurodecode.errors import ConfigError
from neurodecode.nn.attention import make_attention
from neurodecode.nn.encoders.token_block import TokenBlock
from neurodecode.nn.scanpath.appearance import AppearanceCNN, EmbeddedAppearance
from neurodecode.nn.scanpath.memory_block import MemoryBlock
from neurodecode.nn.scanpath.object_scene import ObjectScene
from neurodecode.nn.scanpath.pointer import Pointer
from neurodecode.nn.scanpath.position_code import GridCode

__all__ = ["ObjectAttentionTransformer"]


class ObjectAttentionTransformer(nn.Module):
    """Which object is fixated next, and when the search ends.

    Tokens are objects, their appearance and the code of their place side by side, and the target,
    which has appearance but no place: where it lies must be found out. Each is also told how much
    it looks like the target (a cosine), which a few hundred searches are too few to discover, and
    how large and salient it is, which a crop scaled to one size does not say. The
    decoder reads the objects fixated so far, in order, and a pointer scores all tokens for the
    next fixation; to point at the target token is to end. Number and layout of objects are free.

    Parameters
    ----------
    features : int or None
        Width of the embeddings that describe objects; None where they are crops, which
        `appearance` describes.
    width : int
        Width of tokens, a multiple of 2 and of `n_heads`; 512 in OAT.
    depth : int
        Blocks of encoder and of decoder; 4 in OAT.
    n_heads : int
        Attention heads; 4 in OAT.
    n_cells, sigma, position_dim : int, float, int
        Grid of the position code: see `GridCode`.
    dropout : float
        In the blocks; .1 in OAT.
    appearance : callable
        Makes a network from its output width; crops (n, 3, h, w) to features (n, width).
    attention : str
        Mechanism, a name of `neurodecode.nn.attention.ATTENTION`.
    attention_options : mapping, optional
        Its options.

    Raises
    ------
    ConfigError
        If the width cannot be divided.

    References
    ----------
    Fang et al. 2024, "Oat: object-level attention transformer for gaze scanpath prediction".
    """

    def __init__(
        self,
        features: int | None = None,
        width: int = 64,
        depth: int = 2,
        n_heads: int = 4,
        n_cells: int = 14,
        sigma: float = 2.0,
        position_dim: int = 16,
        dropout: float = 0.1,
        appearance: Callable[[int], nn.Module] = AppearanceCNN,
        attention: str = "softmax",
        attention_options: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__()
        if width % n_heads or width % 2:
            raise ConfigError(f"width {width} of OAT: a multiple of 2 and of {n_heads} heads")
        self.width = width
        self.appearance = (
            appearance(width // 2) if features is None else EmbeddedAppearance(width // 2, features)
        )
        self.code = GridCode(n_cells, sigma, position_dim)
        self.place = nn.Linear(self.code.dim, width // 2)
        # what stands in place of a place, and of an appearance
        self.nowhere = nn.Parameter(0.02 * torch.randn(width // 2))
        self.nothing = nn.Parameter(0.02 * torch.randn(width // 2))
        self.likeness = nn.Linear(1, width, bias=False)
        self.prominence = nn.Linear(2, width, bias=False)
        make = partial(make_attention, attention, n_heads, width // n_heads, attention_options)
        self.encoder = nn.ModuleList(TokenBlock(width, make(), dropout=dropout)
                                     for _ in range(depth))  # fmt: skip
        self.decoder = nn.ModuleList(MemoryBlock(width, make, dropout=dropout)
                                     for _ in range(depth))  # fmt: skip
        self.tokens_norm, self.steps_norm = nn.LayerNorm(width), nn.LayerNorm(width)
        self.pointer = Pointer(width)

    def tokens(self, scene: ObjectScene) -> Tensor:
        """Make tokens before they know of one another.

        Parameters
        ----------
        scene : ObjectScene
            Objects and target.

        Returns
        -------
        Tensor of shape (n_batch, n_objects + 1, width)
            Objects, then the target.
        """
        crops = torch.cat([scene.crops, scene.target[:, None]], dim=1)
        looks = self.appearance(crops.flatten(0, 1)).unflatten(0, crops.shape[:2])
        given = crops.flatten(2) if crops.ndim == 3 else looks
        alike = nn.functional.cosine_similarity(given, given[:, -1:], dim=2)
        places = self.place(self.code(scene.places))
        nowhere = self.nowhere.to(places).expand(len(places), 1, -1)
        tokens = torch.cat([looks, torch.cat([places, nowhere], dim=1)], dim=2)
        stands_out = nn.functional.pad(scene.prominence, (0, 0, 0, 1)).to(tokens)
        return tokens + self.likeness(alike[..., None].to(tokens)) + self.prominence(stands_out)

    def encode(self, scene: ObjectScene) -> tuple[Tensor, Tensor, Tensor]:
        """Encode a batch of pictures.

        Parameters
        ----------
        scene : ObjectScene
            Objects and target.

        Returns
        -------
        tokens : Tensor of shape (n_batch, n_objects + 1, width)
            Before the encoder, as the decoder reads them.
        memory : Tensor of the same shape
            After it.
        seen : Tensor of bool of shape (n_batch, n_objects + 1)
            False for padding.
        """
        tokens = memory = self.tokens(scene)
        seen = nn.functional.pad(scene.present, (0, 1), value=True)
        for block in self.encoder:
            memory = block(memory, mask=seen[:, None, None])
        return tokens, self.tokens_norm(memory), seen

    def decode(
        self, scene: ObjectScene, encoded: tuple[Tensor, Tensor, Tensor], fixated: Tensor
    ) -> Tensor:
        """Score tokens for every step, from the steps before it.

        Parameters
        ----------
        scene : ObjectScene
            For the place where the eye is at first.
        encoded : tuple of Tensor
            From `encode`.
        fixated : Tensor of int of shape (n_batch, n_steps)
            Objects fixated so far, in order; what follows the end of a scanpath is not looked at
            by the steps before it and may be any object.

        Returns
        -------
        Tensor of shape (n_batch, n_steps + 1, n_objects + 1)
            Logits of the first fixation, the second and so on. The last column is the end, which
            the first step cannot be; it and padding are -inf there.
        """
        tokens, memory, seen = encoded
        first = torch.cat([self.nothing.expand(len(tokens), -1),
                           self.place(self.code(scene.start))], dim=1)  # fmt: skip
        looked = tokens.gather(1, fixated[..., None].expand(-1, -1, self.width))
        steps = torch.cat([first[:, None].to(looked), looked], dim=1)
        steps = steps + order_code(steps.shape[1], self.width, steps)
        for block in self.decoder:
            steps = block(steps, memory, seen)
        logits = self.pointer(self.steps_norm(steps), memory).float()
        allowed = seen[:, None].repeat(1, logits.shape[1], 1)
        allowed[:, 0, -1] = False
        return logits.masked_fill(~allowed, -torch.inf)

    def forward(self, scene: ObjectScene, fixated: Tensor) -> Tensor:
        """Score the next fixation after every step: `encode`, then `decode`.

        Parameters
        ----------
        scene : ObjectScene
            Objects and target.
        fixated : Tensor of int of shape (n_batch, n_steps)
            Objects fixated, in order.

        Returns
        -------
        Tensor of shape (n_batch, n_steps + 1, n_objects + 1)
            Logits.
        """
        return self.decode(scene, self.encode(scene), fixated)


def order_code(n_steps: int, width: int, like: Tensor) -> Tensor:
    """Sines and cosines of the number of a step (Vaswani et al. 2017).

    Parameters
    ----------
    n_steps, width : int
        Shape.
    like : Tensor
        Gives device and type.

    Returns
    -------
    Tensor of shape (n_steps, width)
        Codes.
    """
    half = (width + 1) // 2
    rates = torch.exp(-math.log(10_000) * torch.arange(half, device=like.device) / half)
    angles = torch.arange(n_steps, device=like.device)[:, None] * rates
    return torch.cat([angles.sin(), angles.cos()], dim=1)[:, :width].to(like.dtype)
