"""Whitening of time series: what it estimates, from which trials, and that it travels."""

from __future__ import annotations

import numpy as np
import pytest
from sensor_world import MEG, N_TIMES, make_sensor_world
from torch import nn

from neurodecode.cli import main
from neurodecode.loaders import ResponseDataModule
from neurodecode.loaders.noise import NoiseNormaliser
from neurodecode.loaders.scaler import TrialScaler
from neurodecode.pretrained.weights import fill, read_weights, write_weights
from neurodecode.recording import Recording
from neurodecode.store import ResponseStore, read_predictions

N_CHANNELS, N_SAMPLES = 7, 9


def noisy_store(path, rng, repeats: int, n_stimuli: int = 150):
    """Strong responses to stimuli, and noise of known covariance over channels and time."""
    space, time = (rng.normal(size=(n, 2 * n)) / n for n in (N_CHANNELS, N_SAMPLES))
    n = repeats * n_stimuli
    noise = space @ rng.normal(size=(n, 2 * N_CHANNELS, 2 * N_SAMPLES)) @ time.T
    stimulus = np.repeat(np.arange(n_stimuli), repeats)
    clean = 3 * rng.normal(size=(n_stimuli, N_CHANNELS, N_SAMPLES))[stimulus]
    recording = Recording(
        "s", "eeg", (clean + noise).astype(np.float32), np.array([f"i{k:03d}" for k in stimulus]),
        np.ones(n), np.ones(n), sfreq=50.0,
    )  # fmt: skip
    return ResponseStore.write(path, recording, dataset="tiny"), noise, clean


def correlations(trials):
    """Over channels, and over time."""
    by_channel = trials.transpose(1, 0, 2).reshape(N_CHANNELS, -1)
    return np.corrcoef(by_channel), np.corrcoef(trials.reshape(-1, N_SAMPLES).T)


def off_diagonal(matrix) -> float:
    return float(np.abs(matrix - np.diag(np.diag(matrix))).max())


def test_noise_is_white_though_stimuli_are_louder(tmp_path, rng):
    store, noise, _ = noisy_store(tmp_path / "s.h5", rng, repeats=3)
    assert min(map(off_diagonal, correlations(noise))) > 0.3
    trials = np.arange(store.n_trials)
    made = NoiseNormaliser.fit(store, trials, lambda epochs, _: epochs)
    white = made.apply(noise.astype(np.float32))
    assert max(map(off_diagonal, correlations(white))) < 0.15
    assert white.std() == pytest.approx(1, abs=0.1)
    over_channels = NoiseNormaliser.fit(store, trials, lambda epochs, _: epochs, "space")
    channels, samples = correlations(over_channels.apply(noise.astype(np.float32)))
    assert off_diagonal(channels) < 0.15
    assert off_diagonal(samples) > 0.3
    # a whitened channel is still mostly itself
    assert (np.diag(made.space) == np.abs(made.space).max(axis=1)).all()


def test_without_repeats_all_trials_are_noise(tmp_path, rng):
    store, noise, clean = noisy_store(tmp_path / "s.h5", rng, repeats=1, n_stimuli=400)
    made = NoiseNormaliser.fit(store, np.arange(400), lambda epochs, _: epochs)
    assert made.apply((noise + clean).astype(np.float32)).std() == pytest.approx(1, abs=0.05)


def test_only_training_trials_are_read(tmp_path, rng):
    store, _, _ = noisy_store(tmp_path / "s.h5", rng, repeats=3)
    trials = np.arange(240)
    first = TrialScaler.fit(store, trials, whiten="both")
    changed = store.read(np.arange(store.n_trials))
    changed[240:] *= 50
    recording = Recording("s", "eeg", changed, store.stimulus_id, store.session, store.run,
                          sfreq=50.0)  # fmt: skip
    other = ResponseStore.write(tmp_path / "other.h5", recording, dataset="tiny")
    again = TrialScaler.fit(other, trials, whiten="both")
    np.testing.assert_array_equal(first.normaliser.space, again.normaliser.space)
    np.testing.assert_array_equal(first.normaliser.time, again.normaliser.time)


def test_many_trials_are_thinned_by_stimulus(tmp_path, rng, monkeypatch):
    store, _, _ = noisy_store(tmp_path / "s.h5", rng, repeats=3)
    monkeypatch.setattr("neurodecode.loaders.noise._MAX_TRIALS", 200)
    taken = []
    NoiseNormaliser.fit(
        store, np.arange(450), lambda epochs, _: taken.append(len(epochs)) or epochs
    )
    assert taken == [150]


def test_whitening_travels_with_the_checkpoint(tmp_path):
    world = make_sensor_world(tmp_path)
    data = ResponseDataModule(**world.of(world.meg), clamp=20.0, whiten="both")
    given = next(iter(data.val_dataloader()))["responses"]["01"]
    plain = ResponseDataModule(**world.of(world.meg), clamp=20.0)
    same = next(iter(plain.val_dataloader()))["responses"]["01"]
    assert given.shape == same.shape == (len(given), MEG["01"], N_TIMES)
    scaler = data._scalers["01"]
    np.testing.assert_allclose(given, scaler.normaliser.apply(same.numpy()), atol=1e-4)
    # a DataModule without the option takes it from the checkpoint, as it does mean and scale
    plain.load_state_dict(data.state_dict())
    np.testing.assert_allclose(next(iter(plain.val_dataloader()))["responses"]["01"], given)


@pytest.mark.parametrize("over", ["space", "both"])
def test_whitening_is_exported(tmp_path, rng, over):
    store, noise, _ = noisy_store(tmp_path / "s.h5", rng, repeats=3)
    scaler = TrialScaler.fit(store, np.arange(90), 20.0, over)
    write_weights(tmp_path / "w.safetensors", nn.Linear(2, 3), {"s": scaler})
    tensors = read_weights(tmp_path / "w.safetensors")
    known = fill(nn.Linear(2, 3), {"s": N_CHANNELS}, tensors, tmp_path / "w.safetensors")
    given = noise[:4].astype(np.float32), np.ones(4, dtype=int)
    np.testing.assert_array_equal(known["s"].transform(*given), scaler.transform(*given))
    plain = TrialScaler.fit(store, np.arange(90), 20.0).transform(*given)
    assert not np.allclose(known["s"].transform(*given), plain)


def test_vectors_have_no_time_to_whiten(tmp_path, capsys):
    world = make_sensor_world(tmp_path, noise=0.5)
    words = ["baseline", "--method", "ridge", "--jobs", "1", "--quiet", "--whiten", "both"]
    words += ["--embeddings", str(tmp_path / "tokens.h5"), "--out", str(tmp_path / "out.h5")]
    folder = tmp_path / "stores"
    assert main([*words, "--stores", str(folder), "--splits", str(folder / "splits.json")]) == 2
    assert "fmri responses without a time axis cannot be whitened" in capsys.readouterr().err
    assert not (tmp_path / "out.h5").exists()
    folder = world.meg
    assert main([*words, "--stores", str(folder), "--splits", str(folder / "splits.json")]) == 0
    assert read_predictions(tmp_path / "out.h5").predictions[0].arrays["scores"].std() > 0
    # the DataModule whitens what has a time axis and leaves the rest
    mixed = ResponseDataModule(
        **world.of(tmp_path / "stores", world.meg) | {"batch_size": 21}, whiten="both"
    )
    next(iter(mixed.train_dataloader()))
    known = {name: each.normaliser is not None for name, each in mixed._scalers.items()}
    assert known == {name: name.startswith("tiny-meg") for name in known}
