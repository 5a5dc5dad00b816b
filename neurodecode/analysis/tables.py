"""The tables that `neurodecode evaluate` writes, as typed pandas frames."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from neurodecode.errors import DataError
from neurodecode.metrics.records import read_records, records_frame

__all__ = [
    "CANDIDATES",
    "CONFUSION",
    "DIFFERENCES",
    "ENCODING_DIFFERENCES",
    "GENERALISATION",
    "ITEMS",
    "RECORDS",
    "UNITS",
    "read_records_table",
    "read_table",
]

#: One row for each test stimulus and metric.
ITEMS: Mapping[str, type] = {
    "dataset": str,
    "subject": str,
    "task": str,
    "method": str,
    "metric": str,
    "fold": int,
    "stimulus_id": str,
    "value": float,
}
#: One row for each test stimulus: at which rank it was found, and which candidates came first.
CANDIDATES: Mapping[str, type] = {
    "dataset": str,
    "subject": str,
    "method": str,
    "fold": int,
    "stimulus_id": str,
    "rank": float,
    "top5": str,
    "n_candidates": int,
}
#: One row for each pair of true and predicted class.
CONFUSION: Mapping[str, type] = {
    "dataset": str,
    "subject": str,
    "method": str,
    "true": str,
    "predicted": str,
    "count": int,
}
#: One row for each time of training and testing.
GENERALISATION: Mapping[str, type] = {
    "dataset": str,
    "method": str,
    "target": str,
    "subject": str,
    "trained_s": float,
    "tested_s": float,
    "two_way": float,
}
#: One row for each two methods, metric and subject (or their mean): method minus baseline.
DIFFERENCES: Mapping[str, type] = {
    "dataset": str,
    "task": str,
    "method": str,
    "baseline": str,
    "metric": str,
    "subject": str,
    "difference": float,
    "ci_low": float,
    "ci_high": float,
    "n": int,
    "trials": str,
}
#: One row for each two encoders, region ("" for all units) and subject (or their mean).
ENCODING_DIFFERENCES: Mapping[str, type] = {
    "dataset": str,
    "task": str,
    "method": str,
    "baseline": str,
    "metric": str,
    "region": str,
    "subject": str,
    "difference": float,
    "ci_low": float,
    "ci_high": float,
    "n": int,
}
#: One row for each voxel or neuron, method and fold.
UNITS: Mapping[str, type] = {
    "dataset": str,
    "subject": str,
    "method": str,
    "fold": int,
    "unit": int,
    "region": str,
    "pearson_r": float,
}
#: The columns of a table of MetricRecords; further ones come from ``extra``.
RECORDS: Mapping[str, type] = {
    "profile": str,
    "dataset": str,
    "subject": str,
    "task": str,
    "method": str,
    "metric": str,
    "value": float,
    "ci_low": float,
    "ci_high": float,
    "chance": float,
    "n": int,
    "n_candidates": float,
    "n_averaged": float,
    "selection_split": str,
    "transductive": bool,
    "seed": float,
    "version": str,
}
_DTYPES = {str: "str", int: "int64", float: "float64", bool: "bool"}


def empty_table(columns: Mapping[str, type]) -> pd.DataFrame:
    """Make a table without rows.

    Parameters
    ----------
    columns : mapping of str to type
        Column names and what they hold.

    Returns
    -------
    DataFrame
        Empty, with typed columns.
    """
    return pd.DataFrame({name: pd.Series(dtype=_DTYPES[kind]) for name, kind in columns.items()})


def read_table(path: str | Path, columns: Mapping[str, type]) -> pd.DataFrame:
    """Read one of the tables beside ``metrics.json``.

    Parameters
    ----------
    path : path-like
        CSV file; where it does not exist, an empty table is returned (a data set without
        pictures has no candidates, a retrieval task no confusion matrix).
    columns : mapping of str to type
        `ITEMS`, `CANDIDATES`, `CONFUSION` or `DIFFERENCES`.

    Returns
    -------
    DataFrame
        At least the columns asked for. Text stays text: subject ``01`` is not a number.

    Raises
    ------
    DataError
        If a column is missing or holds something else than it should.
    """
    path = Path(path)
    if not path.is_file():
        return empty_table(columns)
    try:
        frame = pd.read_csv(path, dtype="str", keep_default_na=False, encoding="utf-8")
    except pd.errors.EmptyDataError:
        frame = pd.DataFrame()
    except (pd.errors.ParserError, UnicodeDecodeError) as error:
        raise DataError(
            "not a readable table", file=path, fix="run `neurodecode evaluate`"
        ) from error
    for name, kind in columns.items():
        if name not in frame:
            raise DataError(
                "column is missing", file=path, field=name, fix="run `neurodecode evaluate`"
            )
        if kind is str:
            continue
        try:
            known = frame[name].mask(frame[name] == "")
            frame[name] = pd.to_numeric(known).astype(_DTYPES[kind])
        except ValueError as error:
            raise DataError(
                f"not a number ({error})", file=path, field=name, fix="run `neurodecode evaluate`"
            ) from error
    return frame


def read_records_table(path: str | Path) -> pd.DataFrame:
    """Read ``metrics.json`` as a table.

    Parameters
    ----------
    path : path-like
        List of MetricRecords, as `neurodecode evaluate` writes it.

    Returns
    -------
    DataFrame
        One row for each record, in the order of the file; numbers that are absent (``null``)
        are NaN.

    Raises
    ------
    DataError
        If the file is missing, or a record in it is not valid.
    """
    records = read_records(path)
    if not records:
        return empty_table(RECORDS)
    frame = records_frame(records)
    for name, kind in RECORDS.items():
        if kind is float:
            frame[name] = pd.to_numeric(frame[name]).astype("float64")
    return frame
