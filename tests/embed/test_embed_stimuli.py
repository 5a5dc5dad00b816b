"""Embedding a data set: resumable, reproducible, never mixed up."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from neurodecode.embed import embed_stimuli
from neurodecode.embed.gabor import GaborEmbedder
from neurodecode.embed.openclip import OpenClipEmbedder
from neurodecode.errors import ConfigError, DataError
from neurodecode.recording import StimulusSet


class Interrupted(OpenClipEmbedder):
    """Stops after a number of batches, as a killed process would."""

    calls_left = 3

    def encode_images(self, images: np.ndarray) -> dict[str, np.ndarray]:
        if self.calls_left == 0:
            raise KeyboardInterrupt
        self.calls_left -= 1
        return super().encode_images(images)


def test_store_holds_tokens_pooled_and_mean_text(
    tmp_path: Path, stimuli: StimulusSet, tiny_clip: OpenClipEmbedder
) -> None:
    store = embed_stimuli(stimuli, tiny_clip, tmp_path / "e.h5", batch_size=3, quiet=True)
    assert len(store.missing()) == 0
    whole = tiny_clip.encode_images(stimuli.images)
    np.testing.assert_allclose(store.read("tokens"), whole["tokens"], atol=1e-5)
    np.testing.assert_allclose(store.read("pooled"), whole["pooled"], atol=1e-5)
    text = store.read("text")
    assert text.shape == (7, 11)
    assert not text[[0, 3, 6]].any()
    one = tiny_clip.encode_texts(stimuli.captions[2])
    expected = (one / np.linalg.norm(one, axis=1, keepdims=True)).mean(axis=0)
    np.testing.assert_allclose(text[2], expected, atol=1e-5)
    assert store.attrs["embedder"] == "tiny"


def test_resuming_ends_with_the_same_bytes(
    tmp_path: Path, stimuli: StimulusSet, tiny_clip: OpenClipEmbedder
) -> None:
    embed_stimuli(stimuli, tiny_clip, tmp_path / "whole.h5", batch_size=2, quiet=True)
    tiny_clip.__class__ = Interrupted
    with pytest.raises(KeyboardInterrupt):
        embed_stimuli(stimuli, tiny_clip, tmp_path / "parts.h5", batch_size=2, quiet=True)
    assert not (tmp_path / "parts.h5").exists()
    # one batch served to find the shapes, two were written: of four, two are left
    tiny_clip.calls_left = 2
    store = embed_stimuli(stimuli, tiny_clip, tmp_path / "parts.h5", batch_size=2, quiet=True)
    assert len(store.missing()) == 0
    assert (tmp_path / "parts.h5").read_bytes() == (tmp_path / "whole.h5").read_bytes()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["parts.h5", "whole.h5"]


def test_what_was_interrupted_for_other_stimuli_is_started_over(
    tmp_path: Path, stimuli: StimulusSet, tiny_clip: OpenClipEmbedder
) -> None:
    tiny_clip.__class__ = Interrupted
    with pytest.raises(KeyboardInterrupt):
        embed_stimuli(stimuli, tiny_clip, tmp_path / "e.h5", batch_size=2, quiet=True)
    tiny_clip.__class__ = OpenClipEmbedder
    fewer = StimulusSet(stimuli.ids[:4], stimuli.images[:4])
    store = embed_stimuli(fewer, tiny_clip, tmp_path / "e.h5", batch_size=2, quiet=True)
    assert store.read("tokens").shape[0] == 4
    assert [path.name for path in tmp_path.iterdir()] == ["e.h5"]


def test_finished_store_is_not_computed_again(
    tmp_path: Path, stimuli: StimulusSet, tiny_clip: OpenClipEmbedder
) -> None:
    embed_stimuli(stimuli, tiny_clip, tmp_path / "e.h5", quiet=True)
    tiny_clip.encode_images = None
    embed_stimuli(stimuli, tiny_clip, tmp_path / "e.h5", quiet=True)


def test_another_embedder_or_other_stimuli_are_refused(
    tmp_path: Path, stimuli: StimulusSet, tiny_clip: OpenClipEmbedder
) -> None:
    path = tmp_path / "e.h5"
    embed_stimuli(stimuli, tiny_clip, path, quiet=True)
    with pytest.raises(DataError, match="made by another embedder; delete it"):
        embed_stimuli(stimuli, GaborEmbedder(), path, quiet=True)
    fewer = StimulusSet(stimuli.ids[:4], stimuli.images[:4])
    with pytest.raises(DataError, match="holds other stimuli"):
        embed_stimuli(fewer, tiny_clip, path, quiet=True)
    store = embed_stimuli(fewer, GaborEmbedder(), path, resume=False, quiet=True)
    assert store.read("features").shape == (4, 1728)


def test_no_stimuli_is_an_error(tmp_path: Path, tiny_clip: OpenClipEmbedder) -> None:
    nothing = StimulusSet([], np.empty((0, 8, 8, 3), np.uint8))
    with pytest.raises(DataError, match="no stimuli"):
        embed_stimuli(nothing, tiny_clip, tmp_path / "e.h5", quiet=True)


def test_chosen_arrays_are_stored_and_belong_to_the_identity_of_the_store(
    tmp_path: Path, stimuli: StimulusSet, tiny_clip: OpenClipEmbedder
) -> None:
    every = tiny_clip.encode_images(np.asarray(stimuli.images))
    tiny_clip.choose(["patches", "joint"])
    store = embed_stimuli(stimuli, tiny_clip, tmp_path / "e.h5", quiet=True)
    assert store.shapes == {"patches": (16, 24), "joint": (17, 11), "text": (11,)}
    np.testing.assert_allclose(store.read("patches"), every["tokens"][:, 1:], atol=1e-6)
    joint = store.read("joint")
    # the class token is the picture's embedding, at unit length
    pooled = every["pooled"] / np.linalg.norm(every["pooled"], axis=1, keepdims=True)
    np.testing.assert_allclose(joint[:, 0], pooled, atol=1e-5)
    expected = every["tokens"][3, 5] @ tiny_clip.model.visual.proj.numpy()
    expected /= np.linalg.norm(every["pooled"][3])
    np.testing.assert_allclose(joint[3, 5], expected, atol=1e-5)
    tiny_clip.choose(["tokens"])
    with pytest.raises(DataError, match="made by another embedder"):
        embed_stimuli(stimuli, tiny_clip, tmp_path / "e.h5", quiet=True)
    with pytest.raises(ConfigError, match="tiny has no array 'words'; it has tokens, pooled"):
        tiny_clip.choose(["words"])
