"""Where AWS calls in: each edge turns an event into calls of a use case, and its answer into what AWS expects."""

from __future__ import annotations

import gc


def all_is_loaded() -> None:
    """Turn garbage collection on again, which `handlers/` turned off, and freeze what was loaded until now."""
    if not gc.isenabled():
        gc.freeze()
        gc.enable()
