from __future__ import annotations

import pytest
import torch
from halves import half

from neurodecode.nn.attention import make_attention
from neurodecode_kernels.dispatch import KernelError
from neurodecode_kernels.routed_attention import routed_attention, why_not

#: items, heads, queries, tokens, dimensions; the interpreter's tile holds 32 tokens
SIZES = [(2, 3, 5, 17, 7), (1, 2, 18, 40, 16), (3, 1, 1, 1, 5)]


def draw(size, device="cpu", dtype=torch.float32):
    n_batch, n_heads, n_queries, n_tokens, dim = size
    made = torch.Generator().manual_seed(4)
    return [
        torch.randn(n_batch, n_heads, n, dim, generator=made).to(device, dtype).requires_grad_()
        for n in (n_queries, n_tokens, n_tokens)
    ]


def readable(size, device="cpu"):
    mask = torch.rand(size[0], size[3], generator=torch.Generator().manual_seed(5)) < 0.6
    mask[-1] = False
    return mask.to(device)


def run(q, k, v, mask, backend):
    out, maps = routed_attention(q, k, v, mask, backend=backend)
    torch.manual_seed(6)
    loss = (out * torch.randn(out.shape).to(out)).sum()
    loss = loss + (maps * torch.randn(maps.shape).to(out)).sum()
    return out.detach(), maps.detach(), torch.autograd.grad(loss, (q, k, v))


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("masked", [False, True])
def test_the_reference_is_softmax_attention_and_its_mean_map(size, masked):
    q, k, v = draw(size)
    mask = readable(size) if masked else None
    attention = make_attention("softmax", size[1], size[4])
    wanted = mask[:, None, None] if masked else None
    out, weights = attention(q, k, v, mask=wanted, need_weights=True)
    found = routed_attention(q, k, v, mask)
    torch.testing.assert_close(found, (out, weights.mean(1)))


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("masked", [False, True])
def test_the_kernel_is_the_reference(size, masked, device):
    q, k, v = draw(size, device)
    mask = readable(size, device) if masked else None
    if masked:  # what may not be read may be anything
        k, v = (x.detach().masked_fill(~mask[:, None, :, None], torch.nan) for x in (k, v))
        k, v = k.requires_grad_(), v.requires_grad_()
    found, expected = (run(q, k, v, mask, backend) for backend in ("triton", "reference"))
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-5)
    assert all(each.isfinite().all() for each in found[2])


def test_half_precision(device):
    q, k, v = draw(SIZES[0], device, half(device))
    found, expected = (run(q, k, v, None, backend) for backend in ("triton", "reference"))
    torch.testing.assert_close(found, expected, rtol=4e-2, atol=4e-2)


def test_a_query_that_is_not_a_number_does_not_spread(device):
    q, k, v = draw(SIZES[0], device)
    clean = routed_attention(q, k, v, backend="triton")
    broken = q.detach().clone()
    broken[0, :, 2] = torch.nan
    for before, after in zip(clean, routed_attention(broken, k, v, backend="triton"), strict=True):
        others = [0, 1, 3, 4]
        axis = before.dim() - 2
        index = torch.tensor(others, device=device)
        torch.testing.assert_close(
            before.index_select(axis, index), after.index_select(axis, index)
        )
        assert after.select(axis, 2)[0].isnan().all()


def test_bad_input_is_refused():
    q, k, v = draw(SIZES[0])
    assert why_not(q, k, v) == "the tensors are on the CPU"
    wide = torch.zeros(1, 1, 3, 129)
    assert why_not(wide, wide, wide) == "heads of 129 dimensions, the kernel holds 128"
    with pytest.raises(KernelError, match="one dtype"):
        routed_attention(q, k.double(), v)
    with pytest.raises(KernelError, match=r"mask must be bool of shape \(2, 17\)"):
        routed_attention(q, k, v, torch.ones(2, 16, dtype=torch.bool))
    with pytest.raises(KernelError, match="do not belong together"):
        routed_attention(q[:1], k, v)
    with pytest.raises(KernelError, match=r"\(batch, heads, length, dim\)"):
        routed_attention(q, k, v[:, :, :5])
