"""Fixations that bring what is seen closest to an embedding, found by gradient search."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from neurodecode.nn.scanpath.foveation import blur, fovea, foveated

__all__ = ["FixationSearch"]


@dataclass(frozen=True)
class FixationSearch:
    """NevaClip: each fixation is the one whose view resembles a caption (or picture) most.

    For every fixation a few steps of sign gradient descent on one minus the cosine of the view's
    embedding and the wanted one. A step that does not improve on the best so far sends its
    picture to a random position. All pictures are searched at once, and only the way to the
    position is differentiated: the tower's weights need no gradient.

    The fixation is the position whose view had the smallest loss. The published code keeps the
    one after the next step instead, which was never looked at.

    Parameters
    ----------
    n_steps : int
        Views tried for each fixation.
    rate : float
        Length of a step; the picture is 2 wide and high.
    sigma : float
        Of `fovea`.
    forgetting : float
        What is left of the memory of earlier fixations at the next one; the last one is always
        seen sharply. 0 in NevaClip.
    blur_kernel : int
        Side of the blurring kernel in pixels.
    blur_sigma : float
        Its standard deviation in pixels; 10 at 224 pixels in NevaClip.

    References
    ----------
    Zanca et al. 2023, "Contrastive language-image pretrained models are zero-shot human scanpath
    predictors" (NevaClip); Schwinn et al. 2022, "Behind the machine's gaze" (NeVA).
    """

    n_steps: int = 20
    rate: float = 0.1
    sigma: float = 0.2
    forgetting: float = 0.0
    blur_kernel: int = 41
    blur_sigma: float = 10.0

    def __call__(
        self,
        embed: Callable[[Tensor], Tensor],
        images: Tensor,
        wanted: Tensor,
        n_fixations: int,
        generator: torch.Generator | None = None,
    ) -> tuple[Tensor, Tensor]:
        """Search.

        Parameters
        ----------
        embed : callable
            Pictures (n, 3, height, width) to embeddings (n, width), with a gradient.
        images : Tensor of shape (n, 3, height, width)
            Pictures, as `embed` takes them.
        wanted : Tensor of shape (n, width)
            Embeddings to come close to.
        n_fixations : int
            Fixations of each picture.
        generator : torch.Generator, optional
            Of the restarts, on the CPU.

        Returns
        -------
        positions : Tensor of shape (n, n_fixations, 2)
            Row and column from -1 to 1, see `fovea`.
        losses : Tensor of shape (n, n_fixations)
            One minus the cosine at each fixation.
        """
        blurred = blur(images, self.blur_kernel, self.blur_sigma)
        wanted, size = F.normalize(wanted, dim=-1), tuple(images.shape[-2:])
        memory = images.new_zeros(len(images), 1, *size)
        positions, losses = [], []

        def loss_of(position: Tensor) -> Tensor:
            """One minus the cosine of every picture's view."""
            seen = memory + fovea(position, size, self.sigma)
            view = foveated(images, blurred, seen.to(images.dtype))
            return 1 - F.cosine_similarity(embed(view).to(wanted), wanted)

        for _ in range(n_fixations):
            best, lowest = self._fixate(loss_of, len(images), images.device, generator)
            memory = self.forgetting * memory + fovea(best, size, self.sigma).to(memory)
            positions.append(best)
            losses.append(lowest)
        return torch.stack(positions, dim=1), torch.stack(losses, dim=1)

    def _fixate(
        self,
        loss_of: Callable[[Tensor], Tensor],
        n: int,
        device: torch.device,
        generator: torch.Generator | None,
    ) -> tuple[Tensor, Tensor]:
        """Find one fixation of every picture, from the centre."""
        position = torch.zeros(n, 2, device=device)
        best, lowest = position, torch.full((n,), torch.inf, device=device)
        for step in range(self.n_steps):
            last = step == self.n_steps - 1
            position = position.detach().requires_grad_(not last)
            loss = loss_of(position)
            better = loss.detach() < lowest
            best = torch.where(better[:, None], position.detach(), best)
            lowest = torch.where(better, loss.detach(), lowest)
            if last:
                break
            # losses of pictures do not meet, so that the gradient of the sum is that of each
            (gradient,) = torch.autograd.grad(loss.sum(), position)
            moved = position.detach() - self.rate * gradient.sign()
            elsewhere = 2 * torch.rand(n, 2, generator=generator).to(device) - 1
            position = torch.where(better[:, None], moved, elsewhere).clamp(-1, 1)
        return best, lowest
