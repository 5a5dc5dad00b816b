"""One batch as an objective sees it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from torch import Tensor

from neurodecode.losses import Mixup
from neurodecode.nn.decoder import BrainDecoder, Decoded

__all__ = ["Read", "Step"]

#: What of the decoded: projected tokens, the first of them (the class token), or the text.
Read = Literal["tokens", "class", "text"]


@dataclass(frozen=True)
class Step:
    """One batch as an objective sees it.

    Parameters
    ----------
    decoder : BrainDecoder
        The network.
    decoded : Decoded
        What it made of the responses.
    targets : mapping of str to Tensor of shape (n_batch, ...)
        True embeddings.
    temperature : float
        Of the contrasts.
    responses : mapping of str to Tensor of shape (n_trials, n_features)
        What was decoded, mixed if `mixup` is given.
    mixup : Mixup, optional
        How the responses were mixed.
    negatives : mapping of str to Tensor of shape (n_negatives, ...)
        Embeddings of other stimuli to tell the true ones from.
    known : Tensor of bool of shape (n_batch,), optional
        Rows that `decoded` has a latent for; all by default.
    """

    decoder: BrainDecoder
    decoded: Decoded
    targets: Mapping[str, Tensor]
    temperature: float
    responses: Mapping[str, Tensor]
    mixup: Mixup | None
    negatives: Mapping[str, Tensor]
    known: Tensor | None

    def mixed(self, values: Tensor) -> Tensor:
        """Mix targets as the responses were mixed.

        Parameters
        ----------
        values : Tensor of shape (n_batch, ...)
            One entry a row.

        Returns
        -------
        Tensor of shape (n_batch, ...)
            `values` itself if nothing was mixed.
        """
        return values if self.mixup is None else self.mixup.mix(values)

    def read(self, what: Read) -> Tensor:
        """Take a part of what was decoded.

        Parameters
        ----------
        what : {"tokens", "class", "text"}
            Which part.

        Returns
        -------
        Tensor of shape (n_batch, ...)
            The part.
        """
        if what == "text":
            return self.decoded.text
        return self.decoded.tokens if what == "tokens" else self.decoded.tokens[:, 0]
