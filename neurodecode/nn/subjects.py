"""One module for each subject, under names that any subject may have."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import torch
from torch import Tensor, nn

from neurodecode.errors import ConfigError, unknown_subject
from neurodecode.nn.aggregation import AggregationFactory

__all__ = ["AdapterFactory", "SubjectAdapters", "subject_key"]

#: Makes the adapter of one subject from its feature count and the width of the shared space.
AdapterFactory = Callable[[int, int], nn.Module]


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
    aggregate : callable, optional
        Makes from a feature count what stands before the adapter and leaves as many values of
        every subject (`neurodecode.nn.aggregation`).
    """

    def __init__(
        self,
        n_features: Mapping[str, int],
        width: int,
        adapter: AdapterFactory,
        aggregate: AggregationFactory | None = None,
    ) -> None:
        super().__init__()
        self.n_features = dict(n_features)
        self.aggregations = nn.ModuleDict(
            {}
            if aggregate is None
            else {subject_key(subject): aggregate(count) for subject, count in n_features.items()}
        )
        #: What the adapter of each subject reads.
        self.n_inputs = {
            subject: self.aggregations[subject_key(subject)].n_out if aggregate else count
            for subject, count in n_features.items()
        }
        self.adapters = nn.ModuleDict(
            {
                subject_key(subject): adapter(count, width)
                for subject, count in self.n_inputs.items()
            }
        )

    def inputs(self, responses: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Check responses and aggregate them.

        Parameters
        ----------
        responses : mapping of str to Tensor of shape (n_trials, n_features)
            Responses by subject; subjects may be absent.

        Returns
        -------
        dict of str to Tensor of shape (n_trials, n_inputs)
            What the adapters read.

        Raises
        ------
        ConfigError
            If a subject is unknown, or has another number of features than in training.
        """
        for subject, trials in responses.items():
            if subject not in self.n_features:
                raise unknown_subject(subject, self.n_features)
            known = self.n_features[subject]
            if trials.shape[1] != known:
                raise ConfigError(
                    f"subject {subject} has {trials.shape[1]} features,"
                    f" the model was made for {known}"
                )
        if not self.aggregations:
            return dict(responses)
        return {
            name: self.aggregations[subject_key(name)](each) for name, each in responses.items()
        }

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
        return self.adapters[subject_key(subject)]

    def embed(self, subject: str, inputs: Tensor) -> Tensor:
        """Map what the adapter of one subject reads.

        Parameters
        ----------
        subject : str
            A known subject.
        inputs : Tensor of shape (n_trials, n_inputs)
            From `inputs`, or built.

        Returns
        -------
        Tensor of shape (n_trials, width)
            Shared representation.
        """
        return self.of(subject)(inputs)

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
        return torch.cat([self.embed(*pair) for pair in self.inputs(responses).items()])


def subject_key(subject: str) -> str:
    """Name of a subject's module, which must not hold a dot nor be a method of ModuleDict.

    Parameters
    ----------
    subject : str
        Subject.

    Returns
    -------
    str
        Name of the module.
    """
    return "sub-" + subject.replace("%", "%25").replace(".", "%2E")
