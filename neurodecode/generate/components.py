"""One sub-folder of a pipeline as diffusers saves it: which files it needs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

__all__ = ["SCHEDULER_FILE", "Component"]

SCHEDULER_FILE = "scheduler_config.json"
_CONFIG = {"scheduler": SCHEDULER_FILE, "tokenizer": "tokenizer_config.json"}
_STEM = {"diffusers": "diffusion_pytorch_model", "transformers": "model"}


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
