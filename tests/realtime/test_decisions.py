"""From windows to ranked pictures with a probability, through the loop to the outputs."""

from __future__ import annotations

import csv
import io
import json
import time
import urllib.error
import urllib.request

import numpy as np
import pytest
from live_world import NAMES, SFREQ, SUBJECT, TRIGGER

from neurodecode.errors import ConfigError, DataError
from neurodecode.realtime.confidence import confidences, fit_sharpness
from neurodecode.realtime.gallery import open_gallery
from neurodecode.realtime.loop import Latencies, Limits, run_loop
from neurodecode.realtime.outlets import LogFile, Terminal, line
from neurodecode.realtime.pictures import PictureDecider
from neurodecode.realtime.replay import Replay
from neurodecode.realtime.types import Choice, Chunk, Decision, Description
from neurodecode.realtime.web import WebPage
from neurodecode.realtime.windows import LiveWindows, WindowOptions
from neurodecode.store import EmbeddingStore, Prediction, write_predictions


@pytest.fixture
def gallery(world):
    return open_gallery(None, world.embeddings, "tokens", {"pic3": "a cat"})


def decision(**changed) -> Decision:
    choices = (Choice("pic3", 0.5, 0.75, "a\x1b[2J <b>cat</b>"), Choice("p", 0.25))
    plain = {"number": 3, "onset_s": 1.25, "label": "face", "problem": "", "filled_ms": 0.0,
             "latency_ms": 8.0, "age_ms": None, "choices": choices}  # fmt: skip
    return Decision(**{**plain, **changed})


def test_pictures_are_ranked_by_cosine(world, gallery):
    tokens = EmbeddingStore(world.embeddings).read("tokens").reshape(11, -1)
    decide = PictureDecider(lambda trial: tokens[3] + 0.1 * tokens[7], gallery, 3)
    found = decide(np.zeros((7, 9)))
    unit = tokens / np.linalg.norm(tokens, axis=1, keepdims=True)
    query = tokens[3] + 0.1 * tokens[7]
    cosines = unit @ query / np.linalg.norm(query)
    order = np.argsort(-cosines)[:3]
    assert [each.id for each in found] == [f"pic{k}" for k in order]
    np.testing.assert_allclose([each.score for each in found], cosines[order], rtol=1e-5)
    assert found[0].caption == "a cat"
    assert found[0].confidence is None


def test_sharpness_is_that_of_the_trials(tmp_path, rng):
    """Pictures are drawn with probability softmax(s cos): s has to be found again."""
    ids = [f"pic{number}" for number in range(11)]
    store = EmbeddingStore.create(tmp_path / "tiny-clip.h5", ids, {"tokens": (2, 5)})
    store.write(np.arange(11), {"tokens": rng.standard_normal((11, 2, 5))})
    gallery = open_gallery(None, store.path, "tokens")
    queries = rng.standard_normal((900, 2, 5))
    cosines, rows = gallery.nearest(queries)
    assert cosines.shape == (900, 11)
    true = 12.0
    shown = []
    for scores, places in zip(cosines, rows, strict=True):
        sure = confidences(scores, true)
        assert sure.sum() == pytest.approx(1)
        shown.append(f"pic{places[rng.choice(11, p=sure)]}")
    part = Prediction(SUBJECT, shown, {"tokens": queries.astype(np.float32)})
    path = tmp_path / "v.h5"
    write_predictions(path, "d", [part], {"side": "validation", "embedding": "tiny-clip"})
    assert fit_sharpness(path, SUBJECT, gallery, "tokens", "tiny-clip") == pytest.approx(
        12, rel=0.2
    )


@pytest.mark.parametrize(
    ("attrs", "ids", "who", "message"),
    [
        ({"side": "test"}, ["pic1"], SUBJECT, "not predictions of validation trials"),
        ({"side": "validation", "embedding": "x"}, ["pic1"], SUBJECT, "of another embedding"),
        ({"side": "validation"}, ["pic1"], "b", "no predictions of this subject"),
        ({"side": "validation"}, ["other"], SUBJECT, r"1 validation pictures \(first: other\)"),
    ],
)
def test_what_cannot_tell_how_sure_a_choice_is(tmp_path, gallery, attrs, ids, who, message):
    part = Prediction(who, ids, {"tokens": np.ones((1, 2, 5), np.float32)})
    write_predictions(tmp_path / "v.h5", "d", [part], attrs)
    with pytest.raises(DataError, match=message):
        fit_sharpness(tmp_path / "v.h5", SUBJECT, gallery, "tokens", "tiny-clip")


