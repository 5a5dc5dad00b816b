"""Networks that predict responses from pictures."""

from neurodecode.nn.encoders.core import ConvCore
from neurodecode.nn.encoders.encoder import SharedCoreEncoder
from neurodecode.nn.encoders.joined import JoinedCore
from neurodecode.nn.encoders.narrow import NarrowCore
from neurodecode.nn.encoders.readout import FactorisedReadout
from neurodecode.nn.encoders.routing import RoutingEncoder

__all__ = [
    "ConvCore",
    "FactorisedReadout",
    "JoinedCore",
    "NarrowCore",
    "RoutingEncoder",
    "SharedCoreEncoder",
]
