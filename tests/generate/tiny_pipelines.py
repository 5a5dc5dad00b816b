"""Public generators in miniature: the same classes, random weights, saved as diffusers does.

Sizes differ wherever they may: embeddings of width 10 (MoVQ), 14 (unCLIP), 22 (pooled adapter)
and 26 (plus adapter), text of width 18 and 20, pictures of 32 pixels.
"""

from __future__ import annotations

import json
from pathlib import Path

import torch
from diffusers import (
    AutoencoderKL,
    DDIMScheduler,
    DDPMScheduler,
    EulerDiscreteScheduler,
    UNet2DConditionModel,
    VQModel,
)
from diffusers.pipelines.stable_diffusion import StableUnCLIPImageNormalizer
from safetensors.torch import save_file
from transformers import (
    CLIPTextConfig,
    CLIPTextModel,
    CLIPTextModelWithProjection,
    CLIPVisionConfig,
    CLIPVisionModelWithProjection,
)

from neurodecode.generate import make_generator
from neurodecode.generate.latent import LatentGenerator

N_WORDS = 9
_LETTERS = "abcdefghijklmnopqrstuvwxyz"
_START, _END = "<|startoftext|>", "<|endoftext|>"


def liven(model: torch.nn.Module, gain: float = 1.6) -> torch.nn.Module:
    """Larger random weights, so that every input moves the output."""
    for parameter in model.parameters():
        parameter.data.mul_(gain)
    return model


def unet(**options) -> UNet2DConditionModel:
    base = {
        "sample_size": 8, "in_channels": 4, "out_channels": 4, "layers_per_block": 1,
        "block_out_channels": (8, 16), "norm_num_groups": 4, "attention_head_dim": 4,
        "down_block_types": ("DownBlock2D", "CrossAttnDownBlock2D"),
        "up_block_types": ("CrossAttnUpBlock2D", "UpBlock2D"), "cross_attention_dim": 18,
    }  # fmt: skip
    return liven(UNet2DConditionModel(**{**base, **options}))


def vae() -> AutoencoderKL:
    return AutoencoderKL(
        block_out_channels=(8, 8, 12), latent_channels=4, norm_num_groups=4, sample_size=32,
        down_block_types=("DownEncoderBlock2D",) * 3, up_block_types=("UpDecoderBlock2D",) * 3,
        scaling_factor=0.2,
    )  # fmt: skip


def save_tokenizer(folder: Path) -> None:
    """The files that public repositories have."""
    folder.mkdir(parents=True)
    words = [_START, _END, *_LETTERS, *(f"{letter}</w>" for letter in _LETTERS)]
    vocabulary = {word: row for row, word in enumerate(words)}
    (folder / "vocab.json").write_text(json.dumps(vocabulary))
    (folder / "merges.txt").write_text("#version: 0.2\n")
    about = {
        "tokenizer_class": "CLIPTokenizer", "model_max_length": N_WORDS, "bos_token": _START,
        "eos_token": _END, "unk_token": _END, "pad_token": _END,
    }  # fmt: skip
    (folder / "tokenizer_config.json").write_text(json.dumps(about))


def text_config(width: int) -> CLIPTextConfig:
    return CLIPTextConfig(
        vocab_size=2 + 2 * len(_LETTERS), hidden_size=width, intermediate_size=24,
        num_hidden_layers=3, num_attention_heads=2, max_position_embeddings=N_WORDS,
        projection_dim=12, bos_token_id=0, eos_token_id=1, pad_token_id=1,
    )  # fmt: skip


def image_tower(width: int, projection: int) -> CLIPVisionModelWithProjection:
    """25 + 1 tokens."""
    return liven(CLIPVisionModelWithProjection(CLIPVisionConfig(
        hidden_size=width, intermediate_size=24, num_hidden_layers=3, num_attention_heads=2,
        image_size=20, patch_size=4, projection_dim=projection,
    )), 3)  # fmt: skip


def kandinsky(root: Path) -> Path:
    """Pooled embeddings of width 10; ancestral solver with learned variance."""
    torch.manual_seed(1)
    unet(
        out_channels=8, cross_attention_dim=12, encoder_hid_dim=10, addition_embed_type="image",
        encoder_hid_dim_type="image_proj", class_embed_type=None, addition_embed_type_num_heads=2,
        down_block_types=("ResnetDownsampleBlock2D", "SimpleCrossAttnDownBlock2D"),
        up_block_types=("SimpleCrossAttnUpBlock2D", "ResnetUpsampleBlock2D"),
        mid_block_type="UNetMidBlock2DSimpleCrossAttn", resnet_time_scale_shift="scale_shift",
    ).save_pretrained(root / "unet")  # fmt: skip
    VQModel(
        block_out_channels=(32, 32, 64), latent_channels=4, norm_num_groups=4, norm_type="spatial",
        num_vq_embeddings=11, vq_embed_dim=4,
        down_block_types=("DownEncoderBlock2D", "DownEncoderBlock2D", "AttnDownEncoderBlock2D"),
        up_block_types=("AttnUpDecoderBlock2D", "UpDecoderBlock2D", "UpDecoderBlock2D"),
    ).save_pretrained(root / "movq")  # fmt: skip
    DDPMScheduler(
        variance_type="learned_range", clip_sample=False, beta_start=0.00085, beta_end=0.012
    ).save_pretrained(root / "scheduler")
    image_tower(16, 10).save_pretrained(root / "image_encoder")
    return root


