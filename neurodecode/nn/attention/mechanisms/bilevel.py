"""Bi-level routing: first choose regions, then attend to their tokens."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from neurodecode.nn.attention.base import Attended, Attention, Call, Cost, Row
from neurodecode.nn.attention.gathered import gathered_attention
from neurodecode.nn.attention.registry import ATTENTION

__all__ = ["BiLevel"]


@ATTENTION.register("bilevel")
class BiLevel(Attention):
    """Softmax attention to all tokens of the regions whose mean key is most like the query's.

    Regions are stretches of the sequence. All queries of a region read the same regions, chosen
    by their mean. When causal, means would tell of the future: then each query chooses for
    itself (as in MoBA, Lu et al. 2025) among regions that lie wholly in its past, and always
    reads what it may of its own.

    Parameters
    ----------
    n_heads, head_dim : int
        Heads, and dimensions of each.
    region : int
        Tokens of a region; the last one may be shorter.
    keep : int
        Regions that a query reads.
    """

    paper = "Zhu et al. 2023, BiFormer: vision transformer with bi-level routing attention"
    limit = "all regions kept"
    chooses_keys = True

    def __init__(self, n_heads: int, head_dim: int, region: int = 16, keep: int = 4) -> None:
        super().__init__(n_heads, head_dim)
        self.region, self.keep = region, keep

    def attend(self, q: Tensor, k: Tensor, v: Tensor, call: Call) -> Attended:
        """See `Attention.attend`."""
        with torch.no_grad():
            chosen, real = self._choose(q, k, call)
        steps = torch.arange(self.region, device=q.device)
        index = (chosen[..., None] * self.region + steps).flatten(-2)
        valid = real[..., None].expand(*real.shape, self.region).flatten(-2)
        valid = valid & (index < call.seen.n_keys)
        index = index.clamp(max=call.seen.n_keys - 1)
        return gathered_attention(
            q, k, v, index, valid, call.seen, self.scale, call.need_weights
        )  # fmt: skip

    def _choose(self, q: Tensor, k: Tensor, call: Call) -> tuple[Tensor, Tensor]:
        """Regions of each query (n_batch, n_heads, n_queries, keep), and which are real."""
        seen, usable = call.seen, torch.ones((), dtype=torch.bool, device=q.device)
        regions = _means(k, self.region)
        n = regions.shape[2]
        keep = min(self.keep, n)
        if not seen.causal:
            chooser = _means(q, self.region)
            likeness = (chooser @ regions.transpose(-2, -1)).nan_to_num()
            chosen = likeness.topk(keep, dim=-1).indices
            chosen = chosen.repeat_interleave(self.region, dim=2)[:, :, : seen.n_queries]
            return chosen, usable.expand(chosen.shape)
        likeness = (q @ regions.transpose(-2, -1)).nan_to_num()
        number = torch.arange(n, device=q.device)
        own = seen.last_key().clamp(min=0) // self.region
        likeness = likeness.masked_fill(number > own[:, None], -torch.inf)
        likeness = likeness.masked_fill(number == own[:, None], torch.inf)
        best = likeness.topk(keep, dim=-1)
        return best.indices, best.values > -torch.inf

    def row(self, row: Row) -> Tensor:
        """See `Attention.row`."""
        keys, seen = row.k[row.head], row.seen
        means = torch.stack([part.mean(0) for part in keys.split(self.region)])
        if seen.causal:
            own = (row.query + seen.offset) // self.region
            likeness = means[:own] @ row.q[row.head, row.query]
            others = likeness.argsort(descending=True)[: self.keep - 1]
            chosen = torch.cat([others, torch.tensor([own])])
        else:
            mine = row.q[row.head].split(self.region)[row.query // self.region].mean(0)
            chosen = (means @ mine).argsort(descending=True)[: self.keep]
        inside = torch.isin(row.visible // self.region, chosen)
        weights = row.q.new_zeros(len(row.visible))
        if inside.any():
            weights[inside] = row.scores(self.scale)[inside].softmax(-1)
        return weights

    def cost(self, n_queries: int, n_keys: int, *, n_batch: int = 1, item_size: int = 4) -> Cost:
        """See `Attention.cost`."""
        from_, to = -(-n_queries // self.region), -(-n_keys // self.region)
        width = min(self.keep, to) * self.region
        flops = 2 * (from_ * to + 2 * n_queries * width) * self.head_dim
        between = from_ * to + 2 * n_queries * width * self.head_dim
        return self.costing(flops, between, (n_queries, n_keys, n_batch, item_size))

    def limit_options(self, n_queries: int, n_keys: int) -> dict[str, Any]:
        """See `Attention.limit_options`."""
        return {"keep": n_keys}


def _means(tokens: Tensor, region: int) -> Tensor:
    """Mean of each region (n_batch, n_heads, n_regions, dim)."""
    length = tokens.shape[2]
    rest = -length % region
    total = F.pad(tokens, (0, 0, 0, rest)).unflatten(2, (-1, region)).sum(3)
    count = torch.full((total.shape[2], 1), region, device=tokens.device)
    count[-1] -= rest
    return total / count
