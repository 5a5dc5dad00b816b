"""What the page calls methods and metrics, and how it prints values."""

from __future__ import annotations

import pytest

from neurodecode.report.glossary import (
    format_interval,
    format_points,
    format_value,
    method_label,
    metric,
)


@pytest.mark.parametrize(
    ("name", "value", "printed"),
    [
        ("two_way", 0.8721, "87.2\N{NARROW NO-BREAK SPACE}%"),
        ("retrieval_top1", 0.0042, "0.4\N{NARROW NO-BREAK SPACE}%"),
        ("median_rank", 3.5, "3.5"),
        ("pixcorr", -0.0174, "\N{MINUS SIGN}0.017"),
        ("ssim", float("nan"), "–"),
    ],
)
def test_values_are_printed_as_their_metric_is_read(name: str, value: float, printed: str) -> None:
    assert format_value(value, metric(name)) == printed


def test_intervals_do_not_repeat_the_unit() -> None:
    assert format_interval(0.1, 0.25, metric("accuracy")) == "10.0 – 25.0"
    assert format_interval(float("nan"), 0.25, metric("accuracy")) == ""


@pytest.mark.parametrize(
    ("values", "printed"),
    [
        ((0.0324,), "+3.2"),
        ((-0.01, 0.074), "\N{MINUS SIGN}1.0 to +7.4"),
        ((-0.0001, 0.0), "0.0 to 0.0"),
        ((float("nan"), 0.1), ""),
    ],
)
def test_differences_are_printed_in_points(values: tuple[float, ...], printed: str) -> None:
    assert format_points(*values) == printed


def test_category_accuracy_is_a_share() -> None:
    shown = metric("category_accuracy")
    assert format_value(0.91, shown) == "91.0\N{NARROW NO-BREAK SPACE}%"
    assert method_label("true_pictures") == "True pictures (ceiling)"


def test_every_metric_has_words() -> None:
    from neurodecode.metrics.catalogue import METRIC_NAMES

    for name, spec in METRIC_NAMES.items():
        assert metric(name).label
        assert metric(name).definition == spec.definition
    assert metric("brand_new").label == "Brand new"


def test_methods_have_words() -> None:
    assert method_label("decoder") == "Contrastive decoder"
    assert method_label("decoder_shuffled") == "Contrastive decoder, shuffled"
    assert method_label("my-own_thing") == "My own thing"
    assert method_label("joint>meg") == "One trunk for all modalities, among MEG"
    assert method_label("ridge@1") == "Ridge regression, 1 trial"
    assert method_label("ridge@4") == "Ridge regression, 4 trials"
