"""The search asymmetry model as a scanpath model: no gaze data, a picture of the target."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from neurodecode.errors import DataError, WeightsError
from neurodecode.gaze.model import SCANPATH_MODELS, ScanpathModel
from neurodecode.nn.scanpath.search_tower import SearchTower, small_stages, vgg16_stages
from neurodecode.nn.scanpath.visual_search import VisualSearch
from neurodecode.scanpaths import Objects, Scanpath, Scanpaths

__all__ = ["EccNet", "load_stages"]


def load_stages(weights: Path) -> list[nn.Module]:
    """Read a tower's stages.

    Parameters
    ----------
    weights : Path
        Safetensors: as `neurodecode.tasks.pretrain_search_tower` leaves them when training ends,
        or torchvision's VGG16 (``features.*``).

    Returns
    -------
    list of nn.Module
        In evaluation mode, without gradients.

    Raises
    ------
    WeightsError
        If the file is missing or holds another network.
    """
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        state = load_file(weights)
    except (OSError, SafetensorError) as error:
        raise WeightsError(
            f"file {weights}: no weights of a search tower ({error}); train one with"
            " configs/pretrain/search_tower.yaml, or give VGG16's as safetensors"
        ) from error
    if any(name.startswith("features.") for name in state):
        from torchvision.models import vgg16

        with torch.device("meta"):
            network: nn.Module = vgg16(weights=None).features
        state = {k.removeprefix("features."): v for k, v in state.items() if "features." in k}
        cut = vgg16_stages
    else:
        network, cut = nn.ModuleList(small_stages()), list
    try:
        network.load_state_dict(state, assign=True)
    except RuntimeError as error:
        raise WeightsError(f"file {weights}: weights of another network") from error
    return cut(network.requires_grad_(False).eval())


@SCANPATH_MODELS.register("eccnet")
class EccNet(ScanpathModel):
    """Search for what looks like the target, sharp where the eye is and coarse elsewhere.

    Parameters
    ----------
    weights : path
        Of the tower, see `load_stages`.
    pixels_per_degree : float
        Of the pictures after scaling; 30 with VGG16 in eccNET.
    scale : float
        Pictures are scaled by this factor before the search.
    inhibited : float
        Side in degrees of the square around a fixation that is not looked at again.
    """

    needs = ("objects", "target")
    stops = True

    def __init__(
        self,
        weights: Path,
        pixels_per_degree: float = 10.0,
        scale: float = 1.0,
        inhibited: float = 2.0,
    ) -> None:
        stages = load_stages(Path(weights))
        self.scale = scale
        self.search = VisualSearch(
            SearchTower(stages, pixels_per_degree),
            SearchTower(stages),
            inhibited=round(inhibited * pixels_per_degree),
        )

    def predict(
        self,
        image: np.ndarray,
        *,
        objects: Objects | None = None,
        target: str | None = None,
        caption: str | None = None,
        n_fixations: int,
        n_samples: int = 1,
        seed: int = 0,
    ) -> Scanpaths:
        """See `ScanpathModel.predict`; the search is deterministic, all samples are alike."""
        if objects is None or not target:
            raise DataError("eccnet needs objects and a target", field="objects", fix="give both")
        size = image.shape[1], image.shape[0]
        objects.check(size)
        box = objects.boxes[objects.find(target)[0]]
        left, top, right, bottom = (int(v) for v in (*box[:2], *np.ceil(box[:2] + box[2:])))
        pixels = self._scaled(image)
        shown = self._scaled(image[top:bottom, left:right])
        boxes = torch.from_numpy(box[None] * self.scale).float()
        found = self.search(pixels, shown, boxes, n_fixations)
        xy = found.xy[0, : int(found.n_fixations[0])].numpy() / self.scale
        labels: dict[str, Any] = {"target": target, "caption": caption or "", "size": size}
        return Scanpaths.from_list(
            [Scanpath(*xy.T, np.full(len(xy), np.nan), viewer=f"sample-{i}", **labels)
             for i in range(n_samples)]
        )  # fmt: skip

    def _scaled(self, image: np.ndarray) -> Tensor:
        pixels = torch.tensor(np.ascontiguousarray(image)).permute(2, 0, 1)[None].float()
        if self.scale != 1:
            pixels = F.interpolate(pixels, scale_factor=self.scale, mode="bilinear", antialias=True)
        return pixels / 127.5 - 1
