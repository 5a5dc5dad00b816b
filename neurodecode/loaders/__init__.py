"""LightningDataModules: stores, splits and embeddings -> batches."""

from neurodecode.loaders.responses import ResponseDataModule

__all__ = ["ResponseDataModule"]