def test_pictures_of_another_embedding(world, gallery):
    with pytest.raises(ConfigError, match="the decoder gives tokens of vit"):
        gallery.check("vit", "tokens", 10)
    with pytest.raises(ConfigError, match="give one of --bank and --embeddings"):
        open_gallery(None, None, "tokens")
    with pytest.raises(DataError, match="no array 'pooled'"):
        open_gallery(None, world.embeddings, "pooled")


class Broken:
    """A stream that stands still, is lost, and comes back in another order."""

    def __init__(self, raw):
        names = [*NAMES, TRIGGER]
        self._samples = raw.get_data().T
        self._orders = [list(range(8)), [5, 2, 7, 0, 1, 6, 3, 4]]
        self._names, self.generation, self.ended = names, 0, False
        self._turn, self._late = 0, 0.0
        self._connect()

    def _connect(self):
        self._order = self._orders[self.generation]
        names = tuple(self._names[k] for k in self._order)
        self.description = Description("amp", names, SFREQ)
        self.generation += 1

    def pull(self, timeout_s):
        self._turn += 1
        if self._turn == 3:
            return None
        if self._turn == 5:
            self._connect()
            return None
        if self._turn > 9:
            self.ended = True
            return None
        start = 100 * self._turn
        part = slice(start, start + 100)
        stamps = np.arange(start, start + 100) / SFREQ
        self._late = 2.0 if self._turn == 9 else 0.0
        samples = self._samples[part][:, self._order]
        return Chunk(samples, stamps, time.perf_counter())

    def clock(self):
        return (100 * self._turn + 99) / SFREQ + self._late

    def close(self):
        pass


def test_the_loop_survives_pauses_losses_and_delay(world, raw):
    trials, told = [], []

    def decide(trial):
        trials.append(trial)
        return [Choice("a", 1.0)]

    def windows(source):
        return LiveWindows(world.front_end, 2, source.description, WindowOptions(hop_ms=250))

    kept = run_loop(Broken(raw), windows, decide, [told.append])
    assert [each.number for each in told] == list(range(len(told)))
    assert all(np.isfinite(each).all() for each in trials)
    # 2 s behind the clock: passed over
    late = [each for each in told if each.problem]
    assert all(each.problem.endswith(" ms behind the stream, passed over") for each in late)
    assert (kept.n_decided, kept.n_unusable) == (len(trials), len(late))
    assert len(late) == 2
    assert all(0 <= each.latency_ms < 5000 for each in told)
    assert 0 <= told[0].age_ms < 1000
    # after the return everything begins again, with the channels where they are now
    fresh = LiveWindows(
        world.front_end, 2, Description("s", (*NAMES, TRIGGER), SFREQ), WindowOptions(hop_ms=250)
    )
    samples = raw.get_data().T[600:900]
    expected = list(fresh.feed(Chunk(samples, np.arange(600, 900) / SFREQ, 0.0)))
    for found, each in zip(trials[-len(expected) :], expected, strict=True):
        np.testing.assert_array_equal(found, each.trial)


def test_the_loop_stops_after_enough(world, raw):
    def windows(source):
        return LiveWindows(world.front_end, 2, source.description)

    source = Replay(raw, "r", speed=0.0)
    kept = run_loop(source, windows, lambda trial: [], limits=Limits(7))
    assert kept.n_decided == 7
    assert not source.ended


def test_replay_keeps_the_pace_of_the_recording(raw):
    source, began = Replay(raw, "r", speed=10.0, chunk_s=0.5), time.perf_counter()
    sizes = []
    while not source.ended:
        chunk = source.pull(0.01)
        sizes += [] if chunk is None else [len(chunk.samples)]
    assert sizes == [100] * 10
    assert 0.5 <= time.perf_counter() - began < 2.0


