from __future__ import annotations

import shutil
from dataclasses import replace

import numpy as np
import pytest
from sklearn.model_selection import KFold

from neurodecode.cli import main
from neurodecode.recording import Recording
from neurodecode.splits import Split, make_split, read_split, write_split
from neurodecode.store import (
    EmbeddingStore,
    Prediction,
    ResponseStore,
    read_predictions,
    write_predictions,
)
from neurodecode.tasks.baselines import Features, LinearOptions, identify_predicted

N_VOXELS = {"01": 17, "02": 19}


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    """Two subjects, 90 stimuli, two repeats, responses linear in 12 features."""
    root, rng = tmp_path_factory.mktemp("linear"), np.random.default_rng(5)
    ids = [f"{number:032x}" for number in range(90)]
    features = rng.normal(size=(90, 3, 4)).astype(np.float32)
    store = EmbeddingStore.create(root / "tower.h5", ids, {"tokens": (3, 4)})
    store.write(np.arange(90), {"tokens": features})
    subjects = {}
    for subject, n_voxels in N_VOXELS.items():
        clean = features.reshape(90, 12) @ rng.normal(size=(12, n_voxels))
        stimulus = rng.permutation(np.tile(np.arange(90), 2))
        noisy = clean[stimulus] + 2 * rng.normal(size=(180, n_voxels))
        subjects[subject] = Recording(
            subject=subject, modality="fmri", responses=noisy.astype(np.float32),
            stimulus_id=np.array(ids)[stimulus], session=np.repeat([1, 2], 90),
            run=np.ones(180, int),
        )  # fmt: skip
        ResponseStore.write(root / f"sub-{subject}.h5", subjects[subject], dataset="tiny")
    write_split(root / "splits.json", make_split("kfold", subjects, n_folds=3))
    return root


def baseline(root, *words, out="out.h5"):
    code = main(["baseline", "--stores", str(root), "--splits", str(root / "splits.json"),
                 "--out", str(root / out), "--jobs", "1", "--quiet", *map(str, words)])  # fmt: skip
    return read_predictions(root / out) if code == 0 else code


def top1(prediction):
    truth = [list(prediction.candidate_id).index(s) for s in prediction.stimulus_id]
    return np.mean(prediction.arrays["scores"].argmax(axis=1) == truth)


def test_ridge_writes_the_decoded_embedding(world):
    content = baseline(world, "--method", "ridge", "--embeddings", world / "tower.h5")
    assert content.method == "ridge"
    assert content.attrs["embedding"] == "tower"
    assert content.attrs["selection_split"] == "train"
    assert [(p.subject, p.fold) for p in content.predictions] == [
        (subject, fold) for subject in N_VOXELS for fold in range(3)
    ]
    truth = EmbeddingStore(world / "tower.h5")
    for prediction in content.predictions:
        assert prediction.arrays["tokens"].shape == (30, 3, 4)
        assert prediction.n_averaged == 2
        expected = truth.read("tokens", prediction.stimulus_id)
        assert np.corrcoef(prediction.arrays["tokens"].ravel(), expected.ravel())[0, 1] > 0.7
        assert top1(prediction) > 0.5  # chance 1/30


@pytest.fixture(scope="module")
def latents(world):
    """A latent and a caption of each picture, both linear in the tokens."""
    tower = EmbeddingStore(world / "tower.h5")
    features = tower.read("tokens").reshape(90, 12)
    rng = np.random.default_rng(11)
    shapes = {"latent": (2, 5, 3), "text": (7,)}
    store = EmbeddingStore.create(world / "others.h5", tower.ids, shapes)
    store.write(np.arange(90), {
        name: (features @ rng.normal(size=(12, int(np.prod(shape))))).reshape(90, *shape)
        for name, shape in shapes.items()
    })  # fmt: skip
    return world / "others.h5"


