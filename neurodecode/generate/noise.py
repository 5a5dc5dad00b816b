"""Noise schedule of the miniature generator."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from diffusers import DDPMScheduler, DPMSolverMultistepScheduler

__all__ = ["SCHEDULE", "quiet_numpy", "sampling_scheduler", "training_scheduler"]

SCHEDULE: dict[str, Any] = {
    "num_train_timesteps": 1000,
    "beta_schedule": "squaredcos_cap_v2",
    "prediction_type": "v_prediction",
}
"""Cosine schedule (Nichol & Dhariwal 2021) with velocity prediction."""


@contextmanager
def quiet_numpy() -> Iterator[None]:
    """Keep numpy 2 from warning of the way diffusers 0.42 hands torch tensors to np.array."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=r".*doesn't accept a copy keyword")
        yield


def training_scheduler() -> DDPMScheduler:
    """Make the scheduler that adds noise in training.

    Returns
    -------
    DDPMScheduler
        The scheduler.
    """
    return DDPMScheduler(clip_sample=False, **SCHEDULE)


def sampling_scheduler(n_steps: int) -> DPMSolverMultistepScheduler:
    """Make the solver that samples (DPM-Solver++ 2M, Lu et al. 2022).

    Parameters
    ----------
    n_steps : int
        Steps over the whole schedule.

    Returns
    -------
    DPMSolverMultistepScheduler
        The solver, its timesteps set.
    """
    with quiet_numpy():
        scheduler = DPMSolverMultistepScheduler(
            algorithm_type="dpmsolver++", solver_order=2, timestep_spacing="trailing",
            lower_order_final=True, **SCHEDULE,
        )  # fmt: skip
        scheduler.set_timesteps(n_steps)
    return scheduler
