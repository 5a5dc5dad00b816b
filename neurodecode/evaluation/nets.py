"""The feature networks of the published scores, as far as their weights are here."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from torch import Tensor

from neurodecode.errors import MissingWeightsError
from neurodecode.metrics.feature_nets import FeatureNet, build_feature_net
from neurodecode.metrics.weights import Weights

__all__ = ["NET_METRICS", "UNMEASURED", "CachedNet", "embedder_weights", "open_nets"]

#: Published feature network -> its metric.
NET_METRICS = {
    "alexnet2": "two_way_alexnet2",
    "alexnet5": "two_way_alexnet5",
    "inception": "two_way_inception",
    "clip": "two_way_clip",
    "effnet": "distance_effnet",
    "swav": "distance_swav",
}
#: ``weights`` of a record of a metric that was not measured for the want of them.
UNMEASURED = "none"


class CachedNet:
    """A feature network that remembers the true pictures.

    Every method and most subjects are compared with the same pictures.

    Parameters
    ----------
    net : FeatureNet
        The network.
    """

    def __init__(self, net: FeatureNet) -> None:
        self.net, self.weights = net, net.weights
        self._known: tuple[bytes, Tensor] | None = None

    def truth(self, images: np.ndarray) -> Tensor:
        """Encode true pictures, unless they are those of the last call.

        Parameters
        ----------
        images : array of uint8 of shape (n, height, width, 3)
            Pictures.

        Returns
        -------
        Tensor of shape (n, n_features)
            Features.
        """
        images = np.ascontiguousarray(images)
        digest = hashlib.blake2b(images.data, digest_size=16)
        digest.update(repr(images.shape).encode())
        if self._known is None or self._known[0] != digest.digest():
            self._known = (digest.digest(), self.net(images))
        return self._known[1]

    def drawn(self, images: np.ndarray) -> Tensor:
        """Encode reconstructions.

        Parameters
        ----------
        images : array of uint8 of shape (n, height, width, 3)
            Pictures.

        Returns
        -------
        Tensor of shape (n, n_features)
            Features.
        """
        return self.net(images)


def open_nets(
    names: Sequence[str], *, required: bool, untrained: bool = False,
    build: Callable[..., FeatureNet] = build_feature_net,
) -> tuple[dict[str, CachedNet], dict[str, dict[str, str]]]:  # fmt: skip
    """Build the networks whose weights are on this machine.

    Parameters
    ----------
    names : sequence of str
        Keys of `NET_METRICS`.
    required : bool
        Whether a network without weights is an error.
    untrained : bool
        Give networks without weights random ones. Their records say ``weights: untrained``.
    build : callable
        ``build(name, weights)``.

    Returns
    -------
    nets : dict of str to CachedNet
        Networks by metric.
    absent : dict of str to dict
        Metrics that cannot be measured, and what to say of them in a record.

    Raises
    ------
    WeightsError
        If weights are missing and required, or broken in any case.
    """
    nets, absent = {}, {}
    for name in names:
        try:
            net = build(name, Weights())
        except MissingWeightsError as error:
            if untrained:
                net = build(name, Weights(untrained=True))
            elif required:
                raise
            else:
                absent[NET_METRICS[name]] = {"weights": UNMEASURED, "missing": error.source}
                continue
        nets[NET_METRICS[name]] = CachedNet(net)
    return nets, absent


def embedder_weights(provenance: Mapping[str, Any]) -> str:
    """Say in one word where the weights of an embedder come from.

    Parameters
    ----------
    provenance : mapping
        Of an `Embedder`.

    Returns
    -------
    str
        Name and the first digits of the checksum, as `Weights.load_into` gives them.
    """
    name = str(provenance.get("weights") or provenance.get("model") or "unknown")
    digest = str(provenance.get("sha256", ""))[:12]
    return f"{name} sha256:{digest}" if digest else name
