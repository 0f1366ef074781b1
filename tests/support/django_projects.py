"""What the tests of `lanework.django` share."""

from __future__ import annotations

from typing import Any, Final

DATABASES: Final = ("default", "postgresql")
"""Their project's databases: SQLite, and a PostgreSQL that the tests start."""


def open_on(server: Any) -> int:
    """Return how many connections a PostgreSQL has, but for the one that asks."""
    with server.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend'")
        return int(cursor.fetchone()[0]) - 1
