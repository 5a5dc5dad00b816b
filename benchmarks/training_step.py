"""Time and memory of one training step of each published decoder.

``python -m benchmarks.training_step`` takes the decoders of `configs/nsd`, at published size where
there is a CUDA device, else at a sixteenth of the width (two minutes). Three ways to run the same
network on the same batch:

- ``reference``: the plain recipe, float32, a Python loop that takes each subject through the whole
  network, AdamW parameter by parameter;
- ``neurodecode``: as `DecodeTask` trains, all subjects in one pass behind their adapters and a
  fused AdamW, in bfloat16 on CUDA;
- ``compiled``: the same with ``torch.compile`` (on the CPU only if asked for, ``--compile``).

Before anything is timed, the first two must agree on the loss in float32. The prior has no part in
this: it is trained by itself here. Each measurement is a process of its own.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import torch
import yaml
from jsonargparse import ArgumentParser
from torch import Tensor
from torch.optim import AdamW

from benchmarks.machine import save
from neurodecode.context import BuildContext
from neurodecode.losses import mix_responses
from neurodecode.nn.decoder import Decoded
from neurodecode.tasks.decode import DecodeTask
from neurodecode.tasks.optim import parameter_groups

SYSTEMS = ("mindeye", "mindeye2", "see_through", "mindbridge")
VOXELS = (15724, 14278, 15226, 13153, 13039, 17907, 12682, 14386)
#: Tokens and latent that each embedding has at published size.
TARGETS = {
    "joint": (257, 768), "patches": (256, 1664), "text": (768,), "latent": (4, 64, 64),
}  # fmt: skip
#: What is divided by how much on a CPU.
SHRUNK = {"width": 16, "hidden": 8, "n_out": 16, "bottleneck": 8, "inner": 4, "channels": 8}
_CONFIGS = Path(__file__).resolve().parents[1] / "configs" / "nsd"


def shrink(value: Any) -> Any:
    """Divide the sizes in a configuration."""
    if isinstance(value, dict):
        return {name: _divide(item, SHRUNK.get(name, 1)) for name, item in value.items()}
    return [shrink(item) for item in value] if isinstance(value, list) else value


def _divide(item: Any, by: int) -> Any:
    if by == 1:
        return shrink(item)
    return [_divide(each, by) for each in item] if isinstance(item, list) else max(4, item // by)


def target_shape(name: str, system: str, small: bool) -> tuple[int, ...]:
    """Shape of a target; on a CPU fewer tokens of fewer dimensions, and smaller latents."""
    shape = (4, 28, 28) if (name, system) == ("latent", "mindeye2") else TARGETS[name]
    if not small:
        return shape
    return (4, *(n // 4 for n in shape[1:])) if name == "latent" else tuple(n // 8 for n in shape)


def build(system: str, small: bool) -> tuple[DecodeTask, dict[str, Tensor], dict[str, Tensor]]:
    """Make the model of a configuration and one random batch of its size."""
    content = yaml.safe_load((_CONFIGS / f"{system}.yaml").read_text(encoding="utf-8"))
    model, data = content["model"]["init_args"], content["data"]["init_args"]
    model = shrink(model) if small else model
    subjects = data.get("subjects") or [f"subj0{k}" for k in range(1, 9)]
    counts = {name: VOXELS[int(name[-1]) - 1] // (16 if small else 1) for name in subjects}
    shapes = {name: target_shape(name, system, small) for name in data["embeddings"]}
    parser = ArgumentParser(exit_on_error=False)
    parser.add_class_arguments(DecodeTask, "it", skip={"context"}, instantiate=False)
    arguments = parser.instantiate(parser.parse_object({"it": model})).it.as_dict()
    torch.manual_seed(0)
    device = "cpu" if small else "cuda"
    with torch.device(device):
        task = DecodeTask(BuildContext(counts, shapes), **arguments)
        share = data["batch_size"] // len(subjects)
        responses = {name: torch.randn(share, n) for name, n in counts.items()}
        n = share * len(subjects)
        targets = {name: torch.randn(n, *shape) for name, shape in shapes.items()}
    return task, responses, targets


def decode_by_subject(task: DecodeTask, responses: dict[str, Tensor]) -> Decoded:
    """Take each subject through the whole network, and put the rows together."""
    parts = [task.decoder({name: trials}) for name, trials in responses.items()]
    fields = zip(*parts, strict=True)
    return Decoded(*(None if each[0] is None else torch.cat(each) for each in fields))


def loss_of(task: DecodeTask, responses: dict, targets: dict, *, loop: bool) -> Tensor:
    """Loss of a batch in the first phase, with mixing where the system mixes."""
    mixing, temperature = task.phases.at(0, 100)
    given, mixup = mix_responses(responses) if mixing else (responses, None)
    decoded = decode_by_subject(task, given) if loop else task(given)
    return task.losses(decoded, targets, temperature, mixup, responses=given)["loss"]


def agree(task: DecodeTask, responses: dict, targets: dict) -> float:
    """Relative difference of the two losses in float32, without dropout."""
    task.eval()
    losses = []
    with torch.no_grad():
        for loop in (True, False):
            torch.manual_seed(1)
            losses.append(loss_of(task, responses, targets, loop=loop).item())
    task.train()
    difference = abs(losses[0] - losses[1]) / abs(losses[0])
    if difference > 1e-4:
        raise SystemExit(f"the recipes disagree: {losses}")
    return difference


def measure(system: str, way: str, steps: int) -> dict[str, Any]:
    """Median time of a step after two to warm up, and peak memory."""
    cuda = torch.cuda.is_available()
    task, responses, targets = build(system, small=not cuda)
    difference = agree(task, responses, targets) if way == "neurodecode" else None
    groups = parameter_groups(task.decoder, 1e-2)
    plain = way == "reference"
    optimizer = AdamW(groups, lr=3e-4, fused=not plain, foreach=False if plain else None)
    if way == "compiled":
        task.decoder.compile()
    if cuda:
        torch.cuda.reset_peak_memory_stats()
    seconds = []
    for _ in range(steps + 2):
        start = time.perf_counter()
        with torch.autocast("cuda", torch.bfloat16, enabled=cuda and not plain):
            loss = loss_of(task, responses, targets, loop=plain)
        loss.backward()
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        if cuda:
            torch.cuda.synchronize()
        seconds.append(time.perf_counter() - start)
    peak = (
        torch.cuda.max_memory_allocated()
        if cuda
        else resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    )
    return {
        "step_ms": round(1e3 * statistics.median(seconds[2:]), 1),
        "peak_memory_gb": round(peak / 1e9, 3),
        "rows": sum(map(len, responses.values())),
        "parameters_m": round(sum(p.numel() for p in task.parameters()) / 1e6, 1),
    } | ({} if difference is None else {"loss_difference": float(f"{difference:.1e}")})


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--systems", nargs="+", default=SYSTEMS, choices=SYSTEMS)
    parser.add_argument("--steps", type=int, default=5)
    parser.add_argument("--compile", action="store_true", help="also compiled, on a CPU")
    parser.add_argument("--measure", nargs=2, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.measure:
        sys.stdout.write(json.dumps(measure(*args.measure, args.steps)))
        return
    cuda = torch.cuda.is_available()
    ways = ["reference", "neurodecode"] + (["compiled"] if cuda or args.compile else [])
    results: dict[str, Any] = {
        "device": torch.cuda.get_device_name() if cuda else "cpu",
        "size": "published" if cuda else "a sixteenth of the width",
        "threads": torch.get_num_threads(),
        "load_before": round(os.getloadavg()[2], 2),
    }
    for system in args.systems:
        results[system] = {}
        for way in ways:
            command = [sys.executable, "-m", "benchmarks.training_step", "--measure", system, way]
            command += ["--steps", str(args.steps)]
            done = subprocess.run(command, capture_output=True, text=True, check=False)
            if done.returncode:
                raise SystemExit(f"{system}, {way}: {done.stderr.strip()[-800:]}")
            results[system][way] = json.loads(done.stdout)
            print(system, way, results[system][way], flush=True)
    print(save("training_step", results))


if __name__ == "__main__":
    main()
