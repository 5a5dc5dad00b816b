"""AdamW that reads and writes the weights of touched subjects only."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import torch
from torch import Tensor
from torch.nn import Parameter
from torch.optim import Optimizer

from neurodecode_kernels.dispatch import Backend, KernelError, take_triton, why_not_triton

__all__ = ["SubjectAdamW"]


class SubjectAdamW(Optimizer):
    """AdamW whose moments and steps each subject has to itself.

    A subject that is not in a batch is not read: its weights do not decay, its moments do not
    fade, and its steps are not counted (as for `torch.optim.AdamW` where the gradient is None).
    Naming the touched subjects leaves the others alone even if they have gradients of zeros, as
    distributed training gives them.

    Parameters
    ----------
    subjects : mapping of str to iterable of Parameter
        Parameters of each subject.
    lr, eps, weight_decay : float
        As in `torch.optim.AdamW`.
    betas : tuple of float
        As in `torch.optim.AdamW`.
    backend : {"auto", "reference", "triton"}
        Path to take.

    References
    ----------
    Loshchilov and Hutter 2019, algorithm 2.
    """

    def __init__(
        self,
        subjects: Mapping[str, Iterable[Parameter]],
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 1e-2,
        backend: Backend = "auto",
    ) -> None:
        groups = [{"params": list(each), "subject": name} for name, each in subjects.items()]
        defaults = {"lr": lr, "betas": betas, "eps": eps, "weight_decay": weight_decay}
        super().__init__(groups, defaults)
        self.backend: Backend = backend

    @torch.no_grad()
    def step(
        self,
        closure: Callable[[], Any] | None = None,
        touched: Iterable[str] | None = None,
    ) -> Any:
        """Update.

        Parameters
        ----------
        closure : callable, optional
            Computes the loss again.
        touched : iterable of str, optional
            Subjects of the batch; all that have gradients by default.

        Returns
        -------
        Any
            What the closure returns.

        Raises
        ------
        KernelError
            If a subject is unknown.
        """
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        known = [group["subject"] for group in self.param_groups]
        names = set(known if touched is None else touched)
        if unknown := sorted(names.difference(known)):
            raise KernelError(f"SubjectAdamW: no subject {', '.join(unknown)}; known: {known}")
        for group in self.param_groups:
            if group["subject"] in names:
                self._update(group)
        return loss

    def _update(self, group: dict[str, Any]) -> None:
        parameters = [each for each in group["params"] if each.grad is not None]
        states = [self.state[each] for each in parameters]
        for parameter, state in zip(parameters, states, strict=True):
            if not state:
                # a number, not a tensor: counting must not wait for the device
                state["step"] = 0
                state["exp_avg"] = torch.zeros_like(parameter)
                state["exp_avg_sq"] = torch.zeros_like(parameter)
            state["step"] += 1
            tensors = [parameter, parameter.grad, state["exp_avg"], state["exp_avg_sq"]]
            if take_triton("SubjectAdamW", why_not_triton(tensors), self.backend):
                from neurodecode_kernels.subject_linear.adamw_triton import adamw

                adamw(*tensors, state["step"], group)
            else:
                adamw_reference(*tensors, state["step"], group)


def adamw_reference(
    parameter: Tensor,
    grad: Tensor,
    mean: Tensor,
    square: Tensor,
    step: int,
    group: Mapping[str, Any],
) -> None:
    """One update in plain torch, in place.

    Parameters
    ----------
    parameter, grad, mean, square : Tensor
        Weights, gradient, and the running means of gradient and squared gradient.
    step : int
        Number of this update, from 1.
    group : mapping
        ``lr``, ``betas``, ``eps`` and ``weight_decay``.
    """
    (first, second), lr = group["betas"], group["lr"]
    parameter.mul_(1 - lr * group["weight_decay"])
    mean.lerp_(grad, 1 - first)
    square.mul_(second).addcmul_(grad, grad, value=1 - second)
    scale = square.sqrt().div_((1 - second**step) ** 0.5).add_(group["eps"])
    parameter.addcdiv_(mean, scale, value=-lr / (1 - first**step))
