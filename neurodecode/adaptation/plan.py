"""What is to be adapted to whom, and how."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from neurodecode.errors import ConfigError
from neurodecode.loaders.draw import TrialDraw

__all__ = ["AdaptationPlan"]


@dataclass(frozen=True)
class AdaptationPlan:
    """Settings of one adaptation.

    Parameters
    ----------
    subject : str
        Whom the run has never seen.
    draw : TrialDraw
        Which of the subject's training trials are used.
    method : str
        Name under which the scores appear.
    from_scratch : bool
        Train a model of the same parts on these trials alone.
    rank : int
        Of the update of trunk and heads; 0 leaves them as they are.
    steps : int
        Of the optimiser.
    lr, weight_decay : float
        Peak learning rate, and decay of matrices.
    seed : int
        Of everything that is random in training.
    side : {"test", "validation"}
        What is predicted in the end.

    Raises
    ------
    ConfigError
        If the settings contradict each other.
    """

    subject: str
    draw: TrialDraw
    method: str = "adapted"
    from_scratch: bool = False
    rank: int = 0
    steps: int = 600
    lr: float = 2e-3
    weight_decay: float = 1e-2
    seed: int = 0
    side: Literal["test", "validation"] = "test"

    def __post_init__(self) -> None:
        if self.from_scratch and self.rank:
            raise ConfigError("--rank updates a trained trunk; leave it out with --from-scratch")
        for name in ("rank", "steps"):
            if getattr(self, name) < 0:
                raise ConfigError(f"--{name} is {getattr(self, name)}; it cannot be negative")

    @property
    def label(self) -> str:
        """How many trials, as the learning curve calls it."""
        return self.draw.label

    @property
    def sides(self) -> tuple[Literal["validation", "test"], ...]:
        """What is predicted: for the test side validation too, which weighs methods."""
        return ("validation",) if self.side == "validation" else ("validation", "test")
