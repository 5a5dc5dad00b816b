"""Training of the small tower of the search model: pictures -> words of their captions."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import lightning.pytorch as pl
import torch
import torch.nn.functional as F
from safetensors.torch import save_file
from torch import Tensor, nn

from neurodecode.embed.tokenizer import load_tokenizer
from neurodecode.files import atomic_path
from neurodecode.nn.scanpath.search_tower import SearchTower, small_stages
from neurodecode.tasks.pretrain_clip import bag_of_words, to_unit, word_weights
from neurodecode.tasks.schedules import adamw_cosine

__all__ = ["PretrainSearchTower"]


class PretrainSearchTower(pl.LightningModule):
    """A small convolutional tower that learns which words describe upright, lit scenes.

    It never sees a search array, a rotated or an upside-down scene. The words are weighed by
    their rarity, as in `PretrainClip`, so that objects, colours and places all count.

    Parameters
    ----------
    merges : str
        Trimmed vocabulary, see `neurodecode.embed.tokenizer`.
    context_length : int
        Tokens of a text.
    lr, weight_decay : float
        AdamW.
    warmup : int
        Steps of the warm-up.
    save_to : path, optional
        File for the stages' weights (safetensors) when training ends, which
        `neurodecode.gaze.search.load_stages` reads.
    quarter_turns : int
        Turn every picture by so many quarters, for comparison: the world then is not upright.
    """

    def __init__(
        self,
        merges: str = "data/pretrain/merges.txt.gz",
        context_length: int = 32,
        lr: float = 2e-3,
        weight_decay: float = 0.02,
        warmup: int = 50,
        save_to: Path | None = None,
        quarter_turns: int = 0,
    ) -> None:
        super().__init__()
        self.save_hyperparameters()
        vocab_size = load_tokenizer(Path(merges), context_length).vocab_size
        self.tower = SearchTower(small_stages(), n_used=1)
        # a 4 x 4 grid remains of 64 pixels: the words tell of places as well
        self.words = nn.Linear(16 * 96, vocab_size)
        self.register_buffer("rarity", torch.zeros(vocab_size))

    def setup(self, stage: str) -> None:
        """Count words in the training captions."""
        if stage == "fit":
            tokens = self.trainer.datamodule.sets["train"].tokens
            self.rarity.copy_(word_weights(tokens.flatten(0, 1), len(self.rarity)))

    def _loss(self, batch: dict[str, Tensor]) -> Tensor:
        images = torch.rot90(to_unit(batch["images"]), self.hparams["quarter_turns"], (2, 3))
        target = bag_of_words(batch["tokens"], len(self.rarity)) * self.rarity
        target = target / target.sum(1, keepdim=True).clamp(min=1e-6)
        (maps,) = self.tower(images.contiguous(memory_format=torch.channels_last))
        return F.cross_entropy(self.words(maps.flatten(1)).float(), target)

    def training_step(self, batch: dict[str, Tensor], batch_idx: int) -> Tensor:
        """Cross-entropy of the caption's rare words."""
        loss = self._loss(batch)
        self.log("train/words", loss, prog_bar=True)
        return loss

    def validation_step(self, batch: dict[str, Tensor], batch_idx: int) -> None:
        """The same, of held-out scenes."""
        self.log("val/words", self._loss(batch))

    def on_train_end(self) -> None:
        """Write the stages' weights, complete or not at all."""
        path = self.hparams["save_to"]
        if path is not None and self.trainer.is_global_zero:
            weights = {k: v.contiguous().cpu() for k, v in self.tower.stages.state_dict().items()}
            with atomic_path(path) as temporary:
                save_file(weights, temporary)

    def configure_optimizers(self) -> dict[str, Any]:
        """AdamW, warm-up, cosine."""
        h = self.hparams
        total = int(self.trainer.estimated_stepping_batches)
        return adamw_cosine(self, h["lr"], h["weight_decay"], h["warmup"], total)
