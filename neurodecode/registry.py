"""A registry is a plain dict that is filled by a decorator."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from neurodecode.errors import ConfigError

__all__ = ["Registry"]

T = TypeVar("T")


class Registry(dict[str, T]):
    """Name -> object, with an error that lists the known names.

    Parameters
    ----------
    kind : str
        What the registry holds, for the error message ("data set", "generator").

    Examples
    --------
    >>> SHAPES = Registry("shape")
    >>> @SHAPES.register("square")
    ... def square(side): return side * side
    >>> SHAPES["square"](7)
    49
    """

    def __init__(self, kind: str) -> None:
        super().__init__()
        self.kind = kind

    def register(self, name: str) -> Callable[[T], T]:
        """Return a decorator that files its object under `name`.

        Parameters
        ----------
        name : str
            Key; registering a key twice is a programming error.

        Returns
        -------
        callable
            The decorator; it returns the object unchanged.

        Raises
        ------
        ValueError
            If the name is already taken.
        """

        def decorate(item: T) -> T:
            """File the object and hand it back unchanged."""
            if name in self:
                raise ValueError(f"{self.kind} {name!r} is registered twice")
            self[name] = item
            return item

        return decorate

    def __missing__(self, name: str) -> T:
        raise ConfigError(f"unknown {self.kind} {name!r}; known: {', '.join(sorted(self))}")
