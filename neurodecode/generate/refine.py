"""Refinement by caption (MindEye2): SDXL goes over a first picture, told what it shows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch

from neurodecode.embed.pixels import prepare_images
from neurodecode.errors import DataError
from neurodecode.generate.autoencoder import LatentCodec
from neurodecode.generate.latent import LatentDiffusion, row_seeds
from neurodecode.generate.memory import Memory
from neurodecode.generate.sampling import generators, make_scheduler
from neurodecode.generate.stable_diffusion import (
    UNET,
    VAE,
    encode_sdxl,
    open_stable_diffusion,
    size_ids,
)

__all__ = ["SdxlRefiner", "blend"]

_NAME = "sdxl-refiner"


class SdxlRefiner(LatentDiffusion):
    """SDXL from a picture and a caption to a picture.

    Parameters
    ----------
    pipeline : StableDiffusionXLPipeline
        Has the text towers.
    **parts
        See `LatentDiffusion`.

    References
    ----------
    Scotti et al. 2024 (MindEye2), section 2.5; Meng et al. 2022 (SDEdit).
    """

    def __init__(self, pipeline: Any, **parts: Any) -> None:
        super().__init__(**parts)
        self.pipeline = pipeline

    @classmethod
    def load(
        cls,
        weights: str = "stabilityai/stable-diffusion-xl-base-1.0",
        *,
        image_size: int | None = None,
        scheduler: str | None = None,
        download: bool = False,
        **memory: Any,
    ) -> SdxlRefiner:
        """Open SDXL.

        Parameters
        ----------
        weights : str
            Folder as diffusers saves an SDXL pipeline, or a repository.
        image_size : int, optional
            Side of the pictures in pixels; 1024 as trained.
        scheduler : str, optional
            Another solver of diffusers.
        download : bool
            Whether missing files may be fetched.
        **memory
            See `Memory`.

        Returns
        -------
        SdxlRefiner
            The refiner.

        Raises
        ------
        ConfigError
            If an option is unknown or impossible.
        WeightsError
            If a file is missing, damaged or another model's.
        """
        using, what = Memory.of(memory, _NAME), f"generator {_NAME}"
        pipeline, folder = open_stable_diffusion(
            weights, xl=True, download=download, memory=using, what=what
        )
        size = pipeline.unet.config.sample_size * pipeline.vae_scale_factor
        return cls(
            pipeline=pipeline,
            name=_NAME,
            unet=pipeline.unet,
            codec=LatentCodec(pipeline.vae, image_size or size, using),
            scheduler=make_scheduler(scheduler, pipeline.scheduler),
            memory=using,
            provenance={
                "model": _NAME,
                "weights": weights,
                "sha256": folder.digest(UNET),
                "vae_sha256": folder.digest(VAE),
            },
        )

    @torch.inference_mode()
    def refine(
        self,
        images: np.ndarray,
        captions: Sequence[str],
        *,
        strength: float = 0.48,
        n_steps: int = 25,
        guidance: float = 5.0,
        seed: int | Sequence[int] = 0,
    ) -> np.ndarray:
        """Go over pictures. The defaults are the published ones: the last 12 of 25 steps.

        Parameters
        ----------
        images : array of uint8 of shape (n, height, width, 3)
            First pictures, of any size.
        captions : sequence of str of length n
            What they show.
        strength : float
            Share of the schedule that is run: 0 returns the pictures.
        n_steps : int
            Steps over the whole schedule.
        guidance : float
            Weight of the caption; 1 switches guidance off.
        seed : int or sequence of int of length n
            One seed for all pictures, or one each.

        Returns
        -------
        array of uint8 of shape (n, image_size, image_size, 3)
            RGB pixels.

        Raises
        ------
        ConfigError
            If memory runs out; names the options that lower it.
        DataError
            If there is not one caption for each picture, or `strength` is not in [0, 1].
        """
        if len(captions) != len(images):
            raise DataError(
                f"{len(captions)} captions for {len(images)} pictures", field="captions"
            )
        self._check_start(None, len(images), strength)
        seeds, size = row_seeds(seed, len(images)), self.codec.image_size
        pictures = [np.empty((0, size, size, 3), np.uint8)]
        for start in range(0, len(images), self.memory.batch_size):
            rows = slice(start, start + self.memory.batch_size)
            pictures.append(
                self.draw(
                    self._condition(list(captions[rows]), guidance != 1.0),
                    generators(seeds[rows]),
                    init_latents=torch.from_numpy(self.encode(images[rows])),
                    strength=strength,
                    n_steps=n_steps,
                    guidance=guidance,
                )
            )
        return np.concatenate(pictures)

    def _condition(self, captions: list[str], guided: bool) -> dict[str, Any]:
        encoded = encode_sdxl(self.pipeline, captions, self.memory)
        first = 0 if guided else len(captions)
        to = {"device": self.memory.device, "dtype": self.unet.dtype}
        words, pooled = (encoded[name][first:].to(**to) for name in ("words", "pooled"))
        ids = size_ids(self.codec.image_size, len(words)).to(**to)
        return {
            "encoder_hidden_states": words,
            "added_cond_kwargs": {"text_embeds": pooled, "time_ids": ids},
        }


def blend(refined: np.ndarray, low_level: np.ndarray, share: float = 0.75) -> np.ndarray:
    """Mix refined pictures with the decoded low-level ones, pixel by pixel.

    Parameters
    ----------
    refined : array of uint8 of shape (n, height, width, 3)
        Refined pictures.
    low_level : array of uint8 of shape (n, height_2, width_2, 3)
        Low-level pictures; scaled to the size of the others.
    share : float
        Of the refined pictures; .75 in MindEye2's code.

    Returns
    -------
    array of uint8 of shape (n, height, width, 3)
        Weighted mean.

    Raises
    ------
    DataError
        If the numbers of pictures differ, or `share` is not in [0, 1].
    """
    if not 0 <= share <= 1:
        raise DataError(f"{share} is not between 0 and 1", field="blend")
    if len(refined) != len(low_level):
        raise DataError(
            f"{len(low_level)} low-level pictures for {len(refined)}", field="low_level"
        )
    size = refined.shape[1:3]
    rough = prepare_images(low_level, size, (0.0,) * 3, (1.0,) * 3).permute(0, 2, 3, 1).numpy()
    return np.rint(share * refined + (1 - share) * 255 * rough).astype(np.uint8)
