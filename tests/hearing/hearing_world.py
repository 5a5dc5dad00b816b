"""Small networks and sounds for tests of steered hearing."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from scipy.io import wavfile

from neurodecode.hearing.encoder import SpeakerEncoder
from neurodecode.hearing.extractor import TalkerExtractor
from neurodecode.hearing.weights import write_bundle

__all__ = ["extractor", "noise_file", "weights_folder"]


def extractor(**options: int | str) -> TalkerExtractor:
    """Untrained, with every layer doing something."""
    torch.manual_seed(0)
    small = {"dim": 7, "channels": 6, "hidden": 5, "key_dim": 2, "past": 9, **options}
    network = TalkerExtractor(**small)
    for layer in (network.decode_low, network.decode_high):
        torch.nn.init.normal_(layer.weight, std=0.5)
    return network.eval()


def weights_folder(folder: Path) -> Path:
    """Both networks, untrained."""
    torch.manual_seed(1)
    return write_bundle(folder, SpeakerEncoder(8, 7).eval(), extractor())


def noise_file(path: Path, seconds: float = 1.5, rate: int = 8000, ears: int = 2, seed: int = 0):
    """Noise whose loudness moves, as 16-bit WAV."""
    rng = np.random.default_rng(seed)
    n = round(seconds * rate)
    sound = 0.1 * rng.standard_normal((n, ears)) * (1 + np.sin(np.arange(n)[:, None] / 900))
    wavfile.write(path, rate, np.round(20000 * np.clip(sound, -1, 1)).astype(np.int16).squeeze())
    return path
