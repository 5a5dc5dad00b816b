"""The embedding of no picture: what guidance moves away from."""

from __future__ import annotations

import torch
from torch import Tensor

from neurodecode.generate.components import Component
from neurodecode.generate.memory import Memory, resident
from neurodecode.generate.weights import open_folder

__all__ = ["null_image"]


@torch.inference_mode()
def null_image(source: str, component: str, *, penultimate: bool, download: bool, memory: Memory,
               what: str) -> Tensor:  # fmt: skip
    """Embed a picture of zeros, as generators saw it in training in place of an embedding.

    Parameters
    ----------
    source : str
        Folder or repository of the image tower.
    component : str
        Its sub-folder.
    penultimate : bool
        Tokens before the last block, instead of the pooled embedding.
    download : bool
        Whether the tower may be fetched.
    memory : Memory
        Where it runs; it is dropped afterwards.
    what : str
        What it is for, for error messages.

    Returns
    -------
    Tensor of shape (1, width) or (1, n_tokens, width)
        Float32, on the CPU.

    Raises
    ------
    WeightsError
        If the tower is not on this machine.
    """
    from transformers import CLIPVisionModelWithProjection

    tower = Component(component, "transformers")
    half = memory.dtype != "float32"
    reason = f"{what} (guidance needs its image tower; guidance 1 does not)"
    folder = open_folder(source, [tower], download=download, half=half, what=reason)
    model = folder.model(tower, CLIPVisionModelWithProjection, memory.torch_dtype)
    size = model.config.image_size
    with resident(model, memory):
        pixels = torch.zeros(1, 3, size, size, dtype=model.dtype, device=memory.device)
        output = model(pixels, output_hidden_states=penultimate)
        null = output.hidden_states[-2] if penultimate else output.image_embeds
    return null.float().cpu()
