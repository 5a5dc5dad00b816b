from __future__ import annotations

import numpy as np
import pytest

from neurodecode.cli import main
from neurodecode.errors import DataError
from neurodecode.generate import Conditioning
from neurodecode.store import Prediction, read_predictions, write_predictions
from neurodecode.tasks.controls import derange
from neurodecode.tasks.reconstruct import Drawing, reconstruct, row_seed

N = 7


class Painter:
    """Paints the embedding's first values, plus noise from the seed: 2 x 3 pixel pictures."""

    name, provenance = "painter", {"model": "painter"}
    takes = Conditioning(None, "tokens", (6, 3))

    def __init__(self) -> None:
        self.calls: list[dict] = []

    def generate(self, tokens, *, init_latents, strength, n_steps, guidance, seed):
        self.calls.append({"seed": seed, "init": init_latents, "strength": strength})
        noise = np.stack([np.random.default_rng(s).normal(0, 40, (2, 3, 3)) for s in seed])
        picture = tokens.reshape(len(tokens), 2, 3, 3) + noise
        return np.clip(picture + 128, 0, 255).astype(np.uint8)

    def decode(self, latents):
        return np.full((len(latents), 2, 3, 3), 9, np.uint8)

    def encode(self, images):
        raise NotImplementedError


def embed(images):
    return images.astype(float) - 128


@pytest.fixture
def prediction(rng) -> Prediction:
    tokens = rng.normal(0, 40, (N, 6, 3)).astype(np.float32)
    arrays = {"tokens": tokens, "latent": rng.normal(size=(N, 2, 2, 2))}
    return Prediction("s", [f"id{k}" for k in range(N)], arrays, n_averaged=2.5, fold=1)


def test_the_sample_most_like_the_decoded_embedding_is_kept(prediction):
    painter = Painter()
    found = reconstruct(prediction, painter, embed, Drawing(n_samples=5))
    assert found.arrays["images"].shape == (N, 2, 3, 3)
    assert found.arrays["low_level"].shape == (N, 2, 3, 3)
    assert (found.n_averaged, found.fold) == (2.5, 1)
    every = np.stack([
        [row_seed(0, "s", name, k) for name in prediction.stimulus_id] for k in range(5)
    ])  # fmt: skip
    decoded = prediction.arrays["tokens"].reshape(N, -1)
    cosines = []
    for seeds in every:
        drawn = embed(Painter().generate(
            prediction.arrays["tokens"], init_latents=None, strength=1, n_steps=1, guidance=1,
            seed=seeds)).reshape(N, -1)  # fmt: skip
        lengths = np.linalg.norm(drawn, axis=1) * np.linalg.norm(decoded, axis=1)
        cosines.append((drawn * decoded).sum(axis=1) / lengths)
    np.testing.assert_array_equal(found.arrays["chosen"], np.argmax(cosines, axis=0))
    np.testing.assert_allclose(found.arrays["similarity"], np.max(cosines, axis=0))


def test_a_picture_does_not_depend_on_the_others(prediction):
    whole = reconstruct(prediction, Painter(), embed, Drawing(n_samples=2))
    part = Prediction(
        "s", prediction.stimulus_id[3:5], {k: v[3:5] for k, v in prediction.arrays.items()}
    )
    alone = reconstruct(part, Painter(), embed, Drawing(n_samples=2))
    np.testing.assert_array_equal(alone.arrays["images"], whole.arrays["images"][3:5])


def test_without_a_latent_drawing_starts_from_noise(prediction):
    painter = Painter()
    bare = Prediction("s", prediction.stimulus_id, {"tokens": prediction.arrays["tokens"]})
    found = reconstruct(bare, painter, embed, Drawing(n_samples=1))
    assert painter.calls[0]["init"] is None
    assert "low_level" not in found.arrays


def test_missing_array_is_named(prediction):
    with pytest.raises(DataError, match=r"no array 'prior_tokens' \(found: latent, tokens\)"):
        reconstruct(prediction, Painter(), embed, Drawing(tokens="prior_tokens"))


def test_derangement_moves_every_row_and_keeps_rows_together(prediction):
    for seed in range(20):
        moved = derange(prediction, seed)
        source = [
            int(np.flatnonzero((prediction.arrays["tokens"] == row).all(axis=(1, 2)))[0])
            for row in moved.arrays["tokens"]
        ]
        assert sorted(source) == list(range(N))
        assert all(a != b for a, b in enumerate(source))
        np.testing.assert_array_equal(moved.arrays["latent"], prediction.arrays["latent"][source])
    one = Prediction("s", ["id"], {"tokens": np.zeros((1, 2))})
    with pytest.raises(DataError, match="one stimulus cannot be shuffled"):
        derange(one)


def test_command_draws_and_shuffles(prediction, tmp_path, monkeypatch):
    from neurodecode import embed as towers
    from neurodecode import generate

    class Tower:
        provenance = {"model": "tower"}

        def encode_images(self, images):
            return {"tokens": embed(images)}

    painter = Painter()
    monkeypatch.setattr(generate, "make_generator", lambda name: painter)
    monkeypatch.setattr(towers, "make_embedder", lambda name: Tower())
    attrs = {"task": "identification", "target": "tokens", "selection_split": "validation"}
    write_predictions(tmp_path / "p.h5", "decoder", [prediction], attrs)
    given = ["reconstruct", "--predictions", str(tmp_path / "p.h5"), "--quiet"]
    assert main([*given, "--out", str(tmp_path / "a.h5"), "--strength", "0.6"]) == 0
    found = read_predictions(tmp_path / "a.h5")
    assert found.method == "decoder"
    assert found.attrs["task"] == "reconstruction"
    assert found.attrs["drawing"]["strength"] == painter.calls[0]["strength"] == 0.6
    assert found.attrs["selection_split"] == "validation"
    n_calls = len(painter.calls)
    # the pictures of the shuffled baseline are the same ones, with each other's stimuli
    shuffle = ["reconstruct", "--predictions", str(tmp_path / "a.h5"), "--shuffle-responses"]
    assert main([*shuffle, "--quiet", "--out", str(tmp_path / "b.h5")]) == 0
    shuffled = read_predictions(tmp_path / "b.h5")
    assert shuffled.method == "shuffled"
    assert len(painter.calls) == n_calls
    first, second = found.predictions[0].arrays["images"], shuffled.predictions[0].arrays["images"]
    assert not (first == second).all(axis=(1, 2, 3)).any()
    assert sorted(map(bytes, first)) == sorted(map(bytes, second))
    assert main([*given, "--out", str(tmp_path / "c.h5"), "--samples", "0"]) == 2
