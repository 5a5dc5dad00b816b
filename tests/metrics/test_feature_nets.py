"""Feature networks: layers and preprocessing of the published scores, and honest weights."""

from __future__ import annotations

import inspect

import pytest
import torch
import torchvision
from torch import nn
from torchvision.models.feature_extraction import create_feature_extractor
from torchvision.transforms.functional import normalize, resize

from neurodecode.errors import ConfigError, WeightsError
from neurodecode.metrics.catalogue import METRIC_NAMES
from neurodecode.metrics.feature_nets import (
    FEATURE_NETS,
    CallableNet,
    FeatureNet,
    build_feature_net,
)
from neurodecode.metrics.weights import Weights

UNTRAINED = Weights(untrained=True)
#: name -> architecture of torchvision, node, input side
PUBLISHED = {
    "alexnet2": ("alexnet", {}, "features.4", 256),
    "alexnet5": ("alexnet", {}, "features.11", 256),
    "inception": ("inception_v3", {"transform_input": True, "init_weights": False}, "avgpool", 342),
    "effnet": ("efficientnet_b1", {}, "avgpool", 255),
    "swav": ("resnet50", {}, "avgpool", 224),
}


def photos(n: int = 2) -> torch.Tensor:
    generator = torch.Generator().manual_seed(0)
    return torch.randint(256, (n, 40, 48, 3), generator=generator, dtype=torch.uint8)


def test_registry_is_complete():
    assert set(FEATURE_NETS) == {*PUBLISHED, "clip"}
    for name in FEATURE_NETS:
        kind = "distance" if name in ("effnet", "swav") else "two_way"
        assert f"{kind}_{name}" in METRIC_NAMES
    with pytest.raises(ConfigError, match="unknown feature network 'vgg'; known: alexnet2"):
        build_feature_net("vgg")


@pytest.mark.parametrize("name", PUBLISHED)
def test_layer_and_preprocessing(name):
    net = build_feature_net(name, UNTRAINED)
    assert isinstance(net, FeatureNet)
    assert (net.name, net.weights) == (name, "untrained")
    architecture, options, node, size = PUBLISHED[name]
    model = getattr(torchvision.models, architecture)(**options)
    ours = dict(net.module.state_dict())
    if architecture == "alexnet":
        ours = {f"features.{key}": value for key, value in ours.items()}
    missing = model.load_state_dict(ours, strict=False)
    assert not missing.unexpected_keys
    extractor = create_feature_extractor(model.eval(), [node], suppress_diff_warning=True)
    pixels = photos().permute(0, 3, 1, 2).float() / 255
    for side in (256, size):
        pixels = resize(pixels, [side, side], antialias=False)
    pixels = normalize(pixels, [0.485, 0.456, 0.406], [0.229, 0.224, 0.225])
    with torch.no_grad():
        want = extractor(pixels)[node].flatten(1)
    torch.testing.assert_close(net(photos()), want, rtol=1e-4, atol=1e-5)


def test_features_do_not_depend_on_the_batch():
    net = build_feature_net("alexnet2", UNTRAINED)
    whole, parts = net(photos(3)), torch.cat([net(photos(3)[i : i + 1]) for i in range(3)])
    torch.testing.assert_close(whole, parts, rtol=1e-4, atol=1e-5)
    whole += 1  # an ordinary tensor, not one of inference mode
    assert not any(p.requires_grad for p in net.module.parameters())
    assert not net.module.training


def test_building_leaves_the_random_numbers_of_a_training_alone():
    torch.manual_seed(3)
    want = torch.rand(2)
    torch.manual_seed(3)
    first = build_feature_net("alexnet2", UNTRAINED)
    torch.testing.assert_close(torch.rand(2), want, rtol=0, atol=0)
    second = build_feature_net("alexnet2", UNTRAINED)
    torch.testing.assert_close(first(photos()), second(photos()), rtol=0, atol=0)


@pytest.mark.parametrize("name", FEATURE_NETS)
def test_missing_weights_are_named(name, tmp_path, monkeypatch):
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    builder = FEATURE_NETS[name]
    small = {"model_name": "ViT-S-32"} if name == "clip" else {}
    with pytest.raises(WeightsError, match=r"is missing; put https://.* there") as caught:
        builder(Weights(), **small)
    assert str(tmp_path / "hub" / "checkpoints") in str(caught.value)
    assert "\n" not in str(caught.value)


def test_clip_is_the_image_tower():
    clip = FEATURE_NETS["clip"]
    net = clip(UNTRAINED, model_name="ViT-S-32")
    net.module.eval()
    assert net(photos()).shape == (2, 384)
    assert inspect.signature(clip).parameters["model_name"].default == "ViT-L-14-quickgelu"


@pytest.mark.slow
def test_published_clip():
    assert build_feature_net("clip", UNTRAINED)(photos()).shape == (2, 768)


@pytest.mark.parametrize("suffix", [".pth", ".safetensors"])
def test_weights_from_a_file(tmp_path, suffix):
    from safetensors.torch import save_file

    source, model = nn.Linear(7, 8), nn.Linear(7, 8)
    state = {f"module.{key}": value for key, value in source.state_dict().items()}
    state["module.head.weight"] = torch.zeros(9)
    path = tmp_path / f"weights{suffix}"
    save_file(state, path) if suffix == ".safetensors" else torch.save(state, path)
    origin = Weights(file=path).load_into(model, "https://nowhere/x", prefix="module.")
    torch.testing.assert_close(model.weight, source.weight)
    assert origin.startswith(f"weights{suffix} sha256:")
    with pytest.raises(WeightsError, match="does not fit the network"):
        Weights(file=path).load_into(nn.Linear(7, 9), "https://nowhere/x", prefix="module.")


@pytest.mark.parametrize("suffix", [".pth", ".safetensors"])
@pytest.mark.parametrize("content", [b"", b"garbage" * 9, b"broken"])
def test_broken_weights_are_named(tmp_path, suffix, content):
    path = tmp_path / f"weights{suffix}"
    path.write_bytes(content)
    with pytest.raises(WeightsError, match="not readable weights") as caught:
        Weights(file=path).load_into(nn.Linear(7, 8), "https://nowhere/x")
    assert str(path) in str(caught.value)


def test_pickled_code_is_not_run(tmp_path):
    class Harmful:
        def __reduce__(self):
            return (open, (str(tmp_path / "ran"), "w"))

    torch.save({"weight": Harmful()}, tmp_path / "weights.pth")
    with pytest.raises(WeightsError, match="not readable weights"):
        Weights(file=tmp_path / "weights.pth").load_into(nn.Linear(7, 8), "https://nowhere/x")
    assert not (tmp_path / "ran").exists()


def test_download_from_where_it_is_published(tmp_path):
    source, model = nn.Linear(7, 8), nn.Linear(7, 8)
    torch.save(source.state_dict(), tmp_path / "published.pth")
    cached = tmp_path / "cache" / "weights.pth"
    weights = Weights(file=cached, download=True)
    weights.load_into(model, (tmp_path / "published.pth").as_uri())
    torch.testing.assert_close(model.weight, source.weight)
    assert cached.is_file()
    with pytest.raises(WeightsError, match="cannot be fetched"):
        Weights(file=tmp_path / "other.pth", download=True).load_into(
            model, (tmp_path / "absent.pth").as_uri()
        )
    assert not (tmp_path / "other.pth").exists()


def test_any_function_can_be_a_net():
    net = CallableNet("clip", "bundled mini-clip", lambda x: torch.as_tensor(x).float()[:, :2, :3])
    assert isinstance(net, FeatureNet)
    assert net(photos(4)).shape == (4, 18)
