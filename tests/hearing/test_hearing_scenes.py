"""Talkers, their places at the ears, and mixtures."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from neurodecode.errors import ConfigError, DataError
from neurodecode.hearing.corpus import CorpusOptions, Recorded, read_corpus, simulate_corpus
from neurodecode.hearing.description import describe_voice
from neurodecode.hearing.head import add_room, at_ears, ear_delay_s
from neurodecode.hearing.scenes import SceneOptions, draw_scene
from neurodecode.hearing.talkers import RATE, draw_talker, utter
from neurodecode.metrics.functional import level_difference, si_sdr, time_difference


@pytest.fixture(scope="module")
def corpus(tmp_path_factory):
    options = CorpusOptions(3, 2, 2, 2.0, 3.0, seed=5)
    return simulate_corpus(tmp_path_factory.mktemp("raw") / "talkers", options)


def test_nobody_is_on_two_sides_and_a_seed_gives_the_same(corpus, tmp_path):
    sides = {side: read_corpus(corpus, side) for side in ("train", "validation", "test")}
    names = [each.talker for side in sides.values() for each in side]
    assert (len(names), len(set(names))) == (7, 7)
    assert len(sides["train"][0].speech) == 3 * RATE
    again = simulate_corpus(tmp_path / "again", CorpusOptions(3, 2, 2, 2.0, 3.0, seed=5))
    same = read_corpus(again, "test")[1]
    assert np.array_equal(same.speech, sides["test"][1].speech)
    assert not np.array_equal(same.speech, sides["test"][0].speech)


def test_a_corpus_that_is_broken_is_named(corpus, tmp_path):
    with pytest.raises(DataError, match="simulate --world talkers"):
        read_corpus(tmp_path, "test")
    with pytest.raises(ConfigError, match="two talkers"):
        CorpusOptions(1, 2, 2)


def test_pitch_of_a_talker_is_what_was_drawn():
    rng = np.random.default_rng(0)
    for _ in range(3):
        talker = draw_talker("somebody", rng)
        found = describe_voice(utter(talker, 3.0, rng), RATE)
        assert found.pitch_hz == pytest.approx(talker.voice.pitch, rel=0.08)


@pytest.mark.parametrize("azimuth", [-70.0, -20.0, 0.0, 45.0])
def test_ears_hear_woodworths_delay_and_the_nearer_one_more(azimuth):
    # Woodworth: a (angle + sin angle) / c between the ears
    angle = np.deg2rad(azimuth)
    expected = -0.0875 / 343 * (angle + np.sin(angle))
    delay = ear_delay_s(azimuth)
    assert delay[1] - delay[0] == pytest.approx(expected, abs=1e-9)
    ears = at_ears(np.random.default_rng(0).standard_normal(RATE), RATE, azimuth)
    assert float(time_difference(ears[None], RATE)[0]) == pytest.approx(expected, abs=8e-5)
    level = float(level_difference(ears))
    assert level == pytest.approx(0, abs=0.01) if azimuth == 0 else np.sign(level) == np.sign(angle)


def test_a_room_adds_as_much_as_it_should(rng):
    ears = at_ears(rng.standard_normal(2 * RATE), RATE, 30.0)
    added = add_room(ears, RATE, 0.3, 5.0, rng) - ears
    assert 10 * np.log10((ears**2).mean() / (added**2).mean()) == pytest.approx(5.0, abs=1e-6)
    coherence = np.corrcoef(added)[0, 1]
    assert abs(coherence) < 0.2


def test_talkers_of_a_scene_are_equally_loud_and_add_up(corpus, rng):
    talkers = read_corpus(corpus, "train")
    scene = draw_scene(talkers, SceneOptions(1.0), rng)
    assert scene.images.shape == (2, 2, RATE)
    assert len(set(scene.talkers)) == 2
    energy = (scene.images.astype(float) ** 2).mean((1, 2))
    assert energy[0] == pytest.approx(energy[1], rel=1e-5)
    assert np.sqrt((scene.mixture**2).mean()) == pytest.approx(0.05, rel=1e-4)
    both = torch.as_tensor(scene.mixture.ravel()), torch.as_tensor(scene.images[0].ravel())
    assert float(si_sdr(*both)) == pytest.approx(0, abs=1.0)
    louder = draw_scene(talkers, SceneOptions(1.0, (6.0, 6.0), room_share=1.0), rng)
    energy = (louder.images.astype(float) ** 2).mean((1, 2))
    assert 10 * np.log10(energy[0] / energy[1]) == pytest.approx(6.0, abs=1e-3)
    assert louder.decay_s > 0


def test_pauses_are_not_chosen(rng):
    speech = np.zeros(4 * RATE, dtype=np.float32)
    speech[3 * RATE :] = rng.standard_normal(RATE)
    talkers = [Recorded(name, 100.0, speech, speech) for name in ("a", "b")]
    options = SceneOptions(1.0)
    scenes = [draw_scene(talkers, options, np.random.default_rng(i)) for i in range(5)]
    # a cut of the silence would be divided by its own energy
    assert all(np.isfinite(each.images).all() for each in scenes)
