"""MEG and EEG of a few trials on disk, beside fMRI of the same pictures."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from decoding_world import N_TEST, N_TRAIN, N_VALIDATION, TOKENS, World, make_world

from neurodecode.recording import Recording
from neurodecode.splits import Fold, Split, write_split
from neurodecode.store import EmbeddingStore, ResponseStore

N_TIMES, SFREQ, TMIN = 16, 50.0, -0.12
#: Channels of each subject; the last one's position is unknown.
MEG, EEG = {"01": 8, "02": 8}, {"01": 7, "d.2": 9}
#: First sample at which the pattern of ``energy``, of ``tokens`` is there.
EARLY, LATE = 8, 12
REPEATS = 3


class SensorWorld(World):
    """Where the files lie: ``meg`` and ``eeg`` beside ``stores``."""

    @property
    def meg(self) -> Path:
        return self.root / "tiny-meg"

    @property
    def eeg(self) -> Path:
        return self.root / "tiny-eeg"

    def of(self, *folders: Path) -> dict[str, object]:
        """Arguments of `ResponseDataModule` for some folders."""
        return {**self.data, "stores": list(folders) if len(folders) > 1 else folders[0]}


def make_sensor_world(root: Path, seed: int = 5, noise: float = 1.0) -> SensorWorld:
    """Write stores of three repeats of each picture; the pictures are those of `make_world`."""
    make_world(root, seed)
    world, rng = SensorWorld(root), np.random.default_rng(seed + 1000)
    ids = EmbeddingStore(root / "tokens.h5").ids
    tokens = EmbeddingStore(root / "tokens.h5").read("tokens").reshape(len(ids), -1)
    energy = rng.normal(size=(len(ids), 4)).astype(np.float32)
    store = EmbeddingStore.create(root / "energy.h5", ids, {"energy": (4,)})
    store.write(np.arange(len(ids)), {"energy": energy})
    for folder, modality, subjects in ((world.meg, "meg", MEG), (world.eeg, "eeg", EEG)):
        for subject, n_channels in subjects.items():
            clean = np.zeros((len(ids), n_channels, N_TIMES))
            early = energy @ rng.normal(size=(4, n_channels))
            late = (tokens - tokens.mean(axis=0)) @ rng.normal(size=(tokens.shape[1], n_channels))
            clean[:, :, EARLY:] += (early / early.std())[:, :, None]
            clean[:, :, LATE:] += (late / late.std())[:, :, None]
            stimulus = rng.permutation(np.repeat(np.arange(len(ids)), REPEATS))
            noisy = clean[stimulus] + noise * rng.normal(size=(len(stimulus), n_channels, N_TIMES))
            position = rng.normal(size=(n_channels, 3)) * 0.05
            position[-1] = np.nan
            recording = Recording(
                subject=subject, modality=modality, responses=(3 + 2 * noisy).astype(np.float32),
                stimulus_id=np.array(ids)[stimulus],
                session=np.sort(rng.integers(1, 3, len(stimulus))),
                run=np.ones(len(stimulus), dtype=int), sfreq=SFREQ, info={"tmin": TMIN},
                features={"name": np.array([f"C{k}" for k in range(n_channels)]),
                          "position": position,
                          "type": np.array(["mag" if modality == "meg" else "eeg"] * n_channels)},
            )  # fmt: skip
            ResponseStore.write(folder / f"sub-{subject}.h5", recording, dataset=folder.name)
        bounds = (N_TRAIN, N_TRAIN + N_VALIDATION, N_TRAIN + N_VALIDATION + N_TEST)
        # MEG holds out the pictures that fMRI does, EEG others
        order = ids if modality == "meg" else ids[::-1]
        fold = Fold(*(tuple(sorted(order[a:b])) for a, b in zip((0, *bounds), bounds)))
        write_split(folder / "splits.json", Split("kfold", "stimulus", (fold,)))
    return world


__all__ = ["EARLY", "EEG", "LATE", "MEG", "N_TIMES", "REPEATS", "SFREQ", "TMIN",
           "TOKENS", "SensorWorld", "make_sensor_world"]  # fmt: skip
