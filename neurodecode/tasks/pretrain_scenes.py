"""Render the scenes that the bundled miniature models are trained on (pipeline stage `scenes`)."""

from __future__ import annotations

import argparse
import logging
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import h5py
import numpy as np

from neurodecode.datasets.mini.scenes import (
    BACKGROUNDS,
    COLOURS,
    Scene,
    captions,
    render,
    sample_scene,
)
from neurodecode.embed.tokenizer import write_trimmed_merges
from neurodecode.files import atomic_path, write_json

log = logging.getLogger(__name__)

SEED_TAG = 0x5CE7E5
"""First word of every pretraining seed; the miniature world's own scenes use another."""
_SPLITS = {"train": 0, "val": 1}
_CHUNK = 500


@dataclass(frozen=True)
class RenderJob:
    """A run of consecutive scenes of one split.

    Parameters
    ----------
    split : str
        ``train`` or ``val``.
    start, stop : int
        Range of scene numbers.
    seed : int
        Seed of the whole set.
    n_captions : int
        Captions for each scene.
    """

    split: str
    start: int
    stop: int
    seed: int
    n_captions: int


def pretraining_scene(split: str, index: int, seed: int) -> Scene:
    """Sample scene number `index` of a split; every scene has its own seed.

    Parameters
    ----------
    split : str
        ``train`` or ``val``.
    index : int
        Number of the scene.
    seed : int
        Seed of the whole set.

    Returns
    -------
    Scene
        The scene.
    """
    return sample_scene(np.random.default_rng([SEED_TAG, seed, _SPLITS[split], index]))


def scene_group(scene: Scene) -> int:
    """Number the background and the colour of the main object.

    Scenes of one group can only be told apart by what the objects are and where they are.

    Parameters
    ----------
    scene : Scene
        The scene.

    Returns
    -------
    int
        From 0 to 63.
    """
    colour = list(COLOURS).index(scene.main.colour)
    return BACKGROUNDS.index(scene.background) * len(COLOURS) + colour


def _render(job: RenderJob) -> tuple[np.ndarray, list[int], list[list[str]]]:
    scenes = [pretraining_scene(job.split, i, job.seed) for i in range(job.start, job.stop)]
    images = np.stack([render(scene) for scene in scenes])
    groups = [scene_group(scene) for scene in scenes]
    return images, groups, [captions(scene, job.n_captions) for scene in scenes]


def _jobs(counts: dict[str, int], seed: int, n_captions: int) -> list[RenderJob]:
    return [
        RenderJob(split, start, min(start + _CHUNK, n), seed, n_captions)
        for split, n in counts.items()
        for start in range(0, n, _CHUNK)
    ]


def write_scenes(out: Path, counts: dict[str, int], seed: int, n_captions: int = 5,
                 workers: int = 2) -> None:  # fmt: skip
    """Render every split into one HDF5 file and trim the tokenizer to its captions.

    Parameters
    ----------
    out : Path
        Folder of ``scenes.h5`` (for each split ``images``, uint8 of shape (n, 64, 64, 3),
        ``captions``, strings of shape (n, n_captions), and ``group``, see `scene_group`) and
        ``merges.txt.gz``.
    counts : dict of str to int
        Number of scenes of each split.
    seed : int
        Seed of the set.
    n_captions : int
        Captions for each scene.
    workers : int
        Processes that render.
    """
    words: set[str] = set()
    with atomic_path(out / "scenes.h5") as temporary, h5py.File(temporary, "w") as file:
        for split, n in counts.items():
            group = file.create_group(split)
            group.create_dataset("images", (n, 64, 64, 3), "u1", chunks=(1, 64, 64, 3))
            group.create_dataset("group", (n,), "u1")
            group.create_dataset("captions", (n, n_captions), h5py.string_dtype())
        jobs = _jobs(counts, seed, n_captions)
        with ProcessPoolExecutor(workers) as pool:
            for job, (images, groups, texts) in zip(jobs, pool.map(_render, jobs), strict=True):
                group = file[job.split]
                group["images"][job.start : job.stop] = images
                group["group"][job.start : job.stop] = groups
                group["captions"][job.start : job.stop] = np.array(texts, dtype=object)
                words.update(w for row in texts for text in row for w in text.split())
                log.info("%s %d of %d", job.split, job.stop, counts[job.split])
    write_trimmed_merges(out / "merges.txt.gz", sorted(words))


def main() -> None:
    """Command line of the stage."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("data/pretrain"))
    parser.add_argument("--n-train", type=int, default=40000)
    parser.add_argument("--n-val", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    counts = {"train": arguments.n_train, "val": arguments.n_val}
    write_scenes(arguments.out, counts, arguments.seed)
    facts = {f"n_{split}": n for split, n in counts.items()}
    write_json(arguments.out / "scenes.json", {**facts, "seed": arguments.seed})


if __name__ == "__main__":
    main()
