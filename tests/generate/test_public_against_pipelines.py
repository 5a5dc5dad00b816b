"""The loop gives the pictures that diffusers' own pipelines give, from the same noise."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from diffusers import (
    KandinskyV22Img2ImgPipeline,
    KandinskyV22Pipeline,
    StableDiffusionImg2ImgPipeline,
    StableDiffusionPipeline,
    StableDiffusionXLImg2ImgPipeline,
    StableDiffusionXLPipeline,
    StableUnCLIPImg2ImgPipeline,
)
from PIL import Image
from tiny_pipelines import PublicWorld, image_tower
from transformers import CLIPTextModel, CLIPVisionModelWithProjection

from neurodecode.generate.memory import Memory
from neurodecode.generate.refine import SdxlRefiner
from neurodecode.generate.sampling import generators
from neurodecode.generate.stable_diffusion import open_stable_diffusion

SEEDS = [5, 8, 2]

# the pipelines' own solvers: diffusers 0.42 hands torch tensors to np.array
pytestmark = pytest.mark.filterwarnings("ignore:.*doesn't accept a copy keyword")


def embeddings(*shape: int) -> torch.Tensor:
    return torch.randn(3, *shape, generator=torch.Generator().manual_seed(9))


def assert_same(found: np.ndarray, reference: Any) -> None:
    """Within a grey level of what the pipeline gives on the scale 0 to 1."""
    np.testing.assert_allclose(found, 255 * np.asarray(reference), atol=1.01)
    assert found.std() > 5


@pytest.fixture
def rough() -> np.ndarray:
    return np.random.default_rng(4).integers(0, 256, (3, 32, 32, 3), np.uint8)


def quiet(pipeline: Any) -> Any:
    pipeline.set_progress_bar_config(disable=True)
    return pipeline


@pytest.mark.parametrize("guidance", [1.0, 3.0])
def test_kandinsky(public: PublicWorld, guidance: float) -> None:
    generator, tokens = public.open("kandinsky2.2"), embeddings(10)
    pipeline = quiet(KandinskyV22Pipeline(
        generator.unet, generator.scheduler, generator.codec.model))  # fmt: skip
    reference = pipeline(
        tokens, generator.null.expand(3, -1), height=32, width=32, num_inference_steps=3,
        guidance_scale=guidance, generator=generators(SEEDS), output_type="np",
    ).images  # fmt: skip
    found = generator.generate(tokens.numpy(), n_steps=3, guidance=guidance, seed=SEEDS)
    assert_same(found, reference)


def test_kandinsky_from_a_picture(public: PublicWorld, rough: np.ndarray) -> None:
    generator, tokens = public.open("kandinsky2.2"), embeddings(10)
    pipeline = quiet(KandinskyV22Img2ImgPipeline(
        generator.unet, generator.scheduler, generator.codec.model))  # fmt: skip
    reference = pipeline(
        tokens, [Image.fromarray(each) for each in rough], generator.null.expand(3, -1), height=32,
        width=32, strength=0.5, num_inference_steps=4, guidance_scale=2.0,
        generator=generators(SEEDS), output_type="np",
    ).images  # fmt: skip
    found = generator.generate(
        tokens.numpy(), init_latents=generator.encode(rough), strength=0.5, n_steps=4, seed=SEEDS
    )
    assert_same(found, reference)


def test_null_embedding_is_that_of_a_picture_of_zeros(public: PublicWorld) -> None:
    tower = CLIPVisionModelWithProjection.from_pretrained(
        public.folders["kandinsky2.2"], subfolder="image_encoder"
    )
    with torch.no_grad():
        expected = tower(torch.zeros(1, 3, 20, 20)).image_embeds
    torch.testing.assert_close(public.open("kandinsky2.2").null, expected)
    assert expected.abs().max() > 0


@pytest.mark.parametrize("noise_level", [0, 300])
def test_stable_unclip(public: PublicWorld, noise_level: int) -> None:
    generator = public.open("stable-unclip", noise_level=noise_level, prompt="a cat")
    folder, tokens = public.folders["stable-unclip"], embeddings(14)
    parts = dict(generator.noiser.components) | {"unet": generator.unet}
    parts["image_encoder"] = image_tower(16, 14)  # asked for its type, not used
    parts["text_encoder"] = CLIPTextModel.from_pretrained(folder, subfolder="text_encoder")
    pipeline = quiet(StableUnCLIPImg2ImgPipeline(**parts))
    reference = pipeline(
        prompt=["a cat"] * 3, image_embeds=tokens, height=32, width=32, num_inference_steps=3,
        guidance_scale=4.0, noise_level=noise_level, generator=generators(SEEDS), output_type="np",
    ).images  # fmt: skip
    found = generator.generate(tokens.numpy(), n_steps=3, guidance=4.0, seed=SEEDS)
    assert_same(found, reference)


def adapter_pipeline(public: PublicWorld, generator: Any, name: str, kind: Any) -> Any:
    """A pipeline with its own text towers, on the generator's networks."""
    xl = name.startswith("sdxl")
    whole, _ = open_stable_diffusion(
        str(public.folders[name]), xl=xl, download=False, memory=Memory("cpu"), what="test"
    )
    parts = dict(whole.components) | {"unet": generator.unet, "vae": generator.codec.model}
    return quiet(kind(**parts, **({} if xl else {"requires_safety_checker": False})))


