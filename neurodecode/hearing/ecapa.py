"""ECAPA-TDNN of speechbrain as speaker encoder, where package and weights are on this machine.

Not a dependency, and nothing is downloaded. ``--speaker ecapa:FOLDER`` (`SceneData.speaker`) names
a folder with ``embedding_model.ckpt`` of ``speechbrain/spkrec-ecapa-voxceleb`` (Apache-2.0); an
extractor has to be trained with it, since embeddings of two encoders have nothing in common.
"""

from __future__ import annotations

from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from neurodecode.errors import MissingWeightsError, WeightsError

__all__ = ["EcapaEncoder", "load_ecapa"]

_SOURCE = "https://huggingface.co/speechbrain/spkrec-ecapa-voxceleb"
_FILE = "embedding_model.ckpt"
#: Of the published weights (hyperparams.yaml beside them).
_MELS, _CHANNELS, _DIM = 80, [1024, 1024, 1024, 1024, 3072], 192


class EcapaEncoder(nn.Module):
    """Filter bank, mean over the sentence subtracted, ECAPA-TDNN, unit length.

    Parameters
    ----------
    features : Module
        Sound at 16 kHz (n_batch, n_samples) to (n_batch, n_frames, 80).
    network : Module
        These to (n_batch, 1, dim).
    dim : int
        Length of the embedding.
    """

    #: Rate of the sound that is given; the network's own is twice that.
    rate = 8000

    def __init__(self, features: nn.Module, network: nn.Module, dim: int = _DIM) -> None:
        super().__init__()
        self.features, self.network, self.dim = features, network, dim

    def forward(self, sound: Tensor) -> Tensor:
        """Embed.

        Parameters
        ----------
        sound : Tensor of shape (n_batch, n_samples)
            At 8 kHz; what the network has learned above 4 kHz is missing.

        Returns
        -------
        Tensor of shape (n_batch, dim)
            Of unit length.
        """
        n = sound.shape[-1]
        twice = 2 * torch.fft.irfft(torch.fft.rfft(sound), 2 * n)
        found = self.features(twice)
        found = found - found.mean(1, keepdim=True)
        return F.normalize(self.network(found)[:, 0], dim=-1)


def load_ecapa(folder: str | Path) -> EcapaEncoder:
    """Load the published encoder.

    Parameters
    ----------
    folder : path-like
        With ``embedding_model.ckpt``.

    Returns
    -------
    EcapaEncoder
        Ready to embed.

    Raises
    ------
    MissingWeightsError
        If package or file are not here.
    WeightsError
        If the file holds something else. It is read with ``weights_only=True``: nothing in it
        runs.
    """
    path = Path(folder) / _FILE
    if not path.is_file():
        raise MissingWeightsError(f"file {path}: missing; get it from {_SOURCE}", _SOURCE)
    try:
        from speechbrain.lobes.features import Fbank
        from speechbrain.lobes.models.ECAPA_TDNN import ECAPA_TDNN
    except ImportError as error:
        raise MissingWeightsError(
            "speechbrain is not installed; install it, or use the bundled speaker encoder", _SOURCE
        ) from error
    network = ECAPA_TDNN(_MELS, lin_neurons=_DIM, channels=_CHANNELS)
    try:
        network.load_state_dict(torch.load(path, map_location="cpu", weights_only=True))
    except Exception as error:
        first = str(error).splitlines()[0]
        raise WeightsError(f"file {path}: not the weights of ECAPA-TDNN ({first})") from error
    return EcapaEncoder(Fbank(n_mels=_MELS), network).eval().requires_grad_(False)
