"""Where a public generator's weights are, whether they are complete, and how they are opened."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from diffusers.utils import is_accelerate_available
from torch import nn

from neurodecode.embed.hub import cached_folder, fetch_files, hub_listing
from neurodecode.errors import WeightsError
from neurodecode.files import read_json, sha256
from neurodecode.generate.noise import quiet_numpy

__all__ = ["Component", "WeightsFolder", "open_folder", "quiet_libraries"]

_CONFIG = {"scheduler": "scheduler_config.json", "tokenizer": "tokenizer_config.json"}
_STEM = {"diffusers": "diffusion_pytorch_model", "transformers": "model"}


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


@dataclass(frozen=True)
class Component:
    """One sub-folder of a pipeline as diffusers saves it.

    Parameters
    ----------
    name : str
        The sub-folder.
    kind : {"diffusers", "transformers", "scheduler", "tokenizer", "file"}
        Which library's weights it holds, if any; ``file`` is a single file of that path.
    """

    name: str
    kind: str = "diffusers"

    def wanted(self, there: Callable[[str], bool], half: bool) -> tuple[str | None, list[str]]:
        """Say which files are needed, by what there is.

        Parameters
        ----------
        there : callable
            Whether a path exists.
        half : bool
            Prefer weights stored in half precision.

        Returns
        -------
        variant : str or None
            ``fp16`` for those, as diffusers calls them.
        files : list of str
            Paths inside the pipeline; those that are there, or the ones that should be.
        """
        if self.kind == "file":
            return None, [self.name]
        config = f"{self.name}/{_CONFIG.get(self.kind, 'config.json')}"
        if self.kind == "scheduler":
            return None, [config]
        if self.kind == "tokenizer":
            fast = f"{self.name}/tokenizer.json"
            slow = [f"{self.name}/vocab.json", f"{self.name}/merges.txt"]
            whole = [fast] if there(fast) and not there(slow[0]) else slow
            return None, [config, *whole]
        stem = f"{self.name}/{_STEM[self.kind]}"
        plain = (None, [config, f"{stem}.safetensors"])
        small = ("fp16", [config, f"{stem}.fp16.safetensors"])
        choices = [small, plain] if half else [plain, small]
        return next((each for each in choices if there(each[1][1])), plain)


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

        path = self.root / name / _CONFIG["scheduler"]
        kind = str(read_json(path).get("_class_name", ""))
        if not kind.endswith("Scheduler") or not hasattr(diffusers, kind):
            raise WeightsError(f"{self.what}: file {path}: no scheduler {kind!r} in diffusers")
        with quiet_numpy():
            return getattr(diffusers, kind).from_pretrained(self.root, subfolder=name)


def open_folder(
    source: str, components: Sequence[Component], *, download: bool, half: bool, what: str
) -> WeightsFolder:
    """Find a pipeline: a local folder, or a repository in the local cache.

    Parameters
    ----------
    source : str
        A folder, or ``owner/name`` on the Hugging Face hub.
    components : sequence of Component
        What is needed of it.
    download : bool
        Whether missing files of a repository may be fetched.
    half : bool
        Prefer weights stored in half precision.
    what : str
        What it is for, for error messages.

    Returns
    -------
    WeightsFolder
        Complete as far as the needed files go.

    Raises
    ------
    WeightsError
        If a file is missing; with the command that gets it.
    """
    local = Path(source).expanduser()
    if local.is_dir() or not _is_repository(source):
        folder = WeightsFolder(local, source, half, what)
        if lacking := folder.missing(components):
            raise WeightsError(f"{what}: file {local / lacking[0]}: missing; {_ADVICE}")
        return folder
    if download:
        listed = set(hub_listing(source, what=what))
        needed = [n for each in components for n in each.wanted(listed.__contains__, half)[1]]
        extra = [name for name in ("model_index.json",) if name in listed]
        fetch_files(source, [*needed, *extra], what=what)
    first = components[0].wanted(lambda _: False, half)[1][0]
    root = cached_folder(source, first)
    folder = WeightsFolder(root or Path(), source, half, what)
    lacking = folder.missing(components) if root else [first]
    if lacking:
        raise WeightsError(
            f"{what}: {lacking[0]} of {source} is not in the local Hugging Face cache; get it with "
            f"`{_command(source, components, half)}`, pass download=true (`--download`), or name "
            "a folder with weights=FOLDER"
        )
    return folder


_ADVICE = (
    "name a folder as diffusers saves a pipeline (safetensors, one sub-folder a network), or the "
    "repository on the Hugging Face hub (docs/generators.md)"
)


def _is_repository(source: str) -> bool:
    owner, _, name = source.partition("/")
    return bool(owner and name) and "/" not in name and owner not in (".", "..", "~")


def _command(source: str, components: Sequence[Component], half: bool) -> str:
    """Command line that fetches the components, without pickles and doubles."""
    patterns = []
    for each in components:
        ends = {"file": [""], "scheduler": ["/*.json"], "tokenizer": ["/*"]}
        found = ends.get(each.kind, ["/*.json", "/*.safetensors"])
        patterns += [f"--include '{each.name}{end}'" for end in found]
    if not half:
        patterns.append("--exclude '*.fp16.*'")
    return f"hf download {source} --include model_index.json {' '.join(patterns)}"
