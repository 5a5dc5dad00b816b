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


def fit_command(root, out, *words):
    """Arguments of `neurodecode fit` for a small encoder of this world."""
    return [
        "--model=neurodecode.tasks.encode.EncodeTask", "--model.max_shift=1", "--model.lr=0.02",
        "--model.encoder=neurodecode.nn.encoders.SharedCoreEncoder",
        "--model.encoder.core=neurodecode.nn.encoders.ConvCore",
        "--model.encoder.core.channels=[6, 7]", "--model.encoder.core.kernels=[3, 3]",
        "--model.encoder.core.strides=[3, 2]",
        "--data=neurodecode.loaders.encoding.EncodingDataModule", f"--data.stores={root}",
        f"--data.image_size={SIZE}", "--data.batch_size=24",
        "--trainer.accelerator=cpu", "--trainer.devices=1", "--trainer.deterministic=true",
        "--trainer.max_epochs=40", "--trainer.check_val_every_n_epoch=10",
        "--trainer.num_sanity_val_steps=0", "--trainer.log_every_n_steps=1",
        "--trainer.logger=lightning.pytorch.loggers.CSVLogger",
        f"--trainer.default_root_dir={out}", f"--trainer.logger.save_dir={out}",
        "--trainer.logger.name=", "--trainer.logger.version=",
        "--trainer.callbacks=lightning.pytorch.callbacks.ModelCheckpoint",
        "--trainer.callbacks.monitor=val/r", "--trainer.callbacks.mode=max",
        "--trainer.callbacks.filename=best", "--trainer.callbacks.enable_version_counter=false",
        "--trainer.callbacks+=neurodecode.tasks.encode_callbacks.AveragedWeights",
        "--trainer.callbacks.decay=0.9", "--trainer.callbacks.start=20",
        "--trainer.callbacks+=neurodecode.tasks.encode_callbacks.ResponseWriter",
        "--seed_everything=3", "--quiet", *words,
    ]  # fmt: skip
