"""`captions`: captions of pictures that are held out never get into a bank."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from neurodecode.cli import main
from neurodecode.embed import CaptionBank
from neurodecode.recording import StimulusSet, content_id
from neurodecode.splits import Fold, Split, write_split
from neurodecode.store import write_stimuli


@pytest.fixture
def world(tmp_path: Path) -> Path:
    images = np.random.default_rng(2).integers(0, 256, (6, 8, 9, 3), np.uint8)
    ids = [content_id(image) for image in images]
    # a shown one, validation, test, one that nobody saw, a look-alike of the test picture
    words = ["a red ball", "a blue ball", "a green cube", "a cat", "a green box", "a red ball"]
    write_stimuli(tmp_path / "stimuli.h5", StimulusSet(ids, images, [[w] for w in words]))
    fold = Fold((ids[0], ids[5]), (ids[1],), (ids[2],))
    split = Split("test", "stimulus", (fold,), duplicates=((ids[2], ids[4]),))
    write_split(tmp_path / "splits.json", split)
    return tmp_path


def test_held_out_captions_stay_out(world: Path) -> None:
    words = ["captions", "--stimuli", world / "stimuli.h5", "--splits", world / "splits.json",
             "--model", "mini-clip", "--out", world / "bank.h5", "--quiet"]  # fmt: skip
    assert main([str(word) for word in words]) == 0
    bank = CaptionBank(world / "bank.h5")
    assert sorted(bank.store.ids) == ["a cat", "a red ball"]
    assert bank.embedder == "mini-clip"
    assert len(bank.store.attrs["split"]) == 32


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["--stimuli", "stimuli.h5"], "--stimuli needs --splits"),
        (["--stimuli", "stimuli.h5", "--splits", "splits.json", "--fold", "3"], "folds 0 to 0"),
        (["--texts", "stimuli.h5"], "not UTF-8 text"),
        (["--texts", "none.txt"], "none.txt"),
    ],
)
def test_refusals(
    world: Path, options: list[str], says: str, capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.chdir(world)
    assert main(["captions", *options, "--model", "mini-clip", "--out", "bank.h5", "--quiet"]) == 2
    said = capsys.readouterr().err
    assert says in said
    assert said.count("\n") == 1
    assert not (world / "bank.h5").exists()
