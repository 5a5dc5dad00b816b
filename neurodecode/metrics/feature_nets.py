"""Networks whose features stand in for what a person would call "the same picture".

Weights come from a file, from torch's cache, or, when asked, from the network. Random weights
are used only on request and leave their mark in `FeatureNet.weights`, which belongs into the
record of every score.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import torch
from torch import Tensor, nn

from neurodecode.metrics.functional.arrays import ArrayLike, as_tensor
from neurodecode.metrics.functional.pixels import as_images, resize_images
from neurodecode.metrics.weights import Weights
from neurodecode.registry import Registry

__all__ = ["FEATURE_NETS", "CallableNet", "FeatureNet", "TorchNet", "build_feature_net"]

_IMAGENET = ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
_CLIP = ((0.48145466, 0.4578275, 0.40821073), (0.26862954, 0.26130258, 0.27577711))
_PUBLISHED_SIZE = 256


@runtime_checkable
class FeatureNet(Protocol):
    """Anything that turns pictures into feature vectors.

    Attributes
    ----------
    name : str
        Key in `FEATURE_NETS`, or a name of your own.
    weights : str
        Where the weights come from; ``untrained`` for random ones.
    """

    name: str
    weights: str

    def __call__(self, images: ArrayLike) -> Tensor:
        """Map images (n, height, width, 3) to features (n, n_features)."""


@dataclass(frozen=True)
class CallableNet:
    """A feature network around any function, e.g. the image tower of the bundled CLIP.

    Parameters
    ----------
    name : str
        Suffix of the metric, e.g. ``clip`` for ``two_way_clip``.
    weights : str
        Where the weights come from.
    encode : callable
        Images (n, height, width, 3) of uint8 to features (n, ...).
    """

    name: str
    weights: str
    encode: Callable[[ArrayLike], ArrayLike]

    def __call__(self, images: ArrayLike) -> Tensor:
        """Encode images.

        Parameters
        ----------
        images : array of uint8 of shape (n_images, height, width, 3)
            RGB.

        Returns
        -------
        Tensor of shape (n_images, n_features)
            Flattened features.
        """
        return as_tensor(self.encode(images)).flatten(1)


@dataclass(frozen=True)
class TorchNet:
    """A torch module with the preprocessing of the published scores.

    Parameters
    ----------
    name : str
        Key in `FEATURE_NETS`.
    weights : str
        Where the weights come from.
    module : nn.Module
        (n, 3, size, size) to features, in evaluation mode.
    size : int
        Input side in pixels.
    normalisation : tuple of tuple of float
        Mean and standard deviation of the three channels.
    antialias : bool
        Low-pass before shrinking. The published scores do not: torchvision before 0.17 left
        tensors aliased.
    batch_size : int
        Images at a time. Used for memory reasons.
    """

    name: str
    weights: str
    module: nn.Module
    size: int
    normalisation: tuple[tuple[float, ...], tuple[float, ...]]
    antialias: bool = False
    batch_size: int = 32

    def __call__(self, images: ArrayLike) -> Tensor:
        """Encode images: to 256 x 256, to the input size, normalise, run.

        Parameters
        ----------
        images : array-like of shape (n_images, height, width, 3)
            Or channels first; uint8, or floating point in [0, 1].

        Returns
        -------
        Tensor of float32 of shape (n_images, n_features)
            On the CPU.
        """
        device = next(self.module.parameters()).device
        mean, sd = (torch.tensor(x, device=device)[:, None, None] for x in self.normalisation)
        pieces = []
        with torch.inference_mode():
            for batch in as_tensor(images).split(self.batch_size):
                pixels = as_images(batch).float().to(device)
                for size in (_PUBLISHED_SIZE, self.size):
                    pixels = resize_images(pixels, size, antialias=self.antialias)
                features = self.module((pixels - mean) / sd)
                pieces.append(features.flatten(1).float().cpu())
        # inference tensors may not be written to in place; a clone may
        return torch.cat(pieces).clone()


FEATURE_NETS: Registry[Callable[..., TorchNet]] = Registry("feature network")
"""Name -> builder ``(weights: Weights) -> TorchNet``; the name is the suffix of the metric."""


def build_feature_net(
    name: str, weights: Weights | None = None, *, device: str | torch.device = "cpu"
) -> TorchNet:
    """Build one of the published feature networks.

    Parameters
    ----------
    name : str
        Key of `FEATURE_NETS`.
    weights : Weights, optional
        Where to take the weights from; by default torch's cache, without downloading.
    device : str or torch.device
        Where to run.

    Returns
    -------
    TorchNet
        Frozen, in evaluation mode.

    Raises
    ------
    WeightsError
        If the weights are not there; the message says how to get them.
    """
    weights = weights or Weights()
    # building draws initial weights; a score must not disturb the random numbers of a training
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(weights.seed)
        net = FEATURE_NETS[name](weights)
    net.module.to(device).eval().requires_grad_(False)
    return net


def _alexnet(name: str, n_layers: int, weights: Weights) -> TorchNet:
    from torchvision.models import AlexNet_Weights, alexnet

    url = AlexNet_Weights.IMAGENET1K_V1.url
    weights.find(url)
    model = alexnet()
    origin = weights.load_into(model, url)
    return TorchNet(name, origin, model.features[:n_layers], 256, _IMAGENET)


@FEATURE_NETS.register("alexnet2")
def _alexnet2(weights: Weights) -> TorchNet:
    """AlexNet up to ``features.4``, the second convolution, at 256 pixels."""
    return _alexnet("alexnet2", 5, weights)


@FEATURE_NETS.register("alexnet5")
def _alexnet5(weights: Weights) -> TorchNet:
    """AlexNet up to ``features.11``, the fifth convolution, at 256 pixels."""
    return _alexnet("alexnet5", 12, weights)


@FEATURE_NETS.register("inception")
def _inception(weights: Weights) -> TorchNet:
    """Inception-v3 up to the average pool, at 342 pixels."""
    from torchvision.models import Inception_V3_Weights, inception_v3

    url = Inception_V3_Weights.IMAGENET1K_V1.url
    weights.find(url)
    # torchvision switches transform_input on whenever it loads weights itself
    model = inception_v3(init_weights=False, transform_input=True)
    origin = weights.load_into(model, url)
    model.fc = nn.Identity()
    return TorchNet("inception", origin, model, 342, _IMAGENET)


@FEATURE_NETS.register("effnet")
def _effnet(weights: Weights) -> TorchNet:
    """EfficientNet-B1 up to the average pool, at 255 pixels."""
    from torchvision.models import EfficientNet_B1_Weights, efficientnet_b1

    url = EfficientNet_B1_Weights.IMAGENET1K_V2.url
    weights.find(url)
    model = efficientnet_b1()
    origin = weights.load_into(model, url)
    model.classifier = nn.Identity()
    return TorchNet("effnet", origin, model, 255, _IMAGENET)


@FEATURE_NETS.register("swav")
def _swav(weights: Weights) -> TorchNet:
    """ResNet-50 trained without labels (SwAV, 800 epochs) up to the average pool, at 224 pixels."""
    from torchvision.models import resnet50

    url = "https://dl.fbaipublicfiles.com/deepcluster/swav_800ep_pretrain.pth.tar"
    weights.find(url)
    model = resnet50()
    model.fc = nn.Identity()
    origin = weights.load_into(model, url, prefix="module.")
    return TorchNet("swav", origin, model, 224, _IMAGENET)


@FEATURE_NETS.register("clip")
def _clip(weights: Weights, model_name: str = "ViT-L-14-quickgelu") -> TorchNet:
    """CLIP ViT-L/14 image embedding, at 224 pixels."""
    import open_clip

    url = (
        "https://huggingface.co/timm/vit_large_patch14_clip_224.openai"
        "/resolve/main/open_clip_model.safetensors"
    )
    file_name = "clip-vit-l-14-openai.safetensors"
    weights.find(url, file_name)
    # OpenAI's weights were trained with another activation than the plain name stands for
    model = open_clip.create_model(model_name, pretrained=None).visual
    origin = weights.load_into(model, url, prefix="visual.", file_name=file_name)
    return TorchNet("clip", origin, model, 224, _CLIP)
