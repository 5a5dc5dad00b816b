"""How good a decoder is: functions, torchmetrics classes, and records of scores.

- `neurodecode.metrics.functional`: scores of arrays, one per item;
- `neurodecode.metrics.modules`: the same as torchmetrics classes;
- `neurodecode.metrics.feature_nets`: the networks behind perceptual scores;
- `neurodecode.metrics.bootstrap`, `neurodecode.metrics.records`: intervals, and what is kept.

Importing this package imports nothing heavy.
"""

from __future__ import annotations
