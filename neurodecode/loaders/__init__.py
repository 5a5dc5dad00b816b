"""LightningDataModules: stores, splits and embeddings -> batches.

The DataModule is imported when it is first asked for: linear models read `loaders.table` and do
not wait for Lightning.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from neurodecode.loaders.responses import ResponseDataModule

__all__ = ["ResponseDataModule"]


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from neurodecode.loaders.responses import ResponseDataModule

    return ResponseDataModule
