"""A byte-pair vocabulary trimmed to the words that a small world needs."""

from __future__ import annotations

import gzip
from collections.abc import Iterable
from itertools import pairwise
from pathlib import Path

from open_clip.tokenizer import SimpleTokenizer

from neurodecode.files import atomic_path

Merge = tuple[str, str]


def needed_merges(words: Iterable[str]) -> list[Merge]:
    """Find the merges of CLIP's own vocabulary that some word goes through.

    Parameters
    ----------
    words : iterable of str
        Words of the captions.

    Returns
    -------
    list of (str, str)
        The merges in order of their rank; with them alone, every word is split as by the full
        vocabulary.
    """
    full = SimpleTokenizer()
    used: set[int] = set()
    for word in words:
        for token in full.pat.findall(full.clean_fn(word)):
            used.update(_merges_of(full, token))
    by_rank = {rank: merge for merge, rank in full.bpe_ranks.items()}
    return [by_rank[rank] for rank in sorted(used)]


def _merges_of(full: SimpleTokenizer, token: str) -> set[int]:
    """Ranks of the merges that turn one token's letters into vocabulary entries."""
    letters = [full.byte_encoder[b] for b in token.encode("utf-8")]
    parts = [*letters[:-1], letters[-1] + "</w>"]
    used: set[int] = set()
    while len(parts) > 1:
        pairs = list(pairwise(parts))
        best = min(pairs, key=lambda pair: full.bpe_ranks.get(pair, float("inf")))
        if best not in full.bpe_ranks:
            break
        used.add(full.bpe_ranks[best])
        merged, i = [], 0
        while i < len(parts):
            if i + 1 < len(parts) and (parts[i], parts[i + 1]) == best:
                merged.append(parts[i] + parts[i + 1])
                i += 2
            else:
                merged.append(parts[i])
                i += 1
        parts = merged
    return used


def write_trimmed_merges(path: Path, words: Iterable[str]) -> None:
    """Write the merges that `words` need, in the file format of open_clip's tokenizer.

    Parameters
    ----------
    path : Path
        Target, ``.txt.gz``; the same words give the same bytes.
    words : iterable of str
        Words of the captions.
    """
    lines = ["#version: 0.2", *(" ".join(merge) for merge in needed_merges(words))]
    with atomic_path(path) as temporary:
        temporary.write_bytes(gzip.compress("\n".join(lines).encode("utf-8"), mtime=0))


def load_tokenizer(path: Path, context_length: int) -> SimpleTokenizer:
    """Open a trimmed vocabulary.

    Parameters
    ----------
    path : Path
        File written by `write_trimmed_merges`.
    context_length : int
        Tokens a text is padded or cut to.

    Returns
    -------
    SimpleTokenizer
        open_clip's tokenizer over the trimmed vocabulary.
    """
    return SimpleTokenizer(bpe_path=str(path), context_length=context_length)
