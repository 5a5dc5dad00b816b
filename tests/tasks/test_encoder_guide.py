"""An encoder's likelihood as a guide: its value, its gradient, and whose responses it explains."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from scipy.stats import multivariate_normal

from neurodecode.errors import DataError, LeakError
from neurodecode.linear import LikelihoodIdentifier, RidgeEncoder
from neurodecode.loaders.table import TrialTable
from neurodecode.splits import Fold, Split, read_split
from neurodecode.store import EmbeddingStore, ResponseStore
from neurodecode.store.encoders import LinearEncoder, read_encoder, write_encoder
from neurodecode.tasks.baselines import Features
from neurodecode.tasks.guide import EncoderGuide
from neurodecode.tasks.linear_encoder import fit_linear_encoder
from neurodecode.tasks.measured import held_out_responses, rows_of

N_VOXELS, SIDE = 7, 4


class Cubes(torch.nn.Module):
    """Features without symmetry: mean of each quarter of each channel, and its cube."""

    target = "features"

    def forward(self, pixels: torch.Tensor) -> torch.Tensor:
        quarters = torch.nn.functional.avg_pool2d(pixels, SIDE // 2).flatten(1)
        return torch.cat([quarters, quarters**3], dim=1)


@pytest.fixture
def encoder(rng: np.random.Generator) -> LinearEncoder:
    model, trial = (base @ base.T for base in rng.normal(size=(2, N_VOXELS, N_VOXELS)))
    return LinearEncoder(
        subject="s", split="d", embedder="cubes", target="features", features={"sha256": "1"},
        weights=rng.normal(size=(24, N_VOXELS)).astype(np.float32),
        intercept=rng.normal(size=N_VOXELS).astype(np.float32),
        model_covariance=(model + np.eye(N_VOXELS)).astype(np.float32),
        trial_covariance=(3 * trial).astype(np.float32),
    )  # fmt: skip


def test_value_is_the_density_of_the_response(
    encoder: LinearEncoder, rng: np.random.Generator
) -> None:
    measured, counts = rng.normal(size=(5, N_VOXELS)), np.array([1, 3, 2, 3, 1])
    rows = np.array([3, 0, 2, 1])
    pixels = torch.rand(4, 3, SIDE, SIDE)
    found = EncoderGuide(Cubes(), encoder, measured, counts)(pixels, rows).numpy()
    mean = encoder.predict(Cubes()(pixels).numpy())
    for number, row in enumerate(rows):
        covariance = encoder.model_covariance + encoder.trial_covariance / counts[row]
        density = multivariate_normal(mean[number], covariance)
        # the guide leaves out what no picture changes
        wanted = density.logpdf(measured[row]) - density.logpdf(mean[number])
        assert found[number] == pytest.approx(wanted, rel=1e-3)


def test_gradient_is_that_of_finite_differences(
    encoder: LinearEncoder, rng: np.random.Generator
) -> None:
    guide = EncoderGuide(Cubes(), encoder, rng.normal(size=(3, N_VOXELS)), np.array([2, 1, 2]))
    rows = np.array([2, 1])
    pixels = torch.rand(2, 3, SIDE, SIDE, requires_grad=True)
    (gradient,) = torch.autograd.grad(guide(pixels, rows).sum(), pixels)
    direction = torch.randn_like(pixels)
    with torch.no_grad():
        ends = [guide(pixels + sign * 1e-2 * direction, rows).sum() for sign in (1, -1)]
    slope = (ends[0] - ends[1]).item() / 2e-2
    assert slope == pytest.approx((gradient * direction).sum().item(), rel=2e-3)


def test_responses_of_other_voxels_are_refused(encoder: LinearEncoder) -> None:
    with pytest.raises(DataError, match=r"subject s, field responses: 9 voxels, .* has 7"):
        EncoderGuide(Cubes(), encoder, np.zeros((2, 9)), np.ones(2))


def test_file_gives_the_encoder_back(encoder: LinearEncoder, tmp_path) -> None:
    write_encoder(tmp_path / "e.h5", encoder)
    found = read_encoder(tmp_path / "e.h5")
    for name, value in vars(encoder).items():
        np.testing.assert_array_equal(getattr(found, name), value)
    write_encoder(tmp_path / "e.h5", replace(encoder, intercept=np.zeros(3)))
    with pytest.raises(DataError, match=r"e\.h5, field intercept: shape \(3,\), wanted \(7,\)"):
        read_encoder(tmp_path / "e.h5")


@pytest.fixture
def parts(world):
    split = read_split(world.root / "stores" / "splits.json")
    features = Features([EmbeddingStore(world.root / "tokens.h5")], "tokens")
    # as `neurodecode embed` writes them
    features.stores[0].attrs |= {"embedder": "toy", "sha256": "1", "batch_size": 64}
    return ResponseStore(world.root / "stores" / "sub-b.h5"), split, features


def test_fitted_encoder_is_the_ridge_encoder_of_training_trials(parts) -> None:
    store, split, features = parts
    encoder = fit_linear_encoder(store, split, 0, features, n_components=6)
    assert (encoder.subject, encoder.embedder, encoder.target) == ("b", "toy", "tokens")
    assert encoder.features == {"sha256": "1"}
    train = TrialTable.load(store, split, 0, ("train",)).average("train")
    alike = RidgeEncoder(6).fit(features.read(train.stimulus_id), train.responses)
    new = features.read(split.folds[0].test)
    np.testing.assert_allclose(encoder.predict(new), alike.predict(new), atol=1e-4)


def test_likelihoods_of_guide_and_identification_agree(parts) -> None:
    """The picture's features are given; only the constant of each response may differ."""
    store, split, features = parts
    encoder = fit_linear_encoder(store, split, 0, features, n_components=6)
    table = TrialTable.load(store, split, 0, ("train",))
    train = table.average("train")
    model = LikelihoodIdentifier(RidgeEncoder(6)).fit(
        features.read(train.stimulus_id), train.responses, train.n_averaged,
        table.deviations("train"),
    )  # fmt: skip
    ids = list(split.folds[0].test)[::-1]
    measured = rows_of(held_out_responses(store, split, 0, encoder), ids, "b")
    tokens = features.read(ids)
    wanted = model.log_likelihood(measured.responses, tokens, measured.n_averaged)
    guide = EncoderGuide(lambda x: x, encoder, measured.responses, measured.n_averaged)
    found = np.stack([
        guide(torch.from_numpy(tokens), np.full(len(ids), row)).numpy() for row in range(len(ids))
    ])  # fmt: skip
    constant = (wanted - found).mean(axis=1, keepdims=True)
    np.testing.assert_allclose(found + constant, wanted, rtol=2e-2, atol=0.5)
    assert (found.argmax(axis=1) == wanted.argmax(axis=1)).all()


