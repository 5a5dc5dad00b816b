from __future__ import annotations

import numpy as np
import pytest
import torch
from encoding_world import N_NEURONS, SIZE, make_world
from encoding_world import fit_command as command

from neurodecode.cli import main
from neurodecode.loaders.encoding import EncodingDataModule
from neurodecode.store import read_predictions, read_stimuli

# Lightning 2.6 calls what jsonargparse 4.49 deprecates
pytestmark = pytest.mark.filterwarnings(
    "ignore:(?s).*(deprecated in v4.49|JsonargparseDeprecationWarning)"
)


@pytest.fixture
def data(encoding_world):
    return EncodingDataModule(encoding_world, image_size=SIZE, batch_size=13)


def test_context_has_sizes_of_responses_and_pictures(data):
    assert data.context.n_features == N_NEURONS
    assert data.context.image_size == (SIZE, SIZE)


def test_batches_pair_pictures_with_their_responses(data, encoding_world):
    stimuli = read_stimuli(encoding_world / "stimuli.h5")
    batch = next(iter(data.train_dataloader()))
    assert {name: len(values) for name, values in batch["responses"].items()} == {"a.1": 6, "b": 6}
    images, rows = batch["targets"]["image"], batch["stimulus"].tolist()
    assert images.dtype == torch.uint8
    expected = stimuli.images[stimuli.rows([data.stimuli[row] for row in rows])]
    np.testing.assert_array_equal(images.permute(0, 2, 3, 1).numpy(), expected)


def test_prediction_runs_over_every_stimulus_of_the_fold_once(data):
    seen = {name: [] for name in N_NEURONS}
    for batch in data.predict_dataloader():
        start = 0
        for name, values in batch["responses"].items():
            seen[name] += batch["stimulus"][start : start + len(values)].tolist()
            start += len(values)
    for name, rows in seen.items():
        shown = set(data.stores[name].stimulus_id)
        assert sorted(data.stimuli[row] for row in rows) == sorted(shown)


def test_pictures_are_scaled(encoding_world):
    data = EncodingDataModule(encoding_world, image_size=8)
    image = data.bank.read("image", np.array([5]))
    assert image.shape == (1, 3, 8, 8)
    source = read_stimuli(encoding_world / "stimuli.h5")
    mean = source.images[source.rows([data.stimuli[5]])].mean()
    assert abs(float(image.float().mean()) - mean) < 12


def test_spike_counts_become_square_roots(tmp_path):
    data = EncodingDataModule(make_world(tmp_path, modality="spikes"), image_size=SIZE)
    plain = EncodingDataModule(make_world(tmp_path / "fmri"), image_size=SIZE)
    counts = plain.stores["b"].read([3, 8])
    np.testing.assert_allclose(data.stores["b"].read([3, 8]), np.sqrt(counts))


def test_training_finds_what_the_neurons_see(trained, encoding_world):
    content = read_predictions(trained / "predictions.h5")
    assert content.method == "core"
    assert content.attrs["task"] == "encoding"
    for prediction in content.predictions:
        predicted, measured = prediction.arrays["responses"], prediction.arrays["measured"]
        assert predicted.shape == measured.shape == (110, N_NEURONS[prediction.subject])
    data = EncodingDataModule(encoding_world, image_size=SIZE)
    for prediction in content.predictions:
        test = set(data.rows("test")[prediction.subject].stimulus)
        rows = [i for i, s in enumerate(prediction.stimulus_id) if s in test]
        predicted, measured = (prediction.arrays[k][rows].T for k in ("responses", "measured"))
        r = [np.corrcoef(a, b)[0, 1] for a, b in zip(predicted, measured, strict=True)]
        assert np.median(r) > 0.6


def test_likelihood_identifies_with_the_trained_encoder(trained, encoding_world):
    from neurodecode.loaders.counts import open_responses
    from neurodecode.splits import read_split
    from neurodecode.tasks.baselines import LinearOptions, identify_predicted

    root = encoding_world
    for each in read_predictions(trained / "predictions.h5").predictions:
        store = open_responses(root / f"sub-{each.subject}.h5")
        made = identify_predicted(store, read_split(root / "splits.json"), 0, [each], None,
                                  LinearOptions())  # fmt: skip
        truth = [list(made.candidate_id).index(s) for s in made.stimulus_id]
        top1 = np.mean(made.arrays["scores"].argmax(axis=1) == truth)
        assert top1 > 4 / len(truth)
        np.testing.assert_allclose(
            made.arrays["measured"],
            each.arrays["measured"][[each.stimulus_id.index(s) for s in made.stimulus_id]],
            atol=1e-4,
        )


def test_checkpoint_is_safe_to_load_and_averaged(trained):
    checkpoint = torch.load(trained / "checkpoints" / "best.ckpt", weights_only=True)
    averaged, current = checkpoint["state_dict"], checkpoint["current_model_state"]
    assert any(not torch.equal(averaged[name], current[name]) for name in averaged)


@pytest.mark.slow
def test_same_seed_same_predictions(trained, encoding_world, tmp_path):
    words = command(encoding_world, tmp_path)
    assert main(["fit", *words]) == 0
    assert main(["predict", *words, "--ckpt_path", str(tmp_path / "checkpoints/best.ckpt")]) == 0
    first, second = (read_predictions(root / "predictions.h5") for root in (trained, tmp_path))
    for one, two in zip(first.predictions, second.predictions, strict=True):
        np.testing.assert_array_equal(one.arrays["responses"], two.arrays["responses"])
