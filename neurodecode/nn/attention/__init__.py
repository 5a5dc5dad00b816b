"""Attention mechanisms behind one signature, chosen by name.

Any module that attends takes the name of a mechanism and makes it with `make_attention`. A new
mechanism is one file in `mechanisms/`: it registers itself, and the completeness suite
(`tests/attention/`) runs over it.
"""

from neurodecode.nn.attention.base import Attention, Cost
from neurodecode.nn.attention.registry import ATTENTION, make_attention

__all__ = ["ATTENTION", "Attention", "Cost", "make_attention"]
