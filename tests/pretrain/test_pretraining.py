"""The pipeline that makes the bundled weights, run end to end on a handful of scenes."""

from __future__ import annotations

from pathlib import Path

import h5py
import lightning.pytorch as pl
import numpy as np
import pytest
import torch
import yaml
from PIL import Image

from neurodecode.embed.bundle import open_bundle
from neurodecode.embed.openclip import OpenClipEmbedder
from neurodecode.errors import ConfigError, DataError
from neurodecode.files import read_json
from neurodecode.generate.denoiser import normalise_tokens
from neurodecode.generate.mini import MiniGenerator
from neurodecode.tasks import pretrain_card
from neurodecode.tasks.pretrain_clip import (
    PretrainClip,
    bag_of_words,
    retrieval_accuracy,
    to_unit,
    word_weights,
)
from neurodecode.tasks.pretrain_data import GroupedBatches, PretrainScenes, shift_images
from neurodecode.tasks.pretrain_export import export
from neurodecode.tasks.pretrain_features import PretrainFeatures
from neurodecode.tasks.pretrain_generator import PretrainGenerator
from neurodecode.tasks.pretrain_measures import picture_grid
from neurodecode.tasks.pretrain_scenes import pretraining_scene, write_scenes
from neurodecode.tasks.pretrain_vae import PretrainVae, edge_loss
from neurodecode.tasks.schedules import warmup_cosine


@pytest.fixture(scope="module")
def scenes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("pretrain")
    write_scenes(folder, {"train": 45, "val": 26}, seed=1, n_captions=5, workers=1)
    return folder


def train(task: pl.LightningModule, data: pl.LightningDataModule, folder: Path, steps: int) -> Path:
    trainer = pl.Trainer(
        accelerator="cpu", max_steps=steps, logger=False, enable_progress_bar=False,
        enable_model_summary=False, enable_checkpointing=False, num_sanity_val_steps=0,
        default_root_dir=folder, log_every_n_steps=1,
    )  # fmt: skip
    trainer.fit(task, data)
    trainer.save_checkpoint(folder / "last.ckpt")
    return folder / "last.ckpt"


def test_scenes_are_seeded_and_splits_differ(scenes: Path) -> None:
    with h5py.File(scenes / "scenes.h5") as file:
        train_images, held_out = file["train"]["images"][:], file["val"]["images"][:]
        texts = file["val"]["captions"].asstr()[3]
    assert train_images.shape == (45, 64, 64, 3)
    assert not {x.tobytes() for x in train_images} & {x.tobytes() for x in held_out}
    scene = pretraining_scene("val", 3, 1)
    assert all(scene.main.colour in text for text in texts)
    assert scene != pretraining_scene("train", 3, 1)
    assert scene != pretraining_scene("val", 3, 2)


def test_batches_draw_captions_and_shifts(scenes: Path) -> None:
    data = PretrainScenes(str(scenes), batch_size=9, shift=2)
    data.setup()
    torch.manual_seed(0)
    batch = next(iter(data.train_dataloader()))
    assert batch["images"].shape == (9, 3, 64, 64)
    assert batch["images"].dtype == torch.uint8
    assert batch["tokens"].shape == (9, 32)
    held_out = data.sets["val"]
    torch.testing.assert_close(held_out[5]["images"], held_out.images[5])
    torch.testing.assert_close(held_out[7]["tokens"], held_out.tokens[7, 2].long())


