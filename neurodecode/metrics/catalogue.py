"""The names that may stand in a MetricRecord, and what they mean.

`docs/metrics.md` has the equations; a test keeps the two lists equal.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

__all__ = ["METRIC_NAMES", "SELECTION_SPLITS", "TASKS", "MetricSpec"]


@dataclass(frozen=True)
class MetricSpec:
    """Meaning of one metric.

    Parameters
    ----------
    definition : str
        One line.
    better : {"higher", "lower"}
        Direction.
    unit : str
        Unit of the value; empty for a bare number, e.g. a share between 0 and 1.
    """

    definition: str
    better: Literal["higher", "lower"] = "higher"
    unit: str = ""


#: What the decoder was asked to do.
TASKS: dict[str, str] = {
    "identification": "name the stimulus among candidates",
    "classification": "name the category",
    "reconstruction": "draw the picture",
    "captioning": "say in words what was seen",
    "embedding": "predict an embedding of the stimulus",
    "encoding": "predict the response",
    "adaptation": "name the stimulus among candidates, after few trials of a new subject",
    "cross_modal": "find the response of another modality to the same stimulus",
    "scanpath": "say where people look",
    "auditory_attention": "tell which sound was listened to",
    "extraction": "take the sound that is listened to out of a mixture",
    "reliability": "how much of the response is there to be explained",
}

#: Which data chose among models and settings. The test set is not on the list.
SELECTION_SPLITS: dict[str, str] = {
    "none": "nothing was chosen",
    "train": "cross-validation or a criterion within the training set",
    "validation": "a validation set apart from training and test",
}

METRIC_NAMES: dict[str, MetricSpec] = {
    "retrieval_top1": MetricSpec("share of responses whose picture scores highest"),
    "retrieval_top5": MetricSpec("share of responses whose picture is among the best 5"),
    "retrieval_top10": MetricSpec("share of responses whose picture is among the best 10"),
    "retrieval_brain_top1": MetricSpec("share of pictures whose response scores highest"),
    "retrieval_brain_top5": MetricSpec("share of pictures whose response is among the best 5"),
    "retrieval_brain_top10": MetricSpec("share of pictures whose response is among the best 10"),
    "retrieval_category_top1": MetricSpec(
        "share of responses closest to the mean picture of the category that was seen"
    ),
    "retrieval_category_top5": MetricSpec(
        "share of responses that have the category among the best 5"
    ),
    "retrieval_draws_top1": MetricSpec(
        "share of responses whose picture scores highest among random test pictures"
    ),
    "retrieval_draws_top5": MetricSpec(
        "share of responses whose picture is among the best 5 of random test pictures"
    ),
    "retrieval_brain_draws_top1": MetricSpec(
        "share of pictures whose response scores highest among random test responses"
    ),
    "median_rank": MetricSpec("median rank of the true candidate", "lower", "rank"),
    "mean_rank": MetricSpec("mean rank of the true candidate", "lower", "rank"),
    "two_way": MetricSpec("share of distractors that score below the truth"),
    "accuracy": MetricSpec("share of right labels"),
    "balanced_accuracy": MetricSpec("share of right labels in each class, averaged over classes"),
    "auc": MetricSpec("chance that an item of one class scores above one of the other"),
    "pixcorr": MetricSpec("correlation of pixel values"),
    "ssim": MetricSpec("structural similarity of gray images"),
    "two_way_alexnet2": MetricSpec("two-way identification on AlexNet features.4"),
    "two_way_alexnet5": MetricSpec("two-way identification on AlexNet features.11"),
    "two_way_inception": MetricSpec("two-way identification on the Inception-v3 average pool"),
    "two_way_clip": MetricSpec("two-way identification on a CLIP image embedding"),
    "category_accuracy": MetricSpec("share of pictures that a linear read-out names rightly"),
    "brain_correlation": MetricSpec("correlation of predicted response to picture with measured"),
    "brain_correlation_others": MetricSpec("the same for other people who saw the stimulus"),
    "distance_effnet": MetricSpec("correlation distance on EfficientNet-B1", "lower"),
    "distance_swav": MetricSpec("correlation distance on SwAV ResNet-50", "lower"),
    "bleu1": MetricSpec("words of the caption that a true caption has, with a penalty if short"),
    "bleu2": MetricSpec("the same for words and pairs of words"),
    "bleu3": MetricSpec("the same up to three words in a row"),
    "bleu4": MetricSpec("the same up to four words in a row"),
    "meteor": MetricSpec("words matched to a true caption, also by stem and synonym"),
    "rouge_l": MetricSpec("longest sequence of words in common with a true caption"),
    "cider": MetricSpec("agreement with the true captions in words that few pictures share"),
    "clip_score": MetricSpec("2.5 times the cosine of caption and true picture in a CLIP space"),
    "half_peak_latency": MetricSpec(
        "time at which the curve of the two-way score is half way to its peak", "lower", "s"
    ),
    "latency_difference": MetricSpec(
        "by how much later a target is decodable than the baseline", "lower", "s"
    ),
    "information_gain_bits": MetricSpec(
        "bits per fixation that a density knows more than the reference", unit="bit"
    ),
    "nss": MetricSpec("density at fixations in standard deviations above its mean"),
    "auc_conditional": MetricSpec("share of the picture whose density is below that at a fixation"),
    "auc_judd": MetricSpec("area under the curve with thresholds at the fixations of one viewer"),
    "auc_shuffled": MetricSpec("area under the curve against fixations on other pictures"),
    "cc": MetricSpec("correlation of the density with that of one viewer's fixations"),
    "sim": MetricSpec("mass that the density shares with that of one viewer's fixations"),
    "kl": MetricSpec(
        "divergence of the density from that of one viewer's fixations", "lower", "nat"
    ),
    "sequence_score": MetricSpec(
        "longest common sequence of clusters that both scanpaths visit, over the longer length"
    ),
    "semantic_sequence_score": MetricSpec("the same for objects instead of clusters"),
    "scanmatch": MetricSpec("alignment of fixations on a grid, closer cells counting more"),
    "multimatch_shape": MetricSpec("likeness of saccade vectors along the best alignment"),
    "multimatch_direction": MetricSpec("likeness of saccade directions"),
    "multimatch_length": MetricSpec("likeness of saccade amplitudes"),
    "multimatch_position": MetricSpec("closeness of fixations"),
    "multimatch_duration": MetricSpec("likeness of fixation durations"),
    "string_similarity": MetricSpec("one minus the edit distance of strings of grid cells"),
    "stde": MetricSpec("whether pieces of the model's scanpath occur in the viewer's"),
    "sbtde": MetricSpec("the same for strings of grid cells"),
    "cross_recurrence": MetricSpec("percentage of pairs of fixations that are close", unit="%"),
    "behaviour_difference": MetricSpec(
        "mean relative error of five measures of search behaviour", "lower"
    ),
    "found_mismatch": MetricSpec("distance of the curve of targets found from people's", "lower"),
    "asymmetry_index": MetricSpec(
        "how much steeper search is in the condition that is harder for people"
    ),
    "effective_rank": MetricSpec("dimensions that the predictions really use", unit="dimensions"),
    "cosine": MetricSpec("cosine of predicted and true embedding"),
    "mse": MetricSpec("squared error averaged over values", "lower"),
    "pearson_r": MetricSpec("correlation of predicted and measured values over stimuli"),
    "match_mismatch_accuracy": MetricSpec(
        "chance that the sound of a window scores above that of another window"
    ),
    "attention_accuracy": MetricSpec("share of windows in which the attended sound scores highest"),
    "d_prime": MetricSpec("distance of the scores of attended and ignored sound in their spread"),
    "mesd_s": MetricSpec("expected time to follow a switch of attention, at best", "lower", "s"),
    "itr_bits_per_min": MetricSpec("information in the decisions of a minute", unit="bit/min"),
    "si_sdr_improvement_db": MetricSpec(
        "by how much the ratio of talker to distortion is better than in the mixture", unit="dB"
    ),
    "speaker_confusion_rate": MetricSpec(
        "share of mixtures of which the other talker was extracted", "lower"
    ),
    "ild_error_db": MetricSpec("error of the difference of levels between ears", "lower", "dB"),
    "itd_error_us": MetricSpec("error of the difference of times between ears", "lower", "us"),
    "pitch_error_semitones": MetricSpec("error of the pitch of a described voice", "lower"),
    "real_time_factor": MetricSpec("time of computing over duration of the sound", "lower"),
    "chunk_ms": MetricSpec("time of computing for a chunk of 8 ms, 95th percentile", "lower", "ms"),
    "r2": MetricSpec("share of the variance over stimuli that is predicted"),
    "pearson_r_ceiling_normalised": MetricSpec(
        "correlation over the square root of the noise ceiling, of units that have one"
    ),
    "significant_units": MetricSpec("share of units predicted better than by chance, FDR .05"),
    "peak_in_field": MetricSpec(
        "share of early visual queries whose map peaks within a patch of their receptive field"
    ),
    "normalised_r": MetricSpec("correlation over the square root of the noise ceiling"),
    "normalised_r2": MetricSpec("squared correlation over the noise ceiling"),
    "algonauts2023": MetricSpec("squared positive correlation over the noise ceiling, capped at 1"),
    "ncsnr": MetricSpec("standard deviation of the signal over that of the noise"),
    "noise_ceiling": MetricSpec("share of variance a perfect model would explain"),
    "split_half": MetricSpec("Spearman-Brown corrected correlation of two halves of the repeats"),
}
