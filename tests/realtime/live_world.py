"""A recording, the trials cut out of it, and an untrained decoder of these: small and unequal."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path

import mne
import numpy as np
import torch

from neurodecode.context import BuildContext
from neurodecode.loaders.scaler import TrialScaler
from neurodecode.nn.decoder import BrainDecoder
from neurodecode.nn.meeg.conv import ConvAdapter
from neurodecode.nn.trunk import ResidualTrunk
from neurodecode.preprocess.channels import channel_features
from neurodecode.preprocess.epochs import epoch_run
from neurodecode.preprocess.front_end import FrontEnd
from neurodecode.preprocess.recipe import Recipe
from neurodecode.preprocess.rewrite import apply_to_store
from neurodecode.pretrained import PretrainedDecoder
from neurodecode.pretrained.config import DecoderConfig
from neurodecode.recording import Recording
from neurodecode.store import EmbeddingStore, Prediction, ResponseStore, write_predictions

NAMES = ("Fz", "Cz", "Pz", "O1", "O2", "P3", "P4")
SFREQ, SECONDS, TRIGGER = 200.0, 5.0, "STI 014"
ONSET = np.array([61, 243, 400, 511, 700, 822])
#: 50 Hz is a quarter of 200, 64 is no part of it.
RATES = (50.0, 64.0)
TOKENS, N_PICTURES = (2, 5), 11
SUBJECT = "d.2"


def recipe(rate: float, **changed: object) -> Recipe:
    plain = {"low_hz": 0.5, "high_hz": 20.0, "notch_hz": (60.0,), "causal": True, "sfreq_hz": rate,
             "tmin_s": -0.1, "tmax_s": 0.4, "baseline_s": (-0.1, 0.0), "reference": "average",
             "clamp": 4.0, "whiten": "epochs"}  # fmt: skip
    return Recipe(**{**plain, **changed})


def make_raw(seed: int = 3) -> mne.io.RawArray:
    """Walks of 7 electrodes with offsets, and triggers."""
    rng = np.random.default_rng(seed)
    n = round(SECONDS * SFREQ)
    signals = np.cumsum(rng.standard_normal((len(NAMES), n)), axis=1)
    signals += 50 * rng.standard_normal((len(NAMES), 1))
    trigger = np.zeros((1, n))
    for number, start in enumerate(ONSET.tolist(), start=1):
        trigger[0, start : start + 3] = number
    info = mne.create_info([*NAMES, TRIGGER], SFREQ, ["eeg"] * len(NAMES) + ["stim"])
    raw = mne.io.RawArray(np.vstack([1e-6 * signals, trigger]), info, verbose="ERROR")
    return raw.set_montage("colin27_1020", on_missing="ignore", verbose="ERROR")


@dataclass(frozen=True)
class LiveWorld:
    """Where the files lie."""

    root: Path
    rate: float

    @property
    def store(self) -> ResponseStore:
        return ResponseStore(self.root / f"sub-{SUBJECT}.h5")

    @property
    def export(self) -> Path:
        return self.root / "export"

    @property
    def embeddings(self) -> Path:
        return self.root / "tiny-clip.h5"

    @property
    def validation(self) -> Path:
        return self.root / "predictions-validation.h5"

    @cached_property
    def model(self) -> PretrainedDecoder:
        return PretrainedDecoder.from_pretrained(self.export)

    @cached_property
    def front_end(self) -> FrontEnd:
        return self.model.front_ends[SUBJECT]


def make_world(root: Path, rate: float, raw: mne.io.BaseRaw, **changed: object) -> LiveWorld:
    """Prepare, train nothing, export."""
    world, how = LiveWorld(root, rate), recipe(rate, **changed)
    root.mkdir(parents=True, exist_ok=True)
    found = epoch_run(raw, ONSET, how)
    n = len(found.data)
    recording = Recording(
        SUBJECT, "eeg", found.data, np.array([f"pic{k % 3}" for k in range(n)]),
        np.repeat([2, 5], [n - 2, 2]), np.ones(n, int), units="V", sfreq=found.info["sfreq"],
        features=channel_features(found.info),
        info={"tmin": -0.1, "preprocess": {"recipe": how.plain()}},
    )  # fmt: skip
    path = root / f"sub-{SUBJECT}.h5"
    ResponseStore.write(path, recording, dataset="tiny")
    train = np.r_[0 : n - 3, n - 2]
    if how.is_fitted:
        apply_to_store(path, train, how)
    _export(world, train)
    _write_pictures(world)
    return world


def _export(world: LiveWorld, train: np.ndarray) -> None:
    store = world.store
    places = tuple(tuple(map(float, place)) for place in store.feature("position"))
    context = BuildContext(
        {SUBJECT: len(NAMES)}, {"tokens": TOKENS}, n_times={SUBJECT: store.shape[2]},
        sfreq={SUBJECT: store.sfreq}, positions={SUBJECT: places}, modality={SUBJECT: "eeg"},
    )  # fmt: skip
    spec = {
        "class_path": "neurodecode.nn.decoder.BrainDecoder",
        "init_args": {
            "width": 9,
            "adapter": {
                "class_path": "neurodecode.nn.meeg.conv.ConvAdapter",
                "init_args": {"n_virtual": 4, "hidden": 8, "n_blocks": 1, "n_harmonics": 3},
            },
            "trunk": {
                "class_path": "neurodecode.nn.trunk.ResidualTrunk",
                "init_args": {"n_blocks": 0},
            },
            "low_level": None,
        },
    }
    torch.manual_seed(5)
    adapter = partial(ConvAdapter, n_virtual=4, hidden=8, n_blocks=1, n_harmonics=3)
    trunk = partial(ResidualTrunk, n_blocks=0)
    decoder = BrainDecoder(context, 9, adapter=adapter, trunk=trunk, low_level=None).eval()
    config = DecoderConfig(spec, context, {"tokens": "tiny-clip"}, {"dataset": "tiny"})
    scalers = {SUBJECT: TrialScaler.fit(store, train, clamp=20.0)}
    front = {SUBJECT: FrontEnd.from_store(store)}
    PretrainedDecoder(config, decoder, scalers, "", front).save(world.export)


def _write_pictures(world: LiveWorld) -> None:
    rng = np.random.default_rng(8)
    ids = [f"pic{number}" for number in range(N_PICTURES)]
    # what the untrained decoder gives is the same but for little: pictures lie around it
    trials = world.store.read([0, 1, 2])
    decoded = world.model.decode({SUBJECT: trials}, session={SUBJECT: 2}).tokens.numpy()
    spread = decoded.std(axis=0) + 1e-4
    tokens = decoded.mean(axis=0) + spread * rng.standard_normal((N_PICTURES, *TOKENS))
    store = EmbeddingStore.create(world.embeddings, ids, {"tokens": TOKENS}, {"model": "tiny"})
    store.write(np.arange(N_PICTURES), {"tokens": tokens})
    shown = np.repeat(np.arange(N_PICTURES), 4)
    guess = tokens[shown] + spread * rng.standard_normal((len(shown), *TOKENS))
    write_predictions(
        world.validation, "decoder",
        [Prediction(SUBJECT, [ids[k] for k in shown], {"tokens": guess.astype(np.float32)})],
        {"side": "validation", "embedding": "tiny-clip", "target": "tokens"},
    )  # fmt: skip
