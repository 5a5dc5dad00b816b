"""One matrix product a subject: the path that CPUs take."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor

__all__ = ["ACTIVATIONS", "Activation", "activate", "linear"]

Activation = Literal["none", "relu", "gelu"]
ACTIVATIONS = ("none", "relu", "gelu")


def activate(values: Tensor, activation: str) -> Tensor:
    """Apply an activation by name.

    Parameters
    ----------
    values : Tensor
        Before.
    activation : {"none", "relu", "gelu"}
        Which one.

    Returns
    -------
    Tensor
        After.
    """
    if activation == "none":
        return values
    return F.relu(values) if activation == "relu" else F.gelu(values)


def linear(
    inputs: Sequence[Tensor],
    weights: Sequence[Tensor],
    biases: Sequence[Tensor] | None,
    activation: Activation,
) -> Tensor:
    """Loop over subjects that have rows; see `subject_linear`.

    Parameters
    ----------
    inputs : sequence of Tensor of shape (n_rows, n_features)
        Rows of each subject.
    weights : sequence of Tensor of shape (n_features, width)
        Weights of each.
    biases : sequence of Tensor of shape (width,), optional
        Bias of each.
    activation : {"none", "relu", "gelu"}
        Applied to the result.

    Returns
    -------
    Tensor of shape (total rows, width)
        Rows of all subjects.
    """
    products = [rows @ weight for rows, weight in zip(inputs, weights, strict=True)]
    if biases is not None:
        products = [each + bias for each, bias in zip(products, biases, strict=True)]
    return activate(torch.cat(products), activation)
