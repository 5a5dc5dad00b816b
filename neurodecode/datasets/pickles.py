"""Published ``.npy`` files that hold a pickled dict of arrays, read without running their code."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import numpy as np

from neurodecode.errors import DataError

__all__ = ["read_array_dict"]

#: Everything that a dict of arrays, lists, texts and numbers needs. Nothing here runs code that
#: the file chooses.
_ALLOWED = {
    ("numpy", "dtype"),
    ("numpy", "ndarray"),
    ("numpy.core.multiarray", "_reconstruct"),
    ("numpy._core.multiarray", "_reconstruct"),
    ("numpy.core.multiarray", "scalar"),
    ("numpy._core.multiarray", "scalar"),
    ("numpy.core.numeric", "_frombuffer"),
    ("numpy._core.numeric", "_frombuffer"),
    ("_codecs", "encode"),  # bytes of arrays that Python 2 protocols wrote
}


class _ArraysOnly(pickle.Unpickler):
    """Builds arrays and plain values, and refuses every other name."""

    def find_class(self, module: str, name: str) -> Any:
        """Give one of the few harmless functions."""
        if (module, name) not in _ALLOWED:
            raise pickle.UnpicklingError(f"{module}.{name}")
        return super().find_class(module, name)


def read_array_dict(path: str | Path) -> dict[str, Any]:
    """Read a dict of arrays that was saved with numpy's pickle or as a bare pickle.

    Both forms are published under the ending ``.npy``: `numpy.save` of a dict (an array of no
    axes around it) and `pickle.dump`. Only numpy arrays, texts, numbers, lists and dicts are
    built; a file that names anything else is refused before it runs.

    Parameters
    ----------
    path : path-like
        The file.

    Returns
    -------
    dict
        Its content.

    Raises
    ------
    DataError
        If the file is missing, truncated, holds other objects, or is no dict.
    """
    path = Path(path)
    try:
        with open(path, "rb") as file:
            start = file.read(6)
            file.seek(0)
            if start == b"\x93NUMPY":
                version = np.lib.format.read_magic(file)
                if version == (1, 0):
                    shape, _, dtype = np.lib.format.read_array_header_1_0(file)
                else:
                    shape, _, dtype = np.lib.format.read_array_header_2_0(file)
                if shape != () or dtype != np.dtype(object):
                    raise DataError(
                        f"expected a dict, found an array of shape {shape} of {dtype}", file=path
                    )
            content = _ArraysOnly(file).load()
    except FileNotFoundError as error:
        raise DataError("file is missing", file=path, fix="download it") from error
    except pickle.UnpicklingError as error:
        if "." in str(error) and " " not in str(error):
            raise DataError(
                f"file asks for {error}, which is neither an array nor a plain value, and is"
                " refused",
                file=path,
                fix="use the file of the publisher",
            ) from error
        raise _damaged(path) from error
    except (
        EOFError,
        ValueError,
        OSError,
        IndexError,
        KeyError,
        AttributeError,
        TypeError,
    ) as error:
        raise _damaged(path) from error
    if isinstance(content, np.ndarray) and content.shape == ():
        content = content.item()
    if not isinstance(content, dict):
        raise DataError(f"expected a dict, found {type(content).__name__}", file=path)
    return content


def _damaged(path: Path) -> DataError:
    return DataError("file is truncated or damaged", file=path, fix="download it again")
