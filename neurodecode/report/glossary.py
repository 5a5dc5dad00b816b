"""What to call methods and metrics on the page, and how to print their values."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from neurodecode.analysis.records import CONTROL_WORDS
from neurodecode.metrics.catalogue import METRIC_NAMES, MetricSpec

__all__ = [
    "Metric",
    "format_difference",
    "format_interval",
    "format_points",
    "format_value",
    "method_label",
    "metric",
    "task_label",
]

_LABELS = {
    "retrieval_top1": "Top-1 retrieval",
    "retrieval_top5": "Top-5 retrieval",
    "retrieval_top10": "Top-10 retrieval",
    "retrieval_brain_top1": "Top-1 brain retrieval",
    "retrieval_brain_top5": "Top-5 brain retrieval",
    "retrieval_brain_top10": "Top-10 brain retrieval",
    "retrieval_category_top1": "Top-1 retrieval of the category",
    "retrieval_category_top5": "Top-5 retrieval of the category",
    "retrieval_draws_top1": "Top-1 retrieval, random draws",
    "retrieval_draws_top5": "Top-5 retrieval, random draws",
    "retrieval_brain_draws_top1": "Top-1 brain retrieval, random draws",
    "median_rank": "Median rank",
    "mean_rank": "Mean rank",
    "two_way": "Two-way identification",
    "accuracy": "Accuracy",
    "balanced_accuracy": "Balanced accuracy",
    "auc": "AUC",
    "pixcorr": "Pixel correlation",
    "ssim": "SSIM",
    "two_way_alexnet2": "Two-way (AlexNet 2)",
    "two_way_alexnet5": "Two-way (AlexNet 5)",
    "two_way_inception": "Two-way (Inception)",
    "two_way_clip": "Two-way (CLIP)",
    "category_accuracy": "Category accuracy",
    "brain_correlation": "Brain correlation",
    "brain_correlation_others": "Brain correlation, other subjects",
    "distance_effnet": "EfficientNet distance",
    "distance_swav": "SwAV distance",
    "bleu1": "BLEU-1",
    "bleu2": "BLEU-2",
    "bleu3": "BLEU-3",
    "bleu4": "BLEU-4",
    "meteor": "METEOR",
    "rouge_l": "ROUGE-L",
    "cider": "CIDEr-D",
    "clip_score": "CLIP score",
    "half_peak_latency": "Half-peak latency",
    "latency_difference": "Difference of latencies",
    "information_gain_bits": "Information gain (bit)",
    "nss": "NSS",
    "auc_conditional": "AUC, fixation by fixation",
    "auc_judd": "AUC (Judd)",
    "auc_shuffled": "AUC, shuffled",
    "cc": "CC",
    "sim": "SIM",
    "kl": "KL (nat)",
    "sequence_score": "Sequence score",
    "semantic_sequence_score": "Semantic sequence score",
    "scanmatch": "ScanMatch",
    "multimatch_shape": "MultiMatch shape",
    "multimatch_direction": "MultiMatch direction",
    "multimatch_length": "MultiMatch length",
    "multimatch_position": "MultiMatch position",
    "multimatch_duration": "MultiMatch duration",
    "string_similarity": "String edit similarity",
    "stde": "STDE",
    "sbtde": "SBTDE",
    "cross_recurrence": "Cross-recurrence (%)",
    "behaviour_difference": "Behaviour difference",
    "found_mismatch": "Mismatch of targets found",
    "asymmetry_index": "Asymmetry index",
    "effective_rank": "Effective rank",
    "cosine": "Cosine similarity",
    "mse": "Squared error",
    "pearson_r": "Correlation r",
    "match_mismatch_accuracy": "Match against mismatch",
    "attention_accuracy": "Attention accuracy",
    "d_prime": "Discriminability d'",
    "mesd_s": "Minimal expected switch duration",
    "itr_bits_per_min": "Information transfer rate",
    "si_sdr_improvement_db": "SI-SDR improvement (dB)",
    "speaker_confusion_rate": "Speaker confusion",
    "ild_error_db": "Error of interaural level (dB)",
    "itd_error_us": "Error of interaural time (µs)",
    "pitch_error_semitones": "Error of pitch (semitones)",
    "real_time_factor": "Real-time factor",
    "chunk_ms": "Time for a chunk of 8 ms, 95th percentile (ms)",
    "r2": "Explained variance R²",
    "pearson_r_ceiling_normalised": "Correlation over ceiling",
    "algonauts2023": "Algonauts 2023 score",
    "significant_units": "Significant units",
    "peak_in_field": "Map peaks in the receptive field",
    "noise_ceiling": "Noise ceiling",
}
#: Metrics that are shares of right answers, shown in percent.
_RATES = (
    "retrieval_", "two_way", "accuracy", "balanced_accuracy", "category_accuracy", "noise_ceiling",
    "significant_units", "peak_in_field",
    "match_mismatch_accuracy", "attention_accuracy",
)  # fmt: skip
_METHODS = {
    "trf_backward": "Backward TRF",
    "trf_forward": "Forward TRF",
    "trf_unsupervised": "Backward TRF, self-adaptive",
    "trf_backward_aligned": "Backward TRF, channels aligned",
    "cca": "Canonical correlation",
    "cca_aligned": "Canonical correlation, channels aligned",
    "stacked": "Linear decoders stacked",
    "dilated": "Dilated convolutions",
    "aadnet": "Inception network with attention",
    "csp": "Direction by CSP (confounded)",
    "mean_direction": "Direction by channel means",
    "talker_signature": "Talker by CSP (confounded)",
    "ridge": "Ridge regression",
    "ridge_pca": "Ridge regression, raw components",
    "decoder": "Contrastive decoder",
    "prior": "Decoder + diffusion prior",
    "encoder_likelihood": "Encoder likelihood",
    "core": "Convolutional encoder likelihood",
    "core_likelihood": "Convolutional encoder likelihood",
    "routing": "Attention-routing encoder",
    "routing_units": "Attention-routing encoder, a query a voxel",
    "factorised": "Factorised readout",
    "ridge_gabor": "Ridge, Gabor energy and colour",
    "ridge_clip": "Ridge, mini-CLIP",
    "ridge_banded": "Banded ridge, both",
    "routing_likelihood": "Attention-routing encoder likelihood",
    "combined": "Combined encoder likelihood",
    "stacked_likelihood": "Stacked encoder likelihood",
    "posterior": "Posterior of several methods",
    "adapted": "Adapted: trunk and heads of other subjects",
    "adapted_low_rank": "Adapted, trunk and heads updated",
    "adapted_likelihood": "Encoder of other subjects' voxels",
    "adapted_posterior": "Adapted decoder and encoder together",
    "from_scratch": "The same parts from scratch",
    "from_scratch_posterior": "From scratch, decoder and encoder together",
    "logistic": "Logistic regression",
    "probe": "Pretrained encoder, frozen",
    "attentive_probe": "Pretrained encoder, frozen, attentive",
    "finetune": "Pretrained encoder, fine-tuned",
    "random_probe": "Random encoder, frozen",
    "scratch": "The same encoder from scratch",
    "mean_activity": "Mean activity of regions",
    "connectivity": "Static connectivity",
    "dynamic_connectivity": "Dynamic connectivity",
    "conv": "Convolutional brain module",
    "nice": "Temporal-spatial convolutions (NICE)",
    "atm": "Channel attention (ATM)",
    "eegnet": "EEGNet",
    "left_out": "Convolutional brain module, subject left out",
    "alone": "One trunk for one modality",
    "joint": "One trunk for all modalities",
    "ridge_whitened": "Ridge regression, noise whitened",
    "guided": "Guided by an encoder",
    "guided_gradient": "Guided by a gradient",
    "unguided": "Unguided",
    "shuffled": "Shuffled responses",
    "prior_only": "Prior only, without a brain",
    "low_level": "Low-level picture alone",
    "true_pictures": "True pictures (ceiling)",
    "uniform": "Uniform",
    "centre_bias": "Centre bias",
    "saccade_walk": "Saccade walk",
    "saliency_ior": "Salience and IOR",
    "target_similarity": "Likeness to the target",
    "target_similarity_recognised": "Likeness, target recognised by rule",
    "density": "Trained density",
    "nevaclip": "NevaClip",
    "nevaclip_other_words": "NevaClip, other words",
    "oat": "OAT",
    "eccnet": "eccNET",
    "other_viewers": "Other viewers (ceiling)",
}
#: Ends of names that `evaluate --matching` makes.
_MATCHINGS = {
    "whitening": "whitened by the test set",
    "csls": "hubs penalised (CSLS)",
    "sinkhorn": "soft matching (Sinkhorn)",
    "hungarian": "one-to-one matching",
}
_TASKS = {
    "identification": "Retrieval",
    "classification": "Classification",
    "reconstruction": "Reconstruction",
    "captioning": "Captions",
    "adaptation": "A new subject",
    "scanpath": "Where people look",
    "embedding": "Decoded embedding",
    "encoding": "Encoding",
    "reliability": "Reliability",
    "cross_modal": "Retrieval across modalities",
}
_MODALITIES = {"fmri": "fMRI", "meg": "MEG", "eeg": "EEG"}


@dataclass(frozen=True)
class Metric:
    """How one metric is shown.

    Parameters
    ----------
    name : str
        Key in `neurodecode.metrics.catalogue.METRIC_NAMES`.
    label : str
        What the page calls it.
    definition : str
        One line, from the catalogue.
    kind : {"rate", "rank", "number"}
        A share in percent, a rank, or a bare number.
    better : {"higher", "lower"}
        Direction.
    """

    name: str
    label: str
    definition: str
    kind: Literal["rate", "rank", "number"]
    better: str


def metric(name: str) -> Metric:
    """Look a metric up.

    Parameters
    ----------
    name : str
        Name as in the records.

    Returns
    -------
    Metric
        For a name this page has no words for, the name itself serves.
    """
    spec = METRIC_NAMES.get(name, MetricSpec("see docs/metrics.md"))
    kind: Literal["rate", "rank", "number"] = "number"
    if name.startswith(_RATES):
        kind = "rate"
    elif spec.unit == "rank":
        kind = "rank"
    return Metric(name, _LABELS.get(name, _spoken(name)), spec.definition, kind, spec.better)


def _spoken(name: str) -> str:
    words = name.replace("_", " ").replace("-", " ").strip()
    return words[:1].upper() + words[1:]


def method_label(name: str) -> str:
    """Say what a page calls a method.

    Parameters
    ----------
    name : str
        Name as in the records.

    Returns
    -------
    str
        Label in plain words.
    """
    for word in CONTROL_WORDS:
        parent = name.removesuffix(f"_{word}")
        if parent != name:
            return f"{method_label(parent)}, {_spoken(word).lower()}"
    parent, _, matching = name.rpartition("+")
    if parent and matching in _MATCHINGS:
        return f"{method_label(parent)}, {_MATCHINGS[matching]}"
    parent, _, modality = name.rpartition(">")
    if parent:
        return f"{method_label(parent)}, among {_MODALITIES.get(modality, modality)}"
    parent, _, repeats = name.rpartition("@")
    if parent and repeats.isdigit():
        return f"{method_label(parent)}, {repeats} trial{'s' if int(repeats) > 1 else ''}"
    if parent and repeats.endswith("%"):
        return f"{method_label(parent)}, {repeats.removesuffix('%')} % of the labels"
    return _METHODS.get(name, _spoken(name))


def task_label(name: str) -> str:
    """Say what a page calls a task.

    Parameters
    ----------
    name : str
        Name as in the records.

    Returns
    -------
    str
        Label in plain words.
    """
    return _TASKS.get(name, _spoken(name))


def format_value(value: float, metric: Metric) -> str:
    """Print a value in the way its metric is read.

    Parameters
    ----------
    value : float
        NaN for an undefined score.
    metric : Metric
        Its metric.

    Returns
    -------
    str
        ``87.2 %`` for shares, ``3.5`` for ranks, three decimals for the rest; a dash for NaN.
    """
    if math.isnan(value):
        return "–"
    if metric.kind == "rate":
        return f"{100 * value:.1f}\N{NARROW NO-BREAK SPACE}%"
    text = f"{value:.1f}" if metric.kind == "rank" else f"{value:.3f}"
    return text.replace("-", "\N{MINUS SIGN}")


def format_points(*values: float) -> str:
    """Print differences of shares in percentage points.

    Parameters
    ----------
    *values : float
        A difference, or the ends of its interval.

    Returns
    -------
    str
        ``+3.2``, or ``−1.0 to +7.4``; nothing if one is NaN.
    """
    return _signed(values, 100, 1)


def format_difference(metric: Metric, *values: float) -> str:
    """Print differences between scores in the way their metric is read.

    Parameters
    ----------
    metric : Metric
        What was compared.
    *values : float
        A difference, or the ends of its interval.

    Returns
    -------
    str
        For bare numbers ``+0.021``, for shares as `format_points`; nothing if one is NaN.
    """
    return _signed(values, 1, 3) if metric.kind == "number" else format_points(*values)


def _signed(values: tuple[float, ...], factor: float, digits: int) -> str:
    if any(math.isnan(value) for value in values):
        return ""
    # what rounds to nothing has no sign
    rounded = [round(factor * value, digits) + 0.0 for value in values]
    parts = [f"{value:+.{digits}f}" if value else f"{0:.{digits}f}" for value in rounded]
    return " to ".join(parts).replace("-", "\N{MINUS SIGN}")


def format_interval(low: float, high: float, metric: Metric) -> str:
    """Print a 95 % interval, without repeating the unit.

    Parameters
    ----------
    low, high : float
        NaN where there is none.
    metric : Metric
        Its metric.

    Returns
    -------
    str
        ``84.1 – 90.0``, or nothing.
    """
    if math.isnan(low) or math.isnan(high):
        return ""
    unit = "\N{NARROW NO-BREAK SPACE}%"
    parts = [format_value(value, metric).removesuffix(unit) for value in (low, high)]
    return " – ".join(parts)
