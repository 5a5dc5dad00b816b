"""torchmetrics classes give what the functions give, over batches and processes."""

from __future__ import annotations

import pickle
from functools import partial

import pytest
import torch

from neurodecode.metrics import functional as fm
from neurodecode.metrics.catalogue import METRIC_NAMES
from neurodecode.metrics.feature_nets import CallableNet
from neurodecode.metrics.modules import (
    METRICS,
    FeatureDistance,
    FeatureTwoWay,
    PearsonR,
    PixCorr,
    Retrieval,
    StructuralSimilarity,
    TwoWayIdentification,
)


def encode(images):
    return torch.as_tensor(images)[:, ::2, ::3].flatten(1)


NET = CallableNet("clip", "untrained", encode)
CASES = {
    "retrieval": (Retrieval, (5, 4)),
    "two_way": (TwoWayIdentification, (5, 4)),
    "pixcorr": (lambda: PixCorr(size=40), (12, 13, 3)),
    "ssim": (lambda: StructuralSimilarity(size=40), (12, 13, 3)),
    "feature_distance": (lambda: FeatureDistance(NET), (12, 13, 3)),
    "feature_two_way": (lambda: FeatureTwoWay(NET), (12, 13, 3)),
    "pearson_r": (PearsonR, (7,)),
}


def inputs(shape: tuple[int, ...], n: int = 9) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(1)
    first = torch.rand(n, *shape, generator=generator)
    return first, (first + 0.5 * torch.rand(n, *shape, generator=generator)) / 1.5


def expected(name: str, first: torch.Tensor, second: torch.Tensor) -> torch.Tensor:
    if name == "retrieval":
        return fm.top_k_credit(fm.cosine_matrix(first, second)).mean()
    if name == "pearson_r":
        return fm.pearson_r(first, second).mean()
    function = {
        "two_way": fm.two_way_identification,
        "pixcorr": partial(fm.pixcorr, size=40),
        "ssim": partial(fm.ssim, size=40),
        "feature_distance": lambda a, b: fm.correlation_distance(encode(a), encode(b)),
        "feature_two_way": lambda a, b: fm.two_way_identification(encode(a), encode(b)),
    }[name]
    return function(first, second).mean()


def value(result) -> torch.Tensor:
    if not isinstance(result, dict):
        return result
    return result.get("retrieval_top1", result.get("pearson_r"))


def close(got, want):
    torch.testing.assert_close(value(got).double(), want.double(), rtol=1e-5, atol=1e-6)


def test_registry_is_complete():
    assert set(METRICS) == set(CASES)
    assert PixCorr().size == StructuralSimilarity().size == 425


@pytest.mark.parametrize("name", CASES)
def test_batches_give_the_whole(name):
    build, shape = CASES[name]
    first, second = inputs(shape)
    metric = build()
    for rows in (slice(0, 2), slice(2, 3), slice(3, 9)):
        metric.update(first[rows], second[rows])
    close(metric.compute(), expected(name, first, second))
    metric.reset()
    metric.update(first[:4], second[:4])
    close(metric.compute(), expected(name, first[:4], second[:4]))


@pytest.mark.parametrize("name", CASES)
def test_two_processes_give_the_whole(name):
    build, shape = CASES[name]
    first, second = inputs(shape)
    one, two = build(), build()
    one.update(first[:5], second[:5])
    two.update(first[5:], second[5:])
    two.merge_state(one)
    close(two.compute(), expected(name, first, second))


@pytest.mark.parametrize("name", CASES)
def test_pickle_and_forward(name):
    build, shape = CASES[name]
    first, second = inputs(shape)
    metric = pickle.loads(pickle.dumps(build()))
    close(metric(first[:4], second[:4]), expected(name, first[:4], second[:4]))
    metric(first[4:], second[4:])
    close(metric.compute(), expected(name, first, second))


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
@pytest.mark.parametrize("name", ["retrieval", "two_way", "pearson_r"])
def test_half_precision(name, dtype):
    build, shape = CASES[name]
    first, second = (x.to(dtype) for x in inputs(shape))
    metric = build()
    metric.update(first, second)
    close(metric.compute(), expected(name, first.float(), second.float()))


def test_retrieval_reports_documented_names():
    metric = Retrieval()
    metric.update(*inputs((5, 4)))
    result = metric.compute()
    assert set(result) <= set(METRIC_NAMES)
    assert {"retrieval_brain_top10", "median_rank", "two_way"} <= set(result)


def test_repeated_stimuli_are_one_candidate():
    target = torch.eye(4)[[2, 0, 2, 1, 1, 0, 3]]
    metric = Retrieval(ks=(1,))
    metric.update(target[:3], target[:3], torch.tensor([12, 10, 12]))
    metric.update(target[3:], target[3:], torch.tensor([11, 11, 10, 13]))
    result = metric.compute()
    assert result["retrieval_top1"] == 1
    assert "retrieval_brain_top1" not in result
    without = Retrieval(ks=(1,))
    without.update(target, target)
    assert without.compute()["retrieval_top1"] == pytest.approx((6 * 0.5 + 1) / 7)


def test_stimulus_numbers_for_some_batches_only_are_refused():
    metric = Retrieval()
    metric.update(torch.eye(3), torch.eye(3))
    metric.update(torch.eye(3), torch.eye(3), torch.arange(3))
    with pytest.raises(ValueError, match="without stimulus numbers"):
        metric.compute()


@pytest.mark.parametrize("metric", [Retrieval(), TwoWayIdentification()])
def test_shapes_must_agree(metric):
    with pytest.raises(ValueError, match="shapes differ"):
        metric.update(torch.zeros(3, 4), torch.zeros(3, 5))


def test_undefined_pairs_are_counted_and_cost():
    images = torch.rand(3, 12, 13, 3)
    uniform = images.clone()
    uniform[1] = 0.5
    metric = PixCorr(size=None)
    metric.update(images, uniform)
    assert metric.n_undefined == 1
    assert float(metric.compute()) == pytest.approx(2 / 3, abs=1e-6)
    distance = FeatureDistance(NET)
    distance.update(images, uniform)
    assert float(distance.compute()) == pytest.approx(1 / 3, abs=1e-6)
    voxels = PearsonR()
    voxels.update(torch.tensor([[1.0, 2.0], [2.0, 2.0]]), torch.tensor([[1.0, 2.0], [2.0, 5.0]]))
    assert {k: float(v) for k, v in voxels.compute().items()} == {
        "pearson_r": 0.5,
        "n_undefined": 1,
    }


def gather(rank: int, address: str, folder: str) -> None:
    """One of two processes with unequal batches."""
    import torch.distributed as dist

    dist.init_process_group("gloo", init_method=f"file://{address}", rank=rank, world_size=2)
    results = {}
    for name, (build, shape) in CASES.items():
        if name.startswith("feature"):
            continue
        first, second = inputs(shape)
        rows = slice(0, 5) if rank == 0 else slice(5, 9)
        metric = build()
        metric.update(first[rows], second[rows])
        results[name] = float(value(metric.compute()))
    torch.save(results, f"{folder}/{rank}.pt")
    dist.destroy_process_group()


@pytest.mark.slow
def test_over_gloo(tmp_path):
    import torch.multiprocessing as mp

    mp.spawn(gather, args=(str(tmp_path / "rendezvous"), str(tmp_path)), nprocs=2)
    for rank in range(2):
        results = torch.load(tmp_path / f"{rank}.pt", weights_only=True)
        for name, got in results.items():
            want = float(expected(name, *inputs(CASES[name][1])))
            assert got == pytest.approx(want, abs=1e-5), name
