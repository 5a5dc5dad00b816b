"""What the card of the bundled models says, measured on held-out scenes."""

from __future__ import annotations

from pathlib import Path

import h5py
import numpy as np
import torch
from PIL import Image
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from neurodecode.datasets.mini.scenes import place_words
from neurodecode.embed.bundle import read_bundle
from neurodecode.embed.openclip import OpenClipEmbedder
from neurodecode.files import atomic_path
from neurodecode.generate.mini import MiniGenerator
from neurodecode.losses import unit_rows
from neurodecode.metrics.functional.pixels import pixcorr
from neurodecode.metrics.functional.retrieval import top_k_credit
from neurodecode.metrics.functional.two_way import two_way_identification
from neurodecode.nn.diffusion import Diffusion, row_noise
from neurodecode.nn.prior import PriorTransformer
from neurodecode.tasks.pretrain_channel import DecodingChannel
from neurodecode.tasks.pretrain_clip import retrieval_accuracy
from neurodecode.tasks.pretrain_scenes import pretraining_scene

__all__ = [
    "measure_clip",
    "measure_generator",
    "measure_prior",
    "measure_vae",
    "picture_grid",
    "read_held_out",
]


def read_held_out(folder: Path, n: int) -> tuple[np.ndarray, list[str]]:
    """Read the first held-out scenes.

    Parameters
    ----------
    folder : Path
        Folder of ``scenes.h5``.
    n : int
        Number of scenes.

    Returns
    -------
    images : array of uint8 of shape (n, 64, 64, 3)
        Pictures.
    texts : list of str of length n
        One caption of each, the sentence forms in turn.
    """
    with h5py.File(folder / "scenes.h5") as file:
        captions = file["val"]["captions"].asstr()[:n]
        texts = [str(row[i % len(row)]) for i, row in enumerate(captions)]
        return file["val"]["images"][:n], texts


def measure_clip(clip: OpenClipEmbedder, images: np.ndarray, texts: list[str]) -> dict[str, float]:
    """Measure retrieval between held-out pictures and captions.

    Parameters
    ----------
    clip : OpenClipEmbedder
        The bundled model.
    images : array of uint8 of shape (n, 64, 64, 3)
        Pictures.
    texts : list of str of length n
        Captions.

    Returns
    -------
    dict of str to float
        Top-1 accuracy, both ways, of 100 and of 1000 candidates.
    """
    embedded = _pooled(clip, images), clip.encode_texts(texts)
    image, text = (torch.from_numpy(x) for x in embedded)
    return {
        f"{name}_top1_of_{candidates}": round(value, 4)
        for candidates in (100, 1000)
        for name, value in retrieval_accuracy(image, text, candidates).items()
    }


def _pooled(clip: OpenClipEmbedder, images: np.ndarray) -> np.ndarray:
    parts = [clip.encode_images(images[i : i + 250])["pooled"] for i in range(0, len(images), 250)]
    return np.concatenate(parts)


def measure_vae(generator: MiniGenerator, images: np.ndarray) -> dict[str, float]:
    """Measure the autoencoder's reconstruction of held-out pictures.

    Parameters
    ----------
    generator : MiniGenerator
        The bundled generator.
    images : array of uint8 of shape (n, 64, 64, 3)
        Pictures.

    Returns
    -------
    dict of str to float
        ``mse`` on the scale 0 to 1, ``psnr`` in dB of that mean, ``latent_std``.
    """
    latents = generator.encode(images)
    restored = generator.decode(latents)
    mse = float(np.mean((restored.astype(np.float64) - images) ** 2) / 255**2)
    return {
        "mse": round(mse, 6),
        "psnr": round(-10 * float(np.log10(mse)), 2),
        "latent_std": round(float(latents.std()), 4),
    }


def _read_off(train: np.ndarray, labels: list[str], test: np.ndarray) -> np.ndarray:
    """Name pictures by a logistic classifier on their CLIP embeddings."""
    classifier = make_pipeline(StandardScaler(), LogisticRegression(C=0.1, max_iter=300))
    return classifier.fit(train, labels).predict(test)


