"""A generator draws from its own embedding and refuses a decoder of another one."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from tiny_pipelines import PublicWorld

from neurodecode.cli import main
from neurodecode.embed.vae import VaeEmbedder
from neurodecode.errors import DataError
from neurodecode.generate import Conditioning
from neurodecode.store import Prediction, read_predictions, write_predictions

POOLED = Conditioning("openclip:ViT-H-14/laion2b_s32b_b79k", "pooled", (14,))
TOKENS = Conditioning("openclip-penultimate:ViT-H-14/laion2b_s32b_b79k", "tokens", (9, 7))


def test_shapes() -> None:
    assert POOLED.fit(np.zeros((3, 14))).shape == (3, 14)
    assert POOLED.fit(np.zeros((3, 1, 14))).shape == (3, 14)
    assert TOKENS.fit(np.zeros((3, 9, 7))).shape == (3, 9, 7)
    for wrong in (np.zeros((3, 7, 9)), np.zeros((3, 63)), np.zeros((3, 9, 7, 1, 2))):
        with pytest.raises(DataError, match=r"draws from tokens \(9 x 7\) of openclip-penultimate"):
            TOKENS.fit(wrong)


@pytest.mark.parametrize(
    ("attrs", "says"),
    [
        ({}, None),
        ({"embedding_model": POOLED.model, "target": "pooled"}, None),
        # weights given as a file are those the user says they are
        ({"embedding_model": "openclip:ViT-H-14//data/clip.safetensors"}, None),
        ({"embedding_model": "openclip:ViT-H-14/metaclip_fullcc"}, "field embedding_model"),
        ({"embedding_model": "openclip:ViT-bigG-14/laion2b_s39b_b160k"}, "field embedding_model"),
        ({"embedding_model": TOKENS.model}, "field embedding_model"),
        ({"embedding_model": POOLED.model, "target": "tokens"}, "field target"),
    ],
)
def test_decoders_of_another_embedding(attrs: dict, says: str | None) -> None:
    if says is None:
        POOLED.refuse_others(attrs, (1, 14))
        return
    with pytest.raises(DataError, match=says) as found:
        POOLED.refuse_others(attrs, (14,))
    assert "this generator draws from pooled (14) of openclip:ViT-H-14" in str(found.value)


class Tower:
    """Mean colours, spread over 14 numbers."""

    provenance = {"model": "tower"}

    def encode_images(self, images):
        mean = images.reshape(len(images), -1, 3).mean(axis=1)
        return {"pooled": np.resize(mean.T, (14, len(images))).T}


@pytest.fixture
def command(
    public: PublicWorld, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> tuple[list[str], Path]:
    """`reconstruct` with the tiny unCLIP, a tower and an autoencoder of other latents."""
    from neurodecode import embed

    vae = VaeEmbedder.public(f"{public.folders['sdxl-ip-adapter'] / 'vae'}@20")
    towers = {POOLED.model: Tower(), "the-vae": vae}
    monkeypatch.setattr(embed, "make_embedder", lambda name, **options: towers[name])
    words = ["reconstruct", "--predictions", str(tmp_path / "p.h5"), "--out",
             str(tmp_path / "out.h5"), "--generator", "stable-unclip", "--generator-options",
             f"weights={public.folders['stable-unclip']}", "device=cpu", "batch_size=2",
             "--steps", "3", "--samples", "2", "--quiet"]  # fmt: skip
    return words, tmp_path


def decoded(folder: Path, **attrs: str) -> None:
    rng = np.random.default_rng(8)
    arrays = {"tokens": rng.normal(size=(3, 1, 14)), "latent": rng.normal(size=(3, 4, 5, 5))}
    arrays = {name: values.astype(np.float32) for name, values in arrays.items()}
    prediction = Prediction("s", ["a", "b", "c"], arrays)
    known = {"embedding_model": POOLED.model, "target": "pooled"}
    write_predictions(folder / "p.h5", "decoder", [prediction], {**known, **attrs})


def test_reconstruct_with_a_public_generator(command: tuple[list[str], Path]) -> None:
    words, folder = command
    decoded(folder)
    assert main([*words, "--latents-of", "the-vae"]) == 0
    found = read_predictions(folder / "out.h5")
    assert found.attrs["generator"]["model"] == "stable-unclip"
    assert found.attrs["latents_of"] == "the-vae"
    arrays = found.predictions[0].arrays
    assert arrays["images"].shape == (3, 32, 32, 3)
    assert arrays["low_level"].shape == (3, 20, 20, 3)  # pictures of its own autoencoder
    assert arrays["images"].std() > 5


@pytest.mark.parametrize(
    ("attrs", "extra", "says"),
    [
        ({"embedding_model": "mini-clip", "target": "tokens"}, [], "decoded are tokens of mini-cl"),
        ({}, [], "field init_latents: shape (3, 4, 5, 5), wanted (3, 4, 8, 8); name the autoenc"),
        ({}, ["--latents-of", POOLED.model], "is no autoencoder"),
        ({}, ["--generator-options", "batch_size"], "write NAME=VALUE"),
        ({}, ["--generator-config", "none.yaml"], "file none.yaml: missing"),
    ],
)
def test_reconstruct_refuses_in_one_line(
    command: tuple[list[str], Path], capsys: pytest.CaptureFixture[str], attrs: dict,
    extra: list[str], says: str,
) -> None:  # fmt: skip
    words, folder = command
    decoded(folder, **attrs)
    assert main([*words, *extra]) == 2
    said = capsys.readouterr().err
    assert says in said
    assert said.count("\n") == 1
    assert not (folder / "out.h5").exists()
