"""Shapes at which kernels are measured, what each is compared with, and its bound."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from neurodecode.losses import contrastive
from neurodecode_kernels import work
from neurodecode_kernels.dispatch import Backend
from neurodecode_kernels.routed_attention import routed_attention
from neurodecode_kernels.soft_clip import soft_clip
from neurodecode_kernels.subject_linear import SubjectAdamW, subject_linear
from neurodecode_kernels.work import Work

__all__ = ["Case", "cases"]

#: Voxels of the eight NSD subjects.
VOXELS = (15724, 14278, 15226, 13153, 13039, 17907, 12682, 14386)
Run = Callable[[], tuple[Tensor, ...]]


@dataclass(frozen=True)
class Case:
    """One operation at one shape.

    Parameters
    ----------
    kernel, shape : str
        Which operation, in which shape and type.
    run : callable
        Runs it by a backend and returns all there is to compare.
    reference : callable
        What must come out, computed in float32.
    work : Work or None
        Bound of one run.
    rivals : dict of str to callable
        Other ways to the same.
    """

    kernel: str
    shape: str
    run: Callable[[Backend], tuple[Tensor, ...]]
    reference: Run
    work: Work | None
    rivals: dict[str, Run] = field(default_factory=dict)


def cases(device: str, small: bool) -> Iterator[Case]:
    """Make one case after the other, so that only one is in memory.

    Parameters
    ----------
    device : str
        ``cuda`` or ``cpu``.
    small : bool
        Shapes that the interpreter gets through.

    Yields
    ------
    Case
        The next one.
    """
    dtype = torch.float32 if small else torch.bfloat16
    voxels = (19, 8, 33) if small else VOXELS
    width = 21 if small else 4096
    for rows in (3,) if small else (4, 32, 256):
        yield linear(device, dtype, [(rows, n) for n in voxels], width, "NSD")
    yield linear(device, dtype, [(3 if small else 32, n) for n in voxels[:2]], width, "NSD, two")
    meg = 9 if small else 270
    yield linear(device, dtype, [(3 if small else 32, meg)] * 8, meg, "MEG")
    yield update(device, voxels, width)
    for n in (20,) if small else (4096, 32768):
        yield contrast(device, dtype, n, 24 if small else 768)
    yield attention(device, dtype, (2, 3, 5, 17, 7) if small else (256, 8, 32, 256, 64))


def linear(
    device: str, dtype: torch.dtype, subjects: list[tuple[int, int]], width: int, name: str
) -> Case:
    """Forward pass of the layer of a batch."""
    draw = partial(torch.randn, device=device, dtype=dtype)
    inputs = [draw(n, f) for n, f in subjects]
    weights, biases = [draw(f, width) for _, f in subjects], [draw(width) for _ in subjects]

    def run(backend: Backend) -> tuple[Tensor, ...]:
        return (subject_linear(inputs, weights, biases, "gelu", backend=backend),)

    def reference() -> tuple[Tensor, ...]:
        single = [[each.float() for each in list_] for list_ in (inputs, weights, biases)]
        return (subject_linear(*single, "gelu", backend="reference"),)

    loop = partial(run, "reference")
    rivals: dict[str, Run] = {"loop": loop, "compile": _compiled(loop)}
    if device == "cuda" and dtype == torch.bfloat16:
        rivals["grouped_mm, padded"] = _grouped(inputs, weights, biases)
    shape = f"{name}: {len(subjects)} subjects x {subjects[0][0]} rows, width {width}, {dtype}"
    bound = work.subject_linear(subjects, width, inputs[0].element_size())
    return Case("subject_linear", shape, run, reference, bound, rivals)


def _grouped(inputs: list[Tensor], weights: list[Tensor], biases: list[Tensor]) -> Run:
    """Torch's grouped product; features are padded beforehand, which is not timed."""
    most = -(-max(each.shape[1] for each in inputs) // 8) * 8
    rows = torch.cat([F.pad(each, (0, most - each.shape[1])) for each in inputs])
    stacked = torch.stack([F.pad(each, (0, 0, 0, most - len(each))) for each in weights])
    ends = torch.tensor([len(each) for each in inputs], device=rows.device).cumsum(0).int()
    bias = torch.cat([b.expand(len(x), -1) for x, b in zip(inputs, biases, strict=True)])
    return lambda: (F.gelu(F.grouped_mm(rows, stacked, offs=ends) + bias),)


def update(device: str, voxels: tuple[int, ...], width: int) -> Case:
    """Update of two subjects of all, against AdamW over all with gradients of zeros."""
    made = [nn.Parameter(torch.randn(n, width, device=device)) for n in voxels]
    before = [each.detach().clone() for each in made[:2]]
    slopes = [torch.randn_like(each) for each in before]
    subjects = {str(i): [each] for i, each in enumerate(made)}
    sparse = {path: SubjectAdamW(subjects, backend=path) for path in ("reference", "triton")}

    def run(backend: Backend) -> tuple[Tensor, ...]:
        for each, slope in zip(made, slopes, strict=False):
            each.grad = slope
        sparse[backend].step(touched=["0", "1"])
        return tuple(each.detach() for each in made[:2])

    def reference() -> tuple[Tensor, ...]:
        copies = [nn.Parameter(each.clone()) for each in before]
        for each, slope in zip(copies, slopes, strict=True):
            each.grad = slope
        torch.optim.AdamW(copies).step()
        return tuple(each.detach() for each in copies)

    def dense(**options: bool) -> Run:
        copies = [nn.Parameter(each.detach().clone()) for each in made]
        for each in copies:
            each.grad = torch.zeros_like(each)
        optimiser = torch.optim.AdamW(copies, **options)
        return lambda: (optimiser.step(),)[:0]

    rivals = {"AdamW, all subjects": dense(), "AdamW, all, fused": dense(fused=True)}
    bound = work.adamw(sum(voxels[:2]) * width, 4)
    shape = f"update of 2 of {len(voxels)} subjects, width {width}, float32"
    return Case("subject_adamw", shape, run, reference, bound, rivals)


def contrast(device: str, dtype: torch.dtype, n: int, dim: int) -> Case:
    """Loss and gradient of the predictions."""
    unit = [F.normalize(torch.randn(n, dim, device=device), dim=1).to(dtype) for _ in range(2)]

    def step(loss: Callable[..., Tensor], rows: list[Tensor]) -> tuple[Tensor, ...]:
        p, t = rows[0].detach().requires_grad_(), rows[1]
        value = loss(p, t, 0.05)
        return value.detach(), torch.autograd.grad(value, p)[0]

    def run(backend: Backend) -> tuple[Tensor, ...]:
        return step(partial(soft_clip, backend=backend), unit)

    def reference() -> tuple[Tensor, ...]:
        return step(partial(soft_clip, backend="reference"), [each.float() for each in unit])

    eager = partial(step, contrastive.plain_soft_clip, unit)
    rivals = {"eager": eager, "compile": _compiled(eager), "blocks": partial(run, "reference")}
    both = [work.soft_clip(n, dim, unit[0].element_size(), backward=b) for b in (False, True)]
    bound = Work(both[0].bytes + both[1].bytes, both[0].flops + both[1].flops)
    return Case("soft_clip", f"N {n}, D {dim}, {dtype}, step", run, reference, bound, rivals)


def attention(device: str, dtype: torch.dtype, size: tuple[int, int, int, int, int]) -> Case:
    """Forward pass with the map."""
    n_batch, n_heads, n_queries, n_tokens, dim = size
    q, k, v = (
        torch.randn(n_batch, n_heads, n, dim, device=device, dtype=dtype)
        for n in (n_queries, n_tokens, n_tokens)
    )

    def run(backend: Backend) -> tuple[Tensor, ...]:
        return routed_attention(q, k, v, backend=backend)

    def reference() -> tuple[Tensor, ...]:
        return routed_attention(q.float(), k.float(), v.float(), backend="reference")

    def eager() -> tuple[Tensor, ...]:
        weights = (q @ k.transpose(2, 3) * dim**-0.5).softmax(-1)
        return weights @ v, weights.mean(1)

    def twice() -> tuple[Tensor, ...]:
        out = F.scaled_dot_product_attention(q, k, v)
        return out, (q @ k.transpose(2, 3) * dim**-0.5).softmax(-1).mean(1)

    rivals = {"eager": eager, "compile": _compiled(eager), "SDPA, second pass": twice}
    bound = work.routed_attention(*size, q.element_size())
    shape = "B {}, h {}, Q {}, P {}, d {}".format(*size) + f", {dtype}"
    return Case("routed_attention", shape, run, reference, bound, rivals)


def _compiled(run: Run) -> Run:
    """Compiled when it is first called: where it is not timed, nothing is compiled."""
    made: list[Run] = []

    def compiled() -> tuple[Tensor, ...]:
        if not made:
            made.append(torch.compile(run))
        return made[0]()

    return compiled
