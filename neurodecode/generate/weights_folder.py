"""A pipeline on disk: whether its files are there, their checksums, and how they are opened."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from diffusers.utils import is_accelerate_available
from torch import nn

from neurodecode.errors import WeightsError
from neurodecode.files import read_json, sha256
from neurodecode.generate.components import SCHEDULER_FILE, Component
from neurodecode.generate.noise import quiet_numpy

__all__ = ["WeightsFolder", "quiet_libraries"]


@contextmanager
def quiet_libraries() -> Iterator[None]:
    """Keep diffusers and transformers from talking while they load; what matters is raised."""
    from diffusers.utils import logging as diffusers_logging
    from transformers.utils import logging as transformers_logging

    before = [each.get_verbosity() for each in (diffusers_logging, transformers_logging)]
    bars = transformers_logging.is_progress_bar_enabled()
    diffusers_logging.set_verbosity_error()
    transformers_logging.set_verbosity_error()
    transformers_logging.disable_progress_bar()
    try:
        yield
    finally:
        diffusers_logging.set_verbosity(before[0])
        transformers_logging.set_verbosity(before[1])
        if bars:
            transformers_logging.enable_progress_bar()


class WeightsFolder:
    """A pipeline on disk whose needed files are all there.

    Parameters
    ----------
    root : Path
        The folder.
    source : str
        Repository or folder it was asked for by.
    half : bool
        Prefer weights stored in half precision.
    what : str
        What it is for, for error messages.
    """

    def __init__(self, root: Path, source: str, half: bool, what: str) -> None:
        self.root, self.source, self.half, self.what = root, source, half, what

    def there(self, name: str) -> bool:
        """Whether a file exists.

        Parameters
        ----------
        name : str
            Path inside the pipeline.

        Returns
        -------
        bool
            Whether it does.
        """
        return (self.root / name).is_file()

    def missing(self, components: Sequence[Component]) -> list[str]:
        """List what is not there.

        Parameters
        ----------
        components : sequence of Component
            What is needed.

        Returns
        -------
        list of str
            Paths inside the pipeline.
        """
        needed = [name for each in components for name in each.wanted(self.there, self.half)[1]]
        return [name for name in needed if not self.there(name)]

    def digest(self, component: Component) -> str:
        """Checksum of a component's weights.

        Parameters
        ----------
        component : Component
            With weights.

        Returns
        -------
        str
            SHA-256 in hexadecimal.
        """
        _, files = component.wanted(self.there, self.half)
        return sha256(self.root / next(name for name in files if name.endswith(".safetensors")))

    def model(self, component: Component, kind: Any, dtype: torch.dtype) -> nn.Module:
        """Open a component's network.

        Parameters
        ----------
        component : Component
            Which one.
        kind : class
            Of diffusers or transformers.
        dtype : torch.dtype
            Type of its weights.

        Returns
        -------
        nn.Module
            In evaluation mode, on the CPU.

        Raises
        ------
        WeightsError
            If the file is damaged or holds another network's weights.
        """
        variant, _ = component.wanted(self.there, self.half)
        options: dict[str, Any] = (
            {"torch_dtype": dtype, "low_cpu_mem_usage": is_accelerate_available()}
            if component.kind == "diffusers"
            else {"dtype": dtype}
        )
        where = self.root / component.name
        try:
            with quiet_libraries():
                model, found = kind.from_pretrained(
                    str(self.root), subfolder=component.name, variant=variant,
                    use_safetensors=True, local_files_only=True, output_loading_info=True,
                    **options,
                )  # fmt: skip
        except (OSError, ValueError, RuntimeError) as error:
            raise WeightsError(
                f"{self.what}: {where}: not the weights of a {kind.__name__} "
                f"({str(error).splitlines()[0][:160]}); get them again, or name another folder"
            ) from error
        if lacking := sorted(found["missing_keys"]):
            raise WeightsError(
                f"{self.what}: {where}: lacks {len(lacking)} of the network's weights "
                f"({lacking[0]}, ...); it is another model's, or was saved incompletely"
            )
        return model.eval().requires_grad_(False)

    def config(self, name: str) -> dict[str, Any]:
        """Read a JSON file of the pipeline.

        Parameters
        ----------
        name : str
            Path inside the pipeline.

        Returns
        -------
        dict
            Its content, empty if there is no such file.
        """
        return read_json(self.root / name) if self.there(name) else {}

    def scheduler(self, name: str = "scheduler") -> Any:
        """Open a solver, of the class that its file names.

        Parameters
        ----------
        name : str
            The sub-folder.

        Returns
        -------
        diffusers scheduler
            With the schedule of the weights.

        Raises
        ------
        WeightsError
            If this version of diffusers has no such class.
        """
        import diffusers

        path = self.root / name / SCHEDULER_FILE
        kind = str(read_json(path).get("_class_name", ""))
        if not kind.endswith("Scheduler") or not hasattr(diffusers, kind):
            raise WeightsError(f"{self.what}: file {path}: no scheduler {kind!r} in diffusers")
        with quiet_numpy():
            return getattr(diffusers, kind).from_pretrained(self.root, subfolder=name)
