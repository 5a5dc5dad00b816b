"""Where the weights of a published network come from."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from pickle import UnpicklingError
from urllib.error import URLError
from urllib.parse import urlparse

import torch
from torch import Tensor, nn

from neurodecode.errors import MissingWeightsError, WeightsError
from neurodecode.files import atomic_path, sha256

__all__ = ["Weights"]


@dataclass(frozen=True)
class Weights:
    """How to fill a network.

    Parameters
    ----------
    file : path-like, optional
        Take this file. By default the file that torch would have downloaded into its cache.
    download : bool
        Fetch the file if it is not there.
    untrained : bool
        Leave the network as it was initialised; scores then say that the machinery works,
        nothing more.
    seed : int
        Of that initialisation.
    """

    file: str | Path | None = None
    download: bool = False
    untrained: bool = False
    seed: int = 0

    def load_into(
        self, model: nn.Module, url: str, *, prefix: str = "", file_name: str | None = None
    ) -> str:
        """Fill a network.

        Parameters
        ----------
        model : nn.Module
            Freshly built; changed in place, unless it shall stay untrained.
        url : str
            Where its authors publish the weights.
        prefix : str
            Of the keys to take; others are ignored if there is one (heads, text towers).
        file_name : str, optional
            Name in the cache; by default the last part of `url`.

        Returns
        -------
        str
            What to write into a record: file name and the first digits of its checksum, or
            ``untrained``.

        Raises
        ------
        WeightsError
            If the file is missing, cannot be fetched, or does not fit the network.
        """
        path = self.find(url, file_name)
        if path is None:
            return "untrained"
        state = _read(path)
        if prefix:
            wanted = set(model.state_dict())
            stripped = {key.removeprefix(prefix): value for key, value in state.items()}
            state = {key: value for key, value in stripped.items() if key in wanted}
        try:
            model.load_state_dict(state)
        except RuntimeError as error:
            reason = " ".join(str(error).split())[:200]
            raise WeightsError(f"file {path}: does not fit the network ({reason})") from error
        return f"{path.name} sha256:{sha256(path)[:12]}"

    def find(self, url: str, file_name: str | None = None) -> Path | None:
        """Find the file before a network is built for it.

        Parameters
        ----------
        url, file_name
            As for `load_into`.

        Returns
        -------
        Path or None
            The file; None if the network shall stay untrained.

        Raises
        ------
        MissingWeightsError
            If it is not there.
        WeightsError
            If it cannot be fetched.
        """
        if self.untrained:
            return None
        name = file_name or PurePosixPath(urlparse(url).path).name
        path = Path(self.file or Path(torch.hub.get_dir()) / "checkpoints" / name)
        if path.is_file():
            return path
        if not self.download:
            problem = f"file {path} is missing; put {url} there, or allow the download"
            raise MissingWeightsError(problem, url)
        try:
            with atomic_path(path) as temporary:
                torch.hub.download_url_to_file(url, str(temporary), progress=False)
        except (URLError, OSError) as error:
            raise WeightsError(f"{url} cannot be fetched ({error}); put it at {path}") from error
        return path


def _read(path: Path) -> dict[str, Tensor]:
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        if path.suffix == ".safetensors":
            return load_file(path)
        return torch.load(path, map_location="cpu", weights_only=True)
    except (
        # what torch's restricted unpickler falls over with depends on the bytes it meets
        SafetensorError, UnpicklingError, RuntimeError, EOFError, ValueError, LookupError,
        AttributeError, TypeError,
    ) as error:  # fmt: skip
        reason = " ".join(str(error).split())[:200]
        raise WeightsError(f"file {path}: not readable weights ({reason})") from error
