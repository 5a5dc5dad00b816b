"""``README.md``: the card that says what a decoder is, where it comes from and how good it is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import yaml

from neurodecode import __version__
from neurodecode.metrics.catalogue import METRIC_NAMES, TASKS
from neurodecode.metrics.records import MetricRecord
from neurodecode.pretrained.config import DecoderConfig
from neurodecode.pretrained.scores import is_mean

__all__ = ["write_card"]

_CARD = """\
---
{front}---

# {title}

Turns responses of {n_subjects} into {targets}. Made with
neurodecode {version}.

## Trained on

{training}

| subject | features (voxels) | sessions |
|---|---|---|
{subjects}

## Scores

{scores}

## Use

```python
from neurodecode.pretrained import PretrainedDecoder

model = PretrainedDecoder.from_pretrained("FOLDER or owner/name")
# raw responses (n_trials, {n_features}), voxels in the order of the training
decoded = model.decode({{"{subject}": responses}}, session={session})
decoded.tokens       # compare with embeddings of pictures (retrieval)
decoded.condition    # give to a diffusion prior
decoded.latent       # low-level picture, if the decoder has such a head
```

Averages of repeats decode better than single trials: average `model.standardise(...)` over the
repeats of a stimulus and decode that with `session=None`.

## Limits

- It decodes these subjects only, from these voxels in this order; each has an adapter of its own.
- Responses are standardised within session, with statistics of training trials, which are in the
  file. Trials of another session have to be standardised by you.
- It makes embeddings, no pictures: those need a prior and a generator, which are not in here.
- Weights and statistics are made from the recordings. Whether they may be passed on is for the
  terms of the data set to say{licence}.
"""


def write_card(
    config: DecoderConfig,
    sessions: Mapping[str, Sequence[int]],
    scores: Sequence[MetricRecord] = (),
) -> str:
    """Write the card.

    Parameters
    ----------
    config : DecoderConfig
        What the decoder is built from, and what it was trained on.
    sessions : mapping of str to sequence of int
        Sessions of each subject.
    scores : sequence of MetricRecord
        Its scores.

    Returns
    -------
    str
        Markdown, headed by what the Hugging Face hub reads.
    """
    features = config.context.n_features
    first = next(iter(features))
    dataset = str(config.training["dataset"])
    summary, licence = _about_dataset(dataset)
    return _CARD.format(
        front=_front(dataset, scores),
        title=_title(dataset),
        n_subjects=f"{len(features)} subject{'s' * (len(features) > 1)}",
        targets=_targets(config),
        version=__version__,
        training=_training(config, summary),
        subjects="\n".join(
            f"| {name} | {n} | {_listed(sessions[name])} |" for name, n in features.items()
        ),
        scores=_score_table(scores) if scores else "None were given when this was exported.",
        subject=first,
        n_features=features[first],
        session=sessions[first][0],
        licence=f" ({licence})" if licence else "",
    )


def _title(dataset: str) -> str:
    return f"Brain decoder for {dataset}"


def _about_dataset(name: str) -> tuple[str, str]:
    """What a registered data set says of itself; readers are imported for it."""
    from neurodecode.datasets import DATASETS

    if name not in DATASETS:
        return "", ""
    return DATASETS[name].summary, DATASETS[name].licence


def _targets(config: DecoderConfig) -> str:
    parts = []
    for name, shape in config.context.targets.items():
        size = " x ".join(map(str, shape))
        parts.append(f"`{name}` ({size}) of `{config.embeddings.get(name, 'unknown')}`")
    return " and ".join(parts)


def _training(config: DecoderConfig, summary: str) -> str:
    told = config.training
    rows = [
        ("data set", f"`{told['dataset']}`" + (f": {summary}" if summary else "")),
        ("embeddings", _targets(config)),
        ("fold", told["fold"]),
        ("split", f"`{told['split']}` (digest of what was held out)"),
        ("seed", told["seed"]),
        ("repeats averaged in training", told["repeats"]),
        ("epoch of the checkpoint", told["epoch"]),
        ("network", f"`{config.decoder['class_path']}`; all settings in `config.json`"),
    ]
    shown = [f"| {name} | {_cell('unknown' if value is None else value)} |" for name, value in rows]
    return "\n".join(["| | |", "|---|---|", *shown])


def _score_table(scores: Sequence[MetricRecord]) -> str:
    head = "| metric | subject | value | 95 % interval | chance | items | candidates | repeats |"
    rows = [
        f"| {each.metric} | {_cell(each.subject)} | {_number(each.value)} | {_interval(each)} |"
        f" {_number(each.chance)} | {each.n} | {_number(each.n_candidates)} |"
        f" {_number(each.n_averaged)} |"
        for each in scores
    ]
    meaning = [
        f"- `{name}`: {METRIC_NAMES[name].definition}"
        for name in dict.fromkeys(each.metric for each in scores)
    ]
    chosen = ", ".join(sorted({each.selection_split for each in scores}))
    protocol = (
        "On test stimuli, which neither training nor selection saw"
        f" (selected on: {chosen}{_transductive(scores)}). Intervals are bootstraps over stimuli;"
        " *repeats* is how many trials of a stimulus were averaged."
    )
    return "\n".join([protocol, "", head, "|---" * 8 + "|", *rows, "", *meaning])


def _transductive(scores: Sequence[MetricRecord]) -> str:
    return "; test items seen jointly" if any(each.transductive for each in scores) else ""


def _front(dataset: str, scores: Sequence[MetricRecord]) -> str:
    """Front matter as the hub reads it: of several subjects, it shows the mean."""
    front: dict[str, Any] = {
        "library_name": "neurodecode",
        "tags": ["neurodecode", "neural-decoding", "brain-decoding", dataset],
    }
    several = any(is_mean(each.subject) for each in scores)
    shown = [e for e in scores if e.value is not None and (is_mean(e.subject) or not several)]
    if shown:
        by_task: dict[str, list[MetricRecord]] = {}
        for each in shown:
            by_task.setdefault(each.task, []).append(each)
        results = [_result(dataset, task, each) for task, each in by_task.items()]
        front["model-index"] = [{"name": _title(dataset), "results": results}]
    return yaml.safe_dump(front, sort_keys=False, allow_unicode=True)


def _result(dataset: str, task: str, scores: Sequence[MetricRecord]) -> dict[str, Any]:
    return {
        "task": {"type": task, "name": TASKS[task]},
        "dataset": {"type": dataset, "name": dataset},
        "metrics": [
            {
                "type": each.metric,
                "name": f"{each.metric} ({each.subject})",
                "value": each.value,
            }
            for each in scores
        ],
    }


def _listed(numbers: Sequence[int]) -> str:
    return f"{len(numbers)} ({numbers[0]} to {numbers[-1]})"


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.3g}"


def _interval(score: MetricRecord) -> str:
    if score.ci_low is None:
        return "–"
    return f"{_number(score.ci_low)} to {_number(score.ci_high)}"


def _cell(value: Any) -> str:
    return str(value).replace("|", "\\|")
