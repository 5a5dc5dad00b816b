"""Embedding in parts that several commands make at the same time."""

from __future__ import annotations

import numpy as np
import pytest

from neurodecode.cli import main
from neurodecode.embed import embed_stimuli
from neurodecode.errors import ConfigError, DataError
from neurodecode.store import EmbeddingStore, write_stimuli
from neurodecode.store.shards import Shard


@pytest.mark.parametrize(("n_blocks", "count"), [(7, 3), (2, 5), (12, 4), (1, 1)])
def test_shards_divide_the_blocks(n_blocks, count):
    parts = [Shard(number, count).blocks(n_blocks) for number in range(1, count + 1)]
    assert [block for part in parts for block in part] == list(range(n_blocks))
    assert max(map(len, parts)) - min(map(len, parts)) <= 1


@pytest.mark.parametrize("text", ["0/3", "4/3", "3", "1/0", "-1/3", "a/b"])
def test_what_is_no_shard_is_refused(text):
    with pytest.raises(ConfigError, match=f"--shard {text}: "):
        Shard.parse(text)


def test_joined_shards_are_the_bytes_of_one_run(tmp_path, stimuli, tiny_clip):
    options = {"batch_size": 2, "quiet": True}
    embed_stimuli(stimuli, tiny_clip, tmp_path / "whole.h5", **options)
    for number in (3, 1):  # the second is missing: its machine was never started
        part = embed_stimuli(
            stimuli, tiny_clip, tmp_path / "e.h5", shard=Shard(number, 3), **options
        )
        assert part.path.name == f"e.shard-{number}-of-3.h5"
    assert not (tmp_path / "e.h5").exists()
    calls = []
    plain = tiny_clip.encode_images
    tiny_clip.encode_images = lambda images: (calls.append(len(images)), plain(images))[1]
    embed_stimuli(stimuli, tiny_clip, tmp_path / "e.h5", **options)
    # seven pictures are four batches: one for the shapes, two of the missing part
    n_missing = len(Shard(2, 3).blocks(4))
    assert calls == [1] + [2] * n_missing
    assert (tmp_path / "e.h5").read_bytes() == (tmp_path / "whole.h5").read_bytes()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["e.h5", "whole.h5"]


def test_parts_of_another_embedder_or_of_other_stimuli_are_refused(tmp_path, stimuli, tiny_clip):
    options = {"batch_size": 2, "quiet": True}
    embed_stimuli(stimuli, tiny_clip, tmp_path / "e.h5", shard=Shard(1, 2), **options)
    with pytest.raises(DataError, match=r"shard-1-of-2.h5.*another embedder"):
        embed_stimuli(stimuli, tiny_clip, tmp_path / "e.h5", batch_size=3, quiet=True)
    with pytest.raises(DataError, match=r"shard-1-of-2.h5.*another stimulus"):
        embed_stimuli(stimuli.select(stimuli.ids[1:]), tiny_clip, tmp_path / "e.h5", **options)
    assert not (tmp_path / "e.h5").exists()
    with pytest.raises(ConfigError, match=r"--shard 1/9: nothing left"):
        embed_stimuli(stimuli, tiny_clip, tmp_path / "f.h5", shard=Shard(1, 9), **options)


def test_command(tmp_path, stimuli, capsys):
    write_stimuli(tmp_path / "stimuli.h5", stimuli)
    words = ["embed", "--stimuli", str(tmp_path / "stimuli.h5"), "--model", "gabor", "--quiet",
             "--batch-size", "2", "--out", str(tmp_path / "g.h5")]  # fmt: skip
    for shard in ("1/2", "2/2"):
        assert main([*words, "--shard", shard]) == 0
    assert main(words) == 0
    store = EmbeddingStore(tmp_path / "g.h5")
    assert store.ids == stimuli.ids
    name = next(iter(store.shapes))
    assert np.isfinite(store.read(name)).all()
    assert not list(tmp_path.glob("*shard*"))
    assert main([*words, "--shard", "3/2"]) == 2
    assert "give a part from 1 to 2" in capsys.readouterr().err
