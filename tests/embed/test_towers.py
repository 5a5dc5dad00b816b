"""OpenCLIP and timm towers as embedders."""

from __future__ import annotations

import numpy as np
import pytest
import timm
import torch
from open_clip.tokenizer import SimpleTokenizer

from neurodecode.datasets.mini.scenes import captions, sample_scene
from neurodecode.embed import EMBEDDERS, Embedder, TextEmbedder, TokenPooler, make_embedder
from neurodecode.embed.openclip import OpenClipEmbedder
from neurodecode.embed.pixels import prepare_images
from neurodecode.embed.timm_tower import TimmEmbedder
from neurodecode.embed.tokenizer import load_tokenizer, write_trimmed_merges
from neurodecode.errors import ConfigError, WeightsError


def test_openclip_tokens_are_the_last_layer_after_its_norm(
    tiny_clip: OpenClipEmbedder, pictures: np.ndarray
) -> None:
    found = tiny_clip.encode_images(pictures)
    assert found["tokens"].shape == (7, 17, 24)
    assert found["pooled"].shape == (7, 11)
    visual = tiny_clip.model.visual
    pixels = prepare_images(pictures, (28, 28), tiny_clip.mean, tiny_clip.std)
    expected = visual.forward_intermediates(
        pixels, indices=1, normalize_intermediates=True, output_fmt="NLC", output_extra_tokens=True
    )
    np.testing.assert_allclose(
        found["tokens"][:, 1:], expected["image_intermediates"][-1].numpy(), atol=1e-5
    )
    np.testing.assert_allclose(
        found["tokens"][:, :1], expected["image_intermediates_prefix"][-1].numpy(), atol=1e-5
    )
    np.testing.assert_allclose(
        found["pooled"], tiny_clip.model.encode_image(pixels).numpy(), atol=1e-5
    )


def test_openclip_class_token_gives_the_pooled_embedding(
    tiny_clip: OpenClipEmbedder, pictures: np.ndarray
) -> None:
    found = tiny_clip.encode_images(pictures)
    projected = found["tokens"][:, 0] @ tiny_clip.model.visual.proj.numpy()
    np.testing.assert_allclose(found["pooled"], projected, atol=1e-5)


def test_openclip_texts(tiny_clip: OpenClipEmbedder) -> None:
    texts = ["one", "two three"]
    found = tiny_clip.encode_texts(texts)
    assert found.shape == (2, 11)
    np.testing.assert_allclose(found[1:], tiny_clip.encode_texts(texts[1:]), atol=1e-5)
    assert isinstance(tiny_clip, TextEmbedder)
    assert isinstance(tiny_clip, TokenPooler)


def test_openclip_pools_tokens_of_its_last_block_alone(
    tiny_clip: OpenClipEmbedder, pictures: np.ndarray
) -> None:
    found = tiny_clip.encode_images(pictures)
    pooled = tiny_clip.pool_tokens(found["tokens"])
    np.testing.assert_allclose(pooled, found["pooled"], atol=1e-5)
    tiny_clip.penultimate = True
    with pytest.raises(ConfigError, match="tokens of this tower cannot be pooled"):
        tiny_clip.pool_tokens(tiny_clip.encode_images(pictures)["tokens"])


def test_a_tower_without_tokens_is_refused(
    tiny_clip: OpenClipEmbedder, pictures: np.ndarray
) -> None:
    tiny_clip.model.visual.final_ln_after_pool = True
    with pytest.raises(ConfigError, match="gives no tokens"):
        tiny_clip.encode_images(pictures)


@pytest.mark.parametrize(
    ("model", "options", "n_tokens", "width"),
    [
        ("vit_tiny_patch16_224", dict(img_size=48, embed_dim=24, depth=2, num_heads=3), 10, 24),
        ("resnet10t", {}, 4, 512),
        ("convnext_atto", {"depths": (1, 1, 1, 1), "dims": (8, 16, 24, 40)}, 4, 40),
    ],
)
def test_timm_tokens_and_pooled(
    model: str, options: dict, n_tokens: int, width: int, pictures: np.ndarray
) -> None:
    torch.manual_seed(5)
    built = timm.create_model(model, pretrained=False, num_classes=0, **options)
    embedder = TimmEmbedder(built, name=f"timm:{model}", provenance={})
    side = options.get("img_size", 64)
    embedder.data["input_size"] = (3, side, side)
    found = embedder.encode_images(pictures)
    assert found["tokens"].shape == (7, n_tokens, width)
    assert found["pooled"].shape == (7, width)
    if model != "vit_tiny_patch16_224":
        return
    pixels = prepare_images(
        pictures, (48, 48), embedder.data["mean"], embedder.data["std"],
        crop_share=embedder.data["crop_pct"],
    )  # fmt: skip
    with torch.inference_mode():
        np.testing.assert_allclose(found["pooled"], built(pixels).numpy(), atol=1e-5)
    np.testing.assert_allclose(found["tokens"][:, 0], found["pooled"], atol=1e-5)