def test_ridge_decodes_tokens_latent_and_caption_for_a_generator(world, latents):
    files = ("--method", "ridge", "--embeddings", world / "tower.h5", latents)
    content = baseline(world, *files, "--target", "text", "latent", "tokens")
    assert (content.attrs["embedding"], content.attrs["target"]) == ("others", "text")
    first = content.predictions[0]
    alone = baseline(world, "--method", "ridge", "--embeddings", latents, "--target", "latent")
    assert alone.attrs["target"] == "latent"
    np.testing.assert_array_equal(alone.predictions[0].arrays["latent"], first.arrays["latent"])
    for name, shape in {"text": (7,), "latent": (2, 5, 3), "tokens": (3, 4)}.items():
        decoded = first.arrays[name]
        assert decoded.shape == (30, *shape)
        true = EmbeddingStore(latents if name != "tokens" else world / "tower.h5")
        true = true.read(name, first.stimulus_id)
        assert np.corrcoef(decoded.ravel(), true.ravel())[0, 1] > 0.7
    assert top1(first) > 0.2  # by 7 of 12 dimensions; chance 1/30


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--target", "tokens", "latent"), "no array 'latent' (found: tokens)"),
        (("--target", "tokens", "tokens"), "name each only once"),
        (("--method", "encoder_likelihood", "--target", "tokens", "text"),
         "several --target are for --method ridge"),
    ],
)  # fmt: skip
def test_targets_that_cannot_be_decoded_are_named(world, capsys, words, message):
    tower = ("--embeddings", world / "tower.h5")
    assert baseline(world, "--method", "ridge", *tower, *words) == 2
    assert message in capsys.readouterr().err


def test_target_of_two_stores_is_a_question(world, tmp_path, capsys):
    shutil.copy(world / "tower.h5", tmp_path / "copy.h5")
    files = ("--embeddings", world / "tower.h5", tmp_path / "copy.h5")
    assert baseline(world, "--method", "ridge", *files) == 2
    assert "--target tokens: is in" in capsys.readouterr().err


@pytest.mark.parametrize("words", [
    ("--method", "ridge", "--components", "11", "--whitening", "1", "--name", "ridge_whitened"),
    ("--method", "encoder_likelihood", "--components", "12"),
    ("--method", "encoder_likelihood", "--n-voxels", "13"),
])  # fmt: skip
def test_methods_that_score_candidates(world, words):
    content = baseline(world, *words, "--embeddings", world / "tower.h5")
    assert content.method == ("ridge_whitened" if "--name" in words else words[1])
    for prediction in content.predictions:
        assert prediction.arrays["scores"].shape == (30, 30)
        assert top1(prediction) > 0.5  # chance 1/30


def test_likelihood_also_keeps_predicted_and_measured_responses(world):
    content = baseline(world, "--method", "encoder_likelihood", "--embeddings", world / "tower.h5")
    for prediction in content.predictions:
        predicted, measured = prediction.arrays["responses"], prediction.arrays["measured"]
        assert predicted.shape == measured.shape == (30, N_VOXELS[prediction.subject])
        assert np.corrcoef(predicted.ravel(), measured.ravel())[0, 1] > 0.7


def test_same_command_same_file(world):
    words = ("--method", "encoder_likelihood", "--embeddings", world / "tower.h5")
    first, second = (baseline(world, *words, out=f"{n}.h5") for n in (1, 2))
    for one, two in zip(first.predictions, second.predictions, strict=True):
        np.testing.assert_array_equal(one.arrays["scores"], two.arrays["scores"])
    assert (world / "1.h5").read_bytes() == (world / "2.h5").read_bytes()


def predicted_file(world, path, folds=range(3), drop=()):
    """What a trained encoder would write: a good guess of all responses of the fold."""
    made = baseline(world, "--method", "encoder_likelihood", "--embeddings", world / "tower.h5")
    from neurodecode.loaders.table import TrialTable
    from neurodecode.splits import read_split

    split, rng = read_split(world / "splits.json"), np.random.default_rng(1)
    predictions = []
    for each in made.predictions:
        if each.fold not in folds:
            continue
        store = ResponseStore(world / f"sub-{each.subject}.h5")
        table = TrialTable.load(store, split, each.fold, ("train",)).average(
            "train", "validation", "test"
        )
        keep = [i for i, s in enumerate(table.stimulus_id) if s not in drop]
        guess = 0.5 * table.responses + 0.3 * rng.normal(size=table.responses.shape)
        predictions.append(Prediction(each.subject, table.stimulus_id[keep].tolist(),
                                      {"responses": guess[keep]}, fold=each.fold))  # fmt: skip
    write_predictions(path, "core", predictions)
    return path