@pytest.mark.parametrize(
    ("name", "kind", "shape"),
    [
        ("sd-ip-adapter", StableDiffusionPipeline, (22,)),
        ("sdxl-ip-adapter", StableDiffusionXLPipeline, (26, 26)),
    ],
)
def test_ip_adapter(public: PublicWorld, name: str, kind: Any, shape: tuple[int, ...]) -> None:
    generator, tokens = public.open(name), embeddings(*shape)
    pipeline = adapter_pipeline(public, generator, name, kind)
    found = generator.generate(tokens.numpy(), n_steps=3, guidance=3.0, seed=SEEDS)
    for row in range(3):  # the pipeline takes one image at a time
        given = torch.cat([generator.null, tokens[row : row + 1]])[:, None]
        reference = pipeline(
            prompt="", ip_adapter_image_embeds=[given], height=32, width=32, guidance_scale=3.0,
            num_inference_steps=3, generator=generators(SEEDS[row : row + 1]), output_type="np",
        ).images  # fmt: skip
        assert_same(found[row : row + 1], reference)


@pytest.mark.parametrize(
    ("name", "kind", "shape"),
    [
        ("sd-ip-adapter", StableDiffusionImg2ImgPipeline, (22,)),
        ("sdxl-ip-adapter", StableDiffusionXLImg2ImgPipeline, (26, 26)),
    ],
)
def test_ip_adapter_from_a_picture(
    public: PublicWorld, rough: np.ndarray, name: str, kind: Any, shape: tuple[int, ...]
) -> None:
    generator, tokens = public.open(name), embeddings(*shape)
    pipeline, start = adapter_pipeline(public, generator, name, kind), generator.encode(rough)
    found = generator.generate(
        tokens.numpy(), init_latents=start, strength=0.5, n_steps=6, guidance=3.0, seed=SEEDS
    )
    for row in range(3):
        given = torch.cat([generator.null, tokens[row : row + 1]])[:, None]
        reference = pipeline(
            prompt="", ip_adapter_image_embeds=[given], image=torch.from_numpy(start[[row]]),
            strength=0.5, guidance_scale=3.0, num_inference_steps=6,
            generator=generators(SEEDS[row : row + 1]), output_type="np",
        ).images  # fmt: skip
        assert_same(found[row : row + 1], reference)


@pytest.mark.parametrize("guidance", [1.0, 5.0])
def test_refinement(public: PublicWorld, rough: np.ndarray, guidance: float) -> None:
    folder, captions = public.folders["sdxl-ip-adapter"], ["a cat", "dogs", "the sea"]
    refiner = SdxlRefiner.load(str(folder), device="cpu")
    pipeline = quiet(StableDiffusionXLImg2ImgPipeline(**refiner.pipeline.components))
    reference = pipeline(
        prompt=captions, image=torch.from_numpy(refiner.encode(rough)), strength=0.5,
        num_inference_steps=6, guidance_scale=guidance, generator=generators(SEEDS),
        output_type="np",
    ).images  # fmt: skip
    found = refiner.refine(rough, captions, strength=0.5, n_steps=6, guidance=guidance, seed=SEEDS)
    assert_same(found, reference)
