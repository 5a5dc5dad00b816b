"""Describing a voice, finding its transcript, and handing both to a language model."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
import torch

from neurodecode.errors import DataError
from neurodecode.hearing.description import describe_voice, pitch_track
from neurodecode.hearing.language import ATTENDED, UNSURE, add_intention_tokens, ask
from neurodecode.hearing.transcripts import Transcript, rank_transcripts, read_transcript, rhythm_of
from neurodecode.hearing.understanding import HeardScene, understand

RATE = 8000


def buzz(pitch_hz: float, syllables_hz: float, seconds: float = 3.0) -> np.ndarray:
    """Ten harmonics that rise and fall."""
    t = np.arange(round(seconds * RATE)) / RATE
    tone = sum(np.sin(2 * np.pi * k * pitch_hz * t) / k for k in range(1, 11))
    return 0.1 * tone * (0.02 + np.sin(np.pi * syllables_hz * t) ** 2)


@pytest.mark.parametrize(("pitch", "rate"), [(87.0, 3.0), (123.4, 4.0), (251.0, 5.0)])
def test_pitch_and_syllables_of_a_known_sound(pitch, rate):
    found = describe_voice(buzz(pitch, rate), RATE)
    assert found.pitch_hz == pytest.approx(pitch, rel=0.01)
    assert found.syllables_hz == pytest.approx(rate, abs=0.5)
    assert found.pitch_spread < 0.3
    assert ("high" if pitch > 160 else "low") in found.sentence()


def test_noise_and_pauses_have_no_pitch(rng):
    pitch, loud = pitch_track(np.r_[rng.standard_normal(RATE), np.zeros(RATE)], RATE)
    assert np.isfinite(pitch).mean() < 0.05
    assert 0.45 < loud.mean() < 0.55
    with pytest.raises(DataError, match="nothing voiced"):
        describe_voice(rng.standard_normal(RATE), RATE)


def speech(seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Syllables at random times, and these times."""
    rng = np.random.default_rng(seed)
    onsets = np.cumsum(rng.uniform(0.15, 0.5, 9))
    sound = np.zeros(5 * RATE)
    for onset in onsets:
        start = round(onset * RATE)
        sound[start : start + 800] += np.hanning(800) * np.sin(0.1 * np.arange(800))
    return sound, onsets


def test_the_transcript_of_what_was_extracted_scores_highest(tmp_path):
    sounds, onsets = zip(*(speech(seed) for seed in range(5)), strict=True)
    written = [Transcript(f"t{i}", each, ("word",) * 9) for i, each in enumerate(onsets)]
    for number in range(5):
        scores = rank_transcripts(sounds[number] + 0.3 * sounds[(number + 1) % 5], RATE, written)
        assert scores.argmax() == number
    heard = rhythm_of("heard", sounds[2], RATE)
    assert len(heard.onset_s) == 9
    # loudness rises within 50 ms of the beginning of a syllable
    assert np.abs(heard.onset_s - onsets[2]).max() < 0.06
    path = tmp_path / "story.tsv"
    path.write_text("onset_s\tword\n0.5\tonce\n0.9\tNA\n")
    assert read_transcript(path).text == "once NA"
    path.write_text("onset_s\tword\n0.9\tonce\n0.5\tupon\n")
    with pytest.raises(DataError, match="do not go on"):
        read_transcript(path)


def test_understanding_is_of_the_extracted_sound():
    scenes = []
    for number in range(4):
        target, other = speech(10 + number)[0], speech(20 + number)[0]
        # what came out is the other talker: nothing may be found by looking at the target
        scenes.append(HeardScene(other, target, target, other))
    rows = understand(scenes, RATE, 4)
    assert [row["found"] for row in rows if row["source"] == "output"] == [0, 0, 0, 0]
    assert [row["found"] for row in rows if row["source"] == "mixture"] == [1, 1, 1, 1]


class Tokenizer:
    """Counts what is added."""

    def __init__(self):
        self.names = [f"word-{i}" for i in range(10)]

    def __len__(self):
        return len(self.names)

    def add_special_tokens(self, tokens, replace_extra_special_tokens):
        assert not replace_extra_special_tokens
        self.names += tokens["extra_special_tokens"]
        return len(tokens["extra_special_tokens"])


class Tokens(dict):
    """What a processor gives."""

    def to(self, device):
        return self


def test_a_language_model_gets_the_sound_at_its_rate_and_the_intention():
    said = {}

    def template(turns, **_):
        said["content"] = turns[0]["content"]
        return turns[0]["content"][1]["text"]

    class Processor:
        feature_extractor = SimpleNamespace(sampling_rate=16000)
        tokenizer = Tokenizer()
        apply_chat_template = staticmethod(template)

        def __call__(self, text, audio, sampling_rate, return_tensors):
            said.update(text=text, audio=audio[0], rate=sampling_rate)
            return Tokens(input_ids=torch.zeros(1, 3, dtype=torch.long))

        def batch_decode(self, made, skip_special_tokens):
            return [" ".join(str(int(each)) for each in made[0])]

    model = SimpleNamespace(
        device="cpu", generate=lambda input_ids, max_new_tokens: torch.arange(5)[None],
        resize_token_embeddings=lambda n: said.update(size=n),
    )  # fmt: skip
    sound = np.stack([buzz(200.0, 4.0), np.zeros(3 * RATE)])
    answer = ask(Processor(), model, sound, RATE, "What is said?", 0.93,
                 voice=describe_voice(sound[0], RATE))  # fmt: skip
    assert answer == "3 4"  # the prompt is cut off
    assert (said["rate"], len(said["audio"])) == (16000, 6 * RATE)
    assert said["text"].startswith(ATTENDED)
    assert "a high voice of 200 Hz" in said["text"]
    assert said["text"].endswith("What is said?")
    ask(Processor(), model, sound, RATE, "What is said?", 0.6)
    assert said["text"].startswith(UNSURE)
    assert add_intention_tokens(Processor(), model) == 2
    assert said["size"] == 12
