"""One module for each subject, under names that any subject may have."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import torch
from torch import Tensor, nn

from neurodecode.context import MODALITIES, SensorArray
from neurodecode.errors import ConfigError, unknown_subject
from neurodecode.nn.aggregation import AggregationFactory

__all__ = ["AdapterFactory", "SubjectAdapters", "subject_key"]

#: Makes the adapter of one subject from its feature count, or its sensors if its recordings are
#: time-resolved, and the width of the shared space.
AdapterFactory = Callable[[int | SensorArray, int], nn.Module]


class SubjectAdapters(nn.Module):
    """One adapter a subject, each with its own number of features.

    Parameters
    ----------
    inputs : mapping of str to int or SensorArray
        Feature count of every subject, or its sensors if its recordings are time-resolved.
    width : int
        Width of the shared space.
    adapter : callable
        Makes an adapter from either and a width. An adapter may have a core (`SensorAdapter`),
        which the first subject of each modality then lends to all others.
    aggregate : callable, optional
        Makes from a feature count what stands before the adapter and leaves as many values of
        every subject (`neurodecode.nn.aggregation`).
    modality : mapping of str to str, optional
        Of each subject.
    by_modality : mapping of str to callable, optional
        Adapters of subjects of these modalities, instead of `adapter`. One of a modality that
        no subject has is passed over: a configuration serves any of its modalities alone.

    Raises
    ------
    ConfigError
        If there is an adapter for a modality that does not exist, or subjects who share a core
        differ in what it was made for.
    """

    def __init__(
        self,
        inputs: Mapping[str, int | SensorArray],
        width: int,
        adapter: AdapterFactory,
        aggregate: AggregationFactory | None = None,
        modality: Mapping[str, str] | None = None,
        by_modality: Mapping[str, AdapterFactory] | None = None,
    ) -> None:
        super().__init__()
        self.modality = {name: (modality or {}).get(name, "") for name in inputs}
        _check_modalities(by_modality or {})
        self.shapes = {
            name: (each.n_channels, each.n_times) if isinstance(each, SensorArray) else (each,)
            for name, each in inputs.items()
        }
        self.n_features = {name: shape[0] for name, shape in self.shapes.items()}
        if aggregate is not None and (series := [n for n, s in self.shapes.items() if len(s) > 1]):
            raise ConfigError(
                f"model.decoder.aggregate pools vectors, and subject {series[0]} has a time axis"
            )
        self.aggregations = nn.ModuleDict(
            {}
            if aggregate is None
            else {subject_key(subject): aggregate(count) for subject, count in inputs.items()}
        )
        #: What the adapter of each subject reads.
        self.n_inputs = {
            subject: self.aggregations[subject_key(subject)].n_out if aggregate else each
            for subject, each in inputs.items()
        }
        self.adapters = nn.ModuleDict()
        #: What subjects of one modality share of their adapters.
        self.cores = nn.ModuleDict()
        sizes: dict[str, tuple[str, object]] = {}
        for subject, each in self.n_inputs.items():
            kind = self.modality[subject]
            made = (by_modality or {}).get(kind, adapter)(each, width)
            self.adapters[subject_key(subject)] = made
            core = made.release() if hasattr(made, "release") else None
            if core is None:
                continue
            first, known = sizes.setdefault(kind, (subject, made.sizes))
            if known != made.sizes:
                raise ConfigError(
                    f"subjects {first} ({_say(known)}) and {subject} ({_say(made.sizes)}) cannot"
                    " share a network; set share: false in the adapter's init_args, or choose"
                    " data.subjects"
                )
            if first == subject:
                self.cores[subject_key(kind)] = core

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
            known = self.shapes[subject]
            if tuple(trials.shape[1:]) != known:
                given = " x ".join(map(str, trials.shape[1:]))
                raise ConfigError(
                    f"subject {subject} has {given} features,"
                    f" the model was made for {' x '.join(map(str, known))}"
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
        adapter, kind = self.of(subject), subject_key(self.modality[subject])
        if getattr(adapter, "share", False):
            return adapter(inputs, self.cores[kind])
        return adapter(inputs)

    def forward(self, responses: Mapping[str, Tensor]) -> Tensor:
        """Map the responses of any of the subjects.

        Parameters
        ----------
        responses : mapping of str to Tensor of shape (n_trials, n_features[, n_times])
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


def _check_modalities(given: Mapping[str, object]) -> None:
    """Refuse names of no modality; one that the data lack is passed over."""
    if unknown := sorted(set(given) - set(MODALITIES)):
        raise ConfigError(
            f"model.decoder.modality_adapters has {', '.join(unknown)}; known modalities:"
            f" {', '.join(MODALITIES)}"
        )


def _say(sizes: Mapping[str, int]) -> str:
    return ", ".join(f"{count} {name}" for name, count in sizes.items())


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
