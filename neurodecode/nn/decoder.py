"""The whole decoder: adapters, trunk, heads, projector, and builders of responses."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from torch import Tensor, nn

from neurodecode.context import BuildContext
from neurodecode.errors import ConfigError
from neurodecode.nn.adapters import AdapterFactory, LinearAdapter, SubjectAdapters
from neurodecode.nn.aggregation import AggregationFactory
from neurodecode.nn.builders import BuilderFactory, SubjectBuilders
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
    text : Tensor of shape (n_batch, n_text_tokens, text_dim) or None
        Text embedding, if the decoder has a head for it.
    shared : Tensor of shape (n_batch, width) or None
        Output of the adapters.
    """

    condition: Tensor
    tokens: Tensor
    latent: Tensor | None
    text: Tensor | None = None
    shared: Tensor | None = None


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
        Part of each subject; subjects of one modality may share most of it.
    modality_adapters : dict of str to callable, optional
        Adapters of the subjects of some modality (``fmri``, ``meg``, ``eeg``), instead of
        `adapter`.
    trunk : callable
        Part that all share.
    token_head : callable
        To the tokens.
    projector : callable or None
        From the tokens to the space of retrieval; None: that is theirs.
    retrieval_head : callable or None
        A second token head, whose tokens are for retrieval; then there is no projector.
    low_level : callable or None
        Head for the latent of an image autoencoder. One with the attribute ``guided`` is given
        the output of the adapters besides that of the trunk.
    latent : str
        Name of that target.
    text_head : callable or None
        Head for an embedding of the caption.
    text : str
        Name of that target.
    aggregate : callable or None
        Stands before the adapters and leaves as many values of every subject.
    builder : callable or None
        Part of each subject that leads from the output of the adapters back to its responses.

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
        projector: ProjectorFactory | None = Projector,
        low_level: LatentHeadFactory | None = LatentHead,
        latent: str = "latent",
        text_head: TokenHeadFactory | None = None,
        text: str = "text",
        aggregate: AggregationFactory | None = None,
        builder: BuilderFactory | None = None,
        modality_adapters: dict[str, AdapterFactory] | None = None,
        retrieval_head: TokenHeadFactory | None = None,
    ) -> None:
        super().__init__()
        self.target, self.latent, self.text = target, latent, text
        self.token_shape = token_shape(_target_shape(context, target))
        self.adapters = SubjectAdapters(
            context.inputs(), width, adapter, aggregate, context.modality, modality_adapters
        )
        self.trunk = trunk(width)
        self.token_head = token_head(width, *self.token_shape)
        dim = self.token_shape[1]
        alone = projector is None or retrieval_head is not None
        self.projector = nn.Identity() if alone else projector(dim)
        self.retrieval_head = (
            None if retrieval_head is None else retrieval_head(width, *self.token_shape)
        )
        self.low_level = (
            low_level(width, _target_shape(context, latent)) if low_level is not None else None
        )
        self.text_head = (
            text_head(width, *token_shape(_target_shape(context, text)))
            if text_head is not None
            else None
        )
        if builder is not None and context.n_times:
            raise ConfigError("model.decoder.builder makes vectors; the data have time series")
        self.builders = (
            SubjectBuilders(self.adapters.n_inputs, width, builder) if builder is not None else None
        )

    def forward(
        self, responses: Mapping[str, Tensor], low_level_rows: Tensor | None = None
    ) -> Decoded:
        """Decode.

        Parameters
        ----------
        responses : mapping of str to Tensor of shape (n_trials, n_features[, n_times])
            Standardised responses by subject.
        low_level_rows : Tensor of bool of shape (n_batch,), optional
            Rows whose low-level picture is wanted; all by default.

        Returns
        -------
        Decoded
            Rows of all subjects, in the order of the mapping.
        """
        shared = self.adapters(responses)
        hidden = self.trunk(shared)
        condition = self.token_head(hidden)
        return Decoded(
            condition=condition,
            tokens=self.projector(condition)
            if self.retrieval_head is None
            else self.retrieval_head(hidden),
            latent=self._low_level(hidden, shared, low_level_rows),
            text=None if self.text_head is None else self.text_head(hidden),
            shared=shared,
        )

    def _low_level(self, hidden: Tensor, shared: Tensor, rows: Tensor | None) -> Tensor | None:
        if self.low_level is None:
            return None
        if rows is not None:
            hidden, shared = hidden[rows], shared[rows]
        if getattr(self.low_level, "guided", False):
            return self.low_level(hidden, shared)
        return self.low_level(hidden)


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