def test_trained_encoders_are_judged_by_validation_residuals(world):
    path = predicted_file(world, world / "core.h5")
    alone = baseline(world, "--method", "encoder_likelihood", "--predicted", path)
    assert alone.attrs["selection_split"] == "validation"
    assert min(top1(each) for each in alone.predictions) > 0.8
    stacked = baseline(world, "--method", "encoder_likelihood", "--predicted", path, path,
                       "--embeddings", world / "tower.h5", "--name", "stack")  # fmt: skip
    assert stacked.method == "stack"
    assert min(top1(each) for each in stacked.predictions) > 0.8


@pytest.mark.parametrize(("words", "message"), [
    (("--method", "ridge"), "needs --embeddings, its targets"),
    (("--method", "encoder_likelihood"), "needs --embeddings or --predicted"),
    (("--method", "logistic", "--embeddings", "x.h5"), "leave --embeddings out"),
    (("--method", "ridge", "--embeddings", "absent.h5"), "absent.h5: file is missing"),
    (("--method", "ridge", "--embeddings", "TOWER", "--target", "pooled"), "no array 'pooled'"),
    (("--method", "ridge", "--embeddings", "TOWER", "--components", "0"), "--components is 0"),
    (("--method", "ridge", "--embeddings", "TOWER", "--subjects", "09"), "known: 01, 02"),
    (("--method", "logistic"), "which is not in training"),
])  # fmt: skip
def test_wrong_options_end_in_one_line(world, capsys, words, message):
    words = [str(world / "tower.h5") if word == "TOWER" else word for word in words]
    assert baseline(world, *words) == 2
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1


def test_missing_fold_or_stimulus_of_an_encoder_is_named(world, capsys):
    path = predicted_file(world, world / "part.h5", folds=(0, 2))
    assert baseline(world, "--method", "encoder_likelihood", "--predicted", path) == 2
    assert "no predicted responses for fold 1" in capsys.readouterr().err
    path = predicted_file(world, world / "holes.h5", drop=("0" * 31 + "7",))
    assert baseline(world, "--method", "encoder_likelihood", "--predicted", path) == 2
    assert "no predicted response to 1 stimuli" in capsys.readouterr().err


def test_folder_without_stores(world, tmp_path, capsys):
    assert baseline(tmp_path, "--method", "logistic") == 2
    assert "splits.json: file is missing" in capsys.readouterr().err


@pytest.mark.slow
def test_processes_do_not_change_the_result(world):
    words = ("--method", "encoder_likelihood", "--embeddings", world / "tower.h5")
    one = baseline(world, *words)
    two = baseline(world, *words, "--jobs", "2")
    for first, second in zip(one.predictions, two.predictions, strict=True):
        np.testing.assert_allclose(first.arrays["scores"], second.arrays["scores"], rtol=1e-4)


@pytest.mark.parametrize("method", ["ridge", "encoder_likelihood"])
def test_validation_side_is_predicted_from_training_alone(world, method):
    words = ("--method", method, "--embeddings", world / "tower.h5", "--subjects", "01")
    content = baseline(world, *words, "--side", "validation")
    assert content.attrs["side"] == "validation"
    split = read_split(world / "splits.json")
    for prediction in content.predictions:
        assert tuple(prediction.stimulus_id) == split.folds[prediction.fold].validation
        assert top1(prediction) > 0.5
    assert baseline(world, *words).attrs["side"] == "test"


@pytest.fixture(scope="module")
def roomy(world, tmp_path_factory):
    """The same world with 19 validation stimuli a fold instead of 6."""
    root = tmp_path_factory.mktemp("roomy")
    for path in [*world.glob("sub-*.h5"), world / "tower.h5"]:
        shutil.copy(path, root)
    folds = []
    for each in read_split(world / "splits.json").folds:
        more = (*each.validation, *each.train[:13])
        folds.append(replace(each, train=each.train[13:], validation=tuple(sorted(more))))
    write_split(root / "splits.json", Split("kfold", "stimulus", tuple(folds)))
    return root


