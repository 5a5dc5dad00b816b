"""The bundled miniature generator: CLIP tokens to 64-px pictures, by diffusion."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from neurodecode.embed.bundle import bundle_digest, read_bundle
from neurodecode.embed.vae import VaeEmbedder
from neurodecode.errors import DataError
from neurodecode.generate.conditioning import Conditioning
from neurodecode.generate.denoiser import MiniDenoiser, normalise_tokens
from neurodecode.generate.guide import Correction, Guidance, ascend
from neurodecode.generate.noise import sampling_scheduler
from neurodecode.nn.diffusion import row_noise

__all__ = ["MiniGenerator", "sample_latents"]

_CHUNK = 50


def _guided(denoiser: MiniDenoiser, latents: Tensor, step: Tensor, tokens: Tensor,
            guidance: float) -> Tensor:  # fmt: skip
    """Velocity with classifier-free guidance (Ho & Salimans 2022)."""
    n = len(latents)
    if guidance == 1.0:
        return denoiser(latents, step.expand(n), tokens)
    both = torch.cat([tokens, torch.zeros_like(tokens)])
    velocity = denoiser(torch.cat([latents, latents]), step.expand(2 * n), both)
    with_tokens, without = velocity.chunk(2)
    return without + guidance * (with_tokens - without)


def _corrected(velocity: Tensor, latents: Tensor, level: Tensor, correct: Correction) -> Tensor:
    """Move the clean latent that a velocity stands for (Salimans & Ho 2022, appendix D)."""
    signal, noise = level.sqrt(), (1 - level).sqrt()
    clean = signal * latents - noise * velocity
    return (signal * latents - correct(clean, float(noise))) / noise


@torch.inference_mode()
def sample_latents(
    denoiser: MiniDenoiser,
    tokens: Tensor,
    noise: Tensor,
    *,
    init_latents: Tensor | None = None,
    strength: float = 0.85,
    n_steps: int = 20,
    guidance: float = 2.0,
    correct: Correction | None = None,
) -> Tensor:
    """Run the solver from noise, or from a noised start, to clean latents.

    Parameters
    ----------
    denoiser : MiniDenoiser
        The trained model.
    tokens : Tensor of shape (n, n_tokens, width)
        Embeddings of any scale.
    noise : Tensor of shape (n, channels, height, width)
        Standard normal.
    init_latents : Tensor of shape (n, channels, height, width), optional
        Start of image-to-image sampling.
    strength : float
        Share of the schedule that is run, with `init_latents`.
    n_steps : int
        Steps of the solver over the whole schedule.
    guidance : float
        Weight of classifier-free guidance.
    correct : callable, optional
        Moves the model's estimate of the clean latent in every step, given the share of the
        noise that is left, before the solver goes on from it.

    Returns
    -------
    Tensor of shape (n, channels, height, width)
        Clean latents.
    """
    scheduler = sampling_scheduler(n_steps)
    tokens, latents, steps = normalise_tokens(tokens), noise, scheduler.timesteps
    if init_latents is not None:
        steps = steps[n_steps - round(n_steps * strength) :]
        if not len(steps):
            return init_latents
        scheduler.set_begin_index(n_steps - len(steps))
        latents = scheduler.add_noise(init_latents, noise, steps[:1].expand(len(noise)))
    for step in steps:
        velocity = _guided(denoiser, latents, step, tokens, guidance)
        if correct is not None:
            velocity = _corrected(velocity, latents, scheduler.alphas_cumprod[step], correct)
        latents = scheduler.step(velocity, step, latents).prev_sample
    return latents


class MiniGenerator:
    """The bundled denoiser and autoencoder as an `ImageGenerator`.

    Parameters
    ----------
    denoiser : MiniDenoiser
        The denoiser, its moving-average weights.
    vae : VaeEmbedder
        The autoencoder its latents belong to.
    name : str
        Name of the generator.
    provenance : mapping
        Where the weights come from.
    device : str
        Where the models run.
    """

    def __init__(
        self,
        denoiser: MiniDenoiser,
        vae: VaeEmbedder,
        *,
        name: str,
        provenance: Mapping[str, Any],
        device: str = "cpu",
    ) -> None:
        # its convolutions run faster this way round on a CPU
        self.denoiser = (
            denoiser.eval().requires_grad_(False).to(device, memory_format=torch.channels_last)
        )
        self.vae, self.name, self.device = vae, name, device
        n_tokens, width = 1 + denoiser.grid**2, denoiser.unet.config.cross_attention_dim
        self.takes = Conditioning("mini-clip", "tokens", (n_tokens, width), scale="any")
        self.provenance = dict(provenance)

    @classmethod
    def bundled(cls, folder: Path | None = None, device: str = "cpu") -> MiniGenerator:
        """Open the bundled generator.

        Parameters
        ----------
        folder : Path, optional
            Folder of the bundle.
        device : str
            Where the models run.

        Returns
        -------
        MiniGenerator
            Takes the 17 tokens of ``mini-clip``.

        Raises
        ------
        WeightsError
            If the weights are missing or damaged.
        """
        config, weights = read_bundle("mini-generator", folder)
        denoiser = MiniDenoiser.from_config(config["model_cfg"])
        denoiser.load_state_dict(weights)
        vae = VaeEmbedder.bundled(folder, device)
        provenance = {
            "model": "mini-generator",
            "sha256": bundle_digest("mini-generator", folder),
            "vae_sha256": vae.provenance["sha256"],
        }
        return cls(denoiser, vae, name="mini", provenance=provenance, device=device)

    def encode(self, images: np.ndarray) -> np.ndarray:
        """Map pictures to latents; see `ImageGenerator.encode`.

        Parameters
        ----------
        images : array of uint8 of shape (n, height, width, 3)
            RGB pixels.

        Returns
        -------
        array of float32 of shape (n, 4, 16, 16)
            Latents.
        """
        return self.vae.encode(images).cpu().numpy()

    def decode(self, latents: np.ndarray) -> np.ndarray:
        """Map latents to pictures; see `ImageGenerator.decode`.

        Parameters
        ----------
        latents : array of shape (n, 4, 16, 16)
            Latents.

        Returns
        -------
        array of uint8 of shape (n, 64, 64, 3)
            RGB pixels.
        """
        return self.vae.decode(torch.as_tensor(latents, dtype=torch.float32))

    def generate(
        self,
        tokens: np.ndarray,
        *,
        init_latents: np.ndarray | None = None,
        strength: float = 0.85,
        n_steps: int = 20,
        guidance: float = 2.0,
        seed: int | Sequence[int] = 0,
        guide: Guidance | None = None,
    ) -> np.ndarray:
        """Draw pictures that have the given embeddings; see `GuidedGenerator.generate`.

        Parameters
        ----------
        tokens : array of shape (n, 17, 128)
            Tokens of ``mini-clip``, measured or decoded, of any scale.
        init_latents : array of shape (n, 4, 16, 16), optional
            Rough pictures to start from.
        strength : float
            With `init_latents`, the share of the schedule that is run.
        n_steps : int
            Steps of the solver.
        guidance : float
            Weight of classifier-free guidance.
        seed : int or sequence of int of length n
            One seed for all pictures, or one each.
        guide : Guidance, optional
            What the pictures have to explain besides, and how strongly it pulls.

        Returns
        -------
        array of uint8 of shape (n, 64, 64, 3)
            RGB pixels.

        Raises
        ------
        DataError
            If shapes or the number of seeds do not fit, or `strength` is not in [0, 1].
        """
        shape = self._check(tokens, init_latents, strength)
        seeds = [seed] * len(tokens) if isinstance(seed, int | np.integer) else list(seed)
        if len(seeds) != len(tokens):
            raise DataError(f"{len(seeds)} seeds for {len(tokens)} embeddings", field="seed")
        pictures = [np.empty((0, *self.vae.image_size, 3), np.uint8)]
        for start in range(0, len(tokens), _CHUNK):
            rows = slice(start, start + _CHUNK)
            latents = sample_latents(
                self.denoiser,
                torch.as_tensor(tokens[rows], dtype=torch.float32, device=self.device),
                row_noise(shape, seeds[rows], torch.device(self.device)),
                init_latents=None if init_latents is None else torch.as_tensor(
                    init_latents[rows], dtype=torch.float32, device=self.device),
                strength=strength,
                n_steps=n_steps,
                guidance=guidance,
                correct=self._correction(guide, np.arange(len(tokens))[rows]),
            )  # fmt: skip
            pictures.append(self.vae.decode(latents))
        return np.concatenate(pictures)

    def _correction(self, guide: Guidance | None, rows: np.ndarray) -> Correction | None:
        """Turn a guide of pictures into one of latents."""
        if guide is None or guide.scale == 0:
            return None

        def log_likelihood(latents: Tensor) -> Tensor:
            """Judge the pictures of latents."""
            return guide.guide((self.vae.decode_pixels(latents).clamp(-1, 1) + 1) / 2, rows)

        return lambda clean, noise: ascend(clean, log_likelihood, guide.scale * noise)

    def _check(self, tokens: np.ndarray, init_latents: np.ndarray | None,
               strength: float) -> tuple[int, ...]:  # fmt: skip
        """Refuse arrays that do not fit the model; return the shape of one latent."""
        unet, grid = self.denoiser.unet.config, self.denoiser.grid
        wanted = (1 + grid**2, unet.cross_attention_dim)
        if tokens.shape[1:] != wanted:
            raise DataError(f"shape {tokens.shape}, wanted (n, {wanted[0]}, {wanted[1]})",
                            field="tokens", fix="embed with mini-clip")  # fmt: skip
        shape = (unet.out_channels, unet.sample_size, unet.sample_size)
        if init_latents is not None and init_latents.shape != (len(tokens), *shape):
            raise DataError(f"shape {init_latents.shape}, wanted {(len(tokens), *shape)}",
                            field="init_latents")  # fmt: skip
        if not 0 <= strength <= 1:
            raise DataError(f"{strength} is not between 0 and 1", field="strength")
        return shape
