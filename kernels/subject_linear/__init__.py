"""A linear layer with weights of its own for every subject in the batch."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor

from neurodecode_kernels.dispatch import (
    Backend,
    KernelError,
    check_alike,
    take_triton,
    why_not_triton,
)
from neurodecode_kernels.subject_linear.optimiser import SubjectAdamW
from neurodecode_kernels.subject_linear.reference import ACTIVATIONS, Activation, linear

__all__ = ["ACTIVATIONS", "Activation", "SubjectAdamW", "subject_linear", "why_not"]


def why_not(
    inputs: Sequence[Tensor], weights: Sequence[Tensor], biases: Sequence[Tensor] | None = None
) -> str | None:
    """Reason for which a call takes the reference path.

    Parameters
    ----------
    inputs, weights, biases
        As in `subject_linear`.

    Returns
    -------
    str or None
        The reason; None if the Triton kernel runs.
    """
    return why_not_triton([*inputs, *weights, *(biases or [])])


def subject_linear(
    inputs: Sequence[Tensor],
    weights: Sequence[Tensor],
    biases: Sequence[Tensor] | None = None,
    activation: Activation = "none",
    *,
    backend: Backend = "auto",
) -> Tensor:
    """Take each subject's rows through its own weights, without padding.

    Give the subjects of the batch only: what is not given is not read, and gets no gradient. A
    subject without rows is left out in the same way: its gradients are None, not zero.

    Parameters
    ----------
    inputs : sequence of Tensor of shape (n_rows, n_features)
        Rows of each subject; both numbers may differ from subject to subject.
    weights : sequence of Tensor of shape (n_features, width)
        Weights of each subject: the transpose of `torch.nn.Linear`'s, so that rows are aligned
        whatever the number of features.
    biases : sequence of Tensor of shape (width,), optional
        Bias of each subject.
    activation : {"none", "relu", "gelu"}
        Applied to the result.
    backend : {"auto", "reference", "triton"}
        Path to take.

    Returns
    -------
    Tensor of shape (total rows, width)
        Rows of all subjects, in the order given.

    Raises
    ------
    KernelError
        If shapes or types do not fit.
    """
    _check(inputs, weights, biases, activation)
    kept = [number for number, rows in enumerate(inputs) if len(rows)]
    if not kept:
        return inputs[0].new_empty(0, weights[0].shape[1])
    reason = why_not(inputs, weights, biases)
    inputs, weights = [inputs[i] for i in kept], [weights[i] for i in kept]
    biases = None if biases is None else [biases[i] for i in kept]
    if take_triton("subject_linear", reason, backend):
        from neurodecode_kernels.subject_linear.triton import linear as fused

        return fused(inputs, weights, biases, activation)
    return linear(inputs, weights, biases, activation)


def _check(
    inputs: Sequence[Tensor],
    weights: Sequence[Tensor],
    biases: Sequence[Tensor] | None,
    activation: str,
) -> None:
    if activation not in ACTIVATIONS:
        raise KernelError(f"subject_linear: no activation {activation!r}: {', '.join(ACTIVATIONS)}")
    counts = [len(inputs), len(weights)] + ([] if biases is None else [len(biases)])
    if not any(counts):
        raise KernelError("subject_linear: no subjects; give the rows of at least one")
    if len(set(counts)) > 1:
        raise KernelError(f"subject_linear: inputs, weights, biases of {counts} subjects")
    check_alike("subject_linear", [*inputs, *weights, *(biases or [])])
    width = weights[0].shape[-1]
    for number, (rows, weight) in enumerate(zip(inputs, weights, strict=True)):
        bias = None if biases is None else biases[number]
        fits = rows.dim() == weight.dim() == 2 and weight.shape == (rows.shape[1], width)
        if not fits or (bias is not None and bias.shape != (width,)):
            raise KernelError(
                f"subject_linear: subject {number} has rows {tuple(rows.shape)}, weights"
                f" {tuple(weight.shape)}{'' if bias is None else f', bias {tuple(bias.shape)}'};"
                f" weights must be (features, {width})"
            )