def unclip(root: Path) -> Path:
    """Pooled embeddings of width 14."""
    torch.manual_seed(2)
    unet(class_embed_type="projection", projection_class_embeddings_input_dim=28).save_pretrained(
        root / "unet"
    )
    vae().save_pretrained(root / "vae")
    normaliser = StableUnCLIPImageNormalizer(14)
    normaliser.mean.data.normal_()
    normaliser.std.data.uniform_(0.5, 2)
    normaliser.save_pretrained(root / "image_normalizer")
    DDPMScheduler(beta_schedule="squaredcos_cap_v2").save_pretrained(
        root / "image_noising_scheduler"
    )
    DDIMScheduler(
        prediction_type="v_prediction", clip_sample=False, set_alpha_to_one=False, steps_offset=1
    ).save_pretrained(root / "scheduler")
    CLIPTextModel(text_config(18)).save_pretrained(root / "text_encoder")
    save_tokenizer(root / "tokenizer")
    return root


def stable_diffusion(root: Path) -> Path:
    torch.manual_seed(3)
    unet().save_pretrained(root / "unet")
    vae().save_pretrained(root / "vae")
    DDIMScheduler(clip_sample=False, steps_offset=1).save_pretrained(root / "scheduler")
    CLIPTextModel(text_config(18)).save_pretrained(root / "text_encoder")
    save_tokenizer(root / "tokenizer")
    return root


def sdxl(root: Path) -> Path:
    """Two texts of width 18 and 20, pooled 12; 6 size ids of 8 sinusoids."""
    torch.manual_seed(4)
    unet(
        cross_attention_dim=38, addition_embed_type="text_time", addition_time_embed_dim=8,
        projection_class_embeddings_input_dim=12 + 6 * 8,
    ).save_pretrained(root / "unet")  # fmt: skip
    vae().save_pretrained(root / "vae")
    EulerDiscreteScheduler(steps_offset=1, timestep_spacing="leading").save_pretrained(
        root / "scheduler"
    )
    CLIPTextModel(text_config(18)).save_pretrained(root / "text_encoder")
    CLIPTextModelWithProjection(text_config(20)).save_pretrained(root / "text_encoder_2")
    save_tokenizer(root / "tokenizer")
    save_tokenizer(root / "tokenizer_2")
    return root


def adapter(root: Path, name: str, *, attention: int, plus: bool) -> Path:
    """An IP-Adapter file for the U-Net above: pooled width 22, or tokens of width 26."""
    torch.manual_seed(5)

    def random(*shape: int) -> torch.Tensor:
        return torch.randn(shape) / shape[-1] ** 0.5

    if plus:
        hidden, n_queries = 64, 3
        content = {
            "latents": random(1, n_queries, hidden), "proj_in.weight": random(hidden, 26),
            "proj_in.bias": random(hidden), "proj_out.weight": random(attention, hidden),
            "proj_out.bias": random(attention), "norm_out.weight": torch.ones(attention),
            "norm_out.bias": random(attention),
        }  # fmt: skip
        for layer in (f"layers.{number}" for number in range(4)):
            for norm in ("0.norm1", "0.norm2", "1.0"):
                content[f"{layer}.{norm}.weight"] = torch.ones(hidden)
                content[f"{layer}.{norm}.bias"] = random(hidden)
            content |= {
                f"{layer}.0.to_q.weight": random(64, hidden),
                f"{layer}.0.to_kv.weight": random(128, hidden),
                f"{layer}.0.to_out.weight": random(hidden, 64),
                f"{layer}.1.1.weight": random(4 * hidden, hidden),
                f"{layer}.1.3.weight": random(hidden, 4 * hidden),
            }
    else:
        content = {
            "proj.weight": random(4 * attention, 22), "proj.bias": random(4 * attention),
            "norm.weight": torch.ones(attention), "norm.bias": random(attention),
        }  # fmt: skip
    state = {f"image_proj.{key}": value for key, value in content.items()}
    # every cross-attention of the U-Net, all of width 16
    for place in range(4):
        for part in ("to_k_ip", "to_v_ip"):
            state[f"ip_adapter.{2 * place + 1}.{part}.weight"] = random(16, attention)
    (root / name).parent.mkdir(parents=True, exist_ok=True)
    save_file(state, root / name)
    return root


class PublicWorld:
    """Tiny public generators on disk, each opened from its folder as real ones are."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.folders = {
            "kandinsky2.2": kandinsky(root / "kandinsky"),
            "stable-unclip": unclip(root / "unclip"),
            "sd-ip-adapter": stable_diffusion(root / "sd"),
            "sdxl-ip-adapter": sdxl(root / "sdxl"),
        }
        for name, width, plus in (("ip-adapter_sd15", 18, False), ("ip-adapter_sdxl", 38, False),
                                  ("ip-adapter-plus_sdxl_vit-h", 38, True)):  # fmt: skip
            adapter(root / "adapter", f"{name}.safetensors", attention=width, plus=plus)
        tower = image_tower(26, 22)
        tower.save_pretrained(root / "adapter" / "models" / "image_encoder")
        self.opened: dict[str, object] = {}

    def options(self, name: str) -> dict[str, object]:
        options: dict[str, object] = {"weights": str(self.folders[name]), "device": "cpu"}
        if name == "kandinsky2.2":
            options["image_tower"] = str(self.folders[name])
        if name.endswith("adapter"):
            file = "ip-adapter_sd15" if name[:3] == "sd-" else "ip-adapter-plus_sdxl_vit-h"
            options |= {
                "adapter": str(self.root / "adapter"), "adapter_file": f"{file}.safetensors"
            }  # fmt: skip
        return options

    def open(self, name: str, **options: object) -> LatentGenerator:
        if options:
            return make_generator(name, **{**self.options(name), **options})
        if name not in self.opened:
            self.opened[name] = make_generator(name, **self.options(name))
        return self.opened[name]
