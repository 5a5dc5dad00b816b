"""The whole decoder: adapters, trunk, token head, projector and low-level head."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from torch import Tensor, nn

from neurodecode.context import BuildContext
from neurodecode.errors import ConfigError
from neurodecode.nn.adapters import AdapterFactory, LinearAdapter, SubjectAdapters
from neurodecode.nn.heads import Projector, ProjectorFactory, TokenHead, TokenHeadFactory
from neurodecode.nn.low_level import LatentHead, LatentHeadFactory
from neurodecode.nn.trunk import ResidualTrunk, TrunkFactory

__all__ = ["BrainDecoder", "Decoded"]


class Decoded(NamedTuple):
    """What is decoded from a batch of responses.

    Parameters
    ----------
    condition : Tensor of shape (n_batch, n_tokens, dim)
        Tokens of the backbone; the prior is conditioned on these.
    tokens : Tensor of shape (n_batch, n_tokens, dim)
        Projected tokens; retrieval uses these.
    latent : Tensor of shape (n_batch, channels, height, width) or None
        Low-level picture.
    """

    condition: Tensor
    tokens: Tensor
    latent: Tensor | None


class BrainDecoder(nn.Module):
    """Responses of any subject -> embedding tokens and a low-level latent.

    Every part can be replaced by naming another class in the configuration; sizes come from
    the data.

    Parameters
    ----------
    context : BuildContext
        Subjects, feature counts and target shapes.
    width : int
        Width of the space the subjects share; 4096 in MindEye2.
    target : str
        Name of the embedding to decode; one vector counts as a single token.
    adapter : callable
        Part of each subject.
    trunk : callable
        Part that all share.
    token_head, projector : callable
        To the tokens, and from these to the space of retrieval.
    low_level : callable or None
        Head for the latent of an image autoencoder.
    latent : str
        Name of that target.

    Raises
    ------
    ConfigError
        If the data has no such target.
    """

    def __init__(
        self,
        context: BuildContext,
        width: int = 256,
        target: str = "tokens",
        adapter: AdapterFactory = LinearAdapter,
        trunk: TrunkFactory = ResidualTrunk,
        token_head: TokenHeadFactory = TokenHead,
        projector: ProjectorFactory = Projector,
        low_level: LatentHeadFactory | None = LatentHead,
        latent: str = "latent",
    ) -> None:
        super().__init__()
        self.target, self.latent = target, latent
        self.token_shape = token_shape(_target_shape(context, target))
        self.adapters = SubjectAdapters(context.n_features, width, adapter)
        self.trunk = trunk(width)
        self.token_head = token_head(width, *self.token_shape)
        self.projector = projector(self.token_shape[1])
        self.low_level = (
            low_level(width, _target_shape(context, latent)) if low_level is not None else None
        )

    def forward(
        self, responses: Mapping[str, Tensor], low_level_rows: Tensor | None = None
    ) -> Decoded:
        """Decode.

        Parameters
        ----------
        responses : mapping of str to Tensor of shape (n_trials, n_features)
            Standardised responses by subject.
        low_level_rows : Tensor of bool of shape (n_batch,), optional
            Rows whose low-level picture is wanted; all by default.

        Returns
        -------
        Decoded
            Rows of all subjects, in the order of the mapping.
        """
        hidden = self.trunk(self.adapters(responses))
        condition = self.token_head(hidden)
        latent = None
        if self.low_level is not None:
            latent = self.low_level(hidden if low_level_rows is None else hidden[low_level_rows])
        return Decoded(condition, self.projector(condition), latent)


def token_shape(shape: tuple[int, ...]) -> tuple[int, int]:
    """Read the shape of a target as tokens.

    Parameters
    ----------
    shape : tuple of int
        ``(n_tokens, dim)``, or ``(dim,)`` for a pooled embedding.

    Returns
    -------
    n_tokens, dim : int
        A pooled embedding is one token.
    """
    return (1, shape[0]) if len(shape) == 1 else (shape[0], shape[1])


def _target_shape(context: BuildContext, name: str) -> tuple[int, ...]:
    if name not in context.targets:
        raise ConfigError(
            f"the data has no target {name!r} (found: {', '.join(context.targets) or 'none'});"
            " name its embedding file under data.embeddings"
        )
    return context.targets[name]
