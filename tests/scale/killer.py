"""A callback that takes one process down, as a failing node would."""

from __future__ import annotations

import os
import signal

from lightning.pytorch.callbacks import Callback


class Killer(Callback):
    """Kill one rank at the start of a batch."""

    def __init__(self, rank: int, epoch: int, batch: int) -> None:
        self.when = (rank, epoch, batch)

    def on_train_batch_start(self, trainer, pl_module, batch, batch_idx) -> None:
        if (trainer.global_rank, trainer.current_epoch, batch_idx) == self.when:
            os.kill(os.getpid(), signal.SIGKILL)
