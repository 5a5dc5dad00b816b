"""Contrastive losses in blocks of rows: memory grows with N, not with N x N."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.autograd import Function
from torch.autograd.function import once_differentiable

__all__ = ["BLOCK", "contrast"]

#: Rows of the matrix of pairs that are in memory at once.
BLOCK = 512


def contrast(
    predictions: Tensor,
    targets: Tensor,
    scale: Tensor,
    bidirectional: bool,
    *,
    soft: bool,
    negatives: Tensor | None = None,
    block: int | None = None,
) -> Tensor:
    """Compute the loss; the backward pass makes every block of rows a second time.

    Parameters
    ----------
    predictions, targets : Tensor of shape (n_items, dim)
        Rows to compare.
    scale : scalar Tensor
        Factor of the dot products.
    bidirectional : bool
        Both directions, or the first alone.
    soft : bool
        Weights from the targets among themselves, or the identity.
    negatives : Tensor of shape (n_negatives, dim), optional
        More columns of the first direction; for soft weights only.
    block : int, optional
        Rows at once; `BLOCK` by default.

    Returns
    -------
    Tensor
        Scalar.
    """
    precise = torch.promote_types(predictions.dtype, torch.float32)
    rows, columns = predictions.to(precise), targets.to(precise)
    more = columns[:0] if negatives is None else negatives.to(precise)
    with torch.autocast(rows.device.type, enabled=False):
        return _Contrast.apply(rows, columns, more, scale, bidirectional, soft, block or BLOCK)


class _Contrast(Function):
    """Forward keeps a few numbers for each row and column, from which backward starts again."""

    @staticmethod
    def forward(
        ctx: Any,
        rows: Tensor,
        targets: Tensor,
        more: Tensor,
        scale: Tensor,
        bidirectional: bool,
        soft: bool,
        block: int,
    ) -> Tensor:
        """Sum the loss block by block."""
        n, columns = len(rows), torch.cat([targets, more])
        row_norm, weight_norm, square_norm = (rows.new_empty(n) for _ in range(3))
        column_norm = rows.new_full((n,), -torch.inf)
        column_high, column_sum = column_norm.clone(), rows.new_zeros(n)
        row_mean = (rows * targets).sum(1) * scale  # of a hard label; soft ones replace it
        column_mean = row_mean.clone()
        for part in _blocks(n, block):
            logits = rows[part] @ columns.T * scale
            row_norm[part] = logits.logsumexp(1)
            column_norm = torch.logaddexp(column_norm, logits[:, :n].logsumexp(0))
            if soft:
                alike = targets[part] @ columns.T * scale
                weight_norm[part] = alike.logsumexp(1)
                square_norm[part] = alike[:, :n].logsumexp(1)
                row_mean[part] = ((alike - weight_norm[part, None]).exp() * logits).sum(1)
                high = torch.maximum(column_high, alike[:, :n].amax(0))
                left = (column_high - high).exp()
                column_sum = column_sum * left + ((alike[:, :n] - high).exp() * logits[:, :n]).sum(
                    0
                )
                column_high = high
        if soft:
            # alike is symmetric: its columns have the norms of its rows
            column_mean = column_sum * (column_high - square_norm).exp()
        loss = (row_norm - row_mean).mean()
        if bidirectional:
            loss = (loss + (column_norm - column_mean).mean()) / 2
        norms = (row_norm, column_norm, weight_norm, square_norm, row_mean, column_mean)
        ctx.save_for_backward(rows, targets, more, scale, *norms)
        ctx.choices = bidirectional, soft, block
        return loss

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, given: Tensor) -> tuple[Tensor | None, ...]:
        """Make each block again, and its gradients."""
        rows, targets, more, scale, *norms = ctx.saved_tensors
        bidirectional, soft, block = ctx.choices
        n, columns = len(rows), torch.cat([targets, more])
        share = given / (2 * n if bidirectional else n)
        of_rows, of_columns = torch.zeros_like(rows), torch.zeros_like(columns)
        of_scale = torch.zeros_like(scale)
        learned = any(ctx.needs_input_grad[1:3])
        through_weights = soft and (learned or ctx.needs_input_grad[3])
        for part in _blocks(n, block):
            logits = rows[part] @ columns.T * scale
            alike = targets[part] @ columns.T * scale if soft else None
            pull = share * _pull(logits, alike, norms, part, bidirectional)
            step = pull @ columns
            of_rows[part] = step * scale
            of_scale += (step * rows[part]).sum()
            if learned:
                of_columns += pull.T @ rows[part] * scale
            if through_weights:
                assert alike is not None
                other = targets[part] @ rows.T * scale if bidirectional else None
                bend = share * _bend(logits, alike, other, norms, part)
                step = bend @ columns
                of_columns[part] += step * scale
                of_columns += bend.T @ targets[part] * scale
                of_scale += (step * targets[part]).sum()
        return of_rows, of_columns[:n], of_columns[n:], of_scale, None, None, None


def _blocks(n: int, block: int) -> list[slice]:
    return [slice(start, min(start + block, n)) for start in range(0, n, block)]


def _pull(
    logits: Tensor, alike: Tensor | None, norms: list[Tensor], part: slice, both: bool
) -> Tensor:
    """Gradient with respect to the logits of a block, times N (or 2 N): guess minus truth."""
    row_norm, column_norm, weight_norm, square_norm = norms[:4]
    n = len(row_norm)
    pull = (logits - row_norm[part, None]).exp()
    if alike is not None:
        pull -= (alike - weight_norm[part, None]).exp()
    if both:
        pull[:, :n] += (logits[:, :n] - column_norm).exp()
        if alike is not None:
            pull[:, :n] -= (alike[:, :n] - square_norm).exp()
    if alike is None:
        inside = torch.arange(part.stop - part.start, device=logits.device)
        pull[inside, inside + part.start] -= 2 if both else 1
    return pull


def _bend(
    logits: Tensor, alike: Tensor, other: Tensor | None, norms: list[Tensor], part: slice
) -> Tensor:
    """Gradient with respect to the similarities of the targets in a block, times N (or 2 N)."""
    _, _, weight_norm, square_norm, row_mean, column_mean = norms
    n = len(weight_norm)
    bend = -(alike - weight_norm[part, None]).exp() * (logits - row_mean[part, None])
    if other is not None:
        weights = (alike[:, :n] - square_norm[part, None]).exp()
        bend[:, :n] -= weights * (other - column_mean[part, None])
    return bend
