"""Doing what must not outrun a transaction: once every transaction that is open here has been committed."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from django.db import connections

if TYPE_CHECKING:
    from collections.abc import Callable


def after_commit(call: Callable[[], object]) -> None:
    """
    Call at once where no transaction is open in this thread, else after the commit of all that are; never if one fails.

    Each database counts: of nested blocks on two databases, the call waits for the outer one, too. A connection whose
    transactions the code manages itself (`AUTOCOMMIT: False`) can't be waited for: there the call is made at once.
    Nor is the block waited for that `TestCase` puts around each test, for that is never committed.
    """
    for connection in connections.all(initialized_only=True):
        if any(not getattr(block, "_from_testcase", False) for block in connection.atomic_blocks):
            connection.on_commit(partial(after_commit, call))
            return
    call()
