"""Drawing and scoring sequences of fixated objects."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from neurodecode.nn.scanpath.oat import ObjectAttentionTransformer
from neurodecode.nn.scanpath.object_scene import ObjectScene

__all__ = ["draw_sequences", "sequence_loss"]

#: Label of a step that does not count.
IGNORED = -100


def sequence_loss(logits: Tensor, fixated: Tensor, lengths: Tensor) -> Tensor:
    """Cross-entropy of the observed fixations and of the end.

    Parameters
    ----------
    logits : Tensor of shape (n_batch, n_steps + 1, n_objects + 1)
        From `ObjectAttentionTransformer`.
    fixated : Tensor of int of shape (n_batch, n_steps)
        Objects fixated.
    lengths : Tensor of int of shape (n_batch,)
        Fixations of each scanpath, at least one; the step after the last one is the end.

    Returns
    -------
    Tensor
        Mean over steps, in nats.
    """
    n_tokens = logits.shape[2]
    labels = F.pad(fixated, (0, 1))
    step = torch.arange(labels.shape[1], device=labels.device)
    labels = labels.masked_fill(step == lengths[:, None], n_tokens - 1)
    labels = labels.masked_fill(step > lengths[:, None], IGNORED)
    return F.cross_entropy(logits.flatten(0, 1), labels.flatten(), ignore_index=IGNORED)


@torch.no_grad()
def draw_sequences(
    model: ObjectAttentionTransformer,
    scene: ObjectScene,
    n_steps: int,
    *,
    n_samples: int = 1,
    greedy: bool = False,
    generator: torch.Generator | None = None,
) -> tuple[Tensor, Tensor]:
    """Let a model look at pictures.

    Parameters
    ----------
    model : ObjectAttentionTransformer
        In evaluation mode.
    scene : ObjectScene
        Objects and target.
    n_steps : int
        Most fixations.
    n_samples : int
        Scanpaths for each picture.
    greedy : bool
        Always take the likeliest object instead of drawing.
    generator : torch.Generator, optional
        Source of randomness, on the device of the model.

    Returns
    -------
    fixated : Tensor of int of shape (n_batch, n_samples, n_steps)
        Objects in order; 0 after the end.
    lengths : Tensor of int of shape (n_batch, n_samples)
        Fixations before the end.
    """
    encoded = tuple(torch.repeat_interleave(each, n_samples, 0) for each in model.encode(scene))
    scene = scene.repeat(n_samples)
    n, end = encoded[0].shape[0], encoded[0].shape[1] - 1
    fixated = torch.zeros(n, 0, dtype=torch.long, device=scene.places.device)
    running = torch.ones(n, dtype=torch.bool, device=fixated.device)
    lengths = torch.zeros(n, dtype=torch.long, device=fixated.device)
    for _ in range(n_steps):
        chance = model.decode(scene, encoded, fixated)[:, -1].softmax(-1)
        drawn = torch.multinomial(chance, 1, generator=generator)[:, 0]
        chosen = chance.argmax(-1) if greedy else drawn
        running = running & (chosen != end)
        lengths = lengths + running
        fixated = torch.cat([fixated, chosen.where(running, 0)[:, None]], dim=1)
        if not running.any():
            break
    fixated = F.pad(fixated, (0, n_steps - fixated.shape[1]))
    return fixated.unflatten(0, (-1, n_samples)), lengths.unflatten(0, (-1, n_samples))
