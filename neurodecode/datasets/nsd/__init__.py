"""The Natural Scenes Dataset, and the miniature world written in its layout."""

from neurodecode.datasets.nsd.reader import MiniFmri, NaturalScenes

__all__ = ["MiniFmri", "NaturalScenes"]
