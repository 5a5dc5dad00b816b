"""Which query each unit reads from."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import torch
from torch import Tensor, nn

from neurodecode.context import BuildContext
from neurodecode.errors import ConfigError

__all__ = ["OTHER", "QueryReadout", "assign_queries"]

#: Name of the query of all units that belong to none of the regions asked for.
OTHER = "other"


def assign_queries(
    context: BuildContext,
    kind: Literal["region", "unit"],
    regions: Sequence[str] | None = None,
) -> dict[str, tuple[list[str], list[int]]]:
    """Name the queries of every subject, and number each unit's.

    Parameters
    ----------
    context : BuildContext
        Units of every subject, and their regions.
    kind : {"region", "unit"}
        One query for each region, or for each unit.
    regions : sequence of str, optional
        Regions with a query of their own; all other units share one. All regions by default.

    Returns
    -------
    dict of str to (list of str, list of int)
        For each subject the names of its queries, and for each unit the number of its query.

    Raises
    ------
    ConfigError
        If regions are asked for and not known, or one has no unit in any subject.
    """
    if kind == "unit":
        if regions is not None:
            raise ConfigError("regions of queries: only for queries='region', not for each unit")
        return {
            subject: ([str(unit) for unit in range(n)], list(range(n)))
            for subject, n in context.n_features.items()
        }
    if missing := [name for name in context.n_features if not context.regions.get(name)]:
        raise ConfigError(
            f"subject {missing[0]}: its store does not tell the region of units; use queries='unit'"
        )
    known = {label for labels in context.regions.values() for label in labels}
    if empty := [name for name in regions or [] if name not in known]:
        raise ConfigError(
            f"region {empty[0]} has no units in any subject; there are: {', '.join(sorted(known))}"
        )
    made = {}
    for subject in context.n_features:
        labels = [_named(each, regions) for each in context.regions[subject]]
        names = sorted(set(labels))
        made[subject] = names, [names.index(label) for label in labels]
    return made


def _named(label: str, regions: Sequence[str] | None) -> str:
    return label if regions is None or label in regions else OTHER


class QueryReadout(nn.Module):
    """Learned queries of one subject, and what its units make of their answers.

    Parameters
    ----------
    names : sequence of str
        Names of the queries.
    query_of_unit : sequence of int
        Query that each unit reads from.
    width : int
        Width of queries and answers.
    """

    def __init__(self, names: Sequence[str], query_of_unit: Sequence[int], width: int) -> None:
        super().__init__()
        self.names = list(names)
        # small: attention begins as a mean over the whole picture
        self.queries = nn.Parameter(0.1 * torch.randn(len(names), width))
        self.weight = nn.Parameter(torch.randn(len(query_of_unit), width) * 0.3 / width**0.5)
        self.bias = nn.Parameter(torch.zeros(len(query_of_unit)))
        self.query_of_unit: Tensor
        self.register_buffer("query_of_unit", torch.tensor(query_of_unit), persistent=False)

    def forward(self, answers: Tensor) -> Tensor:
        """Read responses.

        Parameters
        ----------
        answers : Tensor of shape (n_batch, n_queries, width)
            What the queries found.

        Returns
        -------
        Tensor of shape (n_batch, n_units)
            Predicted responses.
        """
        return torch.einsum("buw,uw->bu", answers[:, self.query_of_unit], self.weight) + self.bias