def test_stacked_encoders_rank_validation_stimuli(roomy):
    path = predicted_file(roomy, roomy / "core.h5")
    words = ("--method", "encoder_likelihood", "--predicted", path,
             "--embeddings", roomy / "tower.h5", "--name", "stack")  # fmt: skip
    content = baseline(roomy, *words, "--side", "validation")
    assert content.method == "stack"
    assert content.attrs["side"] == "validation"
    assert content.attrs["selection_split"] == "validation"
    split = read_split(roomy / "splits.json")
    for each in content.predictions:
        validation = split.folds[each.fold].validation
        assert each.stimulus_id == each.candidate_id == list(validation)
        assert each.arrays["scores"].shape == (len(validation), len(validation))
        assert each.arrays["responses"].shape == (len(validation), N_VOXELS[each.subject])
        assert top1(each) > 0.8
    # the two sides fit together
    baseline(roomy, *words, "--side", "validation", out="validation.h5")
    baseline(roomy, *words, out="test.h5")
    code = main(["combine", "--validation", str(roomy / "validation.h5"),
                 "--predictions", str(roomy / "test.h5"), "--splits", str(roomy / "splits.json"),
                 "--out", str(roomy / "posterior.h5"), "--quiet"])  # fmt: skip
    assert code == 0


def test_no_validation_response_is_judged_by_what_was_learned_from_it(roomy):
    """Another response to one stimulus changes its own row and other parts' rows alone."""
    store, changed, predicted, split = perturbed(roomy, roomy / "core.h5")
    features = Features([EmbeddingStore(roomy / "tower.h5")], "tokens")
    options = LinearOptions(12, side="validation", seed=4)
    before, after = (
        identify_predicted(each, split, 1, predicted, features, options)
        for each in (store, changed)
    )
    ids = list(split.folds[1].validation)
    assert before.stimulus_id == after.stimulus_id == ids
    parts = [part for _, part in KFold(5, shuffle=True, random_state=4).split(ids)]
    (own,) = (part for part in parts if 3 in part)
    rest = np.setdiff1d(np.arange(len(ids)), own)
    for name in ("scores", "responses"):
        same = np.setdiff1d(own, [3]) if name == "scores" else own
        np.testing.assert_array_equal(before.arrays[name][same], after.arrays[name][same])
        assert (before.arrays[name][rest] != after.arrays[name][rest]).any(axis=1).all()
    assert (before.arrays["scores"][3] != after.arrays["scores"][3]).all()


def perturbed(world, path):
    """A subject, a copy with another response to the fourth validation stimulus of fold 1."""
    predicted = read_predictions(predicted_file(world, path)).predictions
    split, store = read_split(world / "splits.json"), ResponseStore(world / "sub-02.h5")
    responses = store.read(np.arange(store.n_trials)).copy()
    ids = np.asarray(store.stimulus_id)
    rows = np.flatnonzero(ids == split.folds[1].validation[3])
    responses[rows] += [[5.0], [9.0]]  # the mean and the spread of its two repeats
    copy = Recording(
        subject="02", modality="fmri", responses=responses, stimulus_id=ids,
        session=np.asarray(store.session), run=np.ones(len(ids), int),
    )  # fmt: skip
    changed = ResponseStore.write(world / "changed.h5", copy, dataset="tiny")
    own = [each for each in predicted if (each.subject, each.fold) == ("02", 1)]
    return store, changed, own, split


def test_too_few_validation_stimuli_for_turns(world, capsys):
    path = predicted_file(world, world / "core.h5")
    words = ("--method", "encoder_likelihood", "--predicted", path, "--side", "validation")
    assert baseline(world, *words) == 2
    error = capsys.readouterr().err
    assert "fold 0 has 6 validation stimuli, fewer than 10" in error
    assert error.count("\n") == 1
