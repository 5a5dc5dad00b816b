"""Ridge regression from flattened windows of MEG and EEG."""

from __future__ import annotations

import numpy as np
from himalaya.ridge import RidgeCV
from sensor_world import MEG, make_sensor_world
from sklearn.model_selection import KFold

from neurodecode.cli import main
from neurodecode.linear.wide import WideRidge
from neurodecode.store import read_predictions


def test_kernel_gives_what_the_decomposition_gives(rng):
    inputs = (rng.normal(size=(41, 90)) + 3).astype(np.float32)
    outputs = inputs[:, :4] @ rng.normal(size=(4, 7)) + rng.normal(size=(41, 7)) + 5
    alphas, folds = np.logspace(-2, 4, 9), KFold(5, shuffle=True, random_state=0)
    plain = RidgeCV(alphas=alphas, fit_intercept=True, cv=folds, solver_params={"warn": False})
    plain.fit(inputs.astype(float), outputs)
    wide = WideRidge(alphas, folds).fit(inputs, outputs.astype(np.float32))
    np.testing.assert_allclose(wide.best_alphas_, plain.best_alphas_)
    assert len(set(wide.best_alphas_)) > 1
    new = rng.normal(size=(8, 90)) + 3
    np.testing.assert_allclose(wide.predict(new), plain.predict(new), rtol=1e-4, atol=1e-4)
    np.testing.assert_allclose(wide.coef_, plain.coef_, rtol=1e-3, atol=1e-5)


def test_baseline_reads_time_series(tmp_path):
    world = make_sensor_world(tmp_path, noise=0.5)
    code = main(["baseline", "--method", "ridge", "--stores", str(world.meg),
                 "--splits", str(world.meg / "splits.json"), "--jobs", "1", "--quiet",
                 "--embeddings", str(tmp_path / "tokens.h5"), "--out", str(tmp_path / "out.h5")]
                )  # fmt: skip
    assert code == 0
    content = read_predictions(tmp_path / "out.h5")
    assert [each.subject for each in content.predictions] == list(MEG)
    for each in content.predictions:
        truth = [list(each.candidate_id).index(s) for s in each.stimulus_id]
        assert np.mean(each.arrays["scores"].argmax(axis=1) == truth) > 0.5  # chance 1/9
