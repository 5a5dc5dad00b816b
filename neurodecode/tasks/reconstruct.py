"""From decoded embeddings to pictures: draw several, keep the one most like what was decoded."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from neurodecode.errors import ConfigError, DataError
from neurodecode.generate import ImageGenerator, can_be_guided
from neurodecode.store import Prediction

if TYPE_CHECKING:
    from neurodecode.generate.guide import Guidance

__all__ = ["Drawing", "reconstruct", "row_seed"]

#: Embeds pictures: ``uint8 (n, height, width, 3) -> (n, ...)``.
Embed = Callable[[np.ndarray], np.ndarray]

_CHUNK = 50


@dataclass(frozen=True)
class Drawing:
    """How pictures are drawn.

    Parameters
    ----------
    tokens : str
        Array of the prediction that the generator is given.
    compare : str
        Array with which the embeddings of the drawn pictures are compared.
    n_samples : int
        Pictures drawn for each prediction; the best is kept.
    strength : float
        How far to go from the decoded low-level picture: 0 returns it, 1 ignores it.
    n_steps : int
        Steps of the solver.
    guidance : float
        Classifier-free guidance of the generator.
    seed : int
        Seed of all drawings.
    """

    tokens: str = "tokens"
    compare: str = "tokens"
    n_samples: int = 4
    strength: float = 0.85
    n_steps: int = 20
    guidance: float = 2.0
    seed: int = 0


def row_seed(*parts: object) -> int:
    """Derive a seed from names and numbers.

    Parameters
    ----------
    *parts : object
        Anything with a stable text form.

    Returns
    -------
    int
        Between 0 and 2**31 - 1; the same on every machine.
    """
    text = "\x1f".join(str(part) for part in parts)
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=4).digest()) >> 1


def reconstruct(
    prediction: Prediction,
    generator: ImageGenerator,
    embed: Embed,
    drawing: Drawing,
    advance: Callable[[int], None] = lambda n: None,
    to_picture: Callable[[np.ndarray], np.ndarray] | None = None,
    guide: Guidance | None = None,
) -> Prediction:
    """Draw pictures for all predictions of one subject.

    The picture that is kept is the one whose embedding has the largest cosine with the decoded
    embedding; the true picture is never looked at.

    Parameters
    ----------
    prediction : Prediction
        With the arrays named in `drawing`, and ``latent`` to start from, if there is one.
    generator : ImageGenerator
        Draws.
    embed : callable
        Embeds pictures into the space of the decoded embedding.
    drawing : Drawing
        How to draw.
    advance : callable
        Told the number of pictures drawn, for a progress bar.
    to_picture : callable, optional
        Turns decoded latents into pictures (n, height, width, 3), where they are another
        autoencoder's than the generator's; it starts from these pictures then.
    guide : Guidance, optional
        What the pictures have to explain besides; its rows are those of the prediction.

    Returns
    -------
    Prediction
        With ``images`` (n, height, width, 3), ``chosen`` (which sample), ``similarity`` (its
        cosine), and ``low_level``, the decoded latent as a picture.

    Raises
    ------
    ConfigError
        If the generator cannot be guided.
    DataError
        If the prediction lacks one of the arrays.
    """
    if guide is not None and not can_be_guided(generator):
        raise ConfigError(f"generator {generator.name} cannot be guided: leave the guide out")
    for name in (drawing.tokens, drawing.compare):
        if name not in prediction.arrays:
            raise DataError(
                f"no array {name!r} (found: {', '.join(sorted(prediction.arrays))})",
                subject=prediction.subject,
                field="arrays",
                fix="choose another with --tokens",
            )
    n = len(prediction.stimulus_id)
    chunks = [slice(start, start + _CHUNK) for start in range(0, n, _CHUNK)]
    parts = [
        _draw(prediction, rows, generator, embed, drawing, advance, to_picture, guide)
        for rows in chunks
    ]
    arrays = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    return Prediction(
        subject=prediction.subject,
        stimulus_id=prediction.stimulus_id,
        arrays=arrays,
        n_averaged=prediction.n_averaged,
        fold=prediction.fold,
        window=prediction.window,
    )


def _draw(
    prediction: Prediction,
    rows: slice,
    generator: ImageGenerator,
    embed: Embed,
    drawing: Drawing,
    advance: Callable[[int], None],
    to_picture: Callable[[np.ndarray], np.ndarray] | None,
    guide: Guidance | None,
) -> dict[str, np.ndarray]:
    """Draw all samples of some rows, keeping the best so far."""
    stimuli = prediction.stimulus_id[rows]
    tokens = prediction.arrays[drawing.tokens][rows]
    decoded = prediction.arrays[drawing.compare][rows]
    latent = prediction.arrays["latent"][rows] if "latent" in prediction.arrays else None
    low_level = None
    if latent is not None and to_picture is not None:
        low_level = to_picture(latent)
        latent = generator.encode(low_level)
    # only a guided generator is asked for more than every generator can do
    guided: dict[str, Any] = {} if guide is None else {"guide": guide.from_row(rows.start)}
    best: dict[str, np.ndarray] = {}
    for sample in range(drawing.n_samples):
        images = generator.generate(
            tokens,
            init_latents=latent,
            strength=drawing.strength,
            n_steps=drawing.n_steps,
            guidance=drawing.guidance,
            seed=[row_seed(drawing.seed, prediction.subject, name, sample) for name in stimuli],
            **guided,
        )
        similarity = _cosine(embed(images), decoded)
        chosen = np.full(len(stimuli), sample)
        found = {"images": images, "chosen": chosen, "similarity": similarity}
        if best:
            worse = similarity <= best["similarity"]
            for name, values in found.items():
                values[worse] = best[name][worse]
        best = found
        advance(len(stimuli))
    if latent is not None:
        best["low_level"] = generator.decode(latent) if low_level is None else low_level
    return best


def _cosine(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    first, second = (x.reshape(len(x), -1).astype(np.float64) for x in (first, second))
    norms = np.linalg.norm(first, axis=1) * np.linalg.norm(second, axis=1)
    return (first * second).sum(axis=1) / np.maximum(norms, 1e-12)
