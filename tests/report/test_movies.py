"""Pictures of windows of time on the page."""

from __future__ import annotations

import base64
import io
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from page_reader import read_page
from PIL import Image
from report_world import PICTURES, World

from neurodecode.analysis.profile import Profile
from neurodecode.analysis.sources import open_predictions
from neurodecode.report.page import render_page
from neurodecode.report.sections.movies import movie_groups
from neurodecode.store import Prediction, write_predictions

N_WINDOWS = 11


@pytest.fixture(scope="module")
def with_movies(
    profile: Profile, world: World, tmp_path_factory: pytest.TempPathFactory
) -> Profile:
    """Four pictures of each of two subjects; those of window k are of brightness 20 k."""
    path: Path = tmp_path_factory.mktemp("film") / "pictures.h5"
    predictions = [
        Prediction(
            subject, names := list(reversed(sorted(world.test_ids)[:4])),
            {"images": np.full((len(names), 24, 24, 3), 20 * k, dtype=np.uint8)},
            window=(k / 25 - 0.1, k / 25),
        )
        # files need not be in the order of time
        for k in reversed(range(N_WINDOWS)) for subject in ("02", "01")
    ]  # fmt: skip
    write_predictions(path, "ridge", predictions, {"windows": "sliding", "dataset": PICTURES})
    return replace(profile, predictions=(*profile.predictions, *open_predictions([path])))


def pixels(source: str) -> Image.Image:
    return Image.open(io.BytesIO(base64.b64decode(source.partition(",")[2])))


def test_frames_are_in_order_of_time(with_movies: Profile, world: World) -> None:
    first, second = movie_groups(with_movies, [PICTURES])
    assert (first.subject, second.subject, first.kind) == ("01", "02", "sliding")
    assert first.method == "Ridge regression"
    movie = first.movies[0]
    assert len(first.movies) == 3
    times = [int(time.removesuffix(" ms")) for time, _ in movie.frames]
    assert times == sorted(times)
    assert (times[0], times[-1], len(times)) == (0, 400, 8)
    shades = [np.asarray(pixels(picture["src"]).convert("L")).mean() for _, picture in movie.frames]
    assert shades == [20 * round(time / 40) for time in times]
    film = pixels(movie.movie["src"])
    assert film.n_frames == N_WINDOWS
    film.seek(N_WINDOWS - 1)
    assert np.asarray(film.convert("L")).mean() == pytest.approx(200, abs=4)
    seen = np.asarray(pixels(movie.seen["src"]).convert("RGB"))
    name = sorted(world.test_ids)[0]
    np.testing.assert_array_equal(seen, world.images[world.ids.index(name)])


def test_page_shows_them_and_nothing_else_changes(with_movies: Profile, profile: Profile) -> None:
    page, plain = (read_page(render_page(each)) for each in (with_movies, profile))
    assert "#time" in page.references
    assert "Drawn while it is seen" in page.sections["time"]
    assert "time" not in plain.sections
    alts = [image["alt"] for image in page.images]
    assert sum(alt.startswith("Movie of 11 drawings") for alt in alts) == 6
    for name in ("reconstruction", "scores", "retrieval"):
        assert page.sections[name] == plain.sections[name]
