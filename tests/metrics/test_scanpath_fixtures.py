"""Scanpath metrics meet the numbers of independent implementations."""

from __future__ import annotations

import numpy as np
import pytest
from reference_numbers import read_reference

from neurodecode.metrics.functional import scanpath as fn


def paths(inputs, name="scanpaths_x_y_ms"):
    return {key: np.array(value, float) for key, value in inputs[name].items()}


def of_pairs(function, all_paths, pairs, *args, **kwargs):
    left, right = zip(*((all_paths[a], all_paths[b]) for a, b in (p.split("-") for p in pairs)))
    return function(list(left), list(right), *args, **kwargs)


@pytest.mark.parametrize(
    "config",
    ["grid12x8_thr3.5_gap0", "grid12x8_temporal100ms", "grid14x8_temporal50ms_default_threshold",
     "grid8x6_thr2_gap_minus1"],
)  # fmt: skip
def test_scanmatch(fixtures_dir, config):
    inputs, expected = read_reference(fixtures_dir, "scanmatch")
    given, wanted = inputs["configs"][config], expected[config]
    bins = (given["Xbin"], given["Ybin"])
    values = of_pairs(
        fn.scanmatch, paths(inputs), inputs["pairs"], (800, 600), bins=bins,
        threshold=given.get("Threshold", 3.5), gap=given.get("GapValue", 0.0),
        temporal_bin=given.get("TempBin"),
    )  # fmt: skip
    np.testing.assert_allclose(values, [wanted[p] for p in inputs["pairs"]], rtol=1e-10)
    a = fn.scanmatch_sequences([paths(inputs)["a"]], (800, 600), bins, given.get("TempBin"))
    assert a.values[0].tolist() == wanted["sequence_a"]


def test_scanmatch_substitution_matrix(fixtures_dir):
    _, expected = read_reference(fixtures_dir, "scanmatch")
    np.testing.assert_allclose(
        fn.substitution_matrix((3, 2), 1.5), expected["substitution_matrix_3x2_thr1.5"]
    )


def test_multimatch(fixtures_dir):
    inputs, expected = read_reference(fixtures_dir, "multimatch")
    known = paths(inputs)
    pairs = ["a-b", "a-c", "a-d", "a-e", "b-c", "a-a"]
    values = of_pairs(fn.multimatch, known, pairs, inputs["screensize"])
    np.testing.assert_allclose(values, [expected[p] for p in pairs], rtol=1e-8)
    known |= {"z": np.array(inputs["z"], float), "0": np.array(inputs["zero_length_case"], float)}
    plain = of_pairs(fn.multimatch, known, ["z-c"], inputs["screensize"])
    np.testing.assert_allclose(plain[0], expected["nogrouping_z-c"], rtol=1e-8)
    limits = inputs["grouping"]
    grouping = fn.Grouping(limits["TDir"], limits["TAmp"], 1000 * limits["TDur_s"])
    grouped = of_pairs(fn.multimatch, known, ["z-c"], inputs["screensize"], grouping=grouping)
    np.testing.assert_allclose(grouped[0], expected["grouping_z-c"], rtol=1e-8)
    two = fn.multimatch([known["a"][:2]], [known["b"]], inputs["screensize"])
    assert np.isnan(two).all()


def test_multimatch_with_a_saccade_that_goes_nowhere(fixtures_dir):
    inputs, expected = read_reference(fixtures_dir, "multimatch")
    still = np.array(inputs["zero_length_case"], float)
    wanted = expected["zero_length_saccade_no_grouping"]
    found = [
        fn.multimatch([still], [path], inputs["screensize"])[0] for path in paths(inputs).values()
    ]
    assert any(np.allclose(values, wanted, rtol=1e-8) for values in found)


def test_string_edit(fixtures_dir):
    inputs, expected = read_reference(fixtures_dir, "string_and_embedding")
    known, pairs = paths(inputs, "scanpaths_x_y"), inputs["pairs"]
    letters = "".join(chr(97 + k) for k in fn.grid_labels(known["a"], (800, 600)))
    assert letters == expected["string_edit"]["a-b"]["string_1"]
    wanted = [expected["string_edit"][p] for p in pairs]
    edits = of_pairs(fn.string_edit, known, pairs, (800, 600))
    assert edits.tolist() == [each["levenshtein"] for each in wanted]
    swapped = of_pairs(fn.string_edit, known, pairs, (800, 600), transpositions=True)
    assert swapped.tolist() == [each["with_transpositions"] for each in wanted]
    similar = of_pairs(fn.string_similarity, known, pairs, (800, 600))
    np.testing.assert_allclose(similar, [each["normalised_similarity"] for each in wanted])


