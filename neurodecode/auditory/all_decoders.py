"""The registry with every decoder in it."""

from neurodecode.auditory import canonical, direction, reconstruction, stacked, unsupervised
from neurodecode.auditory.decoder import ATTENTION_DECODERS

__all__ = [
    "ATTENTION_DECODERS",
    "canonical",
    "direction",
    "reconstruction",
    "stacked",
    "unsupervised",
]
