"""Where AWS calls in: each edge turns an event into calls of a use case, and its answer into what AWS expects."""

from __future__ import annotations

import gc
import random
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lanework.app import App


def connected(app: App) -> bool:
    """
    Make an application's clients in Lambda's init phase, where the first event needn't wait for it. Calls nothing.

    Returns:
        Whether this is a function: elsewhere whoever imports a handler may have no credentials, and looks for none.
    """
    from lanework.settings import is_in_lambda, is_in_snapshot  # noqa: PLC0415 - a worker's parent has no use for it

    if not is_in_lambda():
        return False
    app.connect()
    if is_in_snapshot():
        from snapshot_restore_py import register_after_restore  # noqa: PLC0415 - a part of runtimes with SnapStart

        register_after_restore(_after_restore, app)
    return True


def _after_restore(app: App) -> None:
    """Let go of what environments that were made of the same snapshot would share: connections, and a seed."""
    random.seed()
    app.ports.disconnect()


def all_is_loaded() -> None:
    """Turn garbage collection on again, which `handlers/` turned off, and freeze what was loaded until now."""
    if not gc.isenabled():
        gc.freeze()
        gc.enable()