def test_edit_distance_with_and_without_transpositions(fixtures_dir):
    _, expected = read_reference(fixtures_dir, "search_behaviour")
    example = read_reference(fixtures_dir, "string_and_embedding")[1]["transposition_example"]
    rows = expected["levenshtein"] + [
        [example["s1"], example["s2"], example["levenshtein"], example["nltk_transpositions"]],
        [example["s3"], example["s4"], example["levenshtein_2"], example["nltk_transpositions_2"]],
    ]
    left, right = (
        fn.pad([np.array([ord(c) for c in row[k]], int) for row in rows]) for k in (0, 1)
    )
    assert fn.edit_distance(left, right).tolist() == [row[2] for row in rows]
    assert fn.edit_distance(left, right, transpositions=True).tolist()[-2:] == [1, 2]


def test_time_delay_embedding(fixtures_dir):
    inputs, expected = read_reference(fixtures_dir, "string_and_embedding")
    known, pairs = paths(inputs, "scanpaths_x_y"), inputs["pairs"]
    for pair in pairs:
        human, model = (known[name] for name in pair.split("-"))
        distance = fn.time_delay_distance(human, model, 3)
        np.testing.assert_allclose(distance.mean(), expected["tde_k3_mean_px"][pair])
        np.testing.assert_allclose(distance.max(), expected["tde_k3_hausdorff_px"][pair])
    values = of_pairs(fn.stde, known, pairs, (800, 600))
    np.testing.assert_allclose(values, [expected["stde"][p] for p in pairs], rtol=1e-10)
    swapped = of_pairs(fn.stde, known, [p[::-1] for p in pairs], (800, 600))
    np.testing.assert_allclose(swapped, [expected["stde_swapped"][p] for p in pairs], rtol=1e-10)
    strings = of_pairs(fn.sbtde, known, pairs, (800, 600))
    wanted = [expected["sbtde_scaled_similarity"][p] for p in pairs]
    np.testing.assert_allclose(strings, wanted, rtol=1e-10)
    for pair, distances in zip(pairs, of_pairs(fn.sbtde_distances, known, pairs, (800, 600))):
        np.testing.assert_allclose(distances, expected[f"sbtde_per_k_distance_{pair}"], atol=1e-12)
        np.testing.assert_allclose(distances[2], expected["sbtde_k3_mean"][pair])


@pytest.mark.parametrize("bandwidth", ["15.0000", "60.0000", "131.7756"])
def test_sequence_score(fixtures_dir, bandwidth):
    inputs, expected = read_reference(fixtures_dir, "sequence_score")
    wanted = expected[f"bandwidth_{bandwidth}"]
    humans = [np.array(path, float) for path in inputs["human"]]
    centres = fn.fixation_clusters(np.concatenate(humans), wanted["bandwidth"])
    assert len(centres) == wanted["n_clusters"]
    strings = [fn.cluster_labels(path, centres) for path in humans]
    model = fn.cluster_labels(np.array(inputs["pred"], float), centres)
    scores = fn.sequence_score([model] * len(strings), strings)
    np.testing.assert_allclose(scores, wanted["scores_pred_vs_human"], rtol=1e-6)
    n = len(strings)
    pairs = [(i, j) for i in range(n) for j in range(n)]
    among = fn.sequence_score([strings[i] for i, _ in pairs], [strings[j] for _, j in pairs])
    among = among.reshape(n, n)
    np.testing.assert_allclose(among.mean(), wanted["human_with_self"], rtol=1e-6)
    others = among[~np.eye(n, dtype=bool)]
    np.testing.assert_allclose(others.mean(), wanted["human_leave_self_out"], rtol=1e-6)


def test_semantic_sequence_score_and_alignment(fixtures_dir):
    inputs, expected = read_reference(fixtures_dir, "sequence_score")
    segmentation = np.kron(np.array(inputs["segmentation_blocks_10px"]), np.ones((10, 10), int))
    model = fn.semantic_labels(np.array(inputs["pred"], float), segmentation)
    assert model.tolist() == [int(label) for label in expected["semantic"]["pred"]]
    humans = [fn.semantic_labels(np.array(path, float), segmentation) for path in inputs["human"]]
    scores = fn.sequence_score([model] * len(humans), humans)
    np.testing.assert_allclose(scores, expected["semantic"]["scores"], rtol=1e-6)
    for row in expected["needleman_wunsch"]:
        a, b = (np.array([ord(c) for c in row[key]]) for key in ("a", "b"))
        np.testing.assert_allclose(fn.sequence_score([a], [b], gap=row["gap"]), row["score"], 1e-6)


@pytest.fixture
def saliency(fixtures_dir):
    inputs, expected = read_reference(fixtures_dir, "saliency_metrics")
    arrays = {key: np.array(value) for key, value in inputs.items()}
    return arrays, expected


