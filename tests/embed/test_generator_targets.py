"""What decoders have to decode for public generators: penultimate tokens and SD latents."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from diffusers import AutoencoderKL

from neurodecode.embed import make_embedder
from neurodecode.embed.openclip import OpenClipEmbedder
from neurodecode.embed.pixels import prepare_images
from neurodecode.errors import ConfigError, WeightsError


def test_penultimate_tokens_are_what_the_last_block_reads(
    tiny_clip: OpenClipEmbedder, pictures: np.ndarray
) -> None:
    last = tiny_clip.encode_images(pictures)
    tiny_clip.penultimate = True
    found = tiny_clip.encode_images(pictures)
    assert found["tokens"].shape == (7, 17, 24)
    visual = tiny_clip.model.visual
    with torch.no_grad():
        onwards = visual.ln_post(visual.transformer.resblocks[-1](torch.tensor(found["tokens"])))
    np.testing.assert_allclose(onwards.numpy(), last["tokens"], atol=1e-5)
    np.testing.assert_array_equal(found["pooled"], last["pooled"])


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    torch.manual_seed(0)
    AutoencoderKL(
        block_out_channels=(8, 12), latent_channels=4, norm_num_groups=4, sample_size=32,
        down_block_types=("DownEncoderBlock2D",) * 2, up_block_types=("UpDecoderBlock2D",) * 2,
        scaling_factor=0.3,
    ).save_pretrained(tmp_path / "vae")  # fmt: skip
    return tmp_path / "vae"


def test_public_autoencoder(folder: Path, pictures: np.ndarray) -> None:
    embedder = make_embedder(f"sd-vae:{folder}@20")
    latents = embedder.encode_images(pictures)["latent"]
    assert latents.shape == (7, 4, 10, 10)
    pixels = prepare_images(pictures, (20, 20), (0.5,) * 3, (0.5,) * 3)
    with torch.no_grad():
        expected = AutoencoderKL.from_pretrained(folder).encode(pixels).latent_dist.mode() * 0.3
    np.testing.assert_allclose(latents, expected.numpy(), atol=1e-5)
    assert embedder.decode(torch.from_numpy(latents)).shape == (7, 20, 20, 3)
    assert len(embedder.provenance["sha256"]) == 64
    assert make_embedder(f"sd-vae:{folder}").image_size == (32, 32)


def test_public_autoencoder_refuses(folder: Path) -> None:
    for size in ("21", "big", "0"):
        with pytest.raises(ConfigError, match="has to be a multiple of 2 pixels"):
            make_embedder(f"sd-vae:{folder}@{size}")
    (folder / "diffusion_pytorch_model.safetensors").write_bytes(b"nothing")
    with pytest.raises(WeightsError, match="not this autoencoder's weights"):
        make_embedder(f"sd-vae:{folder}")
    (folder / "config.json").unlink()
    with pytest.raises(WeightsError, match=r"lacks config\.json"):
        make_embedder(f"sd-vae:{folder}")
    with pytest.raises(WeightsError, match=r"config\.json of no/where is not in the local"):
        make_embedder("sd-vae:no/where")