def test_groups_fill_batches_and_share_background_and_colour(scenes: Path) -> None:
    with h5py.File(scenes / "scenes.h5") as file:
        groups = torch.from_numpy(file["train/group"][:])
    first, second = (pretraining_scene("train", i, 1) for i in (0, 1))
    same = (first.background, first.main.colour) == (second.background, second.main.colour)
    assert (groups[0] == groups[1]).item() == same
    many = torch.arange(7).repeat(23)
    batches = list(GroupedBatches(many, batch_size=12, group_size=4))
    assert len(batches) == 7 * (23 // 4) // 3
    for batch in batches:
        runs = many[batch].view(3, 4)
        assert (runs == runs[:, :1]).all()
    drawn = [i for batch in batches for i in batch]
    assert len(set(drawn)) == len(drawn)
    with pytest.raises(ConfigError, match="group_size 5 does not divide"):
        GroupedBatches(many, batch_size=12, group_size=5)


def test_words_weigh_by_rarity() -> None:
    texts = torch.tensor([[1, 5, 2, 0], [1, 6, 2, 0], [1, 6, 5, 2], [1, 6, 2, 0]])
    weights = word_weights(texts, 8)
    log = torch.tensor([4 / 3, 1.0, 1.0, 1.0, 1.0, 4 / 2, 4 / 3, 1.0]).log()
    torch.testing.assert_close(weights, log)
    assert bag_of_words(texts, 8)[2].tolist() == [0, 1, 1, 0, 0, 1, 1, 0]


def test_words_are_learned_and_training_goes_on_from_a_bundle(scenes: Path, tmp_path: Path) -> None:
    merges, sizes = str(scenes / "merges.txt.gz"), {"width": 64, "layers": 1, "text_layers": 1}
    data = PretrainScenes(str(scenes), batch_size=9)
    first = PretrainClip(merges, **sizes, warmup=1, word_weight=1.0)
    trained = train(first, data, tmp_path / "a", 2)
    assert (first.rarity > 0).sum() > 20
    export("clip", trained, tmp_path / "bundle", scenes)
    second = PretrainClip(merges, **sizes, start_from=str(tmp_path / "bundle"))
    for name, value in second.model.state_dict().items():
        torch.testing.assert_close(value, first.model.state_dict()[name], atol=1e-3, rtol=1e-3)
    data.setup()
    batch = next(iter(data.train_dataloader()))
    image, _, tokens = first._embed(to_unit(batch["images"]), batch["tokens"])
    loss = first._word_loss(image, tokens, batch["tokens"])
    loss.backward()
    assert first.model.visual.conv1.weight.grad.abs().sum() > 0


def test_shift_moves_by_whole_pixels_and_repeats_the_edge() -> None:
    image = torch.arange(7 * 9).reshape(1, 1, 7, 9).expand(20, 3, 7, 9)
    torch.manual_seed(1)
    moved = shift_images(image, 2)
    padded = torch.nn.functional.pad(image[:1].float(), (2, 2, 2, 2), mode="replicate")
    windows = {
        tuple(padded[0, 0, y : y + 7, x : x + 9].flatten().tolist())
        for y in range(5) for x in range(5)
    }  # fmt: skip
    found = {tuple(m[0].flatten().float().tolist()) for m in moved}
    assert found <= windows
    assert len(found) > 5


def test_missing_scenes_are_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"scenes.h5: no pretraining scenes; run the stage"):
        PretrainScenes(str(tmp_path)).setup()
    with pytest.raises(DataError, match="no pretraining scenes"):
        PretrainFeatures(str(tmp_path)).prepare_data()
    with pytest.raises(ConfigError, match="no checkpoint; run the stage `vae`"):
        export("vae", tmp_path / "none.ckpt", tmp_path, tmp_path)


