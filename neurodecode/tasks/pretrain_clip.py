"""Training of the miniature CLIP: an image tower and a text tower, contrastively."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import lightning.pytorch as pl
import torch
import torch.nn.functional as F
from open_clip.loss import ClipLoss
from torch import Tensor, nn
from torch.nn.attention import SDPBackend, sdpa_kernel

from neurodecode.embed.bundle import read_bundle
from neurodecode.embed.openclip import build_clip, image_tokens
from neurodecode.embed.tokenizer import load_tokenizer
from neurodecode.metrics.functional.correlation import cosine_matrix
from neurodecode.metrics.functional.retrieval import top_k_credit
from neurodecode.tasks.schedules import adamw_cosine

MAX_LOGIT_SCALE = 4.6052
"""Natural logarithm of 100, the cap of Radford et al. (2021)."""


def clip_config(vocab_size: int, width: int, layers: int, text_layers: int, patch_size: int,
                image_size: int, context_length: int) -> dict[str, Any]:  # fmt: skip
    """Give the configuration of a miniature CLIP, in open_clip's own format.

    Parameters
    ----------
    vocab_size : int
        Entries of the trimmed vocabulary.
    width : int
        Channels of both towers, and of the shared embedding.
    layers, text_layers : int
        Blocks of the image tower and of the text tower.
    patch_size, image_size : int
        In pixels.
    context_length : int
        Tokens of a text.

    Returns
    -------
    dict
        ``embed_dim``, ``vision_cfg`` and ``text_cfg``.
    """
    return {
        "embed_dim": width,
        "vision_cfg": {"image_size": image_size, "patch_size": patch_size, "width": width,
                       "layers": layers, "head_width": 32, "mlp_ratio": 4.0},
        "text_cfg": {"context_length": context_length, "vocab_size": vocab_size, "width": width,
                     "heads": width // 32, "layers": text_layers},
    }  # fmt: skip


def to_unit(images: Tensor) -> Tensor:
    """Map uint8 pictures to floats from -1 to 1."""
    return images.float() / 127.5 - 1.0


def _jitter(images: Tensor, strength: float) -> Tensor:
    """Vary contrast and the level of each colour channel a little."""
    n = len(images)
    contrast = 1 + strength * torch.randn(n, 1, 1, 1)
    level = strength * torch.randn(n, 3, 1, 1)
    return images * contrast + level


def retrieval_accuracy(images: Tensor, texts: Tensor, candidates: int) -> dict[str, float]:
    """Top-1 retrieval within consecutive groups of candidates.

    Parameters
    ----------
    images, texts : Tensor of shape (n, d)
        Embeddings, compared by cosine; row i of both belongs together.
    candidates : int
        Size of the groups; an incomplete last group is left out.

    Returns
    -------
    dict of str to float
        ``image_to_text`` and ``text_to_image``, shares from 0 to 1.
    """
    groups = range(len(images) // candidates)
    hits = {"image_to_text": 0.0, "text_to_image": 0.0}
    for g in groups:
        rows = slice(g * candidates, (g + 1) * candidates)
        similarity = cosine_matrix(images[rows], texts[rows])
        hits["image_to_text"] += top_k_credit(similarity).mean().item()
        hits["text_to_image"] += top_k_credit(similarity.T).mean().item()
    return {name: value / max(1, len(groups)) for name, value in hits.items()}


def word_weights(tokens: Tensor, vocab_size: int) -> Tensor:
    """Weigh subwords by how rare they are: the logarithm of one over the share of texts with it.

    Parameters
    ----------
    tokens : Tensor of int of shape (n_texts, context_length)
        Tokenised texts. What is in every text (start, end, padding) gets weight 0.
    vocab_size : int
        Entries of the vocabulary.

    Returns
    -------
    Tensor of shape (vocab_size,)
        Inverse document frequencies, 0 for what never occurs.
    """
    counts = torch.zeros(vocab_size)
    for part in tokens.split(4096):
        counts += bag_of_words(part, vocab_size).sum(0)
    return torch.where(counts > 0, (len(tokens) / counts.clamp(min=1)).log(), 0.0)


def bag_of_words(tokens: Tensor, vocab_size: int) -> Tensor:
    """Mark the subwords of each text.

    Parameters
    ----------
    tokens : Tensor of int of shape (n_texts, context_length)
        Tokenised texts.
    vocab_size : int
        Entries of the vocabulary.

    Returns
    -------
    Tensor of shape (n_texts, vocab_size)
        1 where a subword occurs.
    """
    return torch.zeros(len(tokens), vocab_size).scatter_(1, tokens.long(), 1.0)


class PretrainClip(pl.LightningModule):
    """Contrastive training of the miniature CLIP, with the words of the caption as labels besides.

    A contrast among a few hundred scenes is won by background, colour and place; at this scale
    the kinds of objects would hardly be learned. So the rare words of the caption are predicted
    as well, linearly, from the pooled embedding and from the mean of the image tokens.

    Parameters
    ----------
    merges : str
        Trimmed vocabulary, see `neurodecode.embed.tokenizer`.
    width, layers, text_layers, patch_size, image_size, context_length : int
        See `clip_config`.
    lr, weight_decay : float
        AdamW.
    warmup : int
        Steps of the warm-up.
    jitter : float
        Standard deviation of contrast and channel levels.
    word_weight : float
        On the cross-entropy of the caption's words, weighted by their rarity.
    start_from : str, optional
        Folder of a bundle: go on from its weights.

    References
    ----------
    Radford et al. 2021 (CLIP); Huang et al. 2024, "Classification done right for vision-language
    pre-training" (SuperClass), section 3, for the words.
    """

    def __init__(
        self,
        merges: str = "data/pretrain/merges.txt.gz",
        width: int = 128,
        layers: int = 6,
        text_layers: int = 3,
        patch_size: int = 16,
        image_size: int = 64,
        context_length: int = 32,
        lr: float = 1e-3,
        weight_decay: float = 0.05,
        warmup: int = 200,
        jitter: float = 0.06,
        word_weight: float = 0.0,
        start_from: str | None = None,
    ) -> None:
        super().__init__()
        self.save_hyperparameters()
        vocab_size = load_tokenizer(Path(merges), context_length).vocab_size
        self.config = clip_config(
            vocab_size, width, layers, text_layers, patch_size, image_size, context_length
        )
        self.model = build_clip(self.config)
        if start_from is not None:
            self.model.load_state_dict(read_bundle("mini-clip", Path(start_from))[1])
        self.loss = ClipLoss()
        self.words = nn.ModuleList(nn.Linear(width, vocab_size) for _ in range(2))
        self.register_buffer("rarity", torch.zeros(vocab_size))
        self._validation: list[tuple[Tensor, Tensor]] = []

    def setup(self, stage: str) -> None:
        """Count words in the training captions."""
        if stage == "fit" and self.hparams["word_weight"]:
            tokens = self.trainer.datamodule.sets["train"].tokens
            self.rarity.copy_(word_weights(tokens.flatten(0, 1), len(self.rarity)))

    def _embed(self, images: Tensor, texts: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        # With 17 tokens, the CPU's fused attention spends twice the whole step in its backward.
        with sdpa_kernel(SDPBackend.MATH):
            tokens, pooled = image_tokens(self.model.visual, images)
            text = F.normalize(self.model.encode_text(texts).float(), dim=-1)
        return F.normalize(pooled.float(), dim=-1), text, tokens

    def _word_loss(self, image: Tensor, tokens: Tensor, texts: Tensor) -> Tensor:
        """Cross-entropy of the rare words of the captions."""
        target = bag_of_words(texts, len(self.rarity)) * self.rarity
        target = target / target.sum(1, keepdim=True).clamp(min=1e-6)
        # unit vectors are too short for confident logits
        features = (image * image.shape[1] ** 0.5, tokens.mean(dim=1))
        losses = [
            F.cross_entropy(head(x).float(), target)
            for head, x in zip(self.words, features, strict=True)
        ]
        return torch.stack(losses).mean()

    def training_step(self, batch: dict[str, Tensor], batch_idx: int) -> Tensor:
        """Symmetric InfoNCE between pictures and captions, and the captions' words."""
        images = _jitter(to_unit(batch["images"]), self.hparams["jitter"])
        image, text, tokens = self._embed(images, batch["tokens"])
        loss = self.loss(image, text, self.model.logit_scale.exp())
        self.log("train/contrastive", loss)
        if self.hparams["word_weight"]:
            words = self._word_loss(image, tokens, batch["tokens"])
            self.log("train/words", words)
            loss = loss + self.hparams["word_weight"] * words
        self.log("train/loss", loss, prog_bar=True)
        return loss

    def on_train_batch_end(self, *args: Any) -> None:
        """Cap the logit scale."""
        with torch.no_grad():
            self.model.logit_scale.clamp_(0.0, MAX_LOGIT_SCALE)

    def validation_step(self, batch: dict[str, Tensor], batch_idx: int) -> None:
        """Embed held-out scenes."""
        image, text, _ = self._embed(to_unit(batch["images"]), batch["tokens"])
        self._validation.append((image, text))

    def on_validation_epoch_end(self) -> None:
        """Log the retrieval accuracy of 100 and of 1000 held-out scenes."""
        images, texts = (torch.cat(part) for part in zip(*self._validation, strict=True))
        self._validation.clear()
        for candidates in (100, 1000):
            for name, value in retrieval_accuracy(images, texts, candidates).items():
                self.log(f"val/{name}_{candidates}", value)

    def configure_optimizers(self) -> dict[str, Any]:
        """AdamW, warm-up, cosine."""
        total = int(self.trainer.estimated_stepping_batches)
        h = self.hparams
        return adamw_cosine(self, h["lr"], h["weight_decay"], h["warmup"], total)
