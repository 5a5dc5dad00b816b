"""Who is listened to: curves, tables and response functions of attention decoders."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd

from neurodecode.analysis.profile import Profile
from neurodecode.analysis.records import is_mean
from neurodecode.report.figures.attention import accuracy_figure, pattern_figure, posterior_figure
from neurodecode.report.figures.topography import head_maps
from neurodecode.report.glossary import format_interval, format_value, method_label, metric
from neurodecode.report.pictures import Picture
from neurodecode.report.svg import drawing, svg_uri

__all__ = ["AttentionPanel", "attention_panels"]

_KEYS = (
    "training", "scheme", "leak", "channels", "condition", "decision", "null", "trials_of",
    "window_s",
    "chance_limit",
)  # fmt: skip
#: Protocol -> the honest division of the same method it is set against.
_TRAININGS = {"same-subject": "trained on the same subject", "other-subjects": "on other subjects"}


@dataclass(frozen=True)
class AttentionPanel:
    """One data set.

    Parameters
    ----------
    dataset : str
        Its name.
    figures : list of Picture
        Curves, posteriors, response functions, maps.
    tables : list of (str, list of str, list of list of str)
        Title, heads of the columns, rows.
    """

    dataset: str
    figures: list[Picture] = field(default_factory=list)
    tables: list[tuple[str, list[str], list[list[str]]]] = field(default_factory=list)


def attention_panels(profile: Profile, datasets: list[str]) -> list[AttentionPanel]:
    """Arrange the records of attention decoders.

    Parameters
    ----------
    profile : Profile
        The results.
    datasets : list of str
        Data sets in the order of the page.

    Returns
    -------
    list of AttentionPanel
        Empty where attention was not decoded.
    """
    records = profile.records[profile.records["task"] == "auditory_attention"]
    if records.empty:
        return []
    records = records.reindex(columns=[*records.columns, *(set(_KEYS) - set(records.columns))])
    records = records.assign(
        **{
            name: records[name].astype(object).fillna("")
            for name in _KEYS
            if name not in _KEYS[-2:]
        }
    )
    whole = records[_whole(records)]
    return [
        _panel(name, whole[whole["dataset"] == name], profile.tables)
        for name in datasets
        if (whole["dataset"] == name).any()
    ]


def _whole(records: pd.DataFrame) -> pd.Series:
    """Means over subjects, and single subjects where there is only one."""
    mean = records["subject"].map(is_mean)
    return mean | ~records["dataset"].isin(records.loc[mean, "dataset"])


def _panel(dataset: str, records: pd.DataFrame, folder: Path) -> AttentionPanel:
    panel = AttentionPanel(dataset)
    plain = (
        (records["metric"] == "attention_accuracy")
        & (records["leak"] == "")
        & (records["condition"] == "")
        & (records["decision"] == "")
        & (records["channels"] == "")
        & (records["trials_of"] == "")
    )
    for training, rows in records[plain].groupby("training"):
        words = _TRAININGS.get(str(training), str(training))
        with drawing():
            source = svg_uri(accuracy_figure(rows, f"Accuracy, {words}"))
        best = rows.loc[rows["value"].idxmax()]
        panel.figures.append(
            {
                "src": source,
                "alt": f"Accuracy against window length, {words}; at most {best['value']:.0%}, by"
                f" {method_label(best['method'])} with {best['window_s']:g} s.",
            }
        )
    panel.tables.extend(_tables(records))
    panel.figures.extend(_from_tables(dataset, folder))
    return panel


def _cell(row: pd.Series) -> str:
    about = metric(row["metric"])
    text = format_value(row["value"], about)
    if pd.notna(row["ci_low"]):
        text += f" ({format_interval(row['ci_low'], row['ci_high'], about)})"
    return text


def _tables(records: pd.DataFrame) -> list[tuple[str, list[str], list[list[str]]]]:
    def rows(some: pd.DataFrame, *columns: str) -> list[list[str]]:
        """Cells of the named columns, then the score."""
        return [
            [method_label(row["method"]), *(_word(row[name]) for name in columns), _cell(row)]
            for _, row in some.iterrows()
        ]

    kind = records["metric"]
    honest = (records["leak"] == "") & (records["trials_of"] == "")
    tracking = records[(kind == "pearson_r") & honest].sort_values(["method", "training", "null"])
    match = records[(kind == "match_mismatch_accuracy") & honest]
    match = match.sort_values(["method", "training", "window_s"])
    mesd = records[(kind == "mesd_s") & honest].sort_values(["training", "value"])
    split = records.assign(
        condition=records["condition"].where(records["condition"] != "", records["trials_of"])
    )
    split = split[
        (kind == "attention_accuracy")
        & (records["leak"] == "")
        & (split["condition"] != "")
        & (records["decision"] == "")
        & records["window_s"].eq(5.0)
    ].sort_values(["method", "channels", "training", "condition"])
    over = records[records["decision"] != ""].sort_values(["method", "training", "decision"])
    leaks = _leaks(records)
    found = [
        ("Sound rebuilt from the brain", ["Method", "Training", "Left out", "Null", "r"],
         rows(tracking, "training", "scheme", "null")),
        ("Own window against another", ["Method", "Training", "Window (s)", "Accuracy"],
         rows(match, "training", "window_s")),
        ("Minimal expected switch duration", ["Method", "Training", "Channels", "MESD"],
         rows(mesd, "training", "channels")),
        ("Conditions, 5-s windows", ["Method", "Training", "Channels", "Condition", "Accuracy"],
         rows(split, "training", "channels", "condition")),
        ("Short windows joined over time", ["Method", "Training", "Decision", "Accuracy"],
         rows(over, "training", "decision")),
        ("What leaks do (not to be compared with anything)",
         ["Method", "Protocol", "Metric", "Window (s)", "Honest", "Leaking"], leaks),
    ]  # fmt: skip
    return [(title, heads, cells) for title, heads, cells in found if cells]


def _word(value: object) -> str:
    if isinstance(value, float):
        return "" if pd.isna(value) else f"{value:g}"
    return str(value)


def _leaks(records: pd.DataFrame) -> list[list[str]]:
    """Each leaking score beside that of the honest division of the same trials."""
    rows = []
    forced = records[
        (records["leak"] != "")
        & records["metric"].isin(["attention_accuracy", "pearson_r", "match_mismatch_accuracy"])
        & (records["null"] == "")
        & (records["condition"] == "")
        & (records["decision"] == "")
    ].sort_values(["leak", "metric", "window_s"])
    for _, row in forced.iterrows():
        same = records[
            (records["leak"] == "")
            & (records["method"] == row["method"])
            & (records["metric"] == row["metric"])
            & (records["training"] == row["training"])
            & (records["channels"] == row["channels"])
            & (records["null"] == "")
            & (records["decision"] == "")
            & (
                records["window_s"].fillna(-1)
                == (row["window_s"] if pd.notna(row["window_s"]) else -1)
            )
        ]
        fits = same[(same["trials_of"] == row["trials_of"]) & (same["condition"] == "")]
        honest = _cell(fits.iloc[0]) if len(fits) else "–"
        rows.append(
            [method_label(row["method"]), row["leak"], row["metric"], _word(row["window_s"]),
             honest, _cell(row)]
        )  # fmt: skip
    return rows


def _from_tables(dataset: str, folder: Path) -> list[Picture]:
    pictures: list[Picture] = []
    posteriors = _read(folder / "attention_posteriors.csv", dataset)
    if len(posteriors):
        posteriors = posteriors[posteriors["method"] == posteriors["method"].iloc[-1]]
        switching = posteriors.groupby(["training", "subject", "trial"])["attended"].nunique() > 1
        keys = list(switching[switching].index)[:1] or list(switching.index)[:1]
        for training, subject, trial in keys:
            part = posteriors[
                (posteriors["training"] == training)
                & (posteriors["subject"] == subject)
                & (posteriors["trial"] == trial)
            ]
            name = method_label(part["method"].iloc[0])
            with drawing():
                source = svg_uri(
                    posterior_figure(part, f"{name}: subject {subject}, trial {trial}")
                )
            alt = f"Posterior of the second talker over trial {trial} of subject {subject}."
            pictures.append({"src": source, "alt": alt})
    patterns = _read(folder / "attention_patterns.csv", dataset)
    if len(patterns):
        one = patterns[patterns["method"] == "trf_backward"]
        one = one if len(one) else patterns
        one = one[one["training"] == one["training"].iloc[0]]
        pictures += _patterns(one)
    return pictures


def _patterns(table: pd.DataFrame) -> list[Picture]:
    title = f"Activation patterns, {method_label(table['method'].iloc[0])}"
    with drawing():
        pictures: list[Picture] = [
            {
                "src": svg_uri(pattern_figure(table, title)),
                "alt": "Activation patterns of the backward model over lags, one line a channel.",
            }
        ]
        matrix = table.pivot_table(index="channel", columns="lag_s", values="value")
        strongest = (matrix**2).sum().nlargest(4).index
        maps = {f"{1000 * lag:.0f} ms": matrix[lag].to_numpy() for lag in sorted(strongest)}
        figure = head_maps(maps, list(matrix.index), "pattern")
        if figure is not None:
            alt = f"Maps of the activation pattern at {', '.join(maps)}."
            pictures.append({"src": svg_uri(figure), "alt": alt})
    return pictures


def _read(path: Path, dataset: str) -> pd.DataFrame:
    if not path.is_file():
        return pd.DataFrame()
    table = pd.read_csv(path, dtype={"subject": str, "trial": str}, keep_default_na=False,
                        na_values={"value": [""]})  # fmt: skip
    return table[(table["dataset"] == dataset) & (table["leak"] == "")]
