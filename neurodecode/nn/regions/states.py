"""Which state a window of region time series was recorded in."""

from __future__ import annotations

from typing import Literal

from torch import Tensor, nn

from neurodecode.nn.attention.pooling import AttentiveProbe
from neurodecode.nn.regions.masked import MaskedRegions

__all__ = ["StateClassifier"]


class StateClassifier(nn.Module):
    """A read-out of the tokens of an encoder.

    Parameters
    ----------
    encoder : MaskedRegions
        Pretrained or not.
    n_states : int
        Classes; 1 for a regression.
    head : {"attentive", "by_region"}
        ``attentive``: learned queries choose among all tokens (`AttentiveProbe`);
        ``by_region``: the mean over time of each region's tokens, every region with weights of
        its own.
    n_queries : int
        Queries of the attentive probe.
    dropout : float
        Before the linear read-out.
    """

    def __init__(
        self,
        encoder: MaskedRegions,
        n_states: int,
        head: Literal["attentive", "by_region"] = "by_region",
        n_queries: int = 8,
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        self.encoder = encoder
        attentive = head == "attentive"
        self.probe = AttentiveProbe(encoder.width, n_queries) if attentive else None
        width = encoder.width * (1 if attentive else encoder.n_regions)
        # standardised over the training windows: tokens of some regions hardly vary
        self.read_out = nn.Sequential(
            nn.BatchNorm1d(width, affine=False, momentum=None),
            nn.Dropout(dropout),
            nn.Linear(width, n_states),
        )

    def from_tokens(self, tokens: Tensor) -> Tensor:
        """Classify encoded windows; a frozen encoder need run only once.

        Parameters
        ----------
        tokens : Tensor of shape (n_batch, n_regions, n_patches, width)
            From `MaskedRegions.tokens`.

        Returns
        -------
        Tensor of shape (n_batch, n_states)
            Logits, or values.
        """
        if self.probe is None:
            return self.read_out(tokens.mean(dim=2).flatten(1))
        return self.read_out(self.probe(tokens.flatten(1, 2)))

    def forward(self, series: Tensor) -> Tensor:
        """Classify windows.

        Parameters
        ----------
        series : Tensor of shape (n_batch, n_regions, n_volumes)
            Windows.

        Returns
        -------
        Tensor of shape (n_batch, n_states)
            Logits, or values.
        """
        return self.from_tokens(self.encoder.tokens(series))
