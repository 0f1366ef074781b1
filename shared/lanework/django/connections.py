"""Database connections that are healthy when a job begins, and closed after it if they are due to be."""

from __future__ import annotations

from contextlib import asynccontextmanager, contextmanager
from typing import TYPE_CHECKING

from asgiref.sync import sync_to_async
from django.db import close_old_connections, connections, reset_queries

from lanework import Middleware

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from contextlib import AbstractContextManager

    from lanework import Run


class DatabaseConnections(Middleware):
    """
    Treats a job's database connections as Django treats a request's: `App(…, middleware=[DatabaseConnections()])`.

    Of an `async def` job's, these are in other threads: it does the same itself, `async with healthy_connections():`.
    Django's tasks do so by themselves.
    """

    def run(self, run: Run) -> AbstractContextManager[None]:  # noqa: ARG002 - the same for all
        """Drop what is broken or too old, before and after."""
        return connections_of_this_thread()


@contextmanager
def connections_of_this_thread() -> Iterator[None]:
    """Drop connections of this thread that are broken, or older than CONN_MAX_AGE, before and after."""
    _refresh()
    try:
        yield
    finally:
        close_old_connections()


@asynccontextmanager
async def healthy_connections() -> AsyncIterator[None]:
    """Do the same in async code, for the thread in which Django's ORM runs what such code asks of it."""
    await sync_to_async(_refresh)()
    try:
        yield
    finally:
        await sync_to_async(close_old_connections)()


def _refresh() -> None:
    """Besides, close what the server has closed: one ping of each connection that CONN_MAX_AGE has kept open."""
    reset_queries()
    close_old_connections()
    for connection in connections.all(initialized_only=True):
        if connection.connection is not None and not connection.in_atomic_block and not connection.is_usable():
            connection.close()
