"""Measure the bundled models on held-out scenes and write their card (pipeline stage `card`)."""

from __future__ import annotations

import argparse
import logging
from pathlib import Path
from typing import Any

import numpy as np

from neurodecode.embed.bundle import CHECKSUMS
from neurodecode.embed.openclip import OpenClipEmbedder
from neurodecode.files import atomic_path, read_json, write_json
from neurodecode.generate.mini import MiniGenerator
from neurodecode.tasks.pretrain_measures import (
    measure_clip,
    measure_generator,
    measure_prior,
    measure_vae,
    picture_grid,
    read_held_out,
)

log = logging.getLogger(__name__)

_MODELS = ("mini-clip", "mini-vae", "mini-generator", "mini-prior")
_TEXT = """# Card of the bundled miniature weights

Four small models trained by this project on its own procedural scenes (64 x 64 pixels, one to
three of twelve kinds of objects in eight colours on eight backgrounds). They let the whole job,
brain to CLIP space to picture, run on a laptop without a network. They know nothing but these
scenes; the generator was also tuned on responses of four simulated people (see below), and none of
them knows a real brain. For photographs use public weights.

| model | class | parameters | steps | file |
|---|---|---|---|---|
{models}

- **Data**: {n_train} scenes, rendered by `neurodecode.tasks.pretrain_scenes` (seed {seed}), with
  five captions each; {n_val} more are held out, and all figures below are measured on them.
  The miniature world of the recordings draws its scenes from other seeds.
- **mini-clip**: open_clip `CLIP`, patches of 16 pixels, symmetric InfoNCE in batches of 256; then
  for longer, in batches of scenes with the same background and main colour, and with the words of
  the caption as labels besides (SuperClass, Huang et al. 2024). The vocabulary is CLIP's own, cut
  down to the merges these captions need.
- **mini-vae**: diffusers `AutoencoderKL` on 2 x 2 pixel blocks; L1 + 2 MSE + 0.5 edges + 1e-4 KL;
  moving average of the weights; then the decoder alone for longer.
- **mini-generator**: diffusers `UNet2DConditionModel` on 4 x 16 x 16 latents; cross-attention to
  the 17 layer-normed tokens of mini-clip, patch tokens also laid over the latent; velocity
  prediction, cosine schedule, 10 % of the conditions dropped; moving average of the weights. Its
  last steps saw tokens as a decoder gives them: best guesses under noise of random size and shape
  (`neurodecode.tasks.pretrain_channel.DecodingChannel`), and then what a decoder of four simulated
  people makes of responses (`neurodecode.tasks.tune_generator.TuneGenerator`). These people come
  from the simulator of the miniature world, with another seed and other pictures.
- **mini-prior**: `neurodecode.nn.prior.PriorTransformer`, diffusion of standardised tokens given
  such best guesses; moving average of the weights. Decoding brains goes on from it.
- Weights are stored in float16 and used in float32. Settings: `config.json` beside each model.
- Made with the configurations of `pipelines/pretrain` on one CPU core each, in bfloat16 autocast;
  notes on the bundle that ships are in that pipeline's `dvc.yaml`. Checksums: `{checksums}`.

## Measured on held-out scenes

{tables}

![held-out scenes, the autoencoder's reconstructions, and pictures generated from their true
CLIP tokens with two seeds](samples.png)

Rows from top to bottom, twice: held-out scene; its reconstruction by the autoencoder; generated
from its CLIP tokens, seed 0; the same, seed 1.

## Limits

The pooled embedding of mini-clip tells categories and colours, and hardly places (see
`category_true`, `colour_true`, `place_true` above: linear read-outs trained on the held-out scenes
that are not drawn); the patch tokens hold more. The smaller objects of a scene are
drawn roughly, fine texture (stars, waves, blades of grass) is made up anew, and words outside the
scenes' own vocabulary mean nothing to the text tower.
"""


def _model_rows(folder: Path) -> str:
    rows = []
    for name in _MODELS:
        training = read_json(folder / name / "config.json")["training"]
        size = (folder / name / "model.safetensors").stat().st_size / 1e6
        earlier = training.get("earlier_steps")
        steps = f"{earlier} + {training['steps']}" if earlier else training["steps"]
        rows.append(
            f"| {name} | `{training['task']}` | {training['parameters'] / 1e6:.2f} M "
            f"| {steps} | {size:.1f} MB |"
        )
    return "\n".join(rows)


def _tables(measures: dict[str, dict[str, float]]) -> str:
    lines = ["| model | measure | value |", "|---|---|---|"]
    for model, values in measures.items():
        lines += [f"| {model} | {name} | {value:g} |" for name, value in values.items()]
    return "\n".join(lines)


def measure(folder: Path, data: Path, seed: int, n_generated: int) -> dict[str, dict[str, float]]:
    """Measure all four models and draw the grid of samples.

    Parameters
    ----------
    folder : Path
        Folder of the bundle; ``samples.png`` is written there.
    data : Path
        Folder of the pretraining scenes.
    seed : int
        Seed of the pretraining scenes.
    n_generated : int
        Held-out scenes that are generated anew.

    Returns
    -------
    dict of str to dict of str to float
        Measures of each model.
    """
    clip, generator = OpenClipEmbedder.bundled(folder), MiniGenerator.bundled(folder)
    images, texts = read_held_out(data, 2000)
    some = images[:n_generated]
    drawn_measures, drawn = measure_generator(generator, clip, images, seed, n_generated)
    again = generator.generate(clip.encode_images(some[:24])["tokens"], seed=1)
    restored = generator.decode(generator.encode(some[:24]))
    blocks = [
        np.concatenate([x[part] for x in (some, restored, drawn, again)]).reshape(4, 12, 64, 64, 3)
        for part in (slice(0, 12), slice(12, 24))
    ]
    picture_grid([row for block in blocks for row in block], folder / "samples.png")
    return {
        "mini-clip": measure_clip(clip, images, texts),
        "mini-vae": measure_vae(generator, images[:500]),
        "mini-generator": {"n_scenes": n_generated, **drawn_measures},
        "mini-prior": {
            "n_scenes": n_generated,
            **measure_prior(clip, images, seed, n_generated, folder),
        },
    }


def write_card(folder: Path, measures: dict[str, dict[str, float]], facts: dict[str, Any]) -> None:
    """Write ``card.json`` (the measures) and ``README.md``.

    Parameters
    ----------
    folder : Path
        Folder of the bundle.
    measures : dict of str to dict of str to float
        Measures of each model.
    facts : dict
        ``n_train``, ``n_val`` and ``seed`` of the scenes.
    """
    write_json(folder / "card.json", {"scenes": facts, "measures": measures})
    text = _TEXT.format(
        models=_model_rows(folder), tables=_tables(measures), checksums=CHECKSUMS, **facts
    )
    with atomic_path(folder / "README.md") as temporary:
        temporary.write_text(text, encoding="utf-8")


def main() -> None:
    """Command line of the stage."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, default=Path("data/pretrained"))
    parser.add_argument("--data", type=Path, default=Path("data/pretrain"))
    parser.add_argument("--n-generated", type=int, default=200)
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    facts = read_json(arguments.data / "scenes.json")
    measures = measure(arguments.folder, arguments.data, facts["seed"], arguments.n_generated)
    write_card(arguments.folder, measures, facts)
    log.info("%s", measures)


if __name__ == "__main__":
    main()
