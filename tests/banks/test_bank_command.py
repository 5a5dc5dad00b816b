"""`neurodecode bank` as a user runs it."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from neurodecode.banks import Bank
from neurodecode.cli import main
from neurodecode.datasets.mini.scenes import render, sample_scene
from neurodecode.embed import make_embedder
from neurodecode.store import Prediction, read_predictions, write_predictions

pytest.importorskip("faiss", reason="the extra `banks` is not installed")


def test_predictions_find_their_own_embeddings(stored, predictions, tmp_path):
    bank, table = tmp_path / "bank", tmp_path / "found.csv"
    build = ["bank", "build", "--embeddings", str(stored), "--array", "tokens", "--quiet"]
    assert main([*build, "--index", "flat", "--out", str(bank)]) == 0
    assert main(["bank", "check", "--bank", str(bank)]) == 0
    seek = ["bank", "search", "--bank", str(bank), "--predictions", str(predictions), "--top", "3"]
    assert main([*seek, "--out", str(table)]) == 0
    found = pd.read_csv(table, keep_default_na=False)
    assert list(found) == ["subject", "fold", "stimulus_id", "rank", "id", "score", "caption"]
    assert len(found) == (8 + 9) * 3
    assert found["rank"].tolist() == [1, 2, 3] * 17
    best = found[found["rank"] == 1]
    assert (best["stimulus_id"] == best["id"]).all()
    assert (best["score"] > 0.97).all()
    assert set(best["subject"]) == {"a.1", "b"}


def test_predictions_of_another_embedding_are_refused(stored, predictions, tmp_path, capsys):
    bank, given = tmp_path / "bank", read_predictions(predictions)
    build = ["bank", "build", "--embeddings", str(stored), "--quiet", "--out", str(bank)]
    assert main([*build, "--array", "tokens"]) == 0
    cases = [
        (dict(given.attrs) | {"embedding_fingerprint": "0"}, "predictions of another embedding"),
        ({"embedding": "other", "target": "tokens"}, "predictions of another embedding (other)"),
        (dict(given.attrs) | {"target": "pooled"}, "predictions of pooled, the bank holds tokens"),
        ({"task": "classification"}, "do not say of which embedding they are"),
    ]
    for attrs, problem in cases:
        write_predictions(predictions, "decoder", given.predictions, attrs)
        words = ["bank", "search", "--bank", str(bank), "--predictions", str(predictions)]
        assert main([*words, "--out", str(tmp_path / "found.csv")]) == 2
        said = capsys.readouterr().err
        assert problem in said
        assert str(predictions) in said
    assert not (tmp_path / "found.csv").exists()


@pytest.fixture(scope="module")
def pictures(tmp_path_factory):
    """Scenes of two sizes in a folder, some with captions."""
    folder = tmp_path_factory.mktemp("pictures")
    rng = np.random.default_rng(2)
    (folder / "below").mkdir()
    for number in range(11):
        image = render(sample_scene(rng), 64 if number % 2 else 72)
        place = folder / "below" if number > 7 else folder
        Image.fromarray(image).save(place / f"{number:02d}.png")
        if number % 3 == 0:
            (place / f"{number:02d}.txt").write_text(f"scene  no. {number}\n")
    (folder / "notes.md").write_text("no picture")
    return folder


def test_a_folder_of_pictures_and_a_file_of_captions(pictures, tmp_path):
    words = ["--model", "mini-clip", "--quiet", "--batch-size", "4"]
    bank = tmp_path / "pictures"
    assert main(["bank", "build", "--images", str(pictures), *words, "--out", str(bank)]) == 0
    built, embedder = Bank(bank), make_embedder("mini-clip")
    ids, captions = built.items(np.array([3, 9]))
    assert ids == ["03.png", "below/09.png"]
    assert captions == ["scene no. 3", "scene no. 9"]
    image = np.array(Image.open(pictures / "below" / "09.png"))
    pooled = embedder.encode_images(image[None])["pooled"][0]
    np.testing.assert_allclose(built.vectors[9], pooled / np.linalg.norm(pooled), atol=1e-5)

    lines = tmp_path / "captions.txt"
    lines.write_text("a red ball\n\na blue  house on grass\n")
    bank = tmp_path / "captions"
    assert main(["bank", "build", "--captions", str(lines), *words, "--out", str(bank)]) == 0
    assert Bank(bank).items(np.array([1, 0])) == (
        ["3", "1"],
        ["a blue house on grass", "a red ball"],
    )
    # a picture's decoded pooled embedding may be sought among captions
    given = Prediction("a", ["x"], {"tokens": pooled[None]})
    attrs = {"embedding": "mini-clip", "target": "pooled"}
    write_predictions(tmp_path / "p.h5", "decoder", [given], attrs)
    seek = ["bank", "search", "--bank", str(bank), "--predictions", str(tmp_path / "p.h5")]
    assert main([*seek, "--top", "2", "--out", str(tmp_path / "f.parquet")]) in (0, 2)
    assert main([*seek, "--top", "2", "--out", str(tmp_path / "f.csv")]) == 0
    expected = embedder.encode_texts(["a red ball"])[0]
    cosine = pooled @ expected / np.linalg.norm(pooled) / np.linalg.norm(expected)
    table = pd.read_csv(tmp_path / "f.csv").set_index("caption")
    assert table.loc["a red ball", "score"] == pytest.approx(cosine, abs=1e-5)


def test_tables_in_parquet_equal_those_in_csv(stored, predictions, tmp_path):
    pytest.importorskip("pyarrow")
    bank = tmp_path / "bank"
    build = ["bank", "build", "--embeddings", str(stored), "--array", "tokens", "--quiet"]
    assert main([*build, "--out", str(bank)]) == 0
    seek = ["bank", "search", "--bank", str(bank), "--predictions", str(predictions)]
    for name in ("f.csv", "f.parquet"):
        assert main([*seek, "--out", str(tmp_path / name)]) == 0
    one = pd.read_csv(tmp_path / "f.csv", keep_default_na=False)
    two = pd.read_parquet(tmp_path / "f.parquet")
    pd.testing.assert_frame_equal(one, two, check_dtype=False)


def test_bad_input_is_one_line(stored, pictures, tmp_path, capsys):
    broken = tmp_path / "broken"
    broken.mkdir()
    (broken / "a.png").write_bytes(b"no picture at all")
    out = ["--out", str(tmp_path / "bank"), "--quiet"]
    images = ["bank", "build", "--images", str(pictures)]
    cases = [
        (["bank", "build"], "give one of --images, --captions and --embeddings"),
        (images, "--images needs --model"),
        (["bank", "build", "--images", str(tmp_path / "gone"), "--model", "gabor"], "is missing"),
        ([*images, "--model", "gabor"], "--array pooled: gabor makes"),
        (["bank", "build", "--images", str(broken), "--model", "gabor"], "a.png: not a readable"),
        (["bank", "build", "--embeddings", str(stored), "--array", "tokns"], "no array 'tokns'"),
        (["bank", "build", "--embeddings", str(stored), "--batch-size", "0"], "--batch-size is 0"),
    ]  # fmt: skip
    for words, problem in cases:
        assert main([*words, *out]) == 2, words
        lines = capsys.readouterr().err.strip().splitlines()
        assert len(lines) == 1
        assert problem in lines[0]
    assert not (tmp_path / "bank").exists()
    seek = ["bank", "search", "--bank", str(tmp_path / "bank"), "--predictions", "p.h5"]
    assert main([*seek, "--out", "f.xlsx"]) == 2
    assert "ends in .csv or .parquet" in capsys.readouterr().err
    assert main([*seek, "--out", "f.csv"]) == 2
    assert "no finished bank" in capsys.readouterr().err
