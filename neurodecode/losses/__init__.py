"""Training objectives: what a brain decoder is asked to minimise.

Everything here takes vectors or tokens and returns a scalar tensor; logits are always formed
in single precision, whatever autocast is on.
"""

from __future__ import annotations

from neurodecode.losses.contrastive import (
    ClipMse,
    clip_mse,
    info_nce,
    soft_clip,
    soft_contrastive,
    unit_rows,
)
from neurodecode.losses.mixing import Mixup, bimixco, draw_mixup, mix_responses, mixing_matrix
from neurodecode.losses.objectives import GlobalTerms, global_contrastive, prior_loss, sttm_total
from neurodecode.losses.schedule import cosine_temperature, n_mixup_epochs

__all__ = [
    "ClipMse",
    "GlobalTerms",
    "Mixup",
    "bimixco",
    "clip_mse",
    "cosine_temperature",
    "draw_mixup",
    "global_contrastive",
    "info_nce",
    "mix_responses",
    "mixing_matrix",
    "n_mixup_epochs",
    "prior_loss",
    "soft_clip",
    "soft_contrastive",
    "sttm_total",
    "unit_rows",
]
