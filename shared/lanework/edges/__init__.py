"""Where AWS calls in: each edge turns an event into calls of a use case, and its answer into what AWS expects."""

from __future__ import annotations

import gc


def all_is_loaded() -> None:
    """Let Python look for garbage again where `handlers/` told it not to, and never in what was loaded until now."""
    if not gc.isenabled():
        gc.freeze()
        gc.enable()
