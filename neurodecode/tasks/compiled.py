"""`torch.compile` as a callback, so that a configuration or the command line switches it on."""

from __future__ import annotations

from lightning.pytorch import LightningModule, Trainer
from lightning.pytorch.callbacks import Callback

__all__ = ["CompiledNetwork"]


class CompiledNetwork(Callback):
    """Compile the networks of a task before they run.

    They are compiled in place (`torch.nn.Module.compile`): names of weights stay what they are,
    so checkpoints with and without this callback are the same.

    Parameters
    ----------
    mode : str, optional
        ``default``, ``reduce-overhead`` or ``max-autotune``.
    backend : str
        ``inductor`` needs a C++ compiler on the CPU and Triton on a GPU; ``eager`` compiles
        nothing and shows what cannot be traced.
    dynamic : bool, optional
        Whether batch sizes vary; by default PyTorch finds out and compiles once more.
    """

    def __init__(
        self, mode: str | None = None, backend: str = "inductor", dynamic: bool | None = None
    ) -> None:
        self.options = {"mode": mode, "backend": backend, "dynamic": dynamic}

    def setup(self, trainer: Trainer, pl_module: LightningModule, stage: str) -> None:
        """Compile every part that has weights.

        Parameters
        ----------
        trainer : Trainer
            Not used.
        pl_module : LightningModule
            The task.
        stage : str
            Not used.
        """
        for network in pl_module.children():
            if any(True for _ in network.parameters()) and network._compiled_call_impl is None:
                network.compile(**self.options)
