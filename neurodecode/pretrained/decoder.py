"""A trained decoder with all it needs to be used: network, adapters, statistics and card."""

from __future__ import annotations

import shutil
from collections.abc import Collection, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor, nn

from neurodecode.errors import DataError, WeightsError, about
from neurodecode.files import read_json, sha256, write_json
from neurodecode.folders import atomic_folder
from neurodecode.loaders.scaler import TrialScaler
from neurodecode.nn.decoder import Decoded
from neurodecode.pretrained.classes import build_decoder
from neurodecode.pretrained.config import CONFIG, DecoderConfig
from neurodecode.pretrained.front_ends import FRONT_ENDS, read_front_ends, write_front_ends
from neurodecode.pretrained.hub import CARD, locate, upload
from neurodecode.pretrained.responses import Session, as_batch, check_responses, standardise
from neurodecode.pretrained.weights import WEIGHTS, fill, read_weights, write_weights

if TYPE_CHECKING:
    from neurodecode.preprocess.front_end import FrontEnd

__all__ = ["PretrainedDecoder"]

_DIGEST, _FRONT_DIGEST = "weights_sha256", "front_end_sha256"


class PretrainedDecoder:
    """Decoder that is loaded without the data it was trained on.

    Parameters
    ----------
    config : DecoderConfig
        What it is built from, and what it was trained on.
    decoder : Module
        The network, in evaluation mode; ``decoder.to("cuda")`` moves it.
    scalers : mapping of str to TrialScaler
        Statistics of training trials, by subject.
    card : str
        Text of the model card.
    front_ends : mapping of str to FrontEnd, optional
        How further trials of MEG and EEG are prepared, by subject: what a live stream needs.

    Examples
    --------
    >>> model = PretrainedDecoder.from_pretrained("exports/mini")  # doctest: +SKIP
    >>> model.decode({"01": betas}, session=3).tokens.shape  # doctest: +SKIP
    torch.Size([20, 17, 128])
    """

    def __init__(
        self,
        config: DecoderConfig,
        decoder: nn.Module,
        scalers: Mapping[str, TrialScaler],
        card: str = "",
        front_ends: Mapping[str, FrontEnd] | None = None,
    ) -> None:
        self.config, self.decoder = config, decoder
        self.scalers, self.card = dict(scalers), card
        self.front_ends = dict(front_ends or {})

    @classmethod
    def from_pretrained(
        cls,
        name: str | Path,
        *,
        revision: str | None = None,
        packages: Collection[str] = ("neurodecode",),
    ) -> PretrainedDecoder:
        """Load a decoder.

        Parameters
        ----------
        name : str or path-like
            Folder that `save` or ``neurodecode export`` wrote, or ``owner/name`` on the Hugging
            Face hub.
        revision : str, optional
            Branch, tag or commit on the hub.
        packages : collection of str
            Top-level packages whose networks may be built. Building a network runs its code, so
            name only packages that you trust.

        Returns
        -------
        PretrainedDecoder
            On the CPU, in evaluation mode.

        Raises
        ------
        WeightsError
            If the decoder cannot be found, is of another format version, incomplete or broken.
        ConfigError
            If it holds a network of another package.
        DataError
            If the configuration is missing or is not JSON.
        """
        folder = locate(name, revision)
        content = read_json(folder / CONFIG)
        config = DecoderConfig.from_json(content, folder / CONFIG)
        path = folder / WEIGHTS
        tensors = read_weights(path)
        if content.get(_DIGEST) != sha256(path):
            raise WeightsError(
                f"file {path}: checksum differs from {CONFIG}; fetch or export the folder again"
            )
        decoder = build_decoder(config.decoder, config.context, packages)
        scalers = fill(decoder, config.context.n_features, tensors, path)
        card = folder / CARD
        text = card.read_text(encoding="utf-8") if card.is_file() else ""
        return cls(config, decoder, scalers, text, _front_ends(folder, content))

    @property
    def subjects(self) -> list[str]:
        """Subjects that can be decoded."""
        return list(self.config.context.n_features)

    def sessions(self, subject: str) -> list[int]:
        """Sessions of a subject whose statistics are known.

        Parameters
        ----------
        subject : str
            One of `subjects`.

        Returns
        -------
        list of int
            Session numbers.
        """
        return [int(number) for number in self.scalers[subject].sessions]

    def standardise(
        self, responses: Mapping[str, np.ndarray | Tensor], session: Session | None
    ) -> dict[str, np.ndarray]:
        """Standardise raw responses as those of the training were.

        Parameters
        ----------
        responses : mapping of str to array of shape (n_trials, n_features)
            Responses by subject, in the units of the response store; (n_trials, n_channels,
            n_times) where the recordings are time-resolved.
        session : int, sequence of int, mapping of str to one of these, or None
            Session of each trial, see `sessions`; None if they are standardised already.

        Returns
        -------
        dict of str to array of float32 of the same shapes
            Standardised responses.

        Raises
        ------
        DataError
            If a subject or session is unknown, or responses have the wrong shape or are not
            finite.
        """
        context = self.config.context
        parts = {
            name: check_responses(values, name, context.n_features, context.n_times.get(name))
            for name, values in responses.items()
        }
        if session is None:
            return parts
        return {
            name: standardise(values, name, self.scalers[name], session)
            for name, values in parts.items()
        }

    @torch.no_grad()
    def decode(
        self, responses: Mapping[str, np.ndarray | Tensor], *, session: Session | None
    ) -> Decoded:
        """Decode responses.

        Averages of repeats decode better than single trials: average what `standardise` gives,
        and decode it with ``session=None``.

        Parameters
        ----------
        responses : mapping of str to array of shape (n_trials, n_features)
            Responses by subject, see `standardise`.
        session : int, sequence of int, mapping of str to one of these, or None
            Session of each trial; None if responses are standardised already.

        Returns
        -------
        Decoded
            Rows of all subjects, in the order of the mapping.

        Raises
        ------
        DataError
            See `standardise`; also if there is nothing to decode.
        """
        if not responses:
            raise DataError("no responses to decode")
        device = next(self.decoder.parameters()).device
        return self.decoder(as_batch(self.standardise(responses, session), device))

    def save(self, folder: str | Path) -> None:
        """Write ``model.safetensors``, ``config.json``, the card, and ``front_end.h5`` if any.

        Parameters
        ----------
        folder : path-like
            Files of these names are replaced, others stay.

        Raises
        ------
        DataError
            If the disk is full; nothing is changed then.
        """
        with about(file=folder), atomic_folder(folder) as temporary:
            write_weights(temporary / WEIGHTS, self.decoder, self.scalers)
            content = self.config.to_json() | {_DIGEST: sha256(temporary / WEIGHTS)}
            if self.front_ends:
                write_front_ends(temporary / FRONT_ENDS, self.front_ends)
                content[_FRONT_DIGEST] = sha256(temporary / FRONT_ENDS)
            write_json(temporary / CONFIG, content)
            # safetensors makes its file readable for the owner alone
            shutil.copymode(temporary / CONFIG, temporary / WEIGHTS)
            (temporary / CARD).write_text(self.card, encoding="utf-8")

    def push_to_hub(
        self,
        repo_id: str,
        *,
        private: bool = True,
        token: str | None = None,
        commit_message: str | None = None,
    ) -> str:
        """Upload to the Hugging Face hub.

        Parameters
        ----------
        repo_id : str
            ``owner/name``; made if it does not exist.
        private : bool
            Whether a repository that is made now is private. It is unless you say otherwise:
            weights and voxel statistics come from recordings of people, whose data set may not
            allow publication.
        token : str, optional
            Access token; by default that of ``hf auth login``.
        commit_message : str, optional
            Of the commit.

        Returns
        -------
        str
            Address of the commit.

        Raises
        ------
        WeightsError
            If the hub cannot be reached or refuses.
        """
        with TemporaryDirectory() as folder:
            self.save(Path(folder) / "decoder")
            return upload(
                Path(folder) / "decoder",
                repo_id,
                private=private,
                token=token,
                message=commit_message,
            )


def _front_ends(folder: Path, content: Mapping[str, Any]) -> dict[str, FrontEnd]:
    """Read the front ends, if the configuration says that there are any."""
    if _FRONT_DIGEST not in content:
        return {}
    path = folder / FRONT_ENDS
    if not path.is_file() or sha256(path) != content[_FRONT_DIGEST]:
        raise WeightsError(
            f"file {path}: missing, or checksum differs from {CONFIG}; fetch or export the folder"
            " again"
        )
    return read_front_ends(path)
