"""From a training checkpoint to a bundled model (last step of each pretraining stage)."""

from __future__ import annotations

import argparse
import inspect
import logging
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import lightning.pytorch as pl
import torch
from safetensors.torch import save_file
from torch import Tensor

from neurodecode.embed.bundle import CHECKSUMS
from neurodecode.errors import ConfigError
from neurodecode.files import atomic_path, read_json, sha256, write_json
from neurodecode.tasks.pretrain_clip import PretrainClip
from neurodecode.tasks.pretrain_data import PretrainScenes
from neurodecode.tasks.pretrain_generator import PretrainGenerator
from neurodecode.tasks.pretrain_prior import PretrainPrior
from neurodecode.tasks.pretrain_vae import PretrainVae

log = logging.getLogger(__name__)

_TASKS: dict[str, type[pl.LightningModule]] = {
    "clip": PretrainClip,
    "vae": PretrainVae,
    "generator": PretrainGenerator,
    "prior": PretrainPrior,
}
_N_SCALE = 1000


@torch.inference_mode()
def latent_scale(task: PretrainVae, images: Tensor, batch: int = 100) -> float:
    """Find the factor that brings latents to unit variance (Rombach et al. 2022).

    Parameters
    ----------
    task : PretrainVae
        The trained autoencoder.
    images : Tensor of shape (n, 3, height, width)
        Training pictures, uint8.
    batch : int
        Pictures encoded at a time.

    Returns
    -------
    float
        One over the standard deviation of all latent entries.
    """
    parts = [task.encode(part.float() / 127.5 - 1).mode() for part in images.split(batch)]
    return 1 / float(torch.cat(parts).std())


def _configuration(kind: str, task: Any, data: Path) -> dict[str, Any]:
    config = {"model_cfg": dict(task.config)}
    if kind == "clip":
        config["preprocess_cfg"] = {"mean": [0.5] * 3, "std": [0.5] * 3, "size": 64}
    if kind == "prior":
        config["deviation"] = float(task.deviation)
    if kind == "vae":
        scenes = PretrainScenes(str(data), with_captions=False, n_train=_N_SCALE, n_val=1)
        scenes.setup()
        config["patch"] = task.hparams["patch"]
        scale = latent_scale(task, scenes.sets["train"].images)
        config["model_cfg"]["scaling_factor"] = round(scale, 6)
    return config


def _record(kind: str, checkpoint: Path, task: pl.LightningModule) -> dict[str, Any]:
    """Collect what the card tells about the training: steps, settings, parameters."""
    stored = torch.load(checkpoint, map_location="cpu", weights_only=True)
    settings = {k: v for k, v in task.hparams.items() if not k.startswith("_")}
    plain = {k: list(v) if isinstance(v, tuple) else v for k, v in settings.items()}
    parameters = sum(p.numel() for p in task.model.parameters())
    before = {}
    if bundle := settings.get("decoder_of") or settings.get("start_from"):
        earlier = read_json(Path(bundle) / f"mini-{kind}" / "config.json")["training"]
        before = {"earlier_steps": earlier.get("earlier_steps", 0) + earlier["steps"]}
    return {
        "task": f"{type(task).__module__}.{type(task).__name__}",
        "steps": stored["global_step"],
        **before,
        "parameters": parameters,
        "settings": plain,
    }


def _load(kind: str, checkpoint: Path) -> Any:
    """Rebuild the task, or what the task of a subclass was built on."""
    stored = torch.load(checkpoint, map_location="cpu", weights_only=True)
    known = inspect.signature(_TASKS[kind]).parameters
    settings = {k: v for k, v in stored["hyper_parameters"].items() if k in known}
    task = _TASKS[kind](**settings)
    task.load_state_dict(stored["state_dict"])
    return task.eval()


def _weights(kind: str, task: Any) -> dict[str, Tensor]:
    # the mean that standardises the tokens is as large as an embedding
    mean = {"mean": task.mean} if kind == "prior" else {}
    return {**task.model.state_dict(), **mean}


def _halved(weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Weights in float16, contiguous, ready for safetensors."""
    return {
        k: (v.half() if v.is_floating_point() else v).contiguous().clone()
        for k, v in weights.items()
    }


def write_checksums(folder: Path) -> None:
    """List the SHA-256 of every file of the models in ``checksums.json``.

    Parameters
    ----------
    folder : Path
        Folder of the bundle.
    """
    files = sorted(p for p in folder.glob("mini-*/*") if p.is_file() and not p.name.startswith("."))
    write_json(folder / CHECKSUMS, {str(p.relative_to(folder)): sha256(p) for p in files})


def export(kind: str, checkpoint: Path, out: Path, data: Path) -> None:
    """Write one model of the bundle and renew the checksums.

    Parameters
    ----------
    kind : {"clip", "vae", "generator", "prior"}
        Which model.
    checkpoint : Path
        Checkpoint of its training; where a moving average was kept, its weights are used.
    out : Path
        Folder of the bundle.
    data : Path
        Folder of the pretraining scenes.

    Raises
    ------
    ConfigError
        If the checkpoint does not exist.
    """
    if not checkpoint.is_file():
        raise ConfigError(f"file {checkpoint}: no checkpoint; run the stage `{kind}`")
    task = _load(kind, checkpoint)
    folder = out / f"mini-{kind}"
    folder.mkdir(parents=True, exist_ok=True)
    config = {**_configuration(kind, task, data), "training": _record(kind, checkpoint, task)}
    with atomic_path(folder / "model.safetensors") as temporary:
        save_file(_halved(_weights(kind, task)), temporary)
        temporary.chmod(0o644)
    write_json(folder / "config.json", config)
    if kind == "clip":
        shutil.copyfile(data / "merges.txt.gz", folder / "merges.txt.gz")
    write_checksums(out)
    log.info("%s: step %d", folder, config["training"]["steps"])


def main() -> None:
    """Command line of the export."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("kind", choices=sorted(_TASKS))
    parser.add_argument("--checkpoint", type=Path)
    parser.add_argument("--out", type=Path, default=Path("data/pretrained"))
    parser.add_argument("--data", type=Path, default=Path("data/pretrain"))
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    checkpoint = arguments.checkpoint or Path(f"runs/pretrain/{arguments.kind}/last.ckpt")
    export(arguments.kind, checkpoint, arguments.out, arguments.data)


if __name__ == "__main__":
    main()
