"""Pictures drawn in parts: by several commands, and after an interruption."""

from __future__ import annotations

import numpy as np
import pytest
from test_reconstruct import Painter, embed

from neurodecode import embed as towers
from neurodecode import generate
from neurodecode.cli import main
from neurodecode.store import Prediction, read_predictions, write_predictions
from neurodecode.tasks import drawn_parts


class Tower:
    provenance = {"model": "tower"}

    def encode_images(self, images):
        return {"tokens": embed(images)}


@pytest.fixture
def painter(monkeypatch) -> Painter:
    made = Painter()
    monkeypatch.setattr(generate, "make_generator", lambda name: made)
    monkeypatch.setattr(towers, "make_embedder", lambda name: Tower())
    monkeypatch.setattr(drawn_parts, "_ROWS", 4)
    return made


@pytest.fixture
def given(rng, tmp_path) -> list[str]:
    """Nine and seven predictions: pieces of 4, 4, 1 and 4, 3."""
    parts = [
        Prediction(
            subject,
            [f"id{k}" for k in range(n)],
            {"tokens": rng.normal(0, 40, (n, 6, 3)).astype(np.float32),
             "latent": rng.normal(size=(n, 2, 2, 2))},
            n_averaged=2.5,
        )
        for subject, n in (("a.1", 9), ("b", 7))
    ]  # fmt: skip
    write_predictions(tmp_path / "p.h5", "decoder", parts, {"target": "tokens"})
    return ["reconstruct", "--predictions", str(tmp_path / "p.h5"), "--samples", "2", "--quiet"]


def same(one, two) -> None:
    first, second = read_predictions(one), read_predictions(two)
    assert first.attrs == second.attrs
    for mine, theirs in zip(first.predictions, second.predictions, strict=True):
        assert mine.stimulus_id == theirs.stimulus_id
        assert (mine.subject, mine.n_averaged) == (theirs.subject, theirs.n_averaged)
        assert mine.arrays.keys() == theirs.arrays.keys()
        for name, values in mine.arrays.items():
            np.testing.assert_array_equal(theirs.arrays[name], values)


def test_joined_shards_are_what_one_command_draws(given, painter, tmp_path):
    assert main([*given, "--out", str(tmp_path / "whole.h5")]) == 0
    n_calls = len(painter.calls)
    assert n_calls == 5 * 2
    out = ["--out", str(tmp_path / "parts.h5")]
    for shard in ("2/3", "1/3"):
        assert main([*given, *out, "--shard", shard]) == 0
    assert not (tmp_path / "parts.h5").exists()
    assert main([*given, *out]) == 0  # draws what the third would have drawn
    assert len(painter.calls) == 2 * n_calls
    same(tmp_path / "whole.h5", tmp_path / "parts.h5")
    assert {path.name for path in tmp_path.iterdir()} == {"p.h5", "whole.h5", "parts.h5"}


def test_an_interrupted_command_goes_on(given, painter, tmp_path, monkeypatch):
    assert main([*given, "--out", str(tmp_path / "whole.h5")]) == 0
    n_calls = len(painter.calls)
    plain = painter.generate

    def failing(*tokens, **options):
        if len(painter.calls) == n_calls + 5:
            raise KeyboardInterrupt
        return plain(*tokens, **options)

    out = ["--out", str(tmp_path / "again.h5")]
    with monkeypatch.context() as patch:
        patch.setattr(painter, "generate", failing)
        with pytest.raises(KeyboardInterrupt):
            main([*given, *out])
    assert not (tmp_path / "again.h5").exists()
    assert main([*given, *out]) == 0
    # two pieces were whole, the third had one of two samples and is drawn again
    assert len(painter.calls) == n_calls + 5 + 3 * 2
    same(tmp_path / "whole.h5", tmp_path / "again.h5")


def test_pieces_drawn_with_other_settings_are_left_alone(given, painter, tmp_path):
    out = ["--out", str(tmp_path / "x.h5")]
    assert main([*given, *out, "--shard", "1/1", "--seed", "7"]) == 0
    n_calls = len(painter.calls)
    assert main([*given, *out]) == 0
    assert len(painter.calls) == 2 * n_calls
    assert main([*given, "--out", str(tmp_path / "whole.h5")]) == 0
    same(tmp_path / "x.h5", tmp_path / "whole.h5")
