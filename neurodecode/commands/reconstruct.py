"""`neurodecode reconstruct`: turn decoded embeddings into pictures."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from neurodecode.store import Prediction
    from neurodecode.store.predictions import PredictionFile
    from neurodecode.store.shards import Shard
    from neurodecode.tasks.drawn_parts import DrawnParts
    from neurodecode.tasks.reconstruct import Drawing

__all__ = ["HELP", "add_arguments", "run"]

HELP = "turn decoded embeddings into pictures"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options.

    Parameters
    ----------
    parser : argparse.ArgumentParser
        Parser of this command.
    """
    parser.add_argument("--predictions", type=Path, required=True, help="decoded embeddings")
    parser.add_argument("--out", type=Path, required=True, help="HDF5 file to write")
    parser.add_argument("--generator", default="mini", help="image generator")
    parser.add_argument("--embedder", default="mini-clip", help="embeds the drawn pictures")
    parser.add_argument("--method", help="name in the tables; by default that of the predictions")
    parser.add_argument(
        "--tokens", help="array given to the generator; by default prior_tokens, else tokens"
    )
    parser.add_argument("--samples", type=int, default=4, help="pictures to choose from")
    parser.add_argument("--strength", type=float, default=0.85, help="1 ignores the decoded latent")
    parser.add_argument("--steps", type=int, default=20, help="steps of the solver")
    parser.add_argument("--guidance", type=float, default=2.0, help="classifier-free guidance")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument(
        "--shuffle-responses",
        action="store_true",
        help="baseline: each stimulus gets what was decoded from another one (within subject);"
        " with --predictions made by this command, their pictures are exchanged",
    )
    parser.add_argument(
        "--shard",
        metavar="I/N",
        help="draw one of N parts; run again without it to join them (and draw what is missing)",
    )


def run(args: argparse.Namespace) -> None:
    """Draw pictures for every prediction.

    Parameters
    ----------
    args : argparse.Namespace
        Options of this command.

    Raises
    ------
    NeurodecodeError
        If predictions or weights are missing, broken or do not fit each other.
    """
    from neurodecode.errors import ConfigError, about
    from neurodecode.store import read_predictions, write_predictions
    from neurodecode.store.shards import Shard
    from neurodecode.tasks.reconstruct import derange

    shard = Shard.parse(args.shard) if args.shard else None
    content = read_predictions(args.predictions)
    predictions = content.predictions
    method, attrs = args.method or content.method, dict(content.attrs)
    parts = None
    with about(file=args.predictions):
        if args.shuffle_responses:
            predictions = [derange(each, args.seed) for each in predictions]
            method = args.method or "shuffled"
            attrs["shuffled"] = True
        if not all("images" in each.arrays for each in predictions):
            drawn, made, parts = _draw(args, content, predictions, shard)
            if drawn is None:
                return
            predictions = drawn
            attrs |= made
        elif shard is not None:
            raise ConfigError("--shard: these predictions hold pictures, nothing is drawn")
    write_predictions(args.out, method, predictions, attrs)
    if parts is not None:
        parts.clear()


def _draw(
    args: argparse.Namespace,
    content: PredictionFile,
    predictions: list[Prediction],
    shard: Shard | None,
) -> tuple[list[Prediction] | None, dict[str, Any], DrawnParts]:
    from rich.progress import Progress

    from neurodecode.embed import make_embedder
    from neurodecode.files import sha256
    from neurodecode.generate import make_generator
    from neurodecode.tasks.drawn_parts import DrawnParts
    from neurodecode.tasks.reconstruct import reconstruct

    drawing = _drawing(args, content, predictions)
    generator, embedder = make_generator(args.generator), make_embedder(args.embedder)
    target = content.attrs.get("target", "tokens")
    made = {
        "task": "reconstruction",
        "generator": dict(generator.provenance),
        "embedder": dict(embedder.provenance),
        "drawing": vars(drawing),
        "seed": args.seed,
    }
    shuffled = bool(args.shuffle_responses)
    parts = DrawnParts(
        args.out, made | {"predictions": sha256(args.predictions), "shuffled": shuffled}
    )
    total = drawing.n_samples * sum(len(each.stimulus_id) for each in predictions)
    with Progress(disable=args.quiet) as progress:
        bar = progress.add_task("drawing pictures", total=total)

        def advance(n: int) -> None:
            progress.advance(bar, n)

        drawn = parts.draw(
            predictions,
            lambda each: reconstruct(
                each,
                generator,
                lambda images: embedder.encode_images(images)[target],
                drawing,
                advance,
            ),
            shard,
            lambda n: advance(n * drawing.n_samples),
        )
    return drawn, made, parts


def _drawing(
    args: argparse.Namespace, content: PredictionFile, predictions: list[Prediction]
) -> Drawing:
    from neurodecode.errors import ConfigError
    from neurodecode.tasks.reconstruct import Drawing

    if args.samples < 1:
        raise ConfigError(f"--samples must be at least 1, not {args.samples}")
    compare = "tokens"
    has_prior = all("prior_tokens" in each.arrays for each in predictions)
    return Drawing(
        tokens=args.tokens or ("prior_tokens" if has_prior else compare),
        compare=compare,
        n_samples=args.samples,
        strength=args.strength,
        n_steps=args.steps,
        guidance=args.guidance,
        seed=args.seed,
    )
