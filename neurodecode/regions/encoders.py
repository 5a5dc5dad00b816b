"""Encoders that `neurodecode fit` pretrained, for the fold in hand alone."""

from __future__ import annotations

from pathlib import Path

import torch

from neurodecode.context import BuildContext
from neurodecode.errors import LeakError
from neurodecode.nn.regions import MaskedRegions
from neurodecode.tasks.checkpoints import CONTEXT_KEY, build_task, read_checkpoint
from neurodecode.tasks.pretrain_regions import PretrainRegions

__all__ = ["open_encoder"]


def open_encoder(
    folder: str | Path, digest: str, *, trained: bool = True, seed: int = 0
) -> MaskedRegions:
    """Open an encoder.

    Parameters
    ----------
    folder : path-like
        Of ``neurodecode fit``.
    digest : str
        `neurodecode.splits.Fold.digest` of the fold in hand.
    trained : bool
        With the weights that were trained; otherwise the same encoder with random ones.
    seed : int
        Of random weights.

    Returns
    -------
    MaskedRegions
        In evaluation mode.

    Raises
    ------
    WeightsError
        If there is no checkpoint of `PretrainRegions`.
    LeakError
        If it was trained on another division of the data, and may know the test runs.
    """
    path = Path(folder) / "checkpoints" / "best.ckpt"
    checkpoint = read_checkpoint(path)
    saved = checkpoint.get(CONTEXT_KEY, {})
    context = BuildContext(
        n_features=dict(saved.get("n_features", {})), n_times=dict(saved.get("n_times", {}))
    )
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        task = build_task(path, checkpoint, PretrainRegions, context)
    if checkpoint.get("split") != digest:
        raise LeakError(
            f"{path} was pretrained on another division of the runs and may know those of this"
            " fold's test; train it with the same splits.json and --data.fold"
        )
    if trained:
        task.load_state_dict(checkpoint["state_dict"])
    return task.encoder.eval()