def measure_generator(
    generator: MiniGenerator, clip: OpenClipEmbedder, images: np.ndarray, seed: int, n: int
) -> tuple[dict[str, float], np.ndarray]:
    """Draw held-out pictures from their true tokens, and compare.

    Parameters
    ----------
    generator : MiniGenerator
        The bundled generator.
    clip : OpenClipEmbedder
        The bundled CLIP.
    images : array of uint8 of shape (n_scenes, 64, 64, 3)
        All held-out pictures, in order.
    seed : int
        Seed of the pretraining scenes.
    n : int
        Pictures drawn, the first ones; on the others, classifiers of the main object's category,
        colour and place are trained.

    Returns
    -------
    measures : dict of str to float
        ``two_way_clip`` (chance 0.5); ``pixcorr``, the mean correlation of pixels at 64 x 64;
        ``category_*``, ``colour_*`` and ``place_*``, how often the classifiers find those of the
        main object in the generated and in the true picture (chance 1/12, 1/8, 1/9).
    drawn : array of uint8 of shape (n, 64, 64, 3)
        The generated pictures.
    """
    drawn = generator.generate(clip.encode_images(images[:n])["tokens"])
    true, generated = _pooled(clip, images), _pooled(clip, drawn)
    measures = {
        "two_way_clip": float(two_way_identification(true[:n], generated).mean()),
        "pixcorr": float(pixcorr(images[:n], drawn, size=None).mean()),
    }
    main = [pretraining_scene("val", i, seed).main for i in range(len(images))]
    truth = {
        "category": [item.category for item in main],
        "colour": [item.colour for item in main],
        "place": [" ".join(place_words(item)) for item in main],
    }
    for name, labels in truth.items():
        for kind, embedded in (("generated", generated), ("true", true[:n])):
            found = _read_off(true[n:], labels[n:], embedded)
            measures[f"{name}_{kind}"] = float(np.mean(found == np.array(labels[:n])))
    return {k: round(v, 4) for k, v in measures.items()}, drawn


def measure_prior(
    clip: OpenClipEmbedder, images: np.ndarray, seed: int, n: int, folder: Path | None = None
) -> dict[str, float]:
    """Compare tokens as a decoder would give them, and what the prior makes of these.

    Parameters
    ----------
    clip : OpenClipEmbedder
        The bundled CLIP.
    images : array of uint8 of shape (n_scenes, 64, 64, 3)
        All held-out pictures, in order.
    seed : int
        Seed of the pretraining scenes.
    n : int
        Pictures whose tokens pass the channel, the first ones; the others train the read-out.
    folder : Path, optional
        Folder of the bundle.

    Returns
    -------
    dict of str to float
        For decoded tokens and samples of the prior: top-1 retrieval of the true tokens among
        those of the n pictures, and how often a linear read-out of the class token finds the
        category of the main object.
    """
    config, weights = read_bundle("mini-prior", folder)
    parts = [clip.encode_images(images[i : i + 250])["tokens"] for i in range(0, len(images), 250)]
    tokens = torch.from_numpy(np.concatenate(parts))
    shape = tuple(tokens.shape[1:])
    network = PriorTransformer(shape, shape, residual=True, **config["model_cfg"]).eval()
    mean, deviation = weights.pop("mean"), config["deviation"]
    network.load_state_dict(weights)
    channel = DecodingChannel(*shape, clean=0.0)
    channel.fit(tokens[n:])
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        decoded = channel(tokens[:n])
    noise = row_noise(shape, range(n), torch.device("cpu"))
    condition = (decoded - mean) / deviation
    drawn = Diffusion().sample(network, condition, noise, n_steps=20) * deviation + mean
    labels = [pretraining_scene("val", i, seed).main.category for i in range(len(images))]
    measures = {}
    for name, given in (("decoded", decoded), ("sampled", drawn)):
        similarity = unit_rows(given - mean) @ unit_rows(tokens[:n] - mean).T
        measures[f"top1_{name}"] = float(top_k_credit(similarity).mean())
        found = _read_off(tokens[n:, 0].numpy(), labels[n:], given[:, 0].numpy())
        measures[f"category_{name}"] = float(np.mean(found == np.array(labels[:n])))
    return {k: round(v, 4) for k, v in measures.items()}


def picture_grid(rows: list[np.ndarray], path: Path, zoom: int = 1) -> None:
    """Write rows of pictures as one PNG.

    Parameters
    ----------
    rows : list of array of uint8 of shape (n, height, width, 3)
        One row of the grid each, of equal length.
    path : Path
        Target.
    zoom : int
        Whole-number magnification.
    """
    grid = np.concatenate([np.concatenate(list(row), axis=1) for row in rows], axis=0)
    image = Image.fromarray(grid)
    if zoom != 1:
        image = image.resize((zoom * image.width, zoom * image.height), Image.Resampling.NEAREST)
    with atomic_path(path) as temporary:
        image.save(temporary, optimize=True)
