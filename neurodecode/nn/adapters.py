"""From the voxels of each subject to a space that all subjects share."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import torch
from torch import Tensor, nn

from neurodecode.errors import ConfigError, unknown_subject

__all__ = ["AdapterFactory", "LinearAdapter", "MLPAdapter", "SubjectAdapters"]

#: Makes the adapter of one subject from its feature count and the width of the shared space.
AdapterFactory = Callable[[int, int], nn.Module]


class LinearAdapter(nn.Module):
    """A single linear map; with weight decay, a ridge regression learned by gradient (MindEye2).

    Parameters
    ----------
    n_features : int
        Voxels, neurons or channels of the subject.
    width : int
        Width of the shared space.
    input_dropout : float
        Share of features that is dropped while training.
    noise : float
        Standard deviation of Gaussian noise added while training, in units of the
        standardised responses.
    """

    def __init__(
        self, n_features: int, width: int, input_dropout: float = 0.0, noise: float = 0.0
    ) -> None:
        super().__init__()
        self.noise = noise
        self.dropout = nn.Dropout(input_dropout)
        self.linear = nn.Linear(n_features, width)

    def forward(self, responses: Tensor) -> Tensor:
        """Map responses of one subject.

        Parameters
        ----------
        responses : Tensor of shape (n_trials, n_features)
            Standardised responses.

        Returns
        -------
        Tensor of shape (n_trials, width)
            Shared representation.
        """
        if self.training and self.noise:
            responses = responses + self.noise * torch.randn_like(responses)
        return self.linear(self.dropout(responses))


class MLPAdapter(nn.Module):
    """Linear layer, normalisation, GELU, and one residual block (STTM's shallow adapter).

    Parameters
    ----------
    n_features : int
        Voxels, neurons or channels of the subject.
    width : int
        Width of the shared space.
    dropout : float
        After the first layer.
    residual_dropout : float
        Inside the residual block.
    input_dropout, noise : float
        As for `LinearAdapter`.
    """

    def __init__(
        self,
        n_features: int,
        width: int,
        dropout: float = 0.5,
        residual_dropout: float = 0.15,
        input_dropout: float = 0.0,
        noise: float = 0.0,
    ) -> None:
        super().__init__()
        self.first = LinearAdapter(n_features, width, input_dropout, noise)
        self.activation = nn.Sequential(nn.LayerNorm(width), nn.GELU(), nn.Dropout(dropout))
        self.residual = nn.Sequential(
            nn.Linear(width, width), nn.LayerNorm(width), nn.GELU(), nn.Dropout(residual_dropout)
        )

    def forward(self, responses: Tensor) -> Tensor:
        """Map responses of one subject.

        Parameters
        ----------
        responses : Tensor of shape (n_trials, n_features)
            Standardised responses.

        Returns
        -------
        Tensor of shape (n_trials, width)
            Shared representation.
        """
        hidden = self.activation(self.first(responses))
        return hidden + self.residual(hidden)


class SubjectAdapters(nn.Module):
    """One adapter a subject, each with its own number of features.

    Parameters
    ----------
    n_features : mapping of str to int
        Feature count of every subject.
    width : int
        Width of the shared space.
    adapter : callable
        Makes an adapter from a feature count and a width.
    """

    def __init__(self, n_features: Mapping[str, int], width: int, adapter: AdapterFactory) -> None:
        super().__init__()
        self.n_features = dict(n_features)
        self.adapters = nn.ModuleDict(
            {_key(subject): adapter(count, width) for subject, count in n_features.items()}
        )

    def of(self, subject: str) -> nn.Module:
        """Look up the adapter of a subject.

        Parameters
        ----------
        subject : str
            One of those the model was made for.

        Returns
        -------
        Module
            Its adapter.

        Raises
        ------
        ConfigError
            If the model has none.
        """
        if subject not in self.n_features:
            raise unknown_subject(subject, self.n_features)
        return self.adapters[_key(subject)]

    def forward(self, responses: Mapping[str, Tensor]) -> Tensor:
        """Map the responses of any of the subjects.

        Parameters
        ----------
        responses : mapping of str to Tensor of shape (n_trials, n_features)
            Responses by subject; subjects may be absent.

        Returns
        -------
        Tensor of shape (n_batch, width)
            Rows of all subjects, in the order of the mapping.

        Raises
        ------
        ConfigError
            If a subject is unknown, or has another number of features than in training.
        """
        parts = []
        for subject, trials in responses.items():
            adapter, known = self.of(subject), self.n_features[subject]
            if trials.shape[1] != known:
                raise ConfigError(
                    f"subject {subject} has {trials.shape[1]} features,"
                    f" the model was made for {known}"
                )
            parts.append(adapter(trials))
        return torch.cat(parts)


def _key(subject: str) -> str:
    # a module name must not hold a dot, nor be the name of a method of ModuleDict
    return "sub-" + subject.replace("%", "%25").replace(".", "%2E")
