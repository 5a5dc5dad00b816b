"""Small text tables: read by column name, written column by column."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from neurodecode.errors import DataError

__all__ = ["read_table", "write_table"]


def read_table(path: str | Path, columns: Sequence[str], sep: str = ",") -> dict[str, list[str]]:
    """Read some columns of a table with a header line.

    Parameters
    ----------
    path : path-like
        Text file, UTF-8.
    columns : sequence of str
        Names of the columns wanted.
    sep : str
        What separates the columns.

    Returns
    -------
    dict of str to list of str
        Text of each column.

    Raises
    ------
    DataError
        If the file is missing or truncated, or a column is.
    """
    if not Path(path).is_file():
        raise DataError("file is missing", file=path, fix="check the path or download it again")
    try:
        with open(path, newline="", encoding="utf-8-sig") as file:
            reader = csv.reader(file, delimiter=sep)
            header = next(reader, [])
            rows = [row for row in reader if row]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise DataError("table cannot be read", file=path, fix="download it again") from error
    for column in columns:
        if column not in header:
            known = ", ".join(name for name in header[:12] if name) or "none"
            raise DataError(f"column is missing (found: {known})", file=path, field=column)
    places = {column: header.index(column) for column in columns}
    short = next((n for n, row in enumerate(rows, start=2) if len(row) < len(header)), None)
    if short is not None:
        raise DataError(f"line {short} is cut off", file=path, fix="download it again")
    return {column: [row[place] for row in rows] for column, place in places.items()}


def write_table(path: str | Path, columns: Mapping[str, Sequence[Any]], sep: str = ",") -> None:
    """Write a table with a header line.

    Parameters
    ----------
    path : path-like
        Text file to write; its folder is made.
    columns : mapping of str to sequence of length n
        The columns.
    sep : str
        What separates them.
    """
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    with open(path, "w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, delimiter=sep, lineterminator="\n")
        writer.writerow(columns)
        writer.writerows(zip(*columns.values(), strict=True))