def test_responses_come_in_the_order_of_the_stimuli_and_from_held_out_sides(parts) -> None:
    store, split, features = parts
    encoder = fit_linear_encoder(store, split, 0, features, n_components=6)
    known = held_out_responses(store, split, 0, encoder)
    ids = [split.folds[0].test[3], split.folds[0].validation[1], split.folds[0].test[3]]
    found = rows_of(known, ids, "b")
    assert found.stimulus_id.tolist() == ids
    average = TrialTable.load(store, split, 0, ("train",)).average("test")
    row = average.stimulus_id.tolist().index(ids[0])
    np.testing.assert_array_equal(found.responses[[0, 2]], average.responses[[row, row]])
    with pytest.raises(DataError, match=r"subject b, .*no held-out response to 1 stimuli"):
        rows_of(known, [*ids, split.folds[0].train[2]], "b")


def test_an_encoder_of_another_division_is_refused(parts) -> None:
    store, split, features = parts
    encoder = fit_linear_encoder(store, split, 0, features, n_components=6)
    with pytest.raises(LeakError, match="another division"):
        held_out_responses(store, split, 1, encoder)
    fold = split.folds[0]
    swapped = Fold(
        (*fold.train[1:], fold.test[0]), fold.validation, (*fold.test[1:], fold.train[0])
    )
    with pytest.raises(LeakError, match="another division"):
        held_out_responses(store, Split("kfold", "stimulus", (swapped,)), 0, encoder)
