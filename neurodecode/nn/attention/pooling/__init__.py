"""From tokens to one vector an item: class token, mean, attentive probing."""

from neurodecode.nn.attention.pooling.base import POOLING, Pooling
from neurodecode.nn.attention.pooling.class_token import ClassToken
from neurodecode.nn.attention.pooling.mean import MeanToken
from neurodecode.nn.attention.pooling.probe import AttentiveProbe

__all__ = ["POOLING", "AttentiveProbe", "ClassToken", "MeanToken", "Pooling"]
