"""`neurodecode reconstruct`: turn decoded embeddings into pictures."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from neurodecode.commands.generator_options import add_generator_arguments, generator_options

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np

    from neurodecode.generate import ImageGenerator
    from neurodecode.generate.guide import Guidance
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
    parser.add_argument(
        "--generator", default="mini",
        help="image generator: mini, dct, kandinsky2.2, stable-unclip, sd-ip-adapter,"
        " sdxl-ip-adapter (docs/generators.md)",
    )  # fmt: skip
    add_generator_arguments(parser)
    parser.add_argument(
        "--embedder", help="embeds the drawn pictures; by default the one of the decoded embedding"
    )
    parser.add_argument("--method", help="name in the tables; by default that of the predictions")
    parser.add_argument(
        "--tokens",
        help="array given to the generator; by default prior_tokens, else what was decoded",
    )
    parser.add_argument(
        "--latents-of", metavar="EMBEDDER",
        help="autoencoder of the decoded latents (mini-vae, sd-vae:...), where it is not the"
        " generator's own",
    )  # fmt: skip
    parser.add_argument(
        "--first", type=int, metavar="N",
        help="draw the first N stimuli of each prediction by their ids: a movie of windows of time"
        " needs no more",
    )  # fmt: skip
    parser.add_argument("--samples", type=int, default=4, help="pictures to choose from")
    parser.add_argument("--strength", type=float, default=0.85, help="1 ignores the decoded latent")
    parser.add_argument("--steps", type=int, default=20, help="steps of the solver")
    parser.add_argument("--guidance", type=float, default=2.0, help="classifier-free guidance")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument(
        "--guide",
        type=Path,
        metavar="FOLDER",
        help="encoders (`neurodecode encoder`) under which the pictures are to make the measured"
        " responses likely; needs --stores and --splits",
    )
    parser.add_argument(
        "--guide-scale", type=float, default=0.8, help="pull of the guide (default: %(default)s)"
    )
    parser.add_argument("--stores", type=Path, help="folder with sub-*.h5: measured responses")
    parser.add_argument("--splits", type=Path, help="splits.json")
    control = parser.add_mutually_exclusive_group()
    control.add_argument(
        "--prior-only",
        action="store_true",
        help="control: draw without a brain: nothing decoded, one picture of each stimulus",
    )
    control.add_argument(
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
        If options, predictions, encoders or weights are missing, broken or do not fit each
        other.
    """
    _check(args)
    from neurodecode.errors import ConfigError, about
    from neurodecode.store import read_predictions, write_predictions
    from neurodecode.store.shards import Shard
    from neurodecode.tasks.controls import derange

    shard = Shard.parse(args.shard) if args.shard else None
    content = read_predictions(args.predictions)
    predictions = [_first(each, args.first) for each in content.predictions]
    method, attrs = args.method or content.method, dict(content.attrs)
    parts = None
    with about(file=args.predictions):
        if args.shuffle_responses:
            predictions = [derange(each, args.seed) for each in predictions]
            method = args.method or "shuffled"
            attrs["shuffled"] = True
        if args.prior_only:
            method = args.method or "prior_only"
            attrs["control"] = True
        if args.prior_only or not all("images" in each.arrays for each in predictions):
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


def _check(args: argparse.Namespace) -> None:
    from neurodecode.errors import ConfigError

    if args.samples < 1:
        raise ConfigError(f"--samples must be at least 1, not {args.samples}")
    if args.first is not None and args.first < 1:
        raise ConfigError(f"--first must be at least 1, not {args.first}")
    if args.guide is None:
        return
    if args.stores is None or args.splits is None:
        raise ConfigError("--guide needs --stores and --splits: the measured responses")
    if args.guide_scale <= 0:
        raise ConfigError(f"--guide-scale is {args.guide_scale}; give a positive number")
    if args.prior_only:
        raise ConfigError("--prior-only draws without a brain: leave --guide out")
    if args.shuffle_responses:
        raise ConfigError(
            "--shuffle-responses exchanges pictures that were drawn: leave --guide out, and give"
            " the file of the guided reconstructions as --predictions"
        )


