"""Which of the scores in a ``metrics.json`` are those of one decoder."""

from __future__ import annotations

from pathlib import Path

from neurodecode.errors import DataError
from neurodecode.metrics.records import MetricRecord, read_records
from neurodecode.pretrained.config import DecoderConfig

__all__ = ["is_mean", "own_scores"]

#: What a decoder does by itself; pictures need a prior and a generator besides.
_TASKS = ("identification", "embedding")
_FIX = "name the scores of this checkpoint, or run evaluate again"


def own_scores(path: str | Path, config: DecoderConfig, method: str) -> list[MetricRecord]:
    """Pick the scores of a decoder.

    Parameters
    ----------
    path : path-like
        ``metrics.json`` of ``neurodecode evaluate``.
    config : DecoderConfig
        Of the decoder.
    method : str
        Its name in the file.

    Returns
    -------
    list of MetricRecord
        Scores of the decoded embeddings, in the order of the file.

    Raises
    ------
    DataError
        If the file is missing or broken, has none, or they are visibly those of another model: a
        card must not lie.
    """
    dataset = config.training["dataset"]
    candidates = [each for each in read_records(path) if each.task in _TASKS]
    own = [each for each in candidates if (each.dataset, each.method) == (dataset, method)]
    if not own:
        found = sorted({f"{each.method} on {each.dataset}" for each in candidates})
        raise DataError(
            f"no scores of {method} on {dataset} (found: {', '.join(found) or 'none'})",
            file=path,
            fix="choose with --method, or run evaluate again",
        )
    _check(own, config, path)
    return own


def _check(scores: list[MetricRecord], config: DecoderConfig, path: str | Path) -> None:
    known, seed = config.context.n_features, config.training["seed"]
    for each in scores:
        unknown = sorted(_named(each.subject) - set(known))
        if unknown:
            problem = f"scores of subject {', '.join(unknown)}, the checkpoint has "
            raise DataError(problem + ", ".join(known), file=path, field="subject", fix=_FIX)
        if None not in (each.seed, seed) and each.seed != seed:
            problem = f"scores of seed {each.seed}, the checkpoint has {seed}"
            raise DataError(problem, file=path, field="seed", fix=_FIX)


def _named(subject: str) -> set[str]:
    return set() if subject == "mean" else set(subject.split("+"))


def is_mean(subject: str) -> bool:
    """Whether a record is a mean over subjects.

    Parameters
    ----------
    subject : str
        Of the record: a name, ``mean``, or several names joined by ``+``.

    Returns
    -------
    bool
        True for a mean.
    """
    return subject == "mean" or "+" in subject
