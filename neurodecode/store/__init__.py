"""HDF5 stores between the stages: responses, stimuli, embeddings, predictions."""

from neurodecode.store.embeddings import EmbeddingStore
from neurodecode.store.predictions import Prediction, read_predictions, write_predictions
from neurodecode.store.responses import ResponseStore
from neurodecode.store.stimuli import read_stimuli, write_stimuli

__all__ = [
    "EmbeddingStore",
    "Prediction",
    "ResponseStore",
    "read_predictions",
    "read_stimuli",
    "write_predictions",
    "write_stimuli",
]