def test_percentiles():
    kept = Latencies()
    for number in range(1, 102):
        kept.add(decision(latency_ms=float(number), problem="" if number < 101 else "x"))
    assert kept.percentiles() == pytest.approx({"p50": 50.5, "p95": 95.05, "p99": 99.01})
    assert kept.percentiles("age_ms") == {}
    assert (kept.n_decided, kept.n_unusable) == (100, 1)


def test_lines_of_the_terminal():
    file = io.StringIO()
    Terminal(file)(decision(filled_ms=30.0))
    text = file.getvalue()
    assert "\x1b" not in text
    assert text.count("\n") == 1
    assert "[face]  a?[2J <b>cat</b> (0.50 p 0.75) | p (0.25)  8.0 ms, 30 ms filled in" in text
    assert line(decision(choices=(), problem="lost")).endswith("- lost")


def test_the_table_of_decisions_appears_whole(tmp_path):
    log = LogFile(tmp_path / "log.csv", 2)
    log(decision(age_ms=3.5))
    log(decision(choices=(), problem="30 ms were lost", label='=1,"x'))
    assert [each.name[0] for each in tmp_path.iterdir()] == ["."]
    log.close()
    assert [each.name for each in tmp_path.iterdir()] == ["log.csv"]
    with (tmp_path / "log.csv").open(newline="") as file:
        first, second = csv.DictReader(file)
    assert (first["id_1"], first["confidence_1"]) == ("pic3", "0.750000")
    assert first["confidence_2"] == ""
    assert first["age_ms"] == "3.500000"
    assert (second["problem"], second["label"], second["id_1"]) == (
        "30 ms were lost",
        '=1,"x',
        None,
    )


@pytest.fixture
def page():
    made = WebPage(0, "amp <script>", {"pic 3/é": b"\x89PNG"}.get)
    yield made
    made.close()


def get(url, host=None):
    request = urllib.request.Request(url, headers={"Host": host} if host else {})
    return urllib.request.urlopen(request, timeout=10)


def test_the_web_page(page):
    assert page.url.startswith("http://127.0.0.1:")
    with get(page.url) as answer:
        assert "script-src 'self'" in answer.headers["Content-Security-Policy"]
        assert b"stream.js" in answer.read()
    for name, kind in (("stream.js", "text/javascript"), ("stream.css", "text/css")):
        with get(page.url + name) as answer:
            assert answer.headers["Content-Type"].startswith(kind)
    with get(page.url + "picture/pic%203%2F%C3%A9") as answer:
        assert answer.read() == b"\x89PNG"
    with get(page.url + "title") as answer:
        assert answer.headers["Content-Type"].startswith("text/plain")
        assert answer.read() == b"amp <script>"


@pytest.mark.parametrize("path", ["picture/nobody", "etc/passwd", "../page.py", "picture/../x"])
def test_nothing_else_is_served(page, path):
    with pytest.raises(urllib.error.HTTPError) as found:
        get(page.url + path)
    assert found.value.code == 404
    found.value.close()


def test_pages_of_other_names_see_nothing(page):
    with pytest.raises(urllib.error.HTTPError) as found:
        get(page.url + "events", host="evil.example")
    assert found.value.code == 403
    found.value.close()


def test_events_reach_the_browser(page):
    page(decision(number=1))
    with get(page.url + "events") as answer:
        assert answer.readline().startswith(b"data: ")
        assert answer.readline() == b"\n"
        page(decision(number=2))
        content = json.loads(answer.readline().removeprefix(b"data: "))
    assert content["number"] == 2
    assert content["choices"][0]["caption"] == "a\x1b[2J <b>cat</b>"


def test_a_port_that_is_taken(page):
    port = int(page.url.rsplit(":", 1)[1].rstrip("/"))
    with pytest.raises(ConfigError, match=f"--serve {port}: "):
        WebPage(port, "t")
    with pytest.raises(ConfigError, match="--serve 70000: "):
        WebPage(70000, "t")
