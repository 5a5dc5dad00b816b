"""`neurodecode reconstruct --guide` and `--prior-only`, from files to files, on tiny models."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from decoding_world import World

from neurodecode import embed as towers
from neurodecode import generate
from neurodecode.cli import main
from neurodecode.embed import differentiable
from neurodecode.errors import ConfigError, DataError
from neurodecode.generate import Conditioning
from neurodecode.splits import read_split
from neurodecode.store import (
    EmbeddingStore,
    Prediction,
    ResponseStore,
    read_predictions,
    write_predictions,
)
from neurodecode.store.encoders import encoder_path, write_encoder
from neurodecode.tasks.baselines import Features
from neurodecode.tasks.controls import without_response
from neurodecode.tasks.guide import GuideBook
from neurodecode.tasks.linear_encoder import fit_linear_encoder
from neurodecode.tasks.reconstruct import Drawing, reconstruct, row_seed

#: The world's embedding has 3 tokens of width 5; pictures are their 15 values, one a pixel.
PIXELS = (3, 1, 5)


class Toy:
    """Stands for differentiable features: pixels between 0 and 1 to tokens between -4 and 4."""

    target = "tokens"

    def __call__(self, pixels: torch.Tensor) -> torch.Tensor:
        return 8 * pixels.flatten(1) - 4


class Painter:
    """Paints the tokens; a guide is followed for forty small steps."""

    name, provenance = "painter", {"model": "painter"}
    takes = Conditioning(None, "tokens", (3, 5))

    def __init__(self) -> None:
        self.calls: list[dict] = []

    def generate(self, tokens, *, init_latents, strength, n_steps, guidance, seed, guide=None):
        self.calls.append({"tokens": tokens, "init": init_latents, "guidance": guidance,
                           "seed": seed, "guide": guide})  # fmt: skip
        pixels = torch.from_numpy(tokens.reshape(len(tokens), *PIXELS)).float() / 8 + 0.5
        if guide is not None:
            for _ in range(40):
                pixels.requires_grad_(True)
                value = guide.guide(pixels, np.arange(len(tokens))).sum()
                (slope,) = torch.autograd.grad(value, pixels)
                step = 0.01 * guide.scale * slope / slope.flatten(1).norm(dim=1).view(-1, 1, 1, 1)
                pixels = (pixels + step).detach()
        levels = (255 * pixels.clamp(0, 1)).round().to(torch.uint8)
        return levels.permute(0, 2, 3, 1).numpy()

    def decode(self, latents):
        return np.full((len(latents), 1, 5, 3), 9, np.uint8)

    def encode(self, images):
        raise NotImplementedError


class Tower:
    name, provenance = "toy", {"sha256": "1"}

    def encode_images(self, images):
        pixels = torch.from_numpy(images).permute(0, 3, 1, 2) / 255
        return {"tokens": Toy()(pixels).numpy().reshape(-1, 3, 5)}


@pytest.fixture
def painter(monkeypatch: pytest.MonkeyPatch) -> Painter:
    found = Painter()
    monkeypatch.setattr(generate, "make_generator", lambda name: found)
    monkeypatch.setattr(towers, "make_embedder", lambda name: Tower())
    monkeypatch.setitem(differentiable.PIXEL_FEATURES, "toy", Toy)
    return found


@pytest.fixture
def files(world: World, painter: Painter, tmp_path: Path) -> Path:
    """Encoders of two subjects, and predictions of their test tokens that know nothing."""
    stores = world.root / "stores"
    split = read_split(stores / "splits.json")
    features = Features([EmbeddingStore(world.root / "tokens.h5")], "tokens")
    features.stores[0].attrs |= {"embedder": "toy", "sha256": "1"}
    for subject in ("b", "c"):
        store = ResponseStore(encoder_path(stores, subject))
        encoder = fit_linear_encoder(store, split, 0, features, n_components=6)
        write_encoder(encoder_path(tmp_path / "encoders", subject), encoder)
    ids = list(split.folds[0].test)[::-1]
    rng = np.random.default_rng(6)
    predictions = [
        Prediction(
            subject, ids,
            {"tokens": 1.5 + 0.1 * rng.normal(size=(len(ids), 3, 5)).astype(np.float32),
             "latent": rng.normal(size=(len(ids), 2, 2, 2))},
        )
        for subject in "bc"
    ]  # fmt: skip
    attrs = {"task": "identification", "target": "tokens"}
    write_predictions(tmp_path / "p.h5", "decoder", predictions, attrs)
    return tmp_path


def run(files: Path, world: World, *words: str, guide: bool = True) -> int:
    stores = world.root / "stores"
    guided = ["--guide", files / "encoders", "--stores", stores, "--splits",
              stores / "splits.json"] if guide else []  # fmt: skip
    given = ["reconstruct", "--predictions", files / "p.h5", "--out", files / "out.h5"]
    return main([str(word) for word in (*given, *guided, "--quiet", *words)])


def truth(world: World, ids: list[str]) -> np.ndarray:
    return EmbeddingStore(world.root / "tokens.h5").read("tokens", ids).reshape(len(ids), -1)


def test_guided_pictures_explain_the_response_and_resemble_the_truth(
    files: Path, world: World, painter: Painter
) -> None:
    assert run(files, world, guide=False) == 0
    plain = read_predictions(files / "out.h5")
    assert all(call["guide"] is None for call in painter.calls)
    assert run(files, world, "--method", "guided", "--guide-scale", "0.7", "--samples", "1") == 0
    guided = read_predictions(files / "out.h5")
    assert guided.method == "guided"
    assert guided.attrs["guide"] == {"embedder": "toy", "scale": 0.7}
    assert "guide" not in plain.attrs
    for before, after in zip(plain.predictions, guided.predictions, strict=True):
        tokens = [Tower().encode_images(each.arrays["images"])["tokens"].reshape(9, -1)
                  for each in (before, after)]  # fmt: skip
        errors = [((each - truth(world, before.stimulus_id)) ** 2).sum(axis=1) for each in tokens]
        # without its own response a picture cannot come nearer to its own stimulus
        assert (errors[1] < errors[0]).mean() > 0.8


def test_without_a_brain_nothing_decoded_is_used(
    files: Path, world: World, painter: Painter
) -> None:
    assert run(files, world, "--prior-only", "--samples", "3", "--seed", "5", guide=False) == 0
    found = read_predictions(files / "out.h5")
    assert (found.method, found.attrs["control"]) == ("prior_only", True)
    # one sample of each stimulus for all subjects, whatever was asked for
    (call,) = painter.calls
    stimuli = list(found.predictions[0].stimulus_id)
    assert not call["tokens"].any()
    assert call["init"] is None
    assert call["seed"] == [row_seed(5, "", name, 0) for name in stimuli]
    assert [each.subject for each in found.predictions] == ["b", "c"]
    for each in found.predictions:
        assert set(each.arrays) == {"images", "chosen", "similarity"}
        rows = [stimuli.index(name) for name in each.stimulus_id]
        assert np.array_equal(each.arrays["images"], found.predictions[0].arrays["images"][rows])
    with pytest.raises(DataError, match="no array 'prior_tokens'"):
        without_response(read_predictions(files / "p.h5").predictions, "prior_tokens")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--guide-scale", "0"], "--guide-scale is 0.0; give a positive number"),
        (["--prior-only"], "--prior-only draws without a brain"),
        (["--shuffle-responses"], "--shuffle-responses exchanges pictures that were drawn"),
    ],
)
def test_options_that_contradict_each_other(
    files: Path, world: World, words: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(files, world, *words) == 2
    assert message in capsys.readouterr().err
    assert not (files / "out.h5").exists()


def test_guide_needs_responses(files: Path, world: World, capsys) -> None:
    assert run(files, world, "--guide", str(files / "encoders"), guide=False) == 2
    assert "--guide needs --stores and --splits" in capsys.readouterr().err


def test_missing_and_mixed_encoders_are_named(files: Path, world: World, capsys) -> None:
    (files / "encoders" / "sub-c.h5").unlink()
    assert run(files, world) == 2
    assert "sub-c.h5: file is missing" in capsys.readouterr().err
    split = read_split(world.root / "stores" / "splits.json")
    with pytest.raises(DataError, match=r"no sub-\*\.h5 found; run `neurodecode encoder`"):
        GuideBook(files / "nothing", world.root / "stores", split)


def test_a_generator_without_guide_says_so(files: Path) -> None:

    class Unguided:
        name = "plain"

        def generate(self, tokens, *, seed):
            raise AssertionError

    prediction = read_predictions(files / "p.h5").predictions[0]
    with pytest.raises(ConfigError, match="generator plain cannot be guided"):
        reconstruct(prediction, Unguided(), None, Drawing(), guide=object())
