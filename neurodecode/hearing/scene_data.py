"""Mixtures and embeddings, to train the extractor on."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import lightning.pytorch as pl
import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from neurodecode.context import BuildContext
from neurodecode.hearing.corpus import Recorded, Side, read_corpus
from neurodecode.hearing.encoder import SpeakerEncoder
from neurodecode.hearing.scenes import SceneOptions, draw_scene
from neurodecode.hearing.talkers import RATE
from neurodecode.hearing.weights import load_encoder

__all__ = ["SceneData", "Scenes", "embed_enrolments"]

#: Clips of an enrolment that are embedded, and their length in s.
_CLIPS, _CLIP_S = 6, 4.0


@torch.no_grad()
def embed_enrolments(
    encoder: SpeakerEncoder, talkers: Sequence[Recorded], clips: int = _CLIPS
) -> Tensor:
    """Embed pieces of each talker's enrolment.

    Parameters
    ----------
    encoder : SpeakerEncoder
        Trained.
    talkers : sequence of Recorded
        Whose.
    clips : int
        Pieces, evenly spread.

    Returns
    -------
    Tensor of shape (n_talkers, clips, dim)
        Embeddings.
    """
    n = round(_CLIP_S * RATE)
    found = []
    for each in talkers:
        starts = np.linspace(0, max(len(each.enrolment) - n, 0), clips).round().astype(int)
        found.append(
            encoder(torch.from_numpy(np.stack([each.enrolment[s : s + n] for s in starts])))
        )
    return torch.stack(found)


class Scenes(Dataset[dict[str, Tensor]]):
    """Mixtures, and what is wanted of them: either talker, or both by their shares.

    Parameters
    ----------
    talkers : list of Recorded
        Who talks.
    embeddings : Tensor of shape (n_talkers, n_clips, dim)
        Of their enrolments.
    options : SceneOptions
        What scenes are like.
    n, seed : int
        How many, and of what.
    fresh : bool
        Draw anew at every look.
    between : float
        Share of scenes in which the embedding is a mixture of both; what is wanted is then the
        same mixture of what both say. Nothing is switched, so nothing breaks when a decoder
        wavers.
    """

    def __init__(
        self, talkers: list[Recorded], embeddings: Tensor, options: SceneOptions, n: int,
        seed: int, fresh: bool, between: float = 0.0,
    ) -> None:  # fmt: skip
        self.talkers, self.embeddings, self.options = talkers, embeddings, options
        self.n, self.seed, self.fresh, self.between = n, seed, fresh, between

    def __len__(self) -> int:
        return self.n

    def __getitem__(self, index: int) -> dict[str, Tensor]:
        """One mixture; what is wanted twice, of one and of the other talker."""
        seeds = [self.seed, index, *([int(torch.randint(2**31, ()))] if self.fresh else [])]
        rng = np.random.default_rng(seeds)
        scene = draw_scene(self.talkers, self.options, rng)
        share = rng.uniform() if rng.random() < self.between else 1.0
        shares = torch.tensor([[share, 1 - share], [1 - share, share]], dtype=torch.float32)
        clip = int(rng.integers(self.embeddings.shape[1]))
        voices = self.embeddings[list(scene.talkers), clip]
        images = torch.from_numpy(scene.images)
        return {
            "mixture": images.sum(0),
            "target": torch.einsum("ij,jes->ies", shares, images),
            "embedding": shares @ voices,
        }


class SceneData(pl.LightningDataModule):
    """Scenes of training talkers, ever new; scenes of validation talkers, always the same.

    Parameters
    ----------
    root : path
        Folder of talkers.
    speaker : path
        Speaker encoder: folder of weights, or checkpoint.
    seconds : float
        Length of a scene.
    level_db : float
        Training scenes have the wanted talker up to so much louder or softer than the other.
    room_share, between : float
        Shares of scenes with reverberation, and with mixed embeddings.
    batch_size, steps, validation : int
        Scenes of a step, steps of an epoch, scenes to validate on.
    seed : int
        Of the scenes.
    """

    def __init__(
        self,
        root: Path,
        speaker: Path,
        seconds: float = 2.0,
        level_db: float = 3.0,
        room_share: float = 0.25,
        between: float = 0.15,
        batch_size: int = 4,
        steps: int = 250,
        validation: int = 32,
        seed: int = 0,
    ) -> None:
        super().__init__()
        self.batch_size = batch_size
        encoder = load_encoder(speaker)
        sides: tuple[Side, Side] = ("train", "validation")
        train, held = (read_corpus(root, side) for side in sides)
        known, unknown = (embed_enrolments(encoder, talkers) for talkers in (train, held))
        options = SceneOptions(seconds, (-level_db, level_db), room_share=room_share)
        self.train = Scenes(train, known, options, batch_size * steps, seed, True, between)
        even = SceneOptions(seconds, room_share=room_share)
        self.validation = Scenes(held, unknown, even, validation, seed, False)
        self.dim = encoder.dim

    @property
    def context(self) -> BuildContext:
        """Length of an embedding under ``targets["embedding"]``."""
        return BuildContext({}, {"embedding": (self.dim,)})

    def train_dataloader(self) -> DataLoader[dict[str, Tensor]]:
        """Scenes nobody has met before."""
        return DataLoader(self.train, batch_size=self.batch_size)

    def val_dataloader(self) -> DataLoader[dict[str, Tensor]]:
        """The scenes of validation."""
        return DataLoader(self.validation, batch_size=8)
