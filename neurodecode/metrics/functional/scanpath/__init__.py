"""Scanpaths against scanpaths, and densities against fixations.

Everything here takes and gives numpy arrays. Functions that compare scanpaths take lists of pairs
and give one value for each pair; those with a density give one value for each fixation wherever
the metric allows.
"""

from neurodecode.metrics.functional.scanpath.alignment import edit_distance, needleman_wunsch
from neurodecode.metrics.functional.scanpath.asymmetry import asymmetry_index, search_slope
from neurodecode.metrics.functional.scanpath.auc import (
    auc,
    auc_judd,
    auc_placements,
    auc_shuffled,
)
from neurodecode.metrics.functional.scanpath.density import (
    correlation,
    information_gain,
    kl_divergence,
    log_likelihood,
    nss,
    similarity,
)
from neurodecode.metrics.functional.scanpath.embedding import (
    sbtde,
    sbtde_distances,
    stde,
    time_delay_distance,
)
from neurodecode.metrics.functional.scanpath.multimatch import MULTIMATCH, Grouping, multimatch
from neurodecode.metrics.functional.scanpath.pairs import Padded, pad
from neurodecode.metrics.functional.scanpath.recurrence import (
    RECURRENCE,
    cross_recurrence,
    recurrence,
)
from neurodecode.metrics.functional.scanpath.scanmatch import (
    scanmatch,
    scanmatch_sequences,
    substitution_matrix,
)
from neurodecode.metrics.functional.scanpath.search import (
    BEHAVIOUR,
    behaviour,
    behaviour_difference,
    found_by,
    found_curve_mismatch,
    scanpath_ratio,
)
from neurodecode.metrics.functional.scanpath.sequence import (
    cluster_labels,
    fixation_clusters,
    semantic_labels,
    sequence_score,
)
from neurodecode.metrics.functional.scanpath.strings import (
    grid_labels,
    string_edit,
    string_similarity,
)

__all__ = [
    "BEHAVIOUR",
    "MULTIMATCH",
    "RECURRENCE",
    "Grouping",
    "Padded",
    "asymmetry_index",
    "auc",
    "auc_judd",
    "auc_placements",
    "auc_shuffled",
    "behaviour",
    "behaviour_difference",
    "cluster_labels",
    "correlation",
    "cross_recurrence",
    "edit_distance",
    "fixation_clusters",
    "found_by",
    "found_curve_mismatch",
    "grid_labels",
    "information_gain",
    "kl_divergence",
    "log_likelihood",
    "multimatch",
    "needleman_wunsch",
    "nss",
    "pad",
    "recurrence",
    "sbtde",
    "sbtde_distances",
    "scanmatch",
    "scanmatch_sequences",
    "scanpath_ratio",
    "search_slope",
    "semantic_labels",
    "sequence_score",
    "similarity",
    "stde",
    "string_edit",
    "string_similarity",
    "substitution_matrix",
    "time_delay_distance",
]