def test_density_metrics(saliency):
    given, expected = saliency
    row, column = given["fix_y"], given["fix_x"]
    values = fn.nss(given["map"], row, column)
    np.testing.assert_allclose(values, expected["NSS_per_fixation"], rtol=1e-7)
    density = np.log(given["map"] / given["map"].sum())
    centre = np.log(given["centre_bias"] / given["centre_bias"].sum())
    nats = fn.log_likelihood(density, row, column)
    np.testing.assert_allclose(nats, expected["LL_nats_per_fixation"], rtol=1e-7)
    over = fn.information_gain(nats, fn.log_likelihood(centre, row, column)).mean()
    np.testing.assert_allclose(over, expected["IG_over_centre_bias_bits"], rtol=1e-7)
    uniform = fn.information_gain(nats, -np.log(density.size)).mean()
    np.testing.assert_allclose(uniform, expected["IG_over_uniform_bits"], rtol=1e-7)
    # one density for each fixation: here the same
    np.testing.assert_array_equal(fn.log_likelihood(np.stack([density] * 8), row, column), nats)
    np.testing.assert_allclose(fn.nss(np.stack([given["map"]] * 8), row, column), values)


def test_map_against_map(saliency):
    given, expected = saliency
    fixed = given["centre_bias"]
    np.testing.assert_allclose(fn.correlation(given["map"], fixed), expected["CC"], rtol=1e-7)
    np.testing.assert_allclose(fn.similarity(given["map"], fixed), expected["SIM"], rtol=1e-7)
    value = fn.kl_divergence(given["map"], fixed)
    np.testing.assert_allclose(value, expected["KL_image_based"], rtol=1e-7)
    assert fn.kl_divergence(fixed, given["map"]) != pytest.approx(value)  # not symmetric


def test_auc_in_its_variants(saliency):
    given, expected = saliency
    row, column = given["fix_y"], given["fix_x"]
    close = {"rtol": 1e-7}
    s = given["map"]
    np.testing.assert_allclose(
        fn.auc(s, row, column), expected["AUC_all_pixels_negatives"], **close
    )
    np.testing.assert_allclose(
        fn.auc(s, row, column, unfixated=True), expected["AUC_unfixated_pixels_unique_fixations"],
        **close,
    )  # fmt: skip
    np.testing.assert_allclose(
        fn.auc_judd(s, row, column), expected["AUC_judd_fixatons_no_jitter"], **close
    )
    others = given["other_fix_y"], given["other_fix_x"]
    np.testing.assert_allclose(
        fn.auc_shuffled(s, row, column, *others), expected["sAUC_other_fixations"], **close
    )
    blocks = np.where(np.arange(30) < 15, 1.0, 0.0) * np.ones((20, 1))
    wanted = expected["constant_blocks_map"]
    np.testing.assert_allclose(fn.auc(blocks, row, column), wanted["AUC_all_pixels"], **close)
    np.testing.assert_allclose(
        fn.auc_judd(blocks, row, column), wanted["AUC_judd_fixatons_no_jitter"], **close
    )


def test_behaviour(fixtures_dir):
    inputs, expected = read_reference(fixtures_dir, "search_behaviour")
    values = fn.behaviour(inputs["object_sequences"], inputs["targets"])
    names = ("correct", "length", "search", "refix", "revisit")
    wanted = [[row[name] for name in names] for row in expected["per_path"]]
    np.testing.assert_allclose(values, wanted, rtol=1e-9)
    np.testing.assert_allclose(values[:, 2:].sum(axis=1), 1)
    difference = fn.behaviour_difference(values.mean(axis=0), inputs["model_means_for_delta"])
    np.testing.assert_allclose(difference, expected["delta_vs_model"], rtol=1e-9)


def test_found_by_and_ways(fixtures_dir):
    _, expected = read_reference(fixtures_dir, "search_behaviour")
    given = expected["found_by_n"]
    first = np.array([np.nan if n is None else n for n in given["first_fixation_on_target"]])
    curve = fn.found_by(first, 6)
    np.testing.assert_allclose(curve, given["cdf"], rtol=1e-9)
    np.testing.assert_allclose(curve.sum(), given["tfp_auc"], rtol=1e-9)
    mismatch = fn.found_curve_mismatch(curve, given["human_cdf"])
    np.testing.assert_allclose(mismatch, given["prob_mismatch"], rtol=1e-9)
    way = expected["scanpath_ratio"]
    x, y, width, height = way["bbox_xywh"]
    xy = np.stack([way["X"], way["Y"]], axis=1)
    value = fn.scanpath_ratio(xy, np.array([x + width / 2, y + height / 2]))
    np.testing.assert_allclose(value, way["value"], rtol=1e-9)


def test_asymmetry(fixtures_dir):
    _, expected = read_reference(fixtures_dir, "search_behaviour")
    given = expected["asymmetry_index"]
    human = np.array(given["human_slopes"])
    for name in ("model", "human"):
        values = fn.asymmetry_index(np.array(given[f"{name}_slopes"]), given["pairs"], human)
        np.testing.assert_allclose(values, given[name], rtol=1e-9)
    line = expected["slope_fit"]
    np.testing.assert_allclose(fn.search_slope(line["items"], line["rt"]), line["slope"], 1e-9)
