"""What validation keeps, joined from several processes."""

from __future__ import annotations

import pytest
import torch

from neurodecode.tasks import validation
from neurodecode.tasks.base import _on_cpu
from neurodecode.tasks.validation import LossLog, RetrievalLog, RowLog


def joined(monkeypatch, *logs):
    """As if each log were another process's."""
    for name in ("_rows", "_batches"):
        if hasattr(logs[0], name):
            parts = [getattr(log, name) for log in logs]
    monkeypatch.setattr(validation, "gathered", lambda own: parts)
    return logs[0]


def test_rows_of_all_processes_come_together_once(monkeypatch):
    values = torch.arange(20.0).view(10, 2)
    one, two = RowLog(), RowLog()
    one.add("a.1", [4, 0, 2], values[[4, 0, 2]], -values[[4, 0, 2]])
    two.add("a.1", [1, 4], values[[1, 4]], -values[[1, 4]])  # 4 was dealt twice
    two.add("b", [9], values[[9]], -values[[9]])
    log = joined(monkeypatch, one, two)
    log.gather()
    assert log.subjects == ["a.1", "b"]
    decoded, target = log.pairs("a.1")
    torch.testing.assert_close(decoded, values[[0, 1, 2, 4]])
    torch.testing.assert_close(target, -values[[0, 1, 2, 4]])


def test_retrieval_is_scored_among_the_rows_of_all_processes(monkeypatch):
    target = torch.eye(7)
    wrong = target.roll(1, dims=0)
    one, two = RetrievalLog(), RetrievalLog()
    one.add("s", [0, 1, 2, 3], target[:4], target[:4])
    two.add("s", [4, 5, 6], wrong[4:], target[4:])  # each looks like the one before
    log = joined(monkeypatch, one, two)
    log.gather()
    assert log.top1() == pytest.approx({"s": 4 / 7})


def test_losses_are_means_over_rows_and_a_batch_counts_once(monkeypatch):
    one, two = LossLog(), LossLog()
    one.add("a.1", 3, 4, {"loss": torch.tensor(1.0), "latent": torch.tensor(5.0)})
    one.add("b", 3, 1, {"loss": torch.tensor(6.0)})
    two.add("a.1", 3, 4, {"loss": torch.tensor(1.0), "latent": torch.tensor(5.0)})
    two.add("b", 7, 3, {"loss": torch.tensor(2.0), "latent": torch.tensor(1.0)})
    means = joined(monkeypatch, one, two).means()
    assert means == pytest.approx({"loss": (4 + 6 + 6) / 8, "latent": (20 + 3) / 7})
    assert not one._batches


def test_bfloat16_leaves_the_network_as_float32():
    assert _on_cpu(torch.ones(2, dtype=torch.bfloat16)).dtype == torch.float32
    assert _on_cpu(torch.ones(2, dtype=torch.int64)).dtype == torch.int64


def test_two_way_by_hand():
    target = torch.eye(4)
    log = RetrievalLog()
    # the second is taken for the third, and is closer to that one alone
    decoded = target.clone()
    decoded[1] = torch.tensor([0.1, 0.5, 0.8, 0.2])
    log.add("s", range(4), decoded, target)
    assert log.two_way()["s"] == pytest.approx((1 + 2 / 3 + 1 + 1) / 4)
    assert log.top1()["s"] == pytest.approx(3 / 4)
