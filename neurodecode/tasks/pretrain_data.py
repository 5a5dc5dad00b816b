"""Pre-rendered scenes as a LightningDataModule."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import h5py
import lightning.pytorch as pl
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset, Sampler

from neurodecode.embed.tokenizer import load_tokenizer
from neurodecode.errors import ConfigError, DataError

Batch = dict[str, Tensor]


def shift_images(images: Tensor, reach: int) -> Tensor:
    """Move every picture by a random number of pixels, repeating its edge.

    Parameters
    ----------
    images : Tensor of shape (n, 3, height, width)
        Pictures.
    reach : int
        Largest shift in pixels, in x and in y.

    Returns
    -------
    Tensor of shape (n, 3, height, width)
        The moved pictures.
    """
    n, _, height, width = images.shape
    dy, dx = torch.randint(-reach, reach + 1, (2, n, 1))
    rows = (torch.arange(height) + dy).clamp(0, height - 1)
    columns = (torch.arange(width) + dx).clamp(0, width - 1)
    picked = images.permute(0, 2, 3, 1)[
        torch.arange(n)[:, None, None], rows[:, :, None], columns[:, None, :]
    ]
    return picked.permute(0, 3, 1, 2).contiguous()


class SceneDataset(Dataset[Batch]):
    """Scenes of one split in memory, fetched a batch at a time.

    Parameters
    ----------
    images : Tensor of shape (n_scenes, 3, height, width)
        Pictures, uint8.
    tokens : Tensor of shape (n_scenes, n_captions, context_length), optional
        Tokenised captions.
    shift : int
        Reach of the random shift in pixels; 0 for validation, where the caption is fixed too.
    """

    def __init__(self, images: Tensor, tokens: Tensor | None, shift: int) -> None:
        self.images, self.tokens, self.shift = images, tokens, shift

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, index: int) -> Batch:
        return {name: values[0] for name, values in self.__getitems__([index]).items()}

    def __getitems__(self, indices: list[int]) -> Batch:
        """Fetch a batch: ``images`` uint8 (n, 3, height, width), ``tokens`` (n, context_length)."""
        rows = torch.as_tensor(indices)
        images = self.images[rows]
        batch = {"images": shift_images(images, self.shift) if self.shift else images}
        if self.tokens is not None:
            n_captions = self.tokens.shape[1]
            random = torch.randint(n_captions, rows.shape)
            choice = random if self.shift else rows % n_captions
            batch["tokens"] = self.tokens[rows, choice].long()
        return batch


class GroupedBatches(Sampler[list[int]]):
    """Batches of a few groups of scenes that are alike, so that contrasts become hard.

    Scenes are drawn without replacement within an epoch. Groups are cut into runs of
    `group_size`; a batch joins as many runs as fit, mostly of different groups.

    Parameters
    ----------
    groups : Tensor of int of shape (n_scenes,)
        Group of each scene.
    batch_size : int
        Scenes in a batch.
    group_size : int
        Scenes of one group in a batch; a divisor of `batch_size`.
    """

    def __init__(self, groups: Tensor, batch_size: int, group_size: int) -> None:
        if batch_size % group_size:
            raise ConfigError(f"group_size {group_size} does not divide batch_size {batch_size}")
        self.members = [torch.nonzero(groups == g).flatten() for g in groups.unique()]
        self.group_size, self.runs_per_batch = group_size, batch_size // group_size

    def __len__(self) -> int:
        runs = sum(len(members) // self.group_size for members in self.members)
        return runs // self.runs_per_batch

    def __iter__(self) -> Iterator[list[int]]:
        runs = [
            run
            for members in self.members
            for run in members[torch.randperm(len(members))].split(self.group_size)
            if len(run) == self.group_size
        ]
        order = torch.randperm(len(runs)).tolist()
        for batch in range(len(self)):
            chosen = order[batch * self.runs_per_batch : (batch + 1) * self.runs_per_batch]
            yield torch.cat([runs[i] for i in chosen]).tolist()


def _as_is(batch: Batch) -> Batch:
    return batch


class PretrainScenes(pl.LightningDataModule):
    """Scenes rendered by `neurodecode.tasks.pretrain_scenes`.

    Parameters
    ----------
    folder : str
        Folder with ``scenes.h5`` and ``merges.txt.gz``.
    batch_size : int
        Scenes a training step.
    with_captions : bool
        Whether batches carry tokenised captions.
    shift : int
        Reach of the random shift of training pictures in pixels.
    context_length : int
        Tokens of a caption.
    n_train, n_val : int, optional
        Use the first scenes only.
    group_size : int, optional
        Fill training batches with groups of so many scenes of one background and main colour,
        see `GroupedBatches`.
    """

    def __init__(
        self,
        folder: str = "data/pretrain",
        batch_size: int = 128,
        with_captions: bool = True,
        shift: int = 3,
        context_length: int = 32,
        n_train: int | None = None,
        n_val: int | None = None,
        group_size: int | None = None,
    ) -> None:
        super().__init__()
        self.save_hyperparameters()
        self.folder, self.batch_size, self.with_captions = Path(folder), batch_size, with_captions
        self.shift, self.context_length = shift, context_length
        self.limits = {"train": n_train, "val": n_val}
        self.group_size = group_size
        self.sets: dict[str, SceneDataset] = {}

    def setup(self, stage: str | None = None) -> None:
        """Read both splits into memory (about 0.5 GB for 40,000 scenes)."""
        for split in ("train", "val"):
            if split not in self.sets:
                self.sets[split] = self._read(split)

    def _read(self, split: str) -> SceneDataset:
        path = self.folder / "scenes.h5"
        if not path.exists():
            raise DataError("no pretraining scenes", file=path, fix="run the stage `scenes`")
        with h5py.File(path) as file:
            group, end = file[split], self.limits[split]
            images = torch.from_numpy(group["images"][:end]).permute(0, 3, 1, 2)
            texts = group["captions"].asstr()[:end] if self.with_captions else None
        tokens = None
        if texts is not None:
            tokenizer = load_tokenizer(self.folder / "merges.txt.gz", self.context_length)
            flat = tokenizer(texts.ravel().tolist())
            tokens = flat.reshape(*texts.shape, -1).to(torch.int16)
        return SceneDataset(images, tokens, self.shift if split == "train" else 0)

    def train_dataloader(self) -> DataLoader[Batch]:
        """Shuffled batches of the training scenes."""
        if self.group_size is not None:
            with h5py.File(self.folder / "scenes.h5") as file:
                groups = torch.from_numpy(file["train/group"][: self.limits["train"]])
            batches = GroupedBatches(groups, self.batch_size, self.group_size)
            return DataLoader(self.sets["train"], batch_sampler=batches, collate_fn=_as_is)
        return DataLoader(self.sets["train"], self.batch_size, shuffle=True, drop_last=True,
                          collate_fn=_as_is)  # fmt: skip

    def val_dataloader(self) -> DataLoader[Batch]:
        """Batches of the held-out scenes, in order."""
        return DataLoader(self.sets["val"], 250, collate_fn=_as_is)
