"""What is wanted when: mixtures of voices, nothing of the future, voices learned on the way."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hearing_world import weights_folder

from neurodecode.errors import ConfigError, MissingWeightsError, WeightsError
from neurodecode.hearing.encoder import SpeakerEncoder
from neurodecode.hearing.steering import (
    embed_windows,
    mix_voices,
    self_enrolled,
    spread_over_chunks,
)
from neurodecode.hearing.weights import load_encoder, load_extractor

VOICES = torch.tensor([[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]])


def test_voices_are_mixed_by_the_posterior_and_known_only_afterwards():
    posterior = np.array([[0.25, 0.75], [1.0, 0.0]])
    wanted = mix_voices(posterior, VOICES)
    assert wanted.tolist() == [[0.25, 0.75, 0.0], [1.0, 0.0, 0.0]]
    # windows of 40 ms are five chunks of 8 ms
    spread = spread_over_chunks(wanted, [0.04, 0.08], 8000, VOICES.mean(0))
    assert len(spread) == 10
    assert spread[4].tolist() == [0.5, 0.5, 0.0]
    assert spread[5].tolist() == [0.25, 0.75, 0.0]
    assert spread[9].tolist() == [0.25, 0.75, 0.0]
    with pytest.raises(ConfigError, match="3 talkers for 2 voices"):
        mix_voices(np.ones((4, 3)) / 3, VOICES)


def test_a_voice_is_learned_where_the_decoder_is_sure():
    # candidates change places in the third window: voices are learned, not places
    embedded = torch.stack([VOICES, VOICES, VOICES.flip(0), VOICES])
    posterior = np.array([[0.6, 0.4], [0.95, 0.05], [0.02, 0.98], [0.5, 0.5]])
    voice, taught = self_enrolled(embedded, posterior, confidence=0.9)
    assert taught.tolist() == [False, True, True, False]
    torch.testing.assert_close(voice[0], torch.tensor([0.6, 0.4, 0.0]))
    for later in voice[1:]:
        torch.testing.assert_close(later, VOICES[0])
    moved, _ = self_enrolled(embedded[:2], np.array([[0.99, 0.01], [0.01, 0.99]]), forget=0.5)
    expected = torch.tensor([0.25, 0.5, 0.0])
    torch.testing.assert_close(moved[1], expected / expected.norm())


@torch.no_grad()
def test_windows_are_embedded_one_by_one_whatever_their_level(rng):
    torch.manual_seed(0)
    encoder = SpeakerEncoder(8, 7).eval()
    sounds = rng.standard_normal((2, 9500)).astype(np.float32)
    found = embed_windows(encoder, sounds, 0.5, 8000)
    assert found.shape == (2, 2, 7)
    alone = encoder(torch.as_tensor(sounds[1:, 4000:8000]))
    torch.testing.assert_close(found[1, 1], alone[0])
    torch.testing.assert_close(encoder(torch.as_tensor(20 * sounds[1:, 4000:8000])), alone)
    assert float(alone.norm()) == pytest.approx(1, abs=1e-5)


def test_weights_are_checked_and_encoders_can_be_exchanged(tmp_path):
    folder = weights_folder(tmp_path / "w")
    assert load_extractor(folder).options["channels"] == 6
    assert load_encoder(folder).dim == 7
    with pytest.raises(MissingWeightsError, match=r"embedding_model\.ckpt"):
        load_encoder(f"ecapa:{tmp_path}")
    changed = folder / "mini-voice" / "model.safetensors"
    changed.write_bytes(changed.read_bytes()[:-1] + b"\x01")
    with pytest.raises(WeightsError, match="checksum"):
        load_encoder(folder)
