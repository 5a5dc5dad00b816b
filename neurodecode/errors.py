"""Errors that reach a user: one line that says where, what, and what to do about it."""

from __future__ import annotations

import errno
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

__all__ = [
    "ConfigError",
    "DataError",
    "LeakError",
    "MissingWeightsError",
    "NeurodecodeError",
    "WeightsError",
    "about",
    "naming_full_disk",
    "unknown_subject",
]

_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_FULL_TEXTS = ("No space left", "Disk quota exceeded", "File too large")


class NeurodecodeError(Exception):
    """Base of every error that the command line turns into one line and exit code 2."""


class ConfigError(NeurodecodeError):
    """A parameter or configuration file asks for something impossible."""


def unknown_subject(subject: str, known: Iterable[str]) -> ConfigError:
    """Say that a model was not trained on a subject, and how it learns to read one more.

    Parameters
    ----------
    subject : str
        Who was asked for.
    known : iterable of str
        Who the model was trained on.

    Returns
    -------
    ConfigError
        To be raised.
    """
    return ConfigError(
        f"the model has never seen subject {subject}; known: {', '.join(sorted(known))};"
        f" `neurodecode adapt --from RUN --subject {subject} --trials N` trains an adapter for it"
    )


class LeakError(NeurodecodeError):
    """A split in which something of the test set is also in training."""


class WeightsError(NeurodecodeError):
    """Model weights that are absent, incomplete or not the ones expected."""


class MissingWeightsError(WeightsError):
    """Weights that are not on this machine.

    Parameters
    ----------
    problem : str
        Which file is missing, and where to get it.
    source : str
        Address of the weights.
    """

    def __init__(self, problem: str, source: str) -> None:
        super().__init__(problem)
        self.source = source


class DataError(NeurodecodeError):
    """A recording, stimulus set or store that cannot be used as it is.

    Parameters
    ----------
    problem : str
        What is wrong, in a few words ("file is truncated", "3 voxels are NaN").
    file : path-like, optional
        The file concerned.
    subject : str, optional
        The subject concerned.
    field : str, optional
        The key, column, data set or argument concerned.
    fix : str, optional
        What the user can do about it.
    """

    def __init__(
        self,
        problem: str,
        *,
        file: str | Path | None = None,
        subject: str | None = None,
        field: str | None = None,
        fix: str | None = None,
    ) -> None:
        self.problem, self.fix = problem, fix
        self.file = None if file is None else str(file)
        self.subject, self.field = subject, field
        where = [
            f"{name} {value}"
            for name, value in (("file", self.file), ("subject", subject), ("field", field))
            if value is not None
        ]
        message = f"{', '.join(where)}: {problem}" if where else problem
        super().__init__(f"{message}; {fix}" if fix else message)


@contextmanager
def about(*, file: str | Path | None = None, subject: str | None = None) -> Iterator[None]:
    """Add to a `DataError` from inside what only the caller knows; what it names itself stays.

    Parameters
    ----------
    file : path-like, optional
        The file that is being worked on.
    subject : str, optional
        The subject that is being worked on.

    Raises
    ------
    DataError
        The same, with file and subject.
    """
    try:
        yield
    except DataError as error:
        raise DataError(
            error.problem,
            file=error.file or file,
            subject=error.subject or subject,
            field=error.field,
            fix=error.fix,
        ) from error


@contextmanager
def naming_full_disk(path: str | Path | None = None) -> Iterator[None]:
    """Turn what a full disk, a quota or a limit on the size of files raises into one line.

    Parameters
    ----------
    path : path-like, optional
        What is being written, where one knows.

    Raises
    ------
    DataError
        If there is no space for it.
    """
    try:
        yield
    except (OSError, RuntimeError) as error:
        # h5py raises OSError or RuntimeError in which only the text, not errno, tells the cause
        code = getattr(error, "errno", None)
        if code in _FULL or any(text in str(error) for text in _FULL_TEXTS):
            raise DataError(
                "no space left on the disk", file=path, fix="free some space and run again"
            ) from error
        raise
