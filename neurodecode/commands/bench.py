"""`neurodecode bench`: measure what parts of the package cost on this machine."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

HELP = "measure what every attention mechanism costs, or how well it predicts responses"
_OUT = {False: Path("benchmarks/results/attention.json"),
        True: Path("benchmarks/results/attention_on_brains.json")}  # fmt: skip


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options.

    Parameters
    ----------
    parser : argparse.ArgumentParser
        Parser of this command.
    """
    parser.add_argument("what", choices=["attention"], help="what to measure")
    parser.add_argument(
        "--out", type=Path, metavar="FILE",
        help="results (default: benchmarks/results/attention.json, attention_on_brains.json)",
    )  # fmt: skip
    parser.add_argument(
        "--mechanisms", nargs="+", metavar="NAME", help="of the registry; all by default"
    )
    parser.add_argument(
        "--lengths", nargs="+", type=int, metavar="N",
        help="numbers of keys, squares; 64 to 65536 by default",
    )  # fmt: skip
    parser.add_argument("--heads", type=int, default=4, metavar="N")
    parser.add_argument("--head-dim", type=int, default=32, metavar="N")
    parser.add_argument("--backward", action="store_true", help="with gradients")
    parser.add_argument("--repeats", type=int, default=3, metavar="N")
    parser.add_argument(
        "--seconds", type=float, default=20, metavar="S",
        help="leave out runs expected to take longer (default: %(default)s)",
    )  # fmt: skip
    parser.add_argument("--device", choices=["auto", "cpu", "cuda"], default="auto")
    from neurodecode.commands.bench_brains import add_brain_arguments

    add_brain_arguments(parser)


def run(args: argparse.Namespace) -> None:
    """Measure and write the results.

    Parameters
    ----------
    args : argparse.Namespace
        Options of this command.

    Raises
    ------
    ConfigError
        If a mechanism is unknown, a length no square, or there is no GPU where one is asked for.
    """
    from neurodecode.bench.machine import machine
    from neurodecode.files import write_json

    out = args.out or _OUT[args.brains is not None]
    if args.brains is not None:
        from neurodecode.commands.bench_brains import compare_on_brains

        results = compare_on_brains(args, out)
    else:
        results = _measure(args)
    out.parent.mkdir(parents=True, exist_ok=True)
    name = "attention" if args.brains is None else "attention_on_brains"
    write_json(out, {"benchmark": name, "machine": machine(), "results": results})


def _measure(args: argparse.Namespace) -> dict[str, Any]:
    """Time and memory of each mechanism."""
    from dataclasses import asdict

    import torch

    from neurodecode.bench.attention import LENGTHS, PATTERNS, Settings, known_mechanisms, rows
    from neurodecode.errors import ConfigError
    from neurodecode.progress import progress_bar

    cuda = torch.cuda.is_available()
    if args.device == "cuda" and not cuda:
        raise ConfigError("--device cuda: no GPU on this machine")
    device = "cpu" if args.device == "cpu" or not cuda else "cuda"
    settings = Settings(
        n_heads=args.heads, head_dim=args.head_dim, device=device, backward=args.backward,
        repeats=args.repeats, seconds=args.seconds,
    )  # fmt: skip
    names, lengths = args.mechanisms or known_mechanisms(), args.lengths or LENGTHS
    n = len(names) * len(lengths) * len(PATTERNS)
    made = []
    with progress_bar("measuring attention", n, quiet=args.quiet) as advance:
        for row in rows(names, lengths, settings):
            made.append(row)
            advance(len(made))
    no_gpu = "cpu; no accelerator on this machine"
    return {
        "device": torch.cuda.get_device_name() if device == "cuda" else "cpu" if cuda else no_gpu,
        "threads": torch.get_num_threads(),
        "settings": asdict(settings),
        "rows": made,
    }
