"""The solver's loop over a latent diffusion model: guidance, late start, one seed a picture."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from diffusers.utils.torch_utils import randn_tensor
from torch import Tensor, nn

from neurodecode.errors import ConfigError
from neurodecode.generate.noise import quiet_numpy
from neurodecode.nn.diffusion import guide

__all__ = ["Denoise", "generators", "guided_denoiser", "make_scheduler", "solve"]

#: ``(latents, step) -> prediction of the network`` at one step of the solver.
Denoise = Callable[[Tensor, Tensor], Tensor]


def generators(seeds: Sequence[int]) -> list[torch.Generator]:
    """Make one source of noise for each picture.

    Parameters
    ----------
    seeds : sequence of int of length n
        Seeds.

    Returns
    -------
    list of torch.Generator
        On the CPU, so that a seed means the same picture on every device.
    """
    return [torch.Generator().manual_seed(int(seed)) for seed in seeds]


def make_scheduler(name: str | None, default: Any) -> Any:
    """Replace the solver that the weights name by another one on the same noise schedule.

    Parameters
    ----------
    name : str or None
        Class of diffusers, such as ``DDIMScheduler`` or ``UniPCMultistepScheduler``; None keeps
        the default.
    default : diffusers scheduler
        The one that came with the weights.

    Returns
    -------
    diffusers scheduler
        The solver.

    Raises
    ------
    ConfigError
        If there is no such class.
    """
    if name is None:
        return default
    import diffusers

    kind = getattr(diffusers, name, None) if name.endswith("Scheduler") else None
    if kind is None or not hasattr(kind, "from_config"):
        raise ConfigError(
            f"scheduler {name!r}: diffusers has no such class; take one of "
            f"{', '.join(sorted(each.__name__ for each in default.compatibles))}"
        )
    with quiet_numpy():
        return kind.from_config(default.config)


def guided_denoiser(
    unet: nn.Module, scheduler: Any, condition: Mapping[str, Any], guidance: float
) -> Denoise:
    """Bind a U-Net to its condition, with classifier-free guidance unless `guidance` is 1.

    Parameters
    ----------
    unet : nn.Module
        diffusers' ``UNet2DConditionModel``.
    scheduler : diffusers scheduler
        Scales the input; says whether it reads a learned variance.
    condition : mapping
        Keyword arguments of the U-Net. With guidance, every tensor has 2 n rows: those without
        the embedding first.
    guidance : float
        Weight.

    Returns
    -------
    callable
        The network's prediction for n latents. A predicted variance is passed on where the
        scheduler reads it, that of the conditional pass.
    """
    guided = guidance != 1.0
    # a solver that was put in another's place keeps its settings, also those it does not read
    reads = "variance_type" in inspect.signature(type(scheduler).__init__).parameters
    learned = reads and scheduler.config.variance_type in ("learned", "learned_range")

    def denoise(latents: Tensor, step: Tensor) -> Tensor:
        given = scheduler.scale_model_input(latents, step).to(unet.dtype)
        given = torch.cat([given, given]) if guided else given
        output = unet(given, step, **condition).sample.float()
        mean, variance = output.split([latents.shape[1], output.shape[1] - latents.shape[1]], dim=1)
        if guided:
            without, with_embedding = mean.chunk(2)
            mean = guide(with_embedding, without, guidance)
            variance = variance.chunk(2)[1]
        return torch.cat([mean, variance], dim=1) if learned else mean

    return denoise


def solve(
    denoise: Denoise,
    scheduler: Any,
    shape: Sequence[int],
    noise: list[torch.Generator],
    *,
    device: str,
    n_steps: int,
    init_latents: Tensor | None = None,
    strength: float = 1.0,
) -> Tensor:
    """Run the solver from noise, or from a noised start, to clean latents.

    Parameters
    ----------
    denoise : callable
        The network, see `guided_denoiser`.
    scheduler : diffusers scheduler
        The solver.
    shape : sequence of int
        Shape of one latent.
    noise : list of torch.Generator of length n
        Source of noise of each picture: its start, and what an ancestral solver adds.
    device : str
        Where the network runs.
    n_steps : int
        Steps over the whole schedule.
    init_latents : Tensor of shape (n, *shape), optional
        Rough pictures to start from.
    strength : float
        With `init_latents`, the share of the schedule that is run: 0 returns the start, 1
        ignores it.

    Returns
    -------
    Tensor of shape (n, *shape)
        Clean latents, float32.
    """
    with quiet_numpy():
        scheduler.set_timesteps(n_steps, device=device)
    steps = scheduler.timesteps
    drawn = randn_tensor((len(noise), *shape), generator=noise, device=torch.device(device))
    if init_latents is None or strength == 1:
        latents = drawn * scheduler.init_noise_sigma
    else:
        skipped = (n_steps - round(n_steps * strength)) * scheduler.order
        if skipped >= n_steps * scheduler.order:
            return init_latents.to(device)
        steps = steps[skipped:]
        if hasattr(scheduler, "set_begin_index"):
            scheduler.set_begin_index(skipped)
        start = init_latents.to(device)
        latents = scheduler.add_noise(start, drawn, steps[:1].expand(len(noise)))
    takes_noise = "generator" in inspect.signature(scheduler.step).parameters
    options = {"generator": noise} if takes_noise else {}
    for step in steps:
        latents = scheduler.step(denoise(latents, step), step, latents, **options).prev_sample
    return latents
