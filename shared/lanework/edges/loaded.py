"""The end of a cold start."""

from __future__ import annotations

import gc


def all_is_loaded() -> None:
    """Let Python look for garbage again where `handlers/` told it not to, and never in what was loaded until now."""
    if not gc.isenabled():
        gc.freeze()
        gc.enable()
