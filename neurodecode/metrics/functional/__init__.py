"""Metrics as functions of arrays.

Scores come per item (image, trial, voxel) wherever the metric allows, because an interval over
stimuli needs them; the mean is the caller's one line. Inputs may be arrays or tensors, results
are tensors, except in `reliability`, `attention` and `switch_duration`, which stay with numpy.

A module is imported when one of its functions is first asked for, so that what only needs
`reliability` does not wait for torch.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from neurodecode.metrics.functional.attention import (
        binomial_limit,
        binomial_p,
        d_prime,
        information_transfer_rate,
        match_mismatch_credit,
    )
    from neurodecode.metrics.functional.captions import (
        bleu,
        bleu_counts,
        count_grams,
        rouge_l,
        words_of,
    )
    from neurodecode.metrics.functional.cider import cider
    from neurodecode.metrics.functional.classification import (
        accuracy,
        auc_placements,
        balanced_accuracy,
        majority_chance,
    )
    from neurodecode.metrics.functional.correlation import (
        correlation_distance,
        correlation_matrix,
        cosine_matrix,
        pearson_r,
        row_correlation,
    )
    from neurodecode.metrics.functional.dimensions import effective_rank
    from neurodecode.metrics.functional.experts import (
        expert_log_likelihood,
        expert_posterior,
        fit_posterior,
    )
    from neurodecode.metrics.functional.identification import (
        correlation_scores,
        log_likelihood_scores,
        noise_covariance,
        posterior,
        whitened_correlation_scores,
    )
    from neurodecode.metrics.functional.pixels import pixcorr, ssim
    from neurodecode.metrics.functional.reliability import (
        algonauts2023,
        mixed_repeats_inverse,
        ncsnr,
        noise_ceiling,
        noise_variance,
        normalised_r,
        normalised_r2,
        repeat_correlation,
        spearman_brown,
    )
    from neurodecode.metrics.functional.rescoring import (
        RESCORERS,
        csls,
        hungarian,
        hungarian_scores,
        sinkhorn,
    )
    from neurodecode.metrics.functional.retrieval import (
        compare,
        expected_top_k,
        median_rank,
        ranks,
        repeated_draws,
        top_k_credit,
    )
    from neurodecode.metrics.functional.separation import (
        level_difference,
        si_sdr,
        time_difference,
    )
    from neurodecode.metrics.functional.switch_duration import expected_switch_duration, mesd
    from neurodecode.metrics.functional.two_way import two_way_from_scores, two_way_identification
    from neurodecode.metrics.functional.whitening import whiten_rows

__all__ = [
    "RESCORERS",
    "accuracy",
    "algonauts2023",
    "auc_placements",
    "balanced_accuracy",
    "binomial_limit",
    "binomial_p",
    "bleu",
    "bleu_counts",
    "cider",
    "compare",
    "correlation_distance",
    "correlation_matrix",
    "correlation_scores",
    "cosine_matrix",
    "count_grams",
    "csls",
    "d_prime",
    "effective_rank",
    "expected_switch_duration",
    "expected_top_k",
    "expert_log_likelihood",
    "expert_posterior",
    "fit_posterior",
    "hungarian",
    "hungarian_scores",
    "information_transfer_rate",
    "level_difference",
    "log_likelihood_scores",
    "majority_chance",
    "match_mismatch_credit",
    "median_rank",
    "mesd",
    "mixed_repeats_inverse",
    "ncsnr",
    "noise_ceiling",
    "noise_covariance",
    "noise_variance",
    "normalised_r",
    "normalised_r2",
    "pearson_r",
    "pixcorr",
    "posterior",
    "ranks",
    "repeat_correlation",
    "repeated_draws",
    "rouge_l",
    "row_correlation",
    "si_sdr",
    "sinkhorn",
    "spearman_brown",
    "ssim",
    "time_difference",
    "top_k_credit",
    "two_way_from_scores",
    "two_way_identification",
    "whiten_rows",
    "whitened_correlation_scores",
    "words_of",
]

#: Module -> the names it gives.
_NAMES = {
    "attention": (
        "binomial_limit binomial_p d_prime information_transfer_rate match_mismatch_credit"
    ),
    "captions": "bleu bleu_counts count_grams rouge_l words_of",
    "cider": "cider",
    "classification": "accuracy auc_placements balanced_accuracy majority_chance",
    "correlation": (
        "correlation_distance correlation_matrix cosine_matrix pearson_r row_correlation"
    ),
    "dimensions": "effective_rank",
    "experts": "expert_log_likelihood expert_posterior fit_posterior",
    "identification": (
        "correlation_scores log_likelihood_scores noise_covariance posterior "
        "whitened_correlation_scores"
    ),
    "switch_duration": "expected_switch_duration mesd",
    "pixels": "pixcorr ssim",
    "reliability": (
        "algonauts2023 mixed_repeats_inverse ncsnr noise_ceiling noise_variance normalised_r "
        "normalised_r2 repeat_correlation spearman_brown"
    ),
    "rescoring": "RESCORERS csls hungarian hungarian_scores sinkhorn",
    "retrieval": "compare expected_top_k median_rank ranks repeated_draws top_k_credit",
    "separation": "level_difference si_sdr time_difference",
    "two_way": "two_way_from_scores two_way_identification",
    "whitening": "whiten_rows",
}
_HOMES = {name: module for module, names in _NAMES.items() for name in names.split()}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
