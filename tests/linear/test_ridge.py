from __future__ import annotations

import json

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.linear_model import Ridge
from sklearn.model_selection import KFold, cross_val_predict

from neurodecode.linear import RidgeDecoder, RidgeEncoder, fit_ridge


def absolute(penalty, inputs):
    """Penalty on the sum of squares -> the penalty `fit_ridge` takes."""
    return penalty / (len(inputs) * inputs.var(axis=0).mean())


@pytest.fixture(scope="module")
def reference(fixtures_dir):
    content = json.loads((fixtures_dir / "ridge.json").read_text())
    inputs = {name: np.array(values) for name, values in content["inputs"].items()
              if isinstance(values, list)}  # fmt: skip
    return inputs, content["expected"]


@pytest.mark.parametrize("penalty", ["1.0", "100.0"])
def test_weights_and_predictions_of_the_fixture(reference, penalty):
    inputs, expected = reference
    model = fit_ridge(inputs["X"], inputs["Y"], penalties=[absolute(float(penalty), inputs["X"])])
    wanted = expected[f"alpha{penalty}"]
    np.testing.assert_allclose(model.coef_, wanted["coef"], atol=2e-4)
    predicted = model.predict(inputs["X_test"].astype(np.float32))
    np.testing.assert_allclose(predicted, wanted["pred_test"], atol=1e-3)


def test_penalty_is_chosen_for_each_output_by_cross_validation(rng):
    inputs = rng.normal(size=(70, 9)).astype(np.float32)
    outputs = inputs @ rng.normal(size=(9, 4)) * [3, 1, 0.2, 0] + rng.normal(size=(70, 4))
    penalties = [1e-2, 1, 1e2]
    model = fit_ridge(inputs, outputs, penalties=penalties, n_folds=4, seed=5)
    scale = len(inputs) * inputs.var(axis=0).mean()
    errors = [
        ((cross_val_predict(Ridge(alpha * scale), inputs, outputs,
                            cv=KFold(4, shuffle=True, random_state=5)) - outputs) ** 2).mean(axis=0)
        for alpha in penalties
    ]  # fmt: skip
    expected = np.array(penalties)[np.argmin(errors, axis=0)] * scale
    np.testing.assert_allclose(model.best_alphas_, expected, rtol=1e-3)
    assert len(set(np.round(expected, 3))) > 1  # the case would not tell otherwise


def test_penalties_do_not_depend_on_the_scale_of_the_inputs(rng):
    inputs, outputs = rng.normal(size=(40, 7)), rng.normal(size=(40, 3))
    first = fit_ridge(inputs, outputs).predict(inputs.astype(np.float32))
    second = fit_ridge(inputs * 50, outputs).predict((inputs * 50).astype(np.float32))
    np.testing.assert_allclose(first, second, atol=1e-4)


def test_decoder_restores_the_shape_and_mean_of_the_embedding(rng):
    responses = rng.normal(size=(60, 9)).astype(np.float32)
    targets = (responses @ rng.normal(size=(9, 14))).reshape(60, 2, 7) + 10
    decoder = RidgeDecoder(penalties=[1e-6]).fit(responses[:50], targets[:50])
    np.testing.assert_allclose(decoder.predict(responses[50:]), targets[50:], atol=1e-2)
    scores = decoder.similarity(responses[50:], targets[50:])
    np.testing.assert_allclose(np.diag(scores), 1, atol=1e-3)
    assert (scores.argmax(axis=1) == np.arange(10)).all()


def test_decoder_of_components_compares_in_their_space(rng):
    responses = rng.normal(size=(60, 9)).astype(np.float32)
    targets = responses @ rng.normal(size=(9, 12)) + 0.1 * rng.normal(size=(60, 12))
    decoder = RidgeDecoder(n_components=5, whitening=1).fit(responses[:45], targets[:45])
    predicted, true = decoder.predict(responses[45:]), decoder.embed(targets[45:])
    assert predicted.shape == true.shape == (15, 5)
    cosine = (predicted @ true.T) / np.outer(
        np.linalg.norm(predicted, axis=1), np.linalg.norm(true, axis=1)
    )
    np.testing.assert_allclose(decoder.similarity(responses[45:], targets[45:]), cosine, rtol=1e-4)


def test_encoder_predicts_held_out_responses(rng):
    features = rng.normal(size=(80, 3, 4))
    responses = features.reshape(80, 12) @ rng.normal(size=(12, 7))
    encoder = RidgeEncoder(n_components=None, penalties=[1e-6]).fit(features[:70], responses[:70])
    np.testing.assert_allclose(encoder.predict(features[70:]), responses[70:], atol=2e-2)


@pytest.mark.parametrize("model", [RidgeDecoder(7, 0.5, seed=3), RidgeEncoder(9, n_folds=3)])
def test_scikit_learn_can_clone_them(model):
    assert clone(model).get_params() == model.get_params()