def test_prepare_images_matches_torchvision(pictures: np.ndarray) -> None:
    from torchvision.transforms import v2

    mean, std = (0.4, 0.5, 0.6), (0.2, 0.3, 0.25)
    pipeline = v2.Compose([
        v2.ToDtype(torch.float32, scale=True),
        v2.Resize(20, interpolation=v2.InterpolationMode.BICUBIC, antialias=True),
        v2.CenterCrop(20),
        v2.Lambda(lambda x: x.clamp(0, 1)),
        v2.Normalize(mean, std),
    ])  # fmt: skip
    expected = pipeline(torch.from_numpy(pictures).permute(0, 3, 1, 2))
    found = prepare_images(pictures, (20, 20), mean, std)
    np.testing.assert_allclose(found.numpy(), expected.numpy(), atol=1e-5)


def test_pictures_of_the_right_size_are_left_alone(rng: np.random.Generator) -> None:
    images = rng.integers(0, 256, (2, 8, 8, 3), dtype=np.uint8)
    found = prepare_images(images, (8, 8), (0.5,) * 3, (0.5,) * 3)
    np.testing.assert_allclose(found.permute(0, 2, 3, 1).numpy(), images / 127.5 - 1, atol=1e-6)


def test_trimmed_vocabulary_splits_words_like_the_full_one(
    tmp_path, rng: np.random.Generator
) -> None:
    texts = [text for _ in range(9) for text in captions(sample_scene(rng))]
    path = tmp_path / "merges.txt.gz"
    write_trimmed_merges(path, sorted({word for text in texts for word in text.split()}))
    full, trimmed = SimpleTokenizer(), load_tokenizer(path, 32)
    assert 514 < trimmed.vocab_size < 900
    for text in texts:
        by_full = [full.decoder[i] for i in full.encode(text)]
        assert [trimmed.decoder[i] for i in trimmed.encode(text)] == by_full
    before = path.read_bytes()
    write_trimmed_merges(path, sorted({word for text in texts for word in text.split()}))
    assert path.read_bytes() == before


@pytest.mark.parametrize(
    ("name", "error", "message"),
    [
        ("nonsense", ConfigError, "unknown embedder 'nonsense'; known: dct, gabor"),
        ("openclip:ViT-B-32", ConfigError, "openclip:ARCHITECTURE/WEIGHTS"),
        ("openclip:NoSuch/openai", ConfigError, "unknown"),
        ("openclip:ViT-B-32-quickgelu/nothing", ConfigError, "no such weights; known: .*openai"),
        ("openclip:ViT-B-32/openai", ConfigError, "use openclip:ViT-B-32-quickgelu/openai"),
        ("timm:no_such_net", ConfigError, "no such model"),
        ("timm:vit_tiny_patch16_224.nonsense", WeightsError, "no public weights"),
    ],
)
def test_bad_names_are_refused(name: str, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message) as caught:
        make_embedder(name)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "name", ["openclip:ViT-L-14-quickgelu/openai", "timm:vit_base_patch14_dinov2.lvd142m"]
)
def test_absent_weights_name_the_file_and_the_way_to_get_it(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("neurodecode.embed.hub.try_to_load_from_cache", lambda *_: None)
    with pytest.raises(WeightsError, match=r"safetensors of .* not in the local .* download=True"):
        make_embedder(name)


@pytest.mark.parametrize("name", ["mini-clip", "mini-vae", "gabor"])
def test_weightless_and_bundled_embedders(name: str, rng: np.random.Generator) -> None:
    embedder = make_embedder(name)
    assert isinstance(embedder, Embedder)
    assert embedder.name == name
    images = rng.integers(0, 256, (3, 50, 70, 3), dtype=np.uint8)
    for values in embedder.encode_images(images).values():
        assert len(values) == 3
        assert values.dtype == np.float32
        assert np.isfinite(values).all()


def test_every_registered_embedder_is_tested() -> None:
    assert set(EMBEDDERS) == {
        "mini-clip",
        "mini-vae",
        "gabor",
        "dct",
        "openclip",
        "timm",
        "openclip-penultimate",
        "sd-vae",
    }
