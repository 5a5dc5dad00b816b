"""Work divided among commands that run at the same time: ``--shard 2/4``."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from neurodecode.errors import ConfigError

__all__ = ["Shard"]


@dataclass(frozen=True)
class Shard:
    """One of several equal parts of the work.

    Parameters
    ----------
    number : int
        Which part, from 1.
    count : int
        How many parts there are.

    Raises
    ------
    ConfigError
        If there is no such part.
    """

    number: int
    count: int

    def __post_init__(self) -> None:
        if not 1 <= self.number <= self.count:
            raise ConfigError(
                f"--shard {self.number}/{self.count}: give a part from 1 to {self.count}"
            )

    @classmethod
    def parse(cls, text: str) -> Shard:
        """Read ``i/n``.

        Parameters
        ----------
        text : str
            As on the command line.

        Returns
        -------
        Shard
            The part.

        Raises
        ------
        ConfigError
            If the text is no such thing.
        """
        found = re.fullmatch(r"(\d+)/(\d+)", text)
        if not found:
            raise ConfigError(f"--shard {text}: write i/n, as in 2/4")
        return cls(int(found[1]), int(found[2]))

    def blocks(self, n_blocks: int) -> range:
        """Its blocks, of those that everybody numbers alike; a run, as even as can be.

        Parameters
        ----------
        n_blocks : int
            Blocks of the whole work.

        Returns
        -------
        range
            Numbers of blocks.
        """
        bounds = np.linspace(0, n_blocks, self.count + 1).round().astype(int).tolist()
        return range(bounds[self.number - 1], bounds[self.number])

    def path(self, path: Path) -> Path:
        """File of this part, beside that of the whole.

        Parameters
        ----------
        path : Path
            File of the whole.

        Returns
        -------
        Path
            ``tokens.shard-2-of-4.h5`` for ``tokens.h5``.
        """
        return path.with_name(f"{path.stem}.shard-{self.number}-of-{self.count}{path.suffix}")
