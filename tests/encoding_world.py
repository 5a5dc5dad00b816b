"""Pictures on disk and neurons that see one place in one colour."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from neurodecode.recording import Recording, StimulusSet, content_id
from neurodecode.splits import make_split, write_split
from neurodecode.store import ResponseStore, write_stimuli

N_NEURONS = {"a.1": 7, "b": 9}
SIZE = 24


def make_world(root: Path, n: int = 200, modality: str = "fmri") -> Path:
    """Write stores of two subjects; each saw its own half and 10 pictures of the other."""
    rng = np.random.default_rng(3)
    coarse = rng.integers(0, 256, size=(n, 4, 4, 3))
    images = coarse.repeat(SIZE // 4, axis=1).repeat(SIZE // 4, axis=2).astype(np.uint8)
    ids = [content_id(image) for image in images]
    write_stimuli(root / "stimuli.h5", StimulusSet(ids, images))
    recordings = {}
    for number, (subject, n_neurons) in enumerate(N_NEURONS.items()):
        seen = np.roll(np.arange(n), -number * n // 2)[: n // 2 + 10]
        place = rng.integers(0, 4, size=(2, n_neurons))
        colour = rng.integers(0, 3, size=n_neurons)
        drive = coarse[:, place[0], place[1], colour] / 255.0
        stimulus = rng.permutation(np.tile(seen, 2))
        responses = 4 + 3 * drive[stimulus] + 0.3 * rng.normal(size=(len(stimulus), n_neurons))
        recordings[subject] = Recording(
            subject=subject, modality=modality,
            responses=np.maximum(responses, 0).astype(np.float32),
            stimulus_id=np.array(ids)[stimulus], session=np.ones(len(stimulus), int),
            run=np.ones(len(stimulus), int),
        )  # fmt: skip
        ResponseStore.write(root / f"sub-{subject}.h5", recordings[subject], dataset="tiny")
    write_split(root / "splits.json", make_split("kfold", recordings, n_folds=5, val_share=0.2))
    return root
