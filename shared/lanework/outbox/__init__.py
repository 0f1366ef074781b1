"""
A transactional outbox: a job is a row of the caller's own transaction, and is enqueued once that is committed.

    outbox = Outbox(app, metadata=Base.metadata)
    outbox.enqueue(session, welcome.request({"user_id": user.id}))
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from lanework.outbox.relay import Relayed
    from lanework.outbox.sql import Outbox

_LOADED_AT_FIRST_USE: Final = {"Outbox": "lanework.outbox.sql", "Relayed": "lanework.outbox.relay"}
"""`Outbox` loads SQLAlchemy, which another framework's outbox has no use for."""

__all__ = ["Outbox", "Relayed"]


def __getattr__(name: str) -> Any:  # noqa: ANN401 - TYPE_CHECKING above has the types
    """
    Load a public name at its first use.

    Raises:
        AttributeError: There is no such name.
    """
    if name not in _LOADED_AT_FIRST_USE:
        msg = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(msg)
    return getattr(import_module(_LOADED_AT_FIRST_USE[name]), name)
