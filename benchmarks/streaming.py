"""From the last sample to the decision: 272 channels at 1200 Hz in, a 120 Hz model.

``python -m benchmarks.streaming`` feeds noise to the parts of ``neurodecode stream`` in one process
without sleeping (10,000 windows), compares decisions with those of the recording cut offline, and
then sends noise over Lab Streaming Layer on loopback from a second process at the pace of an
amplifier. Weights are random: time does not depend on them.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime
from functools import partial
from itertools import count
from pathlib import Path

import numpy as np

from benchmarks.machine import save

CHANNELS, SFREQ, CHUNK, HOP_MS, SUBJECT = 272, 1200.0, 12, 100.0, "1"
RECIPE = "configs/preprocess/meg_causal.yaml"
N_PICTURES, TOP_K, NOISE_S = 1000, 5, 20
#: Sizes of the module: small (configs/meeg/conv.yaml before it had 128 virtual channels), and those
#: of the paper.
MODELS = {
    "small": {"n_virtual": 48, "hidden": 64, "n_harmonics": 8, "width": 256, "tokens": (17, 128)},
    "published": {
        "n_virtual": 270, "hidden": 320, "n_harmonics": 32, "width": 2048, "tokens": (1, 768),
    },
}  # fmt: skip


def noise() -> np.ndarray:
    """Noise (n_times, n_channels) in T, with triggers of nobody."""
    rng = np.random.default_rng(0)
    return 1e-12 * rng.standard_normal((round(NOISE_S * SFREQ), CHANNELS))


def front_end():
    """Recipe, sensors and statistics, as a prepared store would give them."""
    import mne

    from neurodecode.preprocess.channels import channel_features
    from neurodecode.preprocess.fitted import FittedSteps
    from neurodecode.preprocess.front_end import FrontEnd
    from neurodecode.preprocess.recipe import read_recipe
    from neurodecode.preprocess.sampling import Sampler

    recipe = read_recipe(RECIPE)
    helmet = mne.channels.read_meg_canonical_info("ctf275")
    features = channel_features(mne.pick_info(helmet, np.arange(CHANNELS)))
    sampler = Sampler(recipe, SFREQ)
    # what the recipe leaves of this noise has about this width
    constants = {
        "fitted_centre": np.zeros((CHANNELS, 1)),
        "fitted_width": np.full((CHANNELS, 1), 3e-13),
    }
    steps = FittedSteps.from_constants(recipe, [1], constants)
    names, types = (tuple(map(str, features[key])) for key in ("name", "type"))
    return FrontEnd(
        recipe, names, types, features["position"], sampler.sfreq, sampler.n_times, steps
    )


def decoder(front, sizes: dict):
    """A pretrained decoder that nobody trained."""
    import torch

    from neurodecode.context import BuildContext
    from neurodecode.loaders.scaler import TrialScaler
    from neurodecode.nn.decoder import BrainDecoder
    from neurodecode.nn.heads import MLPTokenHead
    from neurodecode.nn.meeg.conv import ConvAdapter
    from neurodecode.nn.trunk import ResidualTrunk
    from neurodecode.pretrained import PretrainedDecoder
    from neurodecode.pretrained.config import DecoderConfig

    places = tuple(tuple(map(float, place)) for place in front.position)
    context = BuildContext(
        {SUBJECT: CHANNELS}, {"tokens": sizes["tokens"]}, n_times={SUBJECT: front.n_times},
        sfreq={SUBJECT: front.sfreq}, positions={SUBJECT: places}, modality={SUBJECT: "meg"},
    )  # fmt: skip
    torch.manual_seed(0)
    chosen = {key: sizes[key] for key in ("n_virtual", "hidden", "n_harmonics")}
    network = BrainDecoder(
        context, sizes["width"], adapter=partial(ConvAdapter, **chosen), low_level=None,
        trunk=partial(ResidualTrunk, n_blocks=0), token_head=MLPTokenHead,
        retrieval_head=MLPTokenHead,
    ).eval()  # fmt: skip
    zeros, ones = np.zeros((1, CHANNELS), np.float32), np.ones((1, CHANNELS), np.float32)
    scalers = {SUBJECT: TrialScaler(np.array([1]), zeros, ones, clamp=20.0)}
    config = DecoderConfig({}, context, {"tokens": "bench"}, {"dataset": "bench"})
    return PretrainedDecoder(config, network, scalers)


def decider(model, folder: Path):
    """Decoder and 1000 pictures; returns what decodes, and what decides."""
    from neurodecode.realtime.gallery import open_gallery
    from neurodecode.realtime.pictures import PictureDecider
    from neurodecode.store import EmbeddingStore

    shape = model.config.context.targets["tokens"]
    rng = np.random.default_rng(1)
    ids = [f"{number:032x}" for number in range(N_PICTURES)]
    store = EmbeddingStore.create(folder / "bench.h5", ids, {"tokens": shape})
    store.write(np.arange(N_PICTURES), {"tokens": rng.standard_normal((N_PICTURES, *shape))})

    def decode(trial: np.ndarray) -> np.ndarray:
        return model.decode({SUBJECT: trial[None]}, session={SUBJECT: 1}).tokens[0].numpy()

    gallery = open_gallery(None, store.path, "tokens")
    return PictureDecider(decode, gallery, TOP_K, sharpness=20.0)


class Endless:
    """The noise again and again, as it is asked for."""

    def __init__(self, samples: np.ndarray, names: tuple[str, ...]) -> None:
        from neurodecode.realtime.types import Description

        self.description = Description("noise", names, SFREQ)
        self.generation, self.ended = 1, False
        self._samples, self._turns = samples, count()

    def pull(self, timeout_s: float):
        """The next 12 samples, which arrive now."""
        from neurodecode.realtime.types import Chunk

        start = next(self._turns) * CHUNK
        rows = np.arange(start, start + CHUNK)
        samples = self._samples[rows % len(self._samples)]
        return Chunk(samples, rows / SFREQ, time.perf_counter())

    def clock(self) -> None:
        """Stamps are not of now."""

    def close(self) -> None:
        """Nothing to do."""


def windows_of(front):
    """Windows every 100 ms of whatever source."""
    from neurodecode.realtime.windows import LiveWindows, WindowOptions

    return lambda source: LiveWindows(front, 1, source.description, WindowOptions(hop_ms=HOP_MS))


def in_process(front, decide, n_windows: int) -> tuple[dict, list]:
    """Feed without sleeping."""
    from neurodecode.realtime.loop import Limits, run_loop

    told: list = []
    source, limits = Endless(noise(), front.names), Limits(n_windows)
    run_loop(source, windows_of(front), decide, limits=Limits(20))  # the first are slow
    source = Endless(noise(), front.names)
    began, cpu = time.perf_counter(), time.process_time()
    kept = run_loop(source, windows_of(front), decide, [told.append], limits=limits)
    seconds, cpu = time.perf_counter() - began, time.process_time() - cpu
    times = kept.percentiles()
    return {
        **{f"latency_ms_{name}": round(value, 2) for name, value in times.items()},
        "latency_ms_max": round(max(kept.latency_ms), 2),
        "decisions_per_s": round(kept.n_decided / seconds, 1),
        "cpu_ms_per_decision": round(1000 * cpu / kept.n_decided, 2),
        "n_windows": kept.n_decided,
        "seconds_of_signal_per_second": round(kept.n_decided * HOP_MS / 1000 / seconds, 2),
    }, told


def identity(front, model, decide, told: list) -> dict:
    """Compare the first decisions with the recording cut offline and decoded in batches."""
    import mne

    from neurodecode.preprocess.epochs import epoch_run
    from neurodecode.preprocess.sampling import Sampler

    info = mne.create_info(list(front.names), SFREQ, "mag")
    raw = mne.io.RawArray(noise().T, info, verbose="ERROR")
    sampler = Sampler(front.recipe, SFREQ)
    hop = round(HOP_MS / 1000 * SFREQ)
    n = (round(NOISE_S * SFREQ) - (sampler.last - sampler.first + 1)) // hop + 1
    n = min(n, len(told))
    onset = np.arange(n) * hop - sampler.first
    epochs = epoch_run(raw, onset, front.recipe).data
    trials = front.steps.apply(epochs, np.ones(n, int))
    tokens = model.decode({SUBJECT: trials}, session={SUBJECT: 1}).tokens.numpy()
    cosines, rows = decide._gallery.nearest(tokens)
    ids = [[name for name, _ in decide._gallery.describe(row[:TOP_K])] for row in rows]
    same = [[c.id for c in d.choices] == each for d, each in zip(told, ids, strict=False)]
    found = np.array([[c.score for c in d.choices] for d in told[:n]])
    return {
        "n_compared": n,
        "n_identical_top_5": int(sum(same)),
        "largest_difference_of_cosines": float(np.abs(found - cosines[:, :TOP_K]).max()),
    }


def send(name: str, seconds: float) -> None:
    """Be the amplifier: 12 samples every 10 ms."""
    from mne_lsl.lsl import StreamInfo, StreamOutlet, local_clock

    info = StreamInfo(name, "MEG", CHANNELS, SFREQ, "float32", name)
    info.set_channel_names(list(front_end().names))
    info.set_channel_units(["T"] * CHANNELS)
    outlet, samples = StreamOutlet(info), noise().astype(np.float32)
    outlet.wait_for_consumers(timeout=120)
    began = local_clock()
    for turn in range(round(seconds * SFREQ / CHUNK)):
        due = began + (turn + 1) * CHUNK / SFREQ
        time.sleep(max(0.0, due - local_clock()))
        rows = (np.arange(CHUNK) + turn * CHUNK) % len(samples)
        outlet.push_chunk(np.ascontiguousarray(samples[rows]), timestamp=due)


def over_lsl(front, decide, n_windows: int) -> dict:
    """Receive at the pace of an amplifier."""
    from neurodecode.realtime.loop import Limits, run_loop
    from neurodecode.realtime.lsl import LSLSource

    name, seconds = f"bench-{os.getpid()}", n_windows * HOP_MS / 1000 + 3
    command = [sys.executable, "-m", "benchmarks.streaming", "--send", name]
    sender = subprocess.Popen([*command, "--seconds", str(seconds)])
    try:
        source = LSLSource(name, 120)
        began = time.perf_counter()
        kept = run_loop(source, windows_of(front), decide, limits=Limits(n_windows))
        seconds = time.perf_counter() - began
        source.close()
    finally:
        sender.terminate()
        sender.wait()
    results = {}
    for which in ("latency_ms", "age_ms"):
        results |= {f"{which}_{k}": round(v, 2) for k, v in kept.percentiles(which).items()}
    return {**results, "n_windows": kept.n_decided, "n_unusable": kept.n_unusable,
            "decisions_per_s": round(kept.n_decided / seconds, 1)}  # fmt: skip


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--windows", type=int, default=10_000)
    parser.add_argument("--live", type=int, default=300, help="windows over Lab Streaming Layer")
    parser.add_argument("--models", nargs="+", choices=list(MODELS), default=list(MODELS))
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--send", help=argparse.SUPPRESS)
    parser.add_argument("--seconds", type=float, default=0.0, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.send:
        send(args.send, args.seconds)
        return
    import mne_lsl
    import torch

    torch.set_num_threads(args.threads)
    front, models = front_end(), {}
    for name in args.models:
        with tempfile.TemporaryDirectory() as folder:
            model = decoder(front, MODELS[name])
            decide = decider(model, Path(folder))
            load = os.getloadavg()[0]
            results, told = in_process(front, decide, args.windows)
            results["offline"] = identity(front, model, decide, told)
            if args.live:
                results["lsl"] = over_lsl(front, decide, args.live)
            models[name] = {
                **results, "module": MODELS[name],
                "n_parameters": sum(p.numel() for p in model.decoder.parameters()),
                "load_before": round(load, 2), "load_after": round(os.getloadavg()[0], 2),
            }  # fmt: skip
            print(name, json.dumps(models[name]), flush=True)
    first = models[args.models[-1]]
    head = {key: first[key] for key in
            ("latency_ms_p50", "latency_ms_p95", "latency_ms_p99", "decisions_per_s")}  # fmt: skip
    results = {
        **head, "of_model": args.models[-1], "models": models, "channels": CHANNELS,
        "sfreq_hz": SFREQ, "model_sfreq_hz": front.sfreq, "n_times": front.n_times,
        "chunk_samples": CHUNK, "hop_ms": HOP_MS, "recipe": RECIPE, "n_pictures": N_PICTURES,
        "threads": args.threads, "niceness": os.nice(0), "mne_lsl": mne_lsl.__version__,
        "date": datetime.now(UTC).date().isoformat(),
    }  # fmt: skip
    print(save("streaming", results))


if __name__ == "__main__":
    main()
