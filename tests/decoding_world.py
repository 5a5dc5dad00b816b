"""A data set of a few trials on disk, for tests of loaders, networks and tasks."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from neurodecode.recording import Recording
from neurodecode.splits import Fold, Split, read_split, write_split
from neurodecode.store import EmbeddingStore, ResponseStore
from neurodecode.store.synthetic import SyntheticResponses, write_synthetic

N_VOXELS = {"a.1": 7, "b": 9, "c": 11}
N_TRAIN, N_VALIDATION, N_TEST = 37, 8, 9
TOKENS, LATENT = (3, 5), (2, 7, 9)


@dataclass(frozen=True)
class World:
    """Where the files of the data set lie.

    Parameters
    ----------
    root : Path
        Folder that holds everything.
    """

    root: Path

    @property
    def data(self) -> dict[str, object]:
        """Arguments of `ResponseDataModule`."""
        files = {name: self.root / f"{name}.h5" for name in ("tokens", "latent")}
        return {"stores": self.root / "stores", "embeddings": files, "batch_size": 12}

    def cli(self, *words: str) -> list[str]:
        """Arguments of LightningCLI that choose this data set."""
        files = ", ".join(f"{name}: {self.root / name}.h5" for name in ("tokens", "latent"))
        return [
            "--data=neurodecode.loaders.ResponseDataModule",
            f"--data.stores={self.root / 'stores'}",
            f"--data.embeddings={{{files}}}",
            "--data.batch_size=12",
            *words,
        ]


def make_world(root: Path, seed: int = 3, noise: float = 0.3, unshown: int = 0) -> World:
    """Write stores, split and embeddings.

    Two or three repeats a stimulus, all subjects share validation and test stimuli and have
    one training stimulus less than the one before; sessions differ in offset and gain. The
    last `unshown` stimuli have embeddings only.
    """
    rng = np.random.default_rng(seed)
    n = N_TRAIN + N_VALIDATION + N_TEST
    n_known = n + unshown
    ids = [f"{number:032x}" for number in range(n_known)]
    # few dimensions that matter, so that 37 stimuli suffice to learn them
    tokens = rng.normal(size=(n_known, 4)) @ rng.normal(size=(4, int(np.prod(TOKENS))))
    tokens = tokens.reshape(n_known, *TOKENS).astype(np.float32) + 1.5
    latent = rng.normal(size=(n_known, *LATENT)).astype(np.float32)
    for name, values in {"tokens": tokens, "latent": latent}.items():
        store = EmbeddingStore.create(root / f"{name}.h5", ids, {name: values.shape[1:]})
        store.write(np.arange(n_known), {name: values})
    for number, (subject, n_voxels) in enumerate(N_VOXELS.items()):
        seen = np.r_[number:n]
        stimulus = np.concatenate([seen, seen, seen[::2]])
        session = np.repeat([1, 2, 3], [len(seen), len(seen), len(seen[::2])])
        weights = rng.normal(size=(int(np.prod(TOKENS)), n_voxels))
        clean = tokens.reshape(n_known, -1)[stimulus] @ weights
        responses = clean + noise * clean.std() * rng.normal(size=clean.shape)
        responses = responses * session[:, None] + 5.0 * session[:, None]
        order = rng.permutation(len(stimulus))
        order = order[np.argsort(session[order], kind="stable")]
        recording = Recording(
            subject=subject,
            modality="fmri",
            responses=responses[order].astype(np.float32),
            stimulus_id=np.array(ids)[stimulus[order]],
            session=session[order],
            run=np.ones(len(order), dtype=int),
        )
        ResponseStore.write(root / "stores" / f"sub-{subject}.h5", recording, dataset="tiny")
    bounds = (N_TRAIN, N_TRAIN + N_VALIDATION)
    folds = (
        Fold(tuple(ids[: bounds[0]]), tuple(ids[bounds[0] : bounds[1]]), tuple(ids[bounds[1] : n])),
        Fold(tuple(ids[N_TEST + 5 : n]), tuple(ids[N_TEST : N_TEST + 5]), tuple(ids[:N_TEST])),
    )
    write_split(root / "stores" / "splits.json", Split("kfold", "stimulus", folds))
    return World(root)


def write_augmented(world: World, folder: Path, fold: int = 0, noise: float = 1e-4) -> Path:
    """Write synthetic responses to what each subject was not shown, of one number each.

    The stimulus in row k of the embeddings answers with k / 8 in every voxel, up to the noise.
    """
    split = read_split(world.root / "stores" / "splits.json")
    ids = EmbeddingStore(world.root / "tokens.h5").ids
    folder.mkdir()
    for subject, n_voxels in N_VOXELS.items():
        shown = set(ResponseStore(world.root / "stores" / f"sub-{subject}.h5").stimulus_id)
        new = [name for name in split.pool(fold, ids) if name not in shown]
        rows = np.array([ids.index(name) for name in new], dtype=np.float32)
        synthetic = SyntheticResponses(
            subject=subject,
            split=split.folds[fold].digest,
            stimulus_id=new,
            responses=np.repeat(rows[:, None] / 8, n_voxels, axis=1),
            model_covariance=noise * np.eye(n_voxels),
            trial_covariance=noise * np.eye(n_voxels),
        )
        write_synthetic(folder / f"sub-{subject}.h5", synthetic)
    return folder
