"""The miniature world's MEG and EEG: same pictures as its fMRI, latencies and levels as put in."""

from __future__ import annotations

import h5py
import mne
import numpy as np
import pytest

from neurodecode.datasets import load
from neurodecode.datasets.mini.evoked import COMPONENTS, jitter, waveforms
from neurodecode.datasets.mini.meeg_plan import MeegOptions, make_meeg_plan
from neurodecode.datasets.mini.plan import MiniOptions, make_plan
from neurodecode.datasets.mini.sensor_noise import make_noise_field, noise
from neurodecode.datasets.mini.sensors import sensor_info
from neurodecode.datasets.mini.viewers import LEVELS
from neurodecode.errors import ConfigError

WORLD = MiniOptions(n_subjects=3, images_per_subject=26, shared=7, seed=5, image_size=32)


def test_pictures_are_those_of_the_fmri_world(mini_root, meeg_roots):
    fmri = load("mini-fmri", mini_root)
    known = set(fmri.stimuli().ids)
    for name, root in meeg_roots.items():
        reader = load(name, root)
        assert set(reader.stimuli().ids) <= known
        assert reader.test_stimuli() == fmri.test_stimuli()
        assert set(reader.stimuli().categories) <= set(fmri.stimuli().categories)


def test_plan_repeats_pictures_as_asked():
    options = MeegOptions("meg", WORLD, viewers=2, train_images=40, train_repeats=2, test_repeats=5)
    plan = make_meeg_plan(options)
    world = make_plan(WORLD)
    assert plan.rows[: plan.n_test].tolist() == world.shared.tolist()
    for runs in plan.runs:
        counts = np.bincount(np.concatenate(runs))
        assert counts.tolist() == [5] * 7 + [2] * 40
        sessions = [np.bincount(np.concatenate(runs[a:b]), minlength=47) for a, b in
                    ((0, 5), (5, 10))]  # fmt: skip
        assert (np.abs(sessions[0] - sessions[1])[:7] <= 1).all()
        assert (sessions[0][7:] == 1).all()  # one repeat in each session
    assert not np.array_equal(plan.runs[0][0], plan.runs[1][0])


def test_more_pictures_than_there_are():
    with pytest.raises(ConfigError, match="train_images is 79; the world has"):
        make_meeg_plan(MeegOptions("meg", WORLD, train_images=79))


@pytest.mark.parametrize("kind", ["meg", "eeg"])
def test_recordings_hold_what_truth_says(meeg_roots, kind):
    """Averages over all trials approach the common response, at the latency that was put in."""
    root = meeg_roots[f"mini-{kind}"]
    files = sorted(root.glob(f"sub-*/ses-*/{kind}/*_{kind}.fif"))
    assert len(files) == 10
    truth = h5py.File(next((root / "truth").glob("sub-*.h5")))
    evoked = truth["patterns/evoked"][:]
    seconds = np.arange(-20, 120) / 200
    expected = evoked.T @ np.stack([each(seconds) for each in COMPONENTS])
    mean = np.zeros_like(expected)
    n_trials = 0
    for file in files:
        raw = mne.io.read_raw_fif(file, verbose="ERROR")
        events = mne.find_events(raw, shortest_event=1, verbose="ERROR")
        lines = file.with_name(file.name.replace(f"_{kind}.fif", "_events.tsv")).read_text()
        assert len(events) == len(lines.splitlines()) - 1
        data = raw.get_data(picks="data")
        data = mne.filter.filter_data(data, 200.0, 1.0, 40.0, verbose="ERROR")
        bad = [raw.ch_names.index(name) for name in raw.info["bads"]]
        data[bad] = 0
        for start in events[:, 0] - raw.first_samp:
            mean += data[:, start - 20 : start + 120]
        n_trials += len(events)
    mean -= mean[:, :20].mean(axis=1, keepdims=True)
    # 100 trials leave noise of a tenth; the pattern at the peak is recovered all the same
    peak = int(np.abs(expected).max(axis=0).argmax())
    window = slice(peak - 2, peak + 3)
    found, wanted = mean[:, window].mean(axis=1) / n_trials, expected[:, window].mean(axis=1)
    if kind == "eeg":  # far from the eyes: a hundred trials do not average blinks away
        back = [k for k, name in enumerate(raw.ch_names[:-1]) if name[0] in "CPO"]
        found, wanted = found[back], wanted[back]
    assert np.corrcoef(found, wanted)[0, 1] > 0.7
    assert 0.5 < np.linalg.norm(found) / np.linalg.norm(wanted) < 1.6
    assert np.abs(expected[:, :20]).max() == 0  # nothing before onset


def test_late_components_follow_early_ones():
    trials = jitter(9, np.random.default_rng(0))
    seconds = np.arange(0, 0.8, 0.005)
    courses = waveforms(seconds, trials)
    assert courses.shape == (9, len(COMPONENTS), 160)
    early = [k for k, each in enumerate(COMPONENTS) if each.kind == "low_level"]
    late = [k for k, each in enumerate(COMPONENTS) if each.kind == "high_level"]
    peaks = seconds[courses.argmax(axis=2)]
    assert peaks[:, early].mean() < 0.17 < 0.2 < peaks[:, late].mean()
    one = COMPONENTS[0]
    assert one(np.array([one.onset, one.peak])).tolist() == [0.0, 1.0]


@pytest.mark.parametrize("kind", ["meg", "eeg"])
def test_noise_has_the_levels_and_the_spectrum_of_its_sources(kind):
    sfreq = 200.0
    info, levels = sensor_info(kind, sfreq), LEVELS[kind]
    field = make_noise_field(info, levels, np.random.default_rng(1))
    data, blinks = noise(field, 12_000, sfreq, np.random.default_rng(2))
    frequency = np.fft.rfftfreq(12_000, 1 / sfreq)
    power = np.abs(np.fft.rfft(data)) ** 2

    def density(low: float, high: float) -> np.ndarray:
        return power[:, (frequency >= low) & (frequency < high)].mean(axis=1)

    assert (density(3, 6) > 3 * density(20, 40)).mean() > 0.9  # falls with frequency
    assert density(49.5, 50.5).max() > 10 * density(44, 48).max()  # hum
    assert density(0.02, 0.1).mean() > 10 * density(1, 3).mean()  # drift
    correlation = np.corrcoef(mne.filter.filter_data(data, sfreq, 12.0, 35.0, verbose="ERROR"))
    assert np.median(np.abs(correlation - np.eye(len(data)))) > 0.1  # sources, not sensors
    assert 2 <= len(blinks) <= 25  # one minute
    if kind == "eeg":
        front = info["ch_names"].index("Fp1"), info["ch_names"].index("O1")
        assert field.blink[front[0]] > 5 * abs(field.blink[front[1]])


def test_sensors_have_places_on_the_head():
    for kind, n in (("meg", 60), ("eeg", 32)):
        info = sensor_info(kind, 200.0)
        assert len(info["ch_names"]) == n + 1
        place = np.array([channel["loc"][:3] for channel in info["chs"][:-1]])
        assert len(np.unique(place.round(4), axis=0)) == n
