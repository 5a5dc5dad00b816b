"""From the shared space back to the responses of each subject."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from torch import Tensor, nn

from neurodecode.nn.bottleneck import Bottleneck
from neurodecode.nn.subjects import subject_key

__all__ = ["BuilderFactory", "ResponseBuilder", "SubjectBuilders"]

#: Makes the builder of one subject from the width of the shared space and its feature count.
BuilderFactory = Callable[[int, int], nn.Module]


class ResponseBuilder(nn.Module):
    """Normalisation, GELU and a linear layer, and a bottleneck on what comes out.

    MindBridge normalises and applies GELU after the linear layer, so that before its bottleneck
    nothing can lie below -0.17; standardised responses are negative half of the time.

    Parameters
    ----------
    width : int
        Width of the shared space.
    n_features : int
        What the adapter of the subject reads.
    bottleneck : int
        Inner width of the bottleneck; 0 for none.

    References
    ----------
    Wang et al. 2024 (MindBridge).
    """

    def __init__(self, width: int, n_features: int, bottleneck: int = 0) -> None:
        super().__init__()
        layers: list[nn.Module] = [
            nn.LayerNorm(width), nn.GELU(), nn.Linear(width, n_features),
        ]  # fmt: skip
        if bottleneck:
            layers.append(Bottleneck(n_features, bottleneck))
        self.layers = nn.Sequential(*layers)

    def forward(self, shared: Tensor) -> Tensor:
        """Build responses.

        Parameters
        ----------
        shared : Tensor of shape (n_trials, width)
            Output of an adapter, of this subject or another.

        Returns
        -------
        Tensor of shape (n_trials, n_features)
            What the adapter of this subject would have read.
        """
        return self.layers(shared)


class SubjectBuilders(nn.Module):
    """One builder a subject.

    Parameters
    ----------
    n_features : mapping of str to int
        What the adapter of each subject reads.
    width : int
        Width of the shared space.
    builder : callable
        Makes a builder from the width and a feature count.
    """

    def __init__(self, n_features: Mapping[str, int], width: int, builder: BuilderFactory) -> None:
        super().__init__()
        self.builders = nn.ModuleDict(
            {subject_key(name): builder(width, count) for name, count in n_features.items()}
        )

    def forward(self, subject: str, shared: Tensor) -> Tensor:
        """Build responses of one subject.

        Parameters
        ----------
        subject : str
            Whose responses.
        shared : Tensor of shape (n_trials, width)
            Output of any adapter.

        Returns
        -------
        Tensor of shape (n_trials, n_features)
            Responses as the subject's adapter reads them.
        """
        return self.builders[subject_key(subject)](shared)
