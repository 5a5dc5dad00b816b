"""How much faster NevaClip searches many pictures at once than one after the other.

``python -m benchmarks.nevaclip`` runs `FixationSearch` through CLIP's RN50 at 224 pixels (random
weights take as long as trained ones) on a batch, and picture by picture, on the same device. On a
GPU the bar is 32 pictures x 10 fixations x 20 steps; on a CPU ask for fewer steps, and CPU time is
what counts, because other processes do not change it.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable

import open_clip
import torch
from torch import Tensor, nn

from benchmarks.machine import save
from neurodecode.embed.openclip import build_clip
from neurodecode.nn.scanpath.neva import FixationSearch


def timed(work: Callable[[], object], device: torch.device) -> float:
    """Seconds; of the processor on a CPU, of the clock on a GPU."""
    clock = time.process_time if device.type == "cpu" else time.perf_counter
    if device.type == "cuda":
        torch.cuda.synchronize()
    start = clock()
    work()
    if device.type == "cuda":
        torch.cuda.synchronize()
    return clock() - start


def compare(args: argparse.Namespace) -> dict[str, float | str | int]:
    """Time both ways."""
    device = torch.device(args.device)
    torch.manual_seed(0)
    tower: nn.Module = build_clip(open_clip.get_model_config("RN50")).visual
    tower = tower.eval().requires_grad_(False).to(device, memory_format=torch.channels_last)
    images = torch.rand(args.images, 3, 224, 224, device=device)
    wanted = torch.randn(args.images, 1024, device=device)
    search = FixationSearch(n_steps=args.steps)

    def run(part: Tensor, goal: Tensor) -> None:
        """Search some pictures."""
        search(tower, part, goal, args.fixations, torch.Generator().manual_seed(0))

    def one_by_one() -> None:
        """Search every picture alone."""
        for row in range(args.images):
            run(images[row : row + 1], wanted[row : row + 1])

    warm = FixationSearch(n_steps=2)
    for n in (1, args.images):  # kernels are chosen by shape
        warm(tower, images[:n], wanted[:n], 1)
    together, alone = timed(lambda: run(images, wanted), device), timed(one_by_one, device)
    return {
        "device": str(device), "images": args.images, "fixations": args.fixations,
        "steps": args.steps, "threads": torch.get_num_threads(),
        "batch_s": together, "loop_s": alone, "speedup": alone / together,
    }  # fmt: skip


def main() -> None:
    """Measure and save."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--images", type=int, default=32)
    parser.add_argument("--fixations", type=int, default=10)
    parser.add_argument("--steps", type=int, default=20)
    results = compare(parser.parse_args())
    print(results)
    save("nevaclip", results)


if __name__ == "__main__":
    main()
