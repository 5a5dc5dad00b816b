from __future__ import annotations

import pytest
import torch
from halves import half
from torch import nn

from neurodecode_kernels.dispatch import KernelError
from neurodecode_kernels.interpreter import interpreting
from neurodecode_kernels.subject_linear import SubjectAdamW, subject_linear, why_not

#: Rows and features of each subject, ragged in both; one subject has no rows.
SUBJECTS = [(7, 19), (0, 8), (18, 33), (1, 40)]
WIDTH = 21


def draw(device="cpu", dtype=torch.float32, subjects=SUBJECTS):
    made = torch.Generator().manual_seed(4)

    def normal(*shape):
        return torch.randn(*shape, generator=made).to(device, dtype).requires_grad_()

    inputs = [normal(n, f) for n, f in subjects]
    return inputs, [normal(f, WIDTH) for _, f in subjects], [normal(WIDTH) for _ in subjects]


def run(given, activation, backend, bias=True):
    inputs, weights, biases = given
    out = subject_linear(inputs, weights, biases if bias else None, activation, backend=backend)
    leaves = [*inputs, *weights, *(biases if bias else [])]
    torch.manual_seed(6)
    loss = (out * torch.randn(out.shape).to(out)).sum()
    return out.detach(), torch.autograd.grad(loss, leaves, allow_unused=True)


@pytest.mark.parametrize("activation", ["none", "relu", "gelu"])
def test_the_reference_is_a_layer_for_each_subject(activation):
    inputs, weights, biases = draw()
    out = subject_linear(inputs, weights, biases, activation)
    function = {"none": nn.Identity(), "relu": nn.ReLU(), "gelu": nn.GELU()}[activation]
    rows = [nn.functional.linear(x, w.T, b) for x, w, b in zip(inputs, weights, biases)]
    torch.testing.assert_close(out, function(torch.cat(rows)))


@pytest.mark.parametrize("activation", ["none", "relu", "gelu"])
@pytest.mark.parametrize("bias", [True, False])
def test_the_kernel_is_the_reference(activation, bias, device):
    given = draw(device)
    found, expected = (run(given, activation, path, bias) for path in ("triton", "reference"))
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-4)
    n = len(SUBJECTS)
    assert found[1][n + 1] is None, "a subject without rows has no gradient"


def test_one_small_subject_is_split_along_its_features(device, monkeypatch):
    from neurodecode_kernels.subject_linear import triton

    used = []
    plain = triton._split
    monkeypatch.setattr(triton, "_split", lambda *x: used.append(plain(*x)) or used[-1])
    if device == "cpu":
        monkeypatch.setattr(triton, "_tiles", lambda n: {"BLOCK_M": 16, "BLOCK_N": 32,
                                                         "BLOCK_K": 16})  # fmt: skip
    given = draw(device, subjects=[(3, 300)])
    found, expected = (run(given, "gelu", path) for path in ("triton", "reference"))
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=2e-4)
    assert max(used) > 1


def test_half_precision(device):
    given = draw(device, half(device))
    found, expected = (run(given, "none", path) for path in ("triton", "reference"))
    torch.testing.assert_close(found, expected, rtol=3e-2, atol=6e-2)


def test_a_row_that_is_not_a_number_does_not_spread(device):
    inputs, weights, biases = draw(device)
    clean = subject_linear(inputs, weights, biases, "relu", backend="triton")
    with torch.no_grad():
        inputs[2][4] = torch.nan
    broken = subject_linear(inputs, weights, biases, "relu", backend="triton")
    row = 7 + 4
    assert broken[row].isnan().all()
    keep = [i for i in range(len(clean)) if i != row]
    torch.testing.assert_close(broken[keep], clean[keep])


def test_bad_input_is_refused():
    inputs, weights, biases = draw()
    assert why_not(inputs, weights, biases) == "the tensors are on the CPU"
    short = [each.bfloat16() for each in inputs]
    if interpreting():
        assert "cannot multiply bfloat16" in why_not(short, short)
    assert why_not(inputs, [w.T.contiguous().T for w in weights]) == "a tensor is not contiguous"
    with pytest.raises(KernelError, match="one dtype"):
        subject_linear(inputs, [each.double() for each in weights])
    with pytest.raises(KernelError, match=r"subject 2 has rows \(18, 33\), weights \(33, 20\)"):
        subject_linear(inputs, [*weights[:2], weights[2][:, :20], weights[3]])
    with pytest.raises(KernelError, match="no activation 'tanh'"):
        subject_linear(inputs, weights, biases, "tanh")
    with pytest.raises(KernelError, match=r"of \[4, 3\] subjects"):
        subject_linear(inputs, weights[:3])
    empty = [x[:0] for x in inputs]
    assert subject_linear(empty, weights).shape == (0, WIDTH)


def train(optimiser, parameters, present, steps=5, **options):
    """Gradients for present subjects only, new in every step."""
    for step in range(steps):
        for name, parameter in parameters.items():
            made = torch.Generator().manual_seed(10 * step + len(name))
            slope = torch.randn(parameter.shape, generator=made).to(parameter)
            parameter.grad = slope if name in present[step] else None
        optimiser.step(**options)


@pytest.mark.parametrize("backend", ["reference", "triton"])
def test_the_optimiser_is_adamw_on_the_subjects_of_each_batch(backend, request):
    device = request.getfixturevalue("device") if backend == "triton" else "cpu"
    present = [("a",), ("a", "bb"), ("bb",), ("a",), ("a", "bb")]
    ours, theirs = (
        {n: nn.Parameter(torch.ones(7, 9, device=device)) for n in ("a", "bb", "ccc")}
        for _ in range(2)
    )
    options = {"lr": 0.1, "betas": (0.8, 0.95), "weight_decay": 0.2}
    subjects = {name: [each] for name, each in ours.items()}
    train(SubjectAdamW(subjects, **options, backend=backend), ours, present)
    train(torch.optim.AdamW(list(theirs.values()), **options), theirs, present)
    torch.testing.assert_close(ours, theirs)
    assert (ours["ccc"] == 1).all()


def test_subjects_that_are_not_named_are_left_alone():
    parameters = {n: nn.Parameter(torch.ones(3, 4)) for n in ("a", "bb")}
    optimiser = SubjectAdamW({n: [p] for n, p in parameters.items()}, lr=0.1)
    for each in parameters.values():
        each.grad = torch.zeros_like(each)  # as distributed training leaves them
    optimiser.step(touched=["a"])
    assert (parameters["bb"] == 1).all()
    assert parameters["bb"] not in optimiser.state
    assert (parameters["a"] == 1 - 0.1 * 0.01).all(), "decay"
    with pytest.raises(KernelError, match="no subject c"):
        optimiser.step(touched=["c"])
    # a checkpoint goes on where it was
    other = SubjectAdamW({n: [p] for n, p in parameters.items()}, lr=0.1)
    other.load_state_dict(optimiser.state_dict())
    assert other.state[parameters["a"]]["step"] == 1
