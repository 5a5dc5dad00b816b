"""Masked autoencoder of region time series."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from neurodecode.errors import ConfigError
from neurodecode.nn.attention import make_attention
from neurodecode.nn.regions.block import RegionBlock

__all__ = ["MaskedRegions", "masked_error", "random_mask"]


class MaskedRegions(nn.Module):
    """Predict hidden stretches of some regions from what is seen of all (BrainMAE).

    A token is a patch of consecutive volumes of one region. Blocks of the encoder let tokens
    attend to what is seen only; a hidden token starts from one learned vector, the embedding of
    its region and its place in time. Then one block in which all attend to all, and a linear
    map to the volumes.

    Parameters
    ----------
    n_regions : int
        Regions.
    n_volumes : int
        Length of a window; a multiple of `patch`. Shorter ones will do later on.
    patch : int
        Volumes of a token.
    width : int
        Width of the tokens.
    depth : int
        Blocks of the encoder.
    n_heads : int
        Attention heads.
    attention : str
        Mechanism among regions, a name of `neurodecode.nn.attention.ATTENTION`.
    adaptive : bool
        See `RegionBlock`.
    dropout : float
        After attention and perceptron.

    Raises
    ------
    ConfigError
        If windows are no multiple of patches.

    References
    ----------
    Yang et al. (2024), "BrainMAE"; He et al. (2022), "Masked autoencoders are scalable vision
    learners".
    """

    def __init__(
        self,
        n_regions: int,
        n_volumes: int,
        patch: int = 3,
        width: int = 64,
        depth: int = 2,
        n_heads: int = 4,
        attention: str = "softmax",
        adaptive: bool = True,
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        if patch < 1 or n_volumes % patch or n_volumes < patch:
            raise ConfigError(f"windows of {n_volumes} volumes are no multiple of patch {patch}")
        if width % n_heads:
            raise ConfigError(f"width {width} is no multiple of {n_heads} heads")
        self.patch, self.width, self.n_regions = patch, width, n_regions
        self.regions = nn.Parameter(0.5 * torch.randn(n_regions, width))
        self.times = nn.Parameter(0.02 * torch.randn(n_volumes // patch, width))
        self.hidden = nn.Parameter(0.02 * torch.randn(width))
        self.embed = nn.Linear(patch, width)

        def block() -> RegionBlock:
            """One block of this width."""
            ways = [make_attention(each, n_heads, width // n_heads, None)
                    for each in (attention, "softmax")]  # fmt: skip
            return RegionBlock(width, *ways, adaptive=adaptive, dropout=dropout)

        self.encoder = nn.ModuleList(block() for _ in range(depth))
        self.norm = nn.LayerNorm(width)
        self.decoder = block()
        self.rebuild = nn.Sequential(nn.LayerNorm(width), nn.Linear(width, patch))

    def patches(self, series: Tensor) -> Tensor:
        """Cut windows into patches.

        Parameters
        ----------
        series : Tensor of shape (n_batch, n_regions, n_volumes)
            Windows.

        Returns
        -------
        Tensor of shape (n_batch, n_regions, n_patches, patch)
            What tokens are made of.

        Raises
        ------
        ConfigError
            If regions or volumes are not those the model was made for.
        """
        n_volumes = series.shape[2]
        longest = len(self.times) * self.patch
        if series.shape[1] != self.n_regions or n_volumes % self.patch or n_volumes > longest:
            raise ConfigError(
                f"windows of {series.shape[1]} regions x {n_volumes} volumes; the model takes"
                f" {self.n_regions} x multiples of {self.patch} up to {longest}"
            )
        return series.unflatten(2, (-1, self.patch))

    def tokens(self, series: Tensor, hidden: Tensor | None = None) -> Tensor:
        """Encode windows.

        Parameters
        ----------
        series : Tensor of shape (n_batch, n_regions, n_volumes)
            Windows, each region in units of its spread.
        hidden : Tensor of bool of shape (n_batch, n_regions, n_patches), optional
            Patches that must not be seen; none by default.

        Returns
        -------
        Tensor of shape (n_batch, n_regions, n_patches, width)
            Tokens.
        """
        patches = self.patches(series)
        tokens = self.embed(patches)
        if hidden is not None:
            tokens = torch.where(hidden[..., None], self.hidden, tokens)
        tokens = tokens + self.regions[:, None] + self.times[: patches.shape[2]]
        for block in self.encoder:
            tokens = block(tokens, self.regions, None if hidden is None else ~hidden)
        return self.norm(tokens)

    def forward(self, series: Tensor, hidden: Tensor) -> Tensor:
        """Rebuild windows from what is seen of them.

        Parameters
        ----------
        series : Tensor of shape (n_batch, n_regions, n_volumes)
            Windows.
        hidden : Tensor of bool of shape (n_batch, n_regions, n_patches)
            Patches that are not seen.

        Returns
        -------
        Tensor of shape (n_batch, n_regions, n_patches, patch)
            Prediction of every patch.
        """
        return self.rebuild(self.decoder(self.tokens(series, hidden), self.regions))


def random_mask(
    shape: tuple[int, int, int],
    share: float,
    whole: float,
    generator: torch.Generator | None = None,
) -> Tensor:
    """Hide whole regions, and patches of the others, of each window.

    Parameters
    ----------
    shape : tuple of int
        Windows, regions, patches.
    share : float
        Share of all patches that is hidden; 0 < share < 1.
    whole : float
        Share of the hidden ones that are regions hidden for the whole window.
    generator : torch.Generator, optional
        Source of randomness, of the CPU; torch's own by default.

    Returns
    -------
    Tensor of bool of shape `shape`
        True where hidden; the same number in every window, at least one hidden and one seen.
    """
    n_batch, n_regions, n_patches = shape
    n_hidden = min(max(1, round(share * n_regions * n_patches)), n_regions * n_patches - 1)
    first = torch.rand(n_batch, n_regions, 1, generator=generator).argsort(dim=1).argsort(dim=1)
    # regions of lowest rank come first, whole; the rest in random order behind them
    n_whole = int(whole * n_hidden) // n_patches
    order = torch.rand(shape, generator=generator) + 2.0 * (first >= n_whole)
    rank = order.flatten(1).argsort(dim=1).argsort(dim=1)
    return (rank < n_hidden).view(shape)


def masked_error(found: Tensor, true: Tensor, hidden: Tensor) -> Tensor:
    """Mean squared error of the hidden patches.

    Parameters
    ----------
    found, true : Tensor of shape (n_batch, n_regions, n_patches, patch)
        Prediction and truth.
    hidden : Tensor of bool of shape (n_batch, n_regions, n_patches)
        Patches that were not seen.

    Returns
    -------
    Tensor
        Scalar, in the units of the series squared; 1 for predicting the mean of z-scored runs.
    """
    error = (found - true).square().mean(dim=-1)
    return (error * hidden).sum() / hidden.sum()