def _first(prediction: Prediction, n: int | None) -> Prediction:
    """Keep the rows of the first stimuli, in their order."""
    if n is None:
        return prediction
    kept = set(sorted(set(prediction.stimulus_id))[:n])
    rows = [row for row, name in enumerate(prediction.stimulus_id) if name in kept]
    arrays = {name: values[rows] for name, values in prediction.arrays.items()}
    names = [prediction.stimulus_id[row] for row in rows]
    return replace(prediction, stimulus_id=names, arrays=arrays)


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
    from neurodecode.tasks.controls import for_everybody, without_response
    from neurodecode.tasks.drawn_parts import DrawnParts
    from neurodecode.tasks.reconstruct import reconstruct

    target = content.attrs.get("target", "tokens")
    drawing = _drawing(args, predictions, target)
    generator = make_generator(args.generator, **generator_options(args))
    _check_embedding(generator, content, predictions, drawing)
    decoded = predictions
    if args.prior_only:
        predictions = [without_response(decoded, drawing.tokens)]
    fetch = {"download": True} if args.download else {}
    # best of N is chosen in the space of the decoded embedding
    name = args.embedder or content.attrs.get("embedding_model") or "mini-clip"
    embedder = make_embedder(name, **fetch)
    to_picture = _low_level_decoder(args.latents_of, fetch)
    guide, made = _guides(args)
    made |= {
        "task": "reconstruction",
        "generator": dict(generator.provenance),
        "embedder": dict(embedder.provenance),
        "drawing": vars(drawing),
        "seed": args.seed,
    }
    if args.latents_of:
        made["latents_of"] = args.latents_of
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
                to_picture,
                guide(each),
            ),
            shard,
            lambda n: advance(n * drawing.n_samples),
        )
    if args.prior_only and drawn is not None:
        drawn = for_everybody(drawn[0], decoded)
    return drawn, made, parts


def _check_embedding(
    generator: ImageGenerator,
    content: PredictionFile,
    predictions: list[Prediction],
    drawing: Drawing,
) -> None:
    """Refuse a decoder of another embedding than the generator draws from."""
    from neurodecode.errors import about

    for each in predictions:
        if drawing.tokens in each.arrays:
            with about(subject=each.subject):
                shape = each.arrays[drawing.tokens].shape[1:]
                generator.takes.refuse_others(content.attrs, shape)


def _low_level_decoder(
    name: str | None, fetch: dict[str, bool]
) -> Callable[[np.ndarray], np.ndarray] | None:
    """How decoded latents become pictures, where the generator's autoencoder is another."""
    if name is None:
        return None
    import torch

    from neurodecode.embed import make_embedder
    from neurodecode.errors import ConfigError

    autoencoder = make_embedder(name, **fetch)
    if not hasattr(autoencoder, "decode"):
        raise ConfigError(f"--latents-of {name}: is no autoencoder; take mini-vae or sd-vae:...")
    return lambda latents: autoencoder.decode(torch.as_tensor(latents))


def _guides(
    args: argparse.Namespace,
) -> tuple[Callable[[Prediction], Guidance | None], dict[str, Any]]:
    """Make what guides each subject and fold, and the attributes that tell of it."""
    if args.guide is None:
        return lambda prediction: None, {}
    from neurodecode.generate.guide import Guidance
    from neurodecode.splits import read_split
    from neurodecode.tasks.guide import GuideBook

    book = GuideBook(args.guide, args.stores, read_split(args.splits))
    made = {"guide": {"embedder": book.embedder, "scale": args.guide_scale}}
    return lambda prediction: Guidance(book.guide(prediction), args.guide_scale), made


def _drawing(args: argparse.Namespace, predictions: list[Prediction], target: str) -> Drawing:
    from neurodecode.tasks.reconstruct import Drawing

    # a decoder of a pooled embedding calls it tokens
    compare = target if all(target in each.arrays for each in predictions) else "tokens"
    has_prior = all("prior_tokens" in each.arrays for each in predictions)
    tokens = args.tokens or ("prior_tokens" if has_prior else compare)
    return Drawing(
        tokens=tokens,
        # without a brain there is nothing to choose by, and nothing to be guided away from
        compare=tokens if args.prior_only else compare,
        n_samples=1 if args.prior_only else args.samples,
        strength=args.strength,
        n_steps=args.steps,
        guidance=1.0 if args.prior_only else args.guidance,
        seed=args.seed,
    )
