"""Recipes: what may be asked for, and every committed one."""

from __future__ import annotations

import pytest

from neurodecode.errors import ConfigError, DataError
from neurodecode.preprocess.filters import check_rate
from neurodecode.preprocess.recipe import Recipe, read_recipe


def test_committed_recipes_are_read(repository):
    files = sorted((repository / "configs" / "preprocess").glob("*.yaml"))
    assert len(files) >= 6
    for file in files:
        assert read_recipe(file).source, file


def test_numbers_that_yaml_takes_for_text_are_numbers(tmp_path):
    file = tmp_path / "r.yaml"
    file.write_text("reject: {eeg: 150e-6}\nbaseline_s: [-0.1, 0]\nnotch_hz: [50]\n")
    recipe = read_recipe(file)
    assert recipe.reject == {"eeg": 0.00015}
    assert recipe.baseline_s == (-0.1, 0.0)
    assert recipe.plain()["notch_hz"] == [50.0]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("lowhz: 3", "unknown field lowhz; known: channels"),
        ("whiten: yes please", "whiten is 'yes please'; known: null, time, epochs"),
        ("tmin_s: 1.5", "tmin_s 1.5 is not before tmax_s"),
        ("baseline_s: [-0.5, 0]", "not within the epoch"),
        ("low_hz: 50", "low_hz 50.0 is not below high_hz 40.0"),
        ("scale: null", "clamp counts robust units"),
        ("low_hz: fast", "wrong type"),
        ("- 3", "not a mapping"),
        ("a: [", "not valid YAML"),
    ],
)
def test_impossible_recipes_are_refused(tmp_path, text, message):
    file = tmp_path / "r.yaml"
    file.write_text(text)
    with pytest.raises(ConfigError, match=message.replace("[", r"\[")):
        read_recipe(file)


@pytest.mark.parametrize(
    ("recipe", "error", "message"),
    [
        (Recipe(high_hz=70.0), DataError, "holds nothing above 64 Hz; the recipe filters at 70"),
        (Recipe(notch_hz=(64.0,)), DataError, "field notch_hz"),
        (Recipe(sfreq_hz=256.0), DataError, "recipe asks for 256 Hz"),
        (Recipe(sfreq_hz=64.0), ConfigError, "needs high_hz below 32"),
    ],
)
def test_sampling_rates_that_a_recipe_cannot_use(recipe, error, message):
    with pytest.raises(error, match=message):
        check_rate(recipe, 128.0)
