"""Steered hearing: scores, spectrograms and sound before and after extraction."""

from __future__ import annotations

import base64
import io
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd

from neurodecode.analysis.profile import Profile
from neurodecode.report.figures.hearing import spectrogram_figure, steering_figure
from neurodecode.report.glossary import format_interval, format_value, metric
from neurodecode.report.pictures import Picture
from neurodecode.report.svg import drawing, svg_uri

__all__ = ["HearingPanel", "hearing_panels"]

#: Files of a mixture, and what they are called; seconds that are put on the page.
_SOUNDS = {"mixture": "Both talkers", "target": "The talker alone", "right": "Extracted",
           "wrong": "By the other voice"}  # fmt: skip
_TRIAL = {"mixture": "Both talkers", "decoded": "Steered by the decoder",
          "self-enrolled": "Voice learned on the way"}  # fmt: skip
_LONGEST_S = 12.0
_EXTRAS = ("room", "voice", "voices", "source", "time", "steering", "decoder")
_MOST_SCENES = 3


@dataclass(frozen=True)
class HearingPanel:
    """One mixture, or one trial.

    Parameters
    ----------
    title : str
        What is heard.
    figures : list of Picture
        Spectrograms, posterior over time.
    sounds : list of (str, str)
        Name and ``data:`` address of a WAV file.
    """

    title: str
    figures: list[Picture] = field(default_factory=list)
    sounds: list[tuple[str, str]] = field(default_factory=list)


def hearing_panels(
    profile: Profile,
) -> tuple[list[tuple[str, list[str], list[list[str]]]], list[HearingPanel]]:
    """Arrange what extraction did.

    Parameters
    ----------
    profile : Profile
        The results; sounds lie in ``sounds/`` beside its records.

    Returns
    -------
    tables : list of (str, list of str, list of list of str)
        Title, heads of the columns, rows; empty where nothing was extracted.
    panels : list of HearingPanel
        Mixtures and a trial.
    """
    records = profile.records[profile.records["task"] == "extraction"]
    if records.empty:
        return [], []
    records = records.reindex(columns=[*records.columns, *(set(_EXTRAS) - set(records.columns))])
    records = records.assign(**{name: records[name].astype(object).fillna("") for name in _EXTRAS})
    folder = profile.metrics.parent / "sounds"
    return list(_tables(records)), [*_scenes(folder), *_trial(folder, profile.tables)]


def _tables(records: pd.DataFrame) -> Iterator[tuple[str, list[str], list[list[str]]]]:
    steered = records[records["steering"] != ""]
    timed = records[records["time"] != ""]
    plain = records.drop(index=[*steered.index, *timed.index])
    if len(plain):
        rows = [
            [metric(row["metric"]).label, _condition(row), _cell(row)]
            for _, row in plain.sort_values(["room", "metric", "voice", "voices"]).iterrows()
        ]
        heads = ["Score", "Of", "Value"]
        yield "Talkers nobody was trained on", heads, rows
    if len(timed):
        rows = [[metric(row["metric"]).label, row["time"], _cell(row)]
                for _, row in timed.sort_values(["time", "metric"]).iterrows()]  # fmt: skip
        yield "Time of computing, one thread", ["Score", "Time", "Value"], rows
    if len(steered):
        rows = [[row["steering"], row["decoder"], _cell(row)]
                for _, row in steered.sort_values("value", ascending=False).iterrows()]  # fmt: skip
        dataset = steered["dataset"].iloc[0]
        yield f"SI-SDR improvement of the attended talker (dB), {dataset}", [
            "Steering", "Decoder", "Value"], rows  # fmt: skip


def _condition(row: pd.Series) -> str:
    """Say of what a score is, in a few words."""
    words = ["reverberation" if row["room"] == "room" else "no reverberation",
             f"{row['voice']} voice"]  # fmt: skip
    words += [f"voices that are {row['voices']}"] if row["voices"] else []
    return ", ".join([*words, row["source"] or "output"])


def _cell(row: pd.Series) -> str:
    about = metric(row["metric"])
    text = format_value(row["value"], about)
    if pd.notna(row["ci_low"]):
        text += f" ({format_interval(row['ci_low'], row['ci_high'], about)})"
    return text


def _scenes(folder: Path) -> Iterator[HearingPanel]:
    for number in range(_MOST_SCENES):
        files = {name: folder / f"scene-{number}-{name}.wav" for name in _SOUNDS}
        if all(path.is_file() for path in files.values()):
            panel = HearingPanel(f"Mixture {number + 1}")
            _fill(panel, {_SOUNDS[name]: path for name, path in files.items()})
            yield panel


def _trial(folder: Path, tables: Path) -> Iterator[HearingPanel]:
    path = tables / "steering.csv"
    files = {_TRIAL[name]: folder / f"trial-{name}.wav" for name in _TRIAL}
    if not path.is_file() or not all(each.is_file() for each in files.values()):
        return
    table = pd.read_csv(path)
    first = table[(table["subject"] == table["subject"].iloc[0])
                  & (table["trial"] == table["trial"].iloc[0])]  # fmt: skip
    panel = HearingPanel(f"Listener {first['subject'].iloc[0]}, trial {first['trial'].iloc[0]}")
    _fill(panel, files)
    for steering in ("decoded", "self-enrolled"):
        part = first[first["steering"] == steering]
        if len(part):
            with drawing():
                source = svg_uri(steering_figure(part, f"Steering: {steering}"))
            panel.figures.append(
                {"src": source, "alt": "Posterior of the attended talker, and improvement."}
            )
    yield panel


def _fill(panel: HearingPanel, files: dict[str, Path]) -> None:
    """Spectrograms of the left ear, and the sounds of both."""
    from neurodecode.preprocess.audio.wave import read_wave

    read = {name: read_wave(path) for name, path in files.items()}
    rate = next(iter(read.values()))[1]
    n = int(_LONGEST_S * rate)
    with drawing():
        figure = spectrogram_figure({name: each[:n, 0] for name, (each, _) in read.items()}, rate)
        picture: Picture = {
            "src": svg_uri(figure), "alt": f"Spectrograms: {', '.join(files)}.",
        }  # fmt: skip
    panel.figures.append(picture)
    panel.sounds.extend((name, _uri(each[:n], rate)) for name, (each, _) in read.items())


def _uri(samples: np.ndarray, rate: float) -> str:
    from scipy.io import wavfile

    buffer = io.BytesIO()
    wavfile.write(buffer, int(rate), np.round(32767 * samples).astype(np.int16))
    return "data:audio/wav;base64," + base64.b64encode(buffer.getvalue()).decode("ascii")
