"""Drawing pictures in parts that outlive an interruption and may be drawn by several commands."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from neurodecode.store import Prediction, read_predictions, write_predictions
from neurodecode.store.shards import Shard

__all__ = ["DrawnParts"]

_ROWS = 50


class DrawnParts:
    """Finished pieces of a file of reconstructions, in a hidden folder beside it.

    A piece is a file of its own that appears complete, so commands on several machines with one
    file system may fill the folder together.

    Parameters
    ----------
    out : Path
        File of all reconstructions.
    settings : mapping
        Everything that the pictures depend on, plain JSON values; pieces drawn with others are
        left alone.
    """

    def __init__(self, out: Path, settings: dict[str, Any]) -> None:
        text = json.dumps(settings, sort_keys=True)
        self.root = out.with_name(f".{out.stem}.parts")
        self.folder = self.root / hashlib.sha256(text.encode()).hexdigest()[:16]

    def draw(
        self,
        predictions: Sequence[Prediction],
        work: Callable[[Prediction], Prediction],
        shard: Shard | None = None,
        skipped: Callable[[int], None] = lambda n: None,
    ) -> list[Prediction] | None:
        """Draw what is missing.

        Parameters
        ----------
        predictions : sequence of Prediction
            All subjects and folds.
        work : callable
            Draws a piece.
        shard : Shard, optional
            Draw this part of the pieces alone.
        skipped : callable
            Told the number of rows that had been drawn before, for a progress bar.

        Returns
        -------
        list of Prediction or None
            All pictures in the order of `predictions`; None for a shard.
        """
        pieces = [
            (number, rows)
            for number, each in enumerate(predictions)
            for rows in _runs(len(each.stimulus_id))
        ]
        chosen = range(len(pieces)) if shard is None else shard.blocks(len(pieces))
        for index in chosen:
            number, rows = pieces[index]
            path = self.folder / f"{index:06d}.h5"
            if path.is_file():
                skipped(rows.stop - rows.start)
            else:
                write_predictions(path, "part", [work(_rows(predictions[number], rows))])
        if shard is not None:
            return None
        drawn: list[list[Prediction]] = [[] for _ in predictions]
        for index, (number, _) in enumerate(pieces):
            drawn[number] += read_predictions(self.folder / f"{index:06d}.h5").predictions
        return [_join(each, parts) for each, parts in zip(predictions, drawn, strict=True)]

    def clear(self) -> None:
        """Delete all pieces; what they were drawn for is written."""
        shutil.rmtree(self.root, ignore_errors=True)


def _runs(n: int) -> list[slice]:
    return [slice(start, min(start + _ROWS, n)) for start in range(0, n, _ROWS)]


def _rows(prediction: Prediction, rows: slice) -> Prediction:
    arrays = {name: values[rows] for name, values in prediction.arrays.items()}
    return replace(prediction, stimulus_id=prediction.stimulus_id[rows], arrays=arrays)


def _join(whole: Prediction, parts: Sequence[Prediction]) -> Prediction:
    arrays = {
        name: np.concatenate([part.arrays[name] for part in parts]) for name in parts[0].arrays
    }
    # scores against candidates belong to what was decoded, not to the pictures
    return replace(whole, arrays=arrays, candidate_id=())
