from __future__ import annotations

import pytest
import torch
from halves import half

from neurodecode.losses import contrastive
from neurodecode_kernels.dispatch import KernelError
from neurodecode_kernels.soft_clip import info_nce, soft_clip, why_not
from neurodecode_kernels.soft_clip.reference import contrast

SIZES = [(1, 5), (7, 9), (33, 20)]  # less than a tile, and tiles that are not full


def unit(n, dim, seed, device="cpu", dtype=torch.float32):
    rows = torch.randn(n, dim, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    rows = torch.nn.functional.normalize(rows, dim=-1).to(device, dtype)
    return rows.requires_grad_()


def run(loss, *leaves):
    value = loss()
    return value.detach(), torch.autograd.grad(value, leaves, allow_unused=True)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("both", [True, False])
@pytest.mark.parametrize("more", [0, 4])
@pytest.mark.parametrize("detach", [True, False])
def test_blocks_give_what_the_plain_loss_gives(size, both, more, detach, monkeypatch):
    monkeypatch.setattr("neurodecode_kernels.soft_clip.reference.BLOCK", 6)
    p, t = unit(*size, 1, dtype=torch.float64), unit(*size, 2, dtype=torch.float64)
    temperature = torch.tensor(0.3, dtype=torch.float64, requires_grad=True)
    negatives = unit(more, size[1], 3, dtype=torch.float64) if more else None
    given = {"bidirectional": both, "detach_targets": detach, "negatives": negatives}
    leaves = [p, temperature] + ([t] if not detach else []) + ([negatives] if more else [])
    found = run(lambda: soft_clip(p, t, temperature, **given), *leaves)
    expected = run(lambda: contrastive.soft_clip(p, t, temperature, **given), *leaves)
    torch.testing.assert_close(found, expected)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("both", [True, False])
def test_blocks_give_info_nce(size, both, monkeypatch):
    monkeypatch.setattr("neurodecode_kernels.soft_clip.reference.BLOCK", 6)
    p, t = unit(*size, 1, dtype=torch.float64), unit(*size, 2, dtype=torch.float64)
    temperature = torch.tensor(0.3, dtype=torch.float64, requires_grad=True)
    leaves = [p, t, temperature]
    found = run(lambda: info_nce(p, t, temperature, bidirectional=both), *leaves)
    expected = run(lambda: contrastive.info_nce(p, t, temperature, bidirectional=both), *leaves)
    torch.testing.assert_close(found, expected)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("both", [True, False])
@pytest.mark.parametrize("loss", [soft_clip, info_nce])
def test_the_kernel_is_the_reference(size, both, loss, device, monkeypatch):
    monkeypatch.setattr("neurodecode_kernels.soft_clip.triton._STRIP", 16 * size[0])
    p, t = unit(*size, 1, device), unit(*size, 2, device)
    leaves = [p] if loss is soft_clip else [p, t]
    given = {"bidirectional": both}
    found = run(lambda: loss(p, t, 0.1, **given, backend="triton"), *leaves)
    expected = run(lambda: loss(p, t, 0.1, **given, backend="reference"), *leaves)
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=2e-5)


def test_the_kernel_takes_half_precision_and_a_learned_scale(device):
    dtype = half(device)
    p, t = unit(17, 24, 1, device, dtype), unit(17, 24, 2, device, dtype)
    found = run(lambda: soft_clip(p, t, 0.2, backend="triton"), p)
    expected = run(lambda: soft_clip(p, t, 0.2, backend="reference"), p)
    torch.testing.assert_close(found, expected, rtol=2e-2, atol=2e-3)
    assert found[0].dtype == torch.float32
    p, t = unit(17, 24, 1, device), unit(17, 24, 2, device)
    scale = torch.tensor(0.2, device=device, requires_grad=True)
    found = run(lambda: info_nce(p, t, scale, backend="triton"), scale)
    expected = run(lambda: info_nce(p, t, scale, backend="reference"), scale)
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-5)


def test_memory_of_the_reference_does_not_grow_with_the_square():
    """The largest tensor that is made has `BLOCK` rows."""
    from torch.overrides import TorchFunctionMode

    class Largest(TorchFunctionMode):
        sizes = []

        def __torch_function__(self, function, types, args=(), kwargs=None):
            out = function(*args, **(kwargs or {}))
            if isinstance(out, torch.Tensor):
                self.sizes.append(out.numel())
            return out

    p, t = unit(120, 5, 1), unit(120, 5, 2).detach()
    with Largest() as largest:
        loss = contrast(p, t, torch.tensor(3.0), True, soft=True, block=10)
        forward = len(largest.sizes)
        assert max(largest.sizes) == 10 * 120
        node = loss.grad_fn  # called by hand: torch's engine hides its calls from the mode
        node._forward_cls.backward(node, torch.ones(()))
    assert max(largest.sizes[forward:]) == 10 * 120


def test_reasons_are_given_and_asking_for_the_impossible_is_refused():
    p, t = unit(7, 9, 1), unit(7, 9, 2)
    learned = torch.tensor(0.1, requires_grad=True)
    assert why_not(p, t.detach(), 0.1) == "the tensors are on the CPU"
    assert why_not(p, t, 0.1, negatives=t) == "there are negatives"
    assert why_not(p, t, learned) == "the temperature is learned"
    assert why_not(p, t, 0.1, detach_targets=False) == "the targets are learned"
    with pytest.raises(KernelError, match="cannot run: there are negatives"):
        soft_clip(p, t, 0.1, negatives=t, backend="triton")
    with pytest.raises(KernelError, match=r"one dtype, not torch.float16, torch.float32"):
        soft_clip(p, t.half(), 0.1)
    with pytest.raises(KernelError, match=r"as many predictions as targets.*\(7, 9\), \(6, 9\)"):
        soft_clip(p, t[:6], 0.1)
    with pytest.raises(KernelError, match="rows of one dimension"):
        soft_clip(p, t[:, :8], 0.1)
    twisted = unit(9, 7, 1).T
    with pytest.raises(KernelError, match="not contiguous"):
        soft_clip(twisted, t, 0.1, backend="triton")
    torch.testing.assert_close(soft_clip(twisted, t, 0.1), soft_clip(twisted.contiguous(), t, 0.1))
