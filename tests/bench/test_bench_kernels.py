from __future__ import annotations

import json

import torch

from benchmarks import kernels
from benchmarks.kernel_cases import Case
from neurodecode_kernels.work import Work


def case(found, expected):
    return Case("it", "shape", lambda backend: (found,), lambda: (expected,), Work(8, 2))


def test_no_time_is_given_where_kernel_and_reference_disagree(monkeypatch):
    monkeypatch.setattr(kernels, "measure", lambda *_: {"ms": 1.0, "peak_mb": 1.0})
    true = torch.arange(7.0)
    for wrong in (true + 0.1, true[:6], torch.full((7,), torch.nan)):
        row = kernels.row(case(wrong, true), repeats=1, timed=True)
        assert set(row) == {"kernel", "shape", "refused"}
    row = kernels.row(case(true + 1e-5, true), repeats=1, timed=False)
    assert row["agrees"]


def test_without_a_gpu_the_file_says_so_and_keeps_what_was_measured(monkeypatch, tmp_path):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(kernels, "cases", lambda *_: [case(torch.ones(3), torch.ones(3))])
    folder = tmp_path / "results"
    folder.mkdir()
    old = {"machine": {"date": "2026-01-02"}, "results": {"device": "H200", "rows": [{"ms": 3}]}}
    (folder / "kernels.json").write_text(json.dumps(old))
    monkeypatch.setattr(kernels, "__file__", str(tmp_path / "kernels.py"))
    saved = {}
    monkeypatch.setattr(kernels, "save", lambda name, results: saved.update(results))
    assert kernels.main(["--small"]) == 0
    assert saved["device"].startswith("no accelerator on this machine (20")
    assert saved["last_measured"] == {"machine": old["machine"], **old["results"]}
    assert "rows" not in saved
    monkeypatch.setattr(kernels, "cases", lambda *_: [case(torch.ones(3), torch.zeros(3) - 1)])
    assert kernels.main(["--small", "--no-save"]) == 1


def test_bounds_are_those_of_the_readme():
    from neurodecode_kernels import work

    voxels = (15724, 14278, 15226, 13153, 13039, 17907, 12682, 14386)
    linear = work.subject_linear([(32, n) for n in voxels], 4096, 2)
    assert round(1e3 * linear.seconds(4.8e12, 989e12), 2) == 0.20
    many = work.subject_linear([(256, n) for n in voxels], 4096, 2)
    assert round(1e3 * many.seconds(4.8e12, 989e12), 2) == 0.25
    assert round(work.soft_clip(32768, 768, 2).flops / 1e12, 1) == 3.3
    assert round(work.routed_attention(256, 8, 32, 256, 64, 2).bytes / 1e6) == 155
