"""Listening networks: what their series read, and how canonical filters become convolutions."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from neurodecode.errors import ConfigError
from neurodecode.nn.listening.base import pair_correlations
from neurodecode.nn.listening.dilated import DilatedMatch
from neurodecode.nn.listening.inception import InceptionAttention

NETWORKS = {
    "dilated": lambda: DilatedMatch(7, 2, n_mixtures=3, n_filters=5),
    "inception": lambda: InceptionAttention(
        7, 2, brain_kernels=(3, 6), sound_kernels=(4,), n_filters=3, attention_reach=2
    ),
    "no attention": lambda: InceptionAttention(
        7, 2, brain_kernels=(3, 6), sound_kernels=(4,), n_filters=3, attention=None
    ),
}


@pytest.mark.parametrize("name", NETWORKS)
def test_series_read_what_they_say(name):
    torch.manual_seed(0)
    network = NETWORKS[name]().eval()
    for each in network.parameters():  # what begins at zero, too
        torch.nn.init.normal_(each, std=0.3)
    eeg, sounds = torch.randn(1, 60, 7), torch.randn(1, 3, 60, 2)
    brain, sound = network.brain(eeg), network.sound(sounds)
    assert brain.shape == (1, 60, network.n_brain)
    assert sound.shape == (1, 3, 60, network.n_sound)
    eeg[:, 40] += 5
    sounds[:, 1, 20] += 5
    moved = (network.brain(eeg) - brain).abs().amax((0, 2)).detach().numpy() > 1e-6
    assert set(np.flatnonzero(moved)) <= set(range(40 - network.reach, 41))
    assert moved[40 - network.reach]
    assert moved[40]
    heard = (network.sound(sounds) - sound).abs().amax(3).detach().numpy()[0] > 1e-6
    assert not heard[[0, 2]].any()
    assert heard[1, 20:30].any()
    assert not heard[1, :20].any()


def test_correlations_are_numpys_and_silence_counts_nothing():
    rng = np.random.default_rng(1)
    brain, sound = rng.standard_normal((2, 30, 3)), rng.standard_normal((2, 2, 30, 4))
    sound[1, 0] = 0.5  # a silent talker
    found = pair_correlations(torch.as_tensor(brain), torch.as_tensor(sound)).numpy()
    right = np.corrcoef(brain[0, :, 2], sound[0, 1, :, 3])[0, 1]
    np.testing.assert_allclose(found[0, 1, 2, 3], right, rtol=1e-10)
    np.testing.assert_allclose(found[1, 0], 0, atol=1e-8)


def test_begins_as_the_linear_decoder():
    torch.manual_seed(0)
    rng = np.random.default_rng(2)
    network = NETWORKS["inception"]().eval()
    brain, sound = rng.standard_normal((5, 7, 2)), rng.standard_normal((3, 2, 2))
    weight = np.array([0.7, -0.2])
    network.begin(*(torch.as_tensor(each, dtype=torch.float32) for each in (brain, sound, weight)))
    eeg, sounds = rng.standard_normal((40, 7)), rng.standard_normal((2, 40, 2))
    x = sum(np.roll(eeg, -k, axis=0) @ brain[k] for k in range(5))[3:33]
    expected = []
    for each in sounds:
        y = sum(np.roll(each, k, axis=0) @ sound[k] for k in range(3))[3:33]
        expected.append(sum(w * np.corrcoef(x[:, i], y[:, i])[0, 1] for i, w in enumerate(weight)))
    with torch.inference_mode():
        a = network.brain(torch.as_tensor(eeg, dtype=torch.float32)[None])[:, 3:33]
        b = network.sound(torch.as_tensor(sounds, dtype=torch.float32)[None])[:, :, 3:33]
        found = network.compare(a, b)[0].numpy()
    np.testing.assert_allclose(found, expected, atol=1e-5)
    with pytest.raises(ConfigError, match="longer kernels"):
        network.begin(torch.zeros(9, 7, 2), torch.zeros(3, 2, 2), torch.zeros(2))
