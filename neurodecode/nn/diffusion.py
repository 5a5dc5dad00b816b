"""Diffusion of embeddings: the objective of the prior, guidance, and sampling."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Literal

import torch
from diffusers import DDIMScheduler, DDPMScheduler, UniPCMultistepScheduler
from torch import Tensor, nn

from neurodecode.errors import ConfigError

__all__ = ["Diffusion", "SamplerName", "guide", "row_noise"]

SamplerName = Literal["ddpm", "ddim", "unipc"]
_SAMPLERS: dict[str, Any] = {
    "ddpm": DDPMScheduler,
    "ddim": DDIMScheduler,
    "unipc": UniPCMultistepScheduler,
}

#: ``(noised, time, condition, keep_condition, keep_noised) -> estimate of the clean embedding``
Denoiser = Callable[..., Tensor]


def guide(conditional: Tensor, unconditional: Tensor, scale: float) -> Tensor:
    """Classifier-free guidance: move away from what would be estimated without a condition.

    Parameters
    ----------
    conditional, unconditional : Tensor of shape (n_batch, ...)
        The two estimates.
    scale : float
        1 gives the conditional estimate, more exaggerates the condition.

    Returns
    -------
    Tensor of shape (n_batch, ...)
        Guided estimate.

    References
    ----------
    Ho and Salimans 2022, equation 6.
    """
    return unconditional + scale * (conditional - unconditional)


def row_noise(shape: Sequence[int], seeds: Sequence[int], device: torch.device) -> Tensor:
    """Gaussian noise that depends on the seed of each row, not on its neighbours in the batch.

    Parameters
    ----------
    shape : sequence of int
        Shape of one row.
    seeds : sequence of int of length n
        Seed of each row.
    device : torch.device
        Where the noise is needed; it is drawn on the CPU.

    Returns
    -------
    Tensor of shape (n, *shape)
        Standard normal noise.
    """
    rows = [
        torch.randn(tuple(shape), generator=torch.Generator().manual_seed(int(seed)))
        for seed in seeds
    ]
    return torch.stack(rows).to(device)


class Diffusion:
    r"""Gaussian diffusion with a cosine schedule that predicts the clean embedding.

    Parameters
    ----------
    n_steps : int
        Steps of the forward process; 100 in MindEye.
    drop : float
        Probability with which training replaces the condition by the null condition.
    null_noised : {"keep", "drop"}
        Whether the unconditional pass sees the noised embedding. The published prior replaces
        that too (``drop``), so its unconditional estimate is a constant that depends on time
        alone, and guidance adds the same offset at every step. With ``keep``, the default, the
        difference of the two passes is the influence of the condition on this very sample, as
        guidance was derived.

    Notes
    -----
    :math:`x_t = \sqrt{\bar\alpha_t}\, x_0 + \sqrt{1 - \bar\alpha_t}\, \epsilon`, with
    :math:`\bar\alpha` a squared cosine (Nichol and Dhariwal 2021); the loss is
    :math:`E \| f(x_t, t, c) - x_0 \|^2` averaged over all elements, ``t`` uniform.
    """

    def __init__(
        self, n_steps: int = 100, drop: float = 0.2, null_noised: Literal["keep", "drop"] = "keep"
    ) -> None:
        self.n_steps, self.drop, self.null_noised = n_steps, drop, null_noised
        self.forward_process: DDPMScheduler = self.scheduler("ddpm")

    def scheduler(self, name: SamplerName) -> Any:
        """Make a diffusers scheduler on this schedule.

        Parameters
        ----------
        name : {"ddpm", "ddim", "unipc"}
            Which one.

        Returns
        -------
        diffusers scheduler
            With ``prediction_type="sample"``; embeddings are not clipped.

        Raises
        ------
        ConfigError
            If there is no such scheduler.
        """
        if name not in _SAMPLERS:
            raise ConfigError(f"unknown sampler {name!r}; known: {', '.join(_SAMPLERS)}")
        options = {} if name == "unipc" else {"clip_sample": False}
        return _SAMPLERS[name](
            num_train_timesteps=self.n_steps,
            beta_schedule="squaredcos_cap_v2",
            prediction_type="sample",
            timestep_spacing="trailing",  # the first step is the noisiest, where samples start
            **options,
        )

    def loss(self, network: Denoiser, clean: Tensor, condition: Tensor) -> Tensor:
        """One draw of the training objective.

        Parameters
        ----------
        network : callable
            A `neurodecode.nn.prior.PriorTransformer` or alike.
        clean : Tensor of shape (n_batch, n_tokens, dim)
            True embeddings of about unit variance.
        condition : Tensor of shape (n_batch, n_condition, condition_dim)
            Decoded tokens.

        Returns
        -------
        Tensor
            Scalar.
        """
        n, device = len(clean), clean.device
        time = torch.randint(self.n_steps, (n,), device=device)
        noise = torch.randn_like(clean)
        keep_condition = torch.rand(n, device=device) >= self.drop
        keep_noised = None
        if self.null_noised == "drop":
            keep_noised = torch.rand(n, device=device) >= self.drop
        noised = self.forward_process.add_noise(clean, noise, time)
        estimate = network(noised, time, condition, keep_condition, keep_noised)
        return (estimate.float() - clean.float()).square().mean()

    def estimate(
        self, network: Denoiser, noised: Tensor, time: Tensor, condition: Tensor, guidance: float
    ) -> Tensor:
        """Guided estimate of the clean embedding.

        Parameters
        ----------
        network : callable
            The trained network.
        noised : Tensor of shape (n_batch, n_tokens, dim)
            Noised embeddings.
        time : Tensor of shape (n_batch,)
            Diffusion step.
        condition : Tensor of shape (n_batch, n_condition, condition_dim)
            Decoded tokens.
        guidance : float
            Scale; 1 needs one pass only.

        Returns
        -------
        Tensor of shape (n_batch, n_tokens, dim)
            Estimate.
        """
        conditional = network(noised, time, condition)
        if guidance == 1:
            return conditional
        none = torch.zeros(len(noised), dtype=torch.bool, device=noised.device)
        keep_noised = none if self.null_noised == "drop" else None
        return guide(conditional, network(noised, time, condition, none, keep_noised), guidance)

    @torch.no_grad()
    def sample(
        self,
        network: nn.Module,
        condition: Tensor,
        noise: Tensor,
        *,
        n_steps: int = 20,
        guidance: float = 1.0,
        sampler: SamplerName = "ddim",
        generator: torch.Generator | None = None,
    ) -> Tensor:
        """Draw embeddings.

        Parameters
        ----------
        network : nn.Module
            The trained network.
        condition : Tensor of shape (n_batch, n_condition, condition_dim)
            Decoded tokens.
        noise : Tensor of shape (n_batch, n_tokens, dim)
            Where sampling starts, see `row_noise`. Apart from ``ddpm``, the samplers add no
            further noise.
        n_steps : int
            Steps of the sampler.
        guidance : float
            Scale of the guidance.
        sampler : {"ddpm", "ddim", "unipc"}
            Which sampler.
        generator : torch.Generator, optional
            Source of the noise of ``ddpm``.

        Returns
        -------
        Tensor of shape (n_batch, n_tokens, dim)
            Samples.
        """
        scheduler = self.scheduler(sampler)
        scheduler.set_timesteps(n_steps, device=noise.device)
        options = {"generator": generator} if sampler == "ddpm" else {}
        sample = noise
        for step in scheduler.timesteps:
            time = step.expand(len(sample))
            estimate = self.estimate(network, sample, time, condition, guidance)
            sample = scheduler.step(estimate, step, sample, **options).prev_sample
        return sample
