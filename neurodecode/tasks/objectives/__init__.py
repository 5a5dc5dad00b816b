"""What a decoder can be asked for: contrasts and errors, each with its weight."""

from neurodecode.tasks.objectives.base import Objective
from neurodecode.tasks.objectives.clip_mse import ClipMseError
from neurodecode.tasks.objectives.cycle import CycleError, ResponseError
from neurodecode.tasks.objectives.errors import LatentError, TokenError
from neurodecode.tasks.objectives.main import with_main
from neurodecode.tasks.objectives.pairs import Contrast, CosineError
from neurodecode.tasks.objectives.step import Step

__all__ = [
    "ClipMseError",
    "Contrast",
    "CosineError",
    "CycleError",
    "LatentError",
    "Objective",
    "ResponseError",
    "Step",
    "TokenError",
    "with_main",
]
