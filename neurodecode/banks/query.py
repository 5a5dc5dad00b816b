"""Predictions sought in a bank: is it the same embedding, and the table of what was found."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from neurodecode.banks.bank import Bank
from neurodecode.banks.searcher import Searcher
from neurodecode.errors import ConfigError, DataError, about
from neurodecode.files import atomic_path
from neurodecode.store import read_predictions
from neurodecode.store.predictions import PredictionFile

__all__ = ["check_embedding", "search_predictions", "write_table"]


def check_embedding(content: PredictionFile, bank: Bank, file: str | Path) -> None:
    """Refuse predictions of another embedding than the bank's: their cosines would mean nothing.

    Parameters
    ----------
    content : PredictionFile
        Predictions, with ``embedding_fingerprint``, or at least ``embedding`` and ``target``.
    bank : Bank
        The bank.
    file : path-like
        Where the predictions are from.

    Raises
    ------
    DataError
        If embedding or array differ, or the file does not say.
    """
    if "embedding" not in content.attrs:
        raise DataError(
            "predictions do not say of which embedding they are",
            file=file,
            field="embedding",
            fix="give those of a decoder or of ridge",
        )
    name = "embedding_fingerprint" if "embedding_fingerprint" in content.attrs else "embedding"
    expected = bank.embedding["fingerprint" if name == "embedding_fingerprint" else "name"]
    if content.attrs[name] != expected:
        raise DataError(
            f"predictions of another embedding ({content.attrs['embedding']}) than the bank's"
            f" ({bank.embedding['name']}, {expected})",
            file=file,
            field=name,
            fix="build a bank with the embedding that was decoded",
        )
    target, array = content.attrs.get("target", "tokens"), bank.embedding["array"]
    # pictures and captions share the pooled space
    if target != array and {target, array} != {"pooled", "text"}:
        raise DataError(
            f"predictions of {target}, the bank holds {array}",
            file=file,
            field="target",
            fix=f"build the bank with --array {target}",
        )


def search_predictions(
    path: str | Path,
    bank: Bank,
    k: int,
    *,
    array: str = "tokens",
    n_probe: int = 32,
    refine: int = 10,
) -> pd.DataFrame:
    """Seek every decoded embedding of a file in a bank.

    Parameters
    ----------
    path : path-like
        Predictions.
    bank : Bank
        Where to search.
    k : int
        How many rows of the bank for each.
    array : str
        Array of the predictions that holds the decoded embedding.
    n_probe, refine : int
        See `neurodecode.banks.searcher.Searcher`.

    Returns
    -------
    DataFrame
        ``subject``, ``fold``, ``stimulus_id``, ``rank`` (from 1), ``id``, ``score`` (cosine) and
        ``caption``.

    Raises
    ------
    DataError
        If the predictions are of another embedding, or lack the array.
    """
    content = read_predictions(path)
    check_embedding(content, bank, path)
    searcher = Searcher(bank, n_probe=n_probe, refine=refine)
    parts = []
    for each in content.predictions:
        with about(file=path, subject=each.subject):
            scores, rows = searcher(each.array(array), k)
        n, ranks = len(rows), np.arange(1, k + 1)
        table = pd.DataFrame(
            {
                "subject": each.subject,
                "fold": each.fold,
                "stimulus_id": np.repeat(np.array(each.stimulus_id, dtype=object), k),
                "rank": np.tile(ranks, n),
                "row": rows.ravel(),
                "score": scores.ravel(),
            }
        )
        parts.append(table[table["row"] >= 0])
    found = pd.concat(parts, ignore_index=True)
    ids, captions = bank.items(found.pop("row").to_numpy())
    found.insert(4, "id", ids)
    return found.assign(caption=captions)


def write_table(table: pd.DataFrame, path: str | Path) -> None:
    """Write a table, complete or not at all.

    Parameters
    ----------
    table : DataFrame
        What was found.
    path : path-like
        ``.csv`` or ``.parquet``.

    Raises
    ------
    ConfigError
        If the suffix is another one, or what writes Parquet is not installed.
    """
    suffix = Path(path).suffix
    if suffix not in (".csv", ".parquet"):
        raise ConfigError(f"--out {path}: give a name that ends in .csv or .parquet")
    with atomic_path(path) as temporary:
        if suffix == ".csv":
            table.to_csv(temporary, index=False)
            return
        try:
            table.to_parquet(temporary, index=False)
        except ImportError as error:
            raise ConfigError(
                f"--out {path}: Parquet needs pyarrow, which is not installed; run"
                " `uv pip install 'neurodecode[banks]'`, or write .csv"
            ) from error
