"""Where people look: sequences of fixations, and the objects that lie there."""

from neurodecode.scanpaths.container import Scanpath, Scanpaths
from neurodecode.scanpaths.objects import Objects

__all__ = ["Objects", "Scanpath", "Scanpaths"]
