"""`neurodecode refine`: go over reconstructions with SDXL, guided by a retrieved caption."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from neurodecode.commands.generator_options import add_generator_arguments, generator_options

if TYPE_CHECKING:
    import numpy as np

    from neurodecode.embed import CaptionBank
    from neurodecode.store import Prediction

HELP = "go over reconstructions with SDXL, told by a caption what they show"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options.

    Parameters
    ----------
    parser : argparse.ArgumentParser
        Parser of this command.
    """
    parser.add_argument(
        "--predictions", type=Path, required=True, help="pictures made by `reconstruct`"
    )
    parser.add_argument("--out", type=Path, required=True, help="HDF5 file to write")
    parser.add_argument("--captions", type=Path, required=True, help="bank made by `captions`")
    parser.add_argument(
        "--decoded", type=Path,
        help="predictions with a pooled embedding, by which captions are retrieved; by default"
        " the first pictures are embedded and theirs are used",
    )  # fmt: skip
    parser.add_argument("--array", default="tokens", help="with --decoded, the array of it")
    add_generator_arguments(parser)
    parser.add_argument("--method", default="refined", help="name in the tables")
    parser.add_argument("--strength", type=float, default=0.48, help="share of the steps that run")
    parser.add_argument("--steps", type=int, default=25, help="steps of the solver")
    parser.add_argument("--guidance", type=float, default=5.0, help="towards the caption")
    parser.add_argument(
        "--blend", type=float, default=0.75,
        help="share of the refined picture, the rest is the low-level one; 1 leaves it out",
    )  # fmt: skip
    parser.add_argument("--seed", type=int, default=0)


def run(args: argparse.Namespace) -> None:
    """Refine the pictures of every prediction.

    Parameters
    ----------
    args : argparse.Namespace
        Options of this command.

    Raises
    ------
    NeurodecodeError
        If predictions, captions or weights are missing, broken or do not fit each other.
    """
    from neurodecode.embed import CaptionBank
    from neurodecode.errors import about
    from neurodecode.generate.refine import SdxlRefiner
    from neurodecode.store import read_predictions, write_predictions
    from neurodecode.tasks.refine import Refining, refine

    content, bank = read_predictions(args.predictions), CaptionBank(args.captions)
    how = Refining(args.strength, args.steps, args.guidance, args.blend, args.seed)
    queries = _queries(args, content.predictions, bank)
    refiner = SdxlRefiner.load(**generator_options(args))
    with about(file=args.predictions):
        refined = [
            refine(each, query, bank, refiner, how)
            for each, query in zip(content.predictions, queries, strict=True)
        ]
    attrs = dict(content.attrs) | {
        "refiner": dict(refiner.provenance),
        "refining": vars(how),
        "captions": dict(bank.store.attrs),
        "caption_from": "decoded embedding" if args.decoded else "first picture",
    }
    write_predictions(args.out, args.method, refined, attrs)


def _queries(
    args: argparse.Namespace, predictions: list[Prediction], bank: CaptionBank
) -> list[np.ndarray]:
    """Pooled embeddings by which captions are retrieved, for each prediction."""
    from neurodecode.embed import make_embedder
    from neurodecode.errors import DataError, about
    from neurodecode.store import read_predictions

    if args.decoded is None:
        fetch: dict[str, Any] = {"download": True} if args.download else {}
        embedder = make_embedder(bank.embedder, **fetch)
        with about(file=args.predictions):
            return [embedder.encode_images(p.array("images"))["pooled"] for p in predictions]
    content = read_predictions(args.decoded)
    decoded = {(each.subject, each.fold): each for each in content.predictions}
    model = content.attrs.get("embedding_model")
    if model and model != bank.embedder:
        raise DataError(
            f"decoded are embeddings of {model}, captions are in the space of {bank.embedder}",
            file=args.decoded, fix="leave --decoded out, or make a bank with that model",
        )  # fmt: skip
    queries = []
    for each in predictions:
        found = decoded.get((each.subject, each.fold))
        if found is None or list(found.stimulus_id) != list(each.stimulus_id):
            raise DataError("other stimuli than the pictures", file=args.decoded,
                            subject=each.subject, field="stimulus_id")  # fmt: skip
        with about(file=args.decoded):
            values = found.array(args.array)
        # a pooled embedding counts as one token to the decoder
        queries.append(values[:, 0] if values.ndim == 3 and values.shape[1] == 1 else values)
    return queries