def test_whole_pipeline(scenes: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bundle = tmp_path / "bundle"
    monkeypatch.setenv("NEURODECODE_PRETRAINED", str(bundle))
    clip = PretrainClip(str(scenes / "merges.txt.gz"), width=64, layers=1, text_layers=1, warmup=2)
    data = PretrainScenes(str(scenes), batch_size=15)
    export("clip", train(clip, data, tmp_path / "clip", 3), bundle, scenes)
    vae = PretrainVae(channels=(8, 16), norm_groups=4, warmup=2)
    data = PretrainScenes(str(scenes), batch_size=15, with_captions=False)
    export("vae", train(vae, data, tmp_path / "vae", 3), bundle, scenes)

    features = PretrainFeatures(str(scenes), batch_size=15)
    generator = PretrainGenerator(64, channels=(8, 16), heads=2, norm_groups=4, warmup=2)
    export("generator", train(generator, features, tmp_path / "generator", 3), bundle, scenes)
    # the channel knows the training scenes only, and does not go into the bundle
    known = features.sets["train"].tokens.float().flatten(1).mean(dim=0)
    torch.testing.assert_close(generator.channel.mean, known)
    generator = PretrainGenerator(64, channels=(8, 16), heads=2, norm_groups=4,
                                  start_from=str(bundle), channel=False)  # fmt: skip
    train(generator, features, tmp_path / "again", 1)

    opened = OpenClipEmbedder.bundled()
    with h5py.File(scenes / "scenes.h5") as file:
        images = file["val"]["images"][:2]
    torch.testing.assert_close(
        opened.encode_images(images)["pooled"],
        clip.model.encode_image(torch.from_numpy(images).permute(0, 3, 1, 2) / 127.5 - 1)
        .detach().numpy(),
        atol=5e-2, rtol=5e-2,
    )  # fmt: skip
    latents = MiniGenerator.bundled().encode(images)
    assert 0.5 < latents.std() < 2
    assert open_bundle("mini-clip") == bundle / "mini-clip"
    assert read_json(bundle / "mini-vae" / "config.json")["training"]["steps"] == 3


def test_decoder_alone_leaves_the_encoder(scenes: Path, tmp_path: Path) -> None:
    data = PretrainScenes(str(scenes), batch_size=15, with_captions=False)
    first = PretrainVae(channels=(8, 16), norm_groups=4, warmup=1)
    export("vae", train(first, data, tmp_path / "a", 1), tmp_path / "bundle", scenes)
    second = PretrainVae(
        channels=(8, 16), norm_groups=4, warmup=1, decoder_of=str(tmp_path / "bundle")
    )
    before = {k: v.clone() for k, v in second.model.state_dict().items()}
    train(second, data, tmp_path / "b", 2)
    after = second.model.state_dict()
    changed = {name.split(".")[0] for name in after if (after[name] != before[name]).any()}
    assert changed == {"decoder", "post_quant_conv"}


def test_features_are_made_again_when_the_models_change(
    scenes: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[str] = []
    monkeypatch.setattr(
        "neurodecode.tasks.pretrain_features.write_features", lambda name, *_: made.append(name)
    )
    data = PretrainFeatures(str(tmp_path))
    (tmp_path / "scenes.h5").symlink_to(scenes / "scenes.h5")
    for name, digest in (("tokens", "old"), ("latent", "current")):
        with h5py.File(tmp_path / f"{name}.h5", "w") as file:
            file.attrs["sha256"] = digest
    monkeypatch.setattr("neurodecode.tasks.pretrain_features.bundle_digest", lambda _: "current")
    data.prepare_data()
    assert made == ["tokens"]


def test_velocity_target_is_the_schedulers() -> None:
    """A model that predicts the true velocity has no loss."""
    task = PretrainGenerator(12, channels=(8, 16), heads=2, norm_groups=4)
    latents, noise = torch.randn(6, 4, 16, 16), torch.randn(6, 4, 16, 16)
    steps = torch.tensor([0, 10, 300, 600, 900, 999])
    level = task.scheduler.alphas_cumprod[steps].view(-1, 1, 1, 1)
    velocity = level.sqrt() * noise - (1 - level).sqrt() * latents
    task.model.forward = lambda *_: velocity
    assert task._loss(latents, torch.zeros(6, 17, 12), noise, steps).item() < 1e-8
    task.model.forward = lambda *_: velocity + 1
    snr = (level / (1 - level)).flatten()
    expected = (snr.clamp(max=5) / (snr + 1)).mean()
    torch.testing.assert_close(task._loss(latents, torch.zeros(6, 17, 12), noise, steps), expected)


@pytest.mark.parametrize("channel", [False, True])
def test_generator_is_trained_on_true_or_on_decoded_tokens(channel: bool) -> None:
    task = PretrainGenerator(
        12, channels=(8, 16), heads=2, norm_groups=4, drop=0.0, channel=channel
    )
    tokens = torch.randn(70, 17, 12)
    if channel:
        task.channel.fit(tokens)
        task.channel.clean = 0.0
    seen = []
    task.model.forward = lambda noisy, steps, tokens: seen.append(tokens) or noisy
    task.log = lambda *_, **__: None
    task.training_step({"tokens": tokens[:6], "latents": torch.randn(6, 4, 16, 16)}, 0)
    same = (seen[0] - normalise_tokens(tokens[:6])).abs().amax(dim=(1, 2)) < 1e-6
    assert same.tolist() == [not channel] * 6


@pytest.mark.parametrize(
    ("step", "factor"), [(0, 0.25), (3, 1.0), (4, 1.0), (14, 0.51), (24, 0.02), (99, 0.02)]
)
def test_warmup_cosine(step: int, factor: float) -> None:
    assert warmup_cosine(step, warmup=4, total=24, floor=0.02) == pytest.approx(factor)


def test_edge_loss_sees_edges_only() -> None:
    flat, image = torch.zeros(2, 3, 7, 9), torch.zeros(2, 3, 7, 9)
    assert edge_loss(flat, image + 5) == 0
    image[..., 4:] = 1.0
    torch.testing.assert_close(edge_loss(flat, image), torch.tensor(1 / 8))


def test_retrieval_accuracy_by_hand() -> None:
    texts = torch.eye(6)
    images = texts[[0, 2, 1, 3, 4, 5]]
    assert retrieval_accuracy(images, texts, 3) == pytest.approx(
        {"image_to_text": (1 / 3 + 1) / 2, "text_to_image": (1 / 3 + 1) / 2}
    )


def test_picture_grid(tmp_path: Path, rng: np.random.Generator) -> None:
    rows = [rng.integers(0, 256, (4, 5, 6, 3), dtype=np.uint8) for _ in range(2)]
    picture_grid(rows, tmp_path / "grid.png", zoom=2)
    grid = np.asarray(Image.open(tmp_path / "grid.png"))
    assert grid.shape == (20, 48, 3)
    np.testing.assert_array_equal(grid[10:20:2, 12:24:2], rows[1][1])


def test_card_tells_what_was_measured(tmp_path: Path) -> None:
    for name in ("mini-clip", "mini-vae", "mini-generator", "mini-prior"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "model.safetensors").write_bytes(b"x" * 10)
        training = '{"training": {"task": "t.T", "steps": 77, "parameters": 1230000}}'
        (tmp_path / name / "config.json").write_text(training)
    measures = {"mini-vae": {"mse": 0.0123}, "mini-clip": {}, "mini-generator": {}}
    pretrain_card.write_card(tmp_path, measures, {"n_train": 45, "n_val": 26, "seed": 3})
    text = (tmp_path / "README.md").read_text()
    for part in ("| mini-vae | mse | 0.0123 |", "45 scenes", "1.23 M", "| 77 |", "seed 3"):
        assert part in text
    assert read_json(tmp_path / "card.json")["measures"] == measures


GENERATOR = ("generator", "generator_decoded", "generator_brains")


@pytest.mark.parametrize("name", ["clip", "vae", "vae_decoder", *GENERATOR, "prior"])
def test_configurations_name_what_exists(name: str, repository: Path) -> None:
    config = yaml.safe_load((repository / f"configs/pretrain/{name}.yaml").read_text())
    every, steps = (
        config["trainer"]["callbacks"][0]["init_args"]["every_n_train_steps"],
        config["trainer"]["max_steps"],
    )
    assert steps % every == 0  # else the last checkpoint is not the end of the training
