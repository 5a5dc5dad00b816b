"""Triton's interpreter, which runs kernels on the CPU to test them."""

from __future__ import annotations

import os
from typing import Any

__all__ = ["interpreting", "mend_interpreter"]


def interpreting() -> bool:
    """Whether Triton runs kernels in its interpreter, on the CPU."""
    return os.environ.get("TRITON_INTERPRET") == "1"


def mend_interpreter() -> None:
    """Let loops of a kernel have bounds that it was given or has loaded.

    Triton 3.6 keeps such numbers as arrays of one element and turns them into integers by
    ``int(array)``, which NumPy no longer does as of 2.4.
    """
    from triton.runtime import interpreter

    plain = interpreter._patch_lang_tensor
    if getattr(plain, "mended", False):
        return

    def mended(tensor: Any, scope: Any) -> None:
        """Patch as before, then replace what fails."""
        plain(tensor, scope)
        scope.set_attr(tensor, "__index__", lambda self: int(self.handle.data.item()))

    mended.mended = True  # type: ignore[attr-defined]
    interpreter._patch_lang_tensor = mended
