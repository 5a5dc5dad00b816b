"""A batch of pictures as their objects, and what is looked for."""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from torch import Tensor

from neurodecode.errors import DataError

__all__ = ["ObjectScene"]


@dataclass(frozen=True)
class ObjectScene:
    """Objects of a batch of pictures; pictures with fewer than the most are padded.

    Parameters
    ----------
    crops : Tensor of shape (n_batch, n_objects, 3, height, width) or (n_batch, n_objects, features)
        Objects, RGB on the scale 0 to 1, or what a tower made of them.
    places : Tensor of shape (n_batch, n_objects, 2)
        x and y of their centres, as shares of the picture's longer side.
    present : Tensor of bool of shape (n_batch, n_objects)
        False for padding.
    target : Tensor of shape (n_batch, 3, height, width) or (n_batch, features)
        What is looked for; it has no place.
    start : Tensor of shape (n_batch, 2)
        Where the eye is at first.
    prominence : Tensor of shape (n_batch, n_objects, 2), optional
        How large and how salient objects are, 0 where that is as usual; 0 by default.

    Raises
    ------
    DataError
        If shapes do not fit together, or a picture has no object.
    """

    crops: Tensor
    places: Tensor
    present: Tensor
    target: Tensor
    start: Tensor
    prominence: Tensor | None = None

    def __post_init__(self) -> None:
        n_batch, n_objects = self.present.shape
        if self.prominence is None:
            object.__setattr__(self, "prominence", torch.zeros_like(self.places))
        wanted = {
            "crops": (n_batch, n_objects, *self.crops.shape[2:]),
            "places": (n_batch, n_objects, 2),
            "target": (n_batch, *self.crops.shape[2:]),
            "start": (n_batch, 2),
            "prominence": (n_batch, n_objects, 2),
        }
        for name, shape in wanted.items():
            if tuple(getattr(self, name).shape) != shape:
                found = tuple(getattr(self, name).shape)
                raise DataError(f"shape {found}, wanted {shape}", field=name)
        if not bool(self.present.any(1).all()):
            raise DataError("a picture without objects", field="objects", fix="leave it out")

    def repeat(self, n: int) -> ObjectScene:
        """Repeat every picture, all copies of one after the other.

        Parameters
        ----------
        n : int
            Copies of each.

        Returns
        -------
        ObjectScene
            With ``n_batch * n`` pictures.
        """
        values = {name: getattr(self, name) for name in self.__dataclass_fields__}
        return replace(
            self, **{name: torch.repeat_interleave(each, n, 0) for name, each in values.items()}
        )
