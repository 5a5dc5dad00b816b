"""What is seen when: a picture drawn from each window of time, as strip and as movie."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from neurodecode.analysis.profile import Profile
from neurodecode.analysis.sources import PredictionSource
from neurodecode.report.glossary import method_label
from neurodecode.report.pictures import Picture, movie_uri, picture_uri
from neurodecode.store import Prediction

__all__ = ["Movie", "MovieGroup", "movie_groups"]

#: Pictures of each subject, and frames of a strip.
_N_MOVIES, _N_FRAMES = 3, 8


@dataclass(frozen=True)
class Movie:
    """One test picture and what was drawn from each window.

    Parameters
    ----------
    seen, movie : Picture
        The true picture; all drawings one after the other.
    frames : list of (str, Picture)
        Some of them, with the end of their windows.
    """

    seen: Picture
    movie: Picture
    frames: list[tuple[str, Picture]]


@dataclass(frozen=True)
class MovieGroup:
    """Movies of one subject.

    Parameters
    ----------
    dataset, subject, method, kind : str
        Whose, decoded how, and from which windows.
    movies : list of Movie
        The first test pictures by their ids, which mean nothing.
    """

    dataset: str
    subject: str
    method: str
    kind: str
    movies: list[Movie]


def movie_groups(profile: Profile, datasets: list[str]) -> list[MovieGroup]:
    """Arrange pictures that were drawn from windows of time.

    Parameters
    ----------
    profile : Profile
        The results.
    datasets : list of str
        Data sets in the order of the page.

    Returns
    -------
    list of MovieGroup
        Empty where there are none.
    """
    groups = []
    for dataset in datasets:
        for source in profile.movies:
            if profile.dataset_of(source) == dataset:
                groups += _groups(profile, dataset, source)
    return groups


def _groups(profile: Profile, dataset: str, source: PredictionSource) -> list[MovieGroup]:
    parts: dict[str, list[Prediction]] = {}
    for each in source.read(("images",)):
        parts.setdefault(each.subject, []).append(each)
    stimuli = profile.stores[dataset].stimuli
    groups = []
    for subject, windows in sorted(parts.items()):
        windows = sorted(windows, key=lambda each: each.window)
        # folds have their own windows; the first is shown
        windows = [each for each in windows if each.fold == windows[0].fold]
        names = sorted(windows[0].stimulus_id)[:_N_MOVIES]
        movies = [_movie(name, stimuli.images[stimuli.rows([name])[0]], windows) for name in names]
        kind = str(source.attrs["windows"])
        groups.append(MovieGroup(dataset, subject, method_label(source.method), kind, movies))
    return groups


def _movie(name: str, seen: np.ndarray, windows: list[Prediction]) -> Movie:
    images = [each.arrays["images"][list(each.stimulus_id).index(name)] for each in windows]
    ends = [f"{1000 * each.window[1]:.0f} ms" for each in windows]
    shown = sorted({round(k) for k in np.linspace(0, len(images) - 1, _N_FRAMES)})
    frames: list[tuple[str, Picture]] = [
        (ends[k], {"src": picture_uri(images[k]), "alt": f"Drawn from the window up to {ends[k]}"})
        for k in shown
    ]
    alt = f"Movie of {len(images)} drawings, from windows up to {ends[0]} to {ends[-1]}"
    return Movie(
        {"src": picture_uri(seen), "alt": "Seen"}, {"src": movie_uri(images), "alt": alt}, frames
    )
