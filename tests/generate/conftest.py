"""A tiny denoiser and autoencoder of the real classes, randomly initialised."""

from __future__ import annotations

import pytest
import torch
from diffusers import AutoencoderKL
from tiny_pipelines import PublicWorld

from neurodecode.embed.vae import VaeEmbedder
from neurodecode.generate.denoiser import MiniDenoiser
from neurodecode.generate.mini import MiniGenerator
from neurodecode.tasks.pretrain_vae import vae_config


@pytest.fixture
def tiny() -> MiniGenerator:
    """Takes 10 tokens of width 12; latents of (3, 8, 8), pictures of 32 pixels."""
    torch.manual_seed(2)
    denoiser = MiniDenoiser(
        latent_channels=3, latent_size=8, token_width=12, grid=3, channels=(8, 16), heads=2,
        norm_groups=4,
    )  # fmt: skip
    # diffusers starts with a zero-free output layer; larger weights make every input count
    for parameter in denoiser.parameters():
        parameter.data.mul_(1.5)
    config = vae_config((8, 12), latent_channels=3, norm_groups=4, sample_size=16, patch=2)
    vae = VaeEmbedder(AutoencoderKL(**config, scaling_factor=0.7), patch=2, name="v", provenance={})
    return MiniGenerator(denoiser, vae, name="tiny", provenance={})


@pytest.fixture(scope="session")
def public(tmp_path_factory: pytest.TempPathFactory) -> PublicWorld:
    return PublicWorld(tmp_path_factory.mktemp("public"))
