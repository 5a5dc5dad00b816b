"""How much memory a large generator may use, and what lowers it when that is too little."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, fields
from typing import Any

import torch
from torch import nn

from neurodecode.errors import ConfigError

__all__ = ["Memory", "naming_memory", "resident"]

_DTYPES = {
    "float32": torch.float32,
    "float16": torch.float16,
    "bfloat16": torch.bfloat16,
}


@dataclass(frozen=True)
class Memory:
    """Where a generator runs and what it trades for memory.

    Parameters
    ----------
    device : str or None
        ``cpu``, ``cuda``, ``cuda:1``, ...; None takes a GPU where there is one.
    dtype : {"float32", "float16", "bfloat16"}
        Type of the networks. The solver itself always counts in float32.
    batch_size : int
        Pictures drawn at a time.
    offload : bool
        Keep on the device only the network that is running, the others on the CPU.
    vae_slicing : bool
        Encode and decode one picture at a time.
    vae_tiling : bool
        Encode and decode a large picture in overlapping tiles; seams may show faintly.
    """

    device: str | None = None
    dtype: str = "float32"
    batch_size: int = 4
    offload: bool = False
    vae_slicing: bool = False
    vae_tiling: bool = False

    def __post_init__(self) -> None:
        if self.dtype not in _DTYPES:
            raise ConfigError(f"dtype {self.dtype!r}: unknown; known: {', '.join(_DTYPES)}")
        if not isinstance(self.batch_size, int) or self.batch_size < 1:
            raise ConfigError(f"batch_size {self.batch_size!r}: give a positive whole number")
        if self.device is None:
            found = "cuda" if torch.cuda.is_available() else "cpu"
            object.__setattr__(self, "device", found)
        if str(self.device).startswith("cuda") and not torch.cuda.is_available():
            raise ConfigError(f"device {self.device!r}: no CUDA device is visible; use device=cpu")

    @classmethod
    def of(cls, options: dict[str, Any], what: str) -> Memory:
        """Make it of options by name.

        Parameters
        ----------
        options : dict
            Options of the generator that are not its own.
        what : str
            The generator, for the error message.

        Returns
        -------
        Memory
            The options.

        Raises
        ------
        ConfigError
            If one is unknown or has no sense.
        """
        known = [each.name for each in fields(cls)]
        if unknown := sorted(set(options) - set(known)):
            raise ConfigError(
                f"generator {what}: no option {', '.join(unknown)}; memory and speed are set by "
                f"{', '.join(known)}, the rest is in docs/generators.md"
            )
        return cls(**options)

    @property
    def torch_dtype(self) -> torch.dtype:
        """Type of the networks."""
        return _DTYPES[self.dtype]

    def savings(self) -> list[str]:
        """Options that would lower the memory needed, the gentlest first.

        Returns
        -------
        list of str
            As ``name=value``; options in use already are left out.
        """
        found = []
        if self.batch_size > 1:
            found.append(f"batch_size={self.batch_size // 2}")
        if self.dtype == "float32" and self.device != "cpu":
            found.append("dtype=float16")
        if not self.vae_slicing and self.batch_size > 1:
            found.append("vae_slicing=true")
        if not self.offload and self.device != "cpu":
            found.append("offload=true")
        if not self.vae_tiling:
            found.append("vae_tiling=true")
        return found


def _is_out_of_memory(error: BaseException) -> bool:
    texts = ("out of memory", "can't allocate memory", "not enough memory")
    return isinstance(error, torch.OutOfMemoryError | MemoryError) or (
        isinstance(error, RuntimeError) and any(text in str(error) for text in texts)
    )


@contextmanager
def naming_memory(what: str, memory: Memory) -> Iterator[None]:
    """Turn running out of memory into one line that names the options that lower it.

    Parameters
    ----------
    what : str
        What ran.
    memory : Memory
        The options in use.

    Raises
    ------
    ConfigError
        If memory ran out.
    """
    try:
        yield
    except (RuntimeError, MemoryError) as error:
        if not _is_out_of_memory(error):
            raise
        options = memory.savings()
        lower = (
            f"lower it with {', or '.join(options)}" if options else "choose a smaller image_size"
        )
        raise ConfigError(
            f"{what}: out of memory on {memory.device} with batch_size={memory.batch_size}; {lower}"
        ) from error


@contextmanager
def resident(module: nn.Module, memory: Memory) -> Iterator[None]:
    """Have a network on the device while it runs; with offloading, and not longer.

    Parameters
    ----------
    module : nn.Module
        The network.
    memory : Memory
        Where, and whether it goes back.
    """
    module.to(memory.device)
    try:
        yield
    finally:
        if memory.offload and memory.device != "cpu":
            module.to("cpu")
            torch.cuda.empty_cache()
